/** The kernel's logo: threads of a loom, some of them lifted. */

const colors = ["#0072B2", "#E69F00", "#009E73", "#CC79A7"];

function threads(): string {
  return colors
    .map((color, index) => {
      const y = 16 + index * 10.7;
      const lift = index % 2 === 0 ? -6 : 6;
      return `<path d="M6 ${y}C18 ${y} 22 ${y + lift} 32 ${y + lift}S46 ${y} 58 ${y}" fill="none" stroke="${color}" stroke-width="4.4" stroke-linecap="round"/>`;
    })
    .join("");
}

const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64" width="64" height="64"><rect width="64" height="64" rx="12" fill="#1B1F24"/>${threads()}<path d="M32 6V58" stroke="#F6F7F9" stroke-width="2.6" stroke-linecap="round"/></svg>\n`;

/** The logo in the forms Jupyter asks for. */
export async function drawLogo(): Promise<{ svg: string; png32: Uint8Array; png64: Uint8Array }> {
  const { Resvg } = await import("@resvg/resvg-js");
  const draw = (width: number): Uint8Array =>
    new Resvg(svg, { fitTo: { mode: "width", value: width } }).render().asPng();
  return { svg, png32: draw(32), png64: draw(64) };
}
