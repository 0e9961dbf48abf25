import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { encodeIndexedPng, quantize } from "./png-encoder.ts";

/** Pictures with more pixels, and those with a raster in them, are drawn at single resolution. */
const MOST_PIXELS = 1_600_000;
const SHARP = 1.4;

const FONT_FOLDER = join(
  dirname(createRequire(import.meta.url).resolve("heddle/package.json")),
  "kernel",
  "charts",
  "fonts",
);
const FONT_FILES = ["DejaVuSansCondensed.ttf", "DejaVuSansCondensed-Bold.ttf", "DejaVuSansCondensed-Oblique.ttf"].map(
  (name) => join(FONT_FOLDER, name),
);
/** Scripts that the fonts that come along have no letters for. */
const OTHER_SCRIPT = /[^\u0000-\u024f\u0370-\u03ff\u0400-\u04ff\u2000-\u22ff\u2500-\u27bf]/u;

/**
 * Renders a picture of `renderSvg` in its light colours as a PNG of at most 64 colours.
 *
 * It looks the same on every machine, one without fonts too; only letters that the fonts that come along
 * do not have are taken from the system's.
 */
export async function renderPng(svg: string): Promise<Uint8Array> {
  const size = /width="(\d+)" height="(\d+)"/.exec(svg);
  const pixels = size ? Number(size[1]) * Number(size[2]) * SHARP ** 2 : 0;
  const big = pixels > MOST_PIXELS || svg.includes("<image");
  // Loaded with the first picture: a kernel starts sooner without it.
  const { renderAsync } = await import("@resvg/resvg-js");
  const image = await renderAsync(svg, {
    fitTo: { mode: "zoom", value: big ? 1 : SHARP },
    background: "#fff",
    font: {
      loadSystemFonts: OTHER_SCRIPT.test(svg),
      fontFiles: FONT_FILES,
      defaultFontFamily: "DejaVu Sans Condensed",
      sansSerifFamily: "DejaVu Sans Condensed",
    },
    imageRendering: 1,
    logLevel: "off",
  });
  return encodeIndexedPng(quantize(image.pixels, image.width, image.height));
}
