/** Text as a terminal shows it, as HTML: colours (ANSI's SGR sequences), and carriage returns that write over a line. */
import { escapeHtml } from "../display/tables.ts";

interface Look {
  bold: boolean;
  dim: boolean;
  italic: boolean;
  underline: boolean;
  inverse: boolean;
  foreground: string | undefined;
  background: string | undefined;
}

const plain: Look = {
  bold: false,
  dim: false,
  italic: false,
  underline: false,
  inverse: false,
  foreground: undefined,
  background: undefined,
};

/** Legible on a light page and on a dark one. */
const palette = ["#3e424d", "#d5392b", "#1c8c43", "#a66d00", "#2563c9", "#a03fae", "#11808b", "#8a8f98"];

/** The text as HTML for a `<pre>`. */
export function terminalHtml(text: string): string {
  let look = plain;
  let html = "";
  // The whole sequence is one piece, its parameters are the next.
  const pieces = overwrite(text).split(/\u001b\[([\d;]*)m/);
  for (const [index, piece] of pieces.entries()) {
    if (index % 2 === 1) look = change(look, piece);
    else if (piece !== "") html += span(look, escapeHtml(withoutSequences(piece)));
  }
  return html;
}

/** Other sequences, which move the cursor or name a link, have no place on a page. */
const withoutSequences = (text: string): string =>
  text.replace(/\u001b(?:\[[\d;?]*[A-Za-z]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|.)/g, "");

/** What is left of each line when a carriage return lets later text lie over earlier. */
function overwrite(text: string): string {
  return text.replace(/[^\n]*\r(?!\n)[^\n]*/g, (line) => {
    const layers = line.split("\r");
    return layers.reduce((under, over) => over + under.slice(over.length));
  });
}

function change(look: Look, parameters: string): Look {
  const next = { ...look };
  const codes = parameters === "" ? [0] : parameters.split(";").map(Number);
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i]!;
    if (code === 0) Object.assign(next, plain);
    else if (code === 1) next.bold = true;
    else if (code === 2) next.dim = true;
    else if (code === 3) next.italic = true;
    else if (code === 4) next.underline = true;
    else if (code === 7) next.inverse = true;
    else if (code === 22) Object.assign(next, { bold: false, dim: false });
    else if (code === 23) next.italic = false;
    else if (code === 24) next.underline = false;
    else if (code === 27) next.inverse = false;
    else if (code === 38 || code === 48) {
      const color = codes[i + 1] === 5 ? indexed(codes[i + 2] ?? 0) : `rgb(${codes.slice(i + 2, i + 5).join(",")})`;
      next[code === 38 ? "foreground" : "background"] = color;
      i += codes[i + 1] === 5 ? 2 : 4;
    } else if (code === 39) next.foreground = undefined;
    else if (code === 49) next.background = undefined;
    else if ((code >= 30 && code < 38) || (code >= 90 && code < 98)) next.foreground = palette[code % 10];
    else if ((code >= 40 && code < 48) || (code >= 100 && code < 108)) next.background = palette[code % 10];
  }
  return next;
}

/** A colour of the 256 that terminals number. */
function indexed(code: number): string {
  if (code < 16) return palette[code % 8]!;
  if (code >= 232) return `rgb(${Array(3).fill(8 + (code - 232) * 10)})`;
  const steps = [0, 95, 135, 175, 215, 255];
  const cube = code - 16;
  return `rgb(${[Math.floor(cube / 36), Math.floor(cube / 6) % 6, cube % 6].map((step) => steps[step]!)})`;
}

function span(look: Look, html: string): string {
  const { background, bold, dim, foreground, inverse, italic, underline } = look;
  const [front, back] = inverse ? [background ?? "Canvas", foreground ?? "currentColor"] : [foreground, background];
  const style = [
    bold && "font-weight:600",
    dim && "opacity:.7",
    italic && "font-style:italic",
    underline && "text-decoration:underline",
    front && `color:${front}`,
    back && `background:${back}`,
  ].filter((one) => one);
  return style.length === 0 ? html : `<span style="${style.join(";")}">${html}</span>`;
}
