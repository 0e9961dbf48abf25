/**
 * Widths of DejaVu Sans Condensed in thousandths of the font size, three digits for each character from space to `~`.
 * The usual interface fonts are about as wide, so a label that is placed by these overlaps nothing.
 */
const REGULAR =
  "286360414754572855702247351351450754286325286303572572572572572572572572572572303303754754754478900615617628693568518697677265265590501776673708542708625571549659615890616549616351303351754450450551571495571554316571570250250521250876570550571571370469353570532736532532472572303572754";
const BOLD =
  "313410469754626901785275411411470754342374342329626626626626626626626626626626360360754754754522900696686660747615615738753334334697573896753765659765693648614730696993694651652411329411754450450607644533644610391644641308308598308938641618644644444536430641586831580586523641329641754";
/** Some system fonts are a little wider. */
const MARGIN = 1.06;
const WIDE = 1000;
const OTHER = 754;

/** How wide a line of text is at most, in the unit of `size`. */
export function textWidth(text: string, size: number, { bold = false } = {}): number {
  const widths = bold ? BOLD : REGULAR;
  let sum = 0;
  for (const character of text) {
    const code = character.codePointAt(0)!;
    if (code >= 32 && code < 127) sum += Number(widths.slice((code - 32) * 3, (code - 32) * 3 + 3));
    else sum += code >= 0x1100 ? WIDE : OTHER;
  }
  return (sum * size * MARGIN) / 1000;
}

/** The text, or its beginning with an ellipsis where it is wider than `width`. */
export function fitText(text: string, width: number, size: number, options: { bold?: boolean } = {}): string {
  if (textWidth(text, size, options) <= width) return text;
  const characters = [...text];
  while (characters.length > 1 && textWidth(`${characters.join("")}…`, size, options) > width) characters.pop();
  return `${characters.join("")}…`;
}

/** The words of a text in lines of at most `width`. */
export function wrapText(text: string, width: number, size: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (line !== "" && textWidth(longer, size) > width) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return line === "" ? lines : [...lines, line];
}
