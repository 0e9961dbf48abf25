import { readFileSync } from "node:fs";
import { imageBundle, imageType } from "./images.ts";
import { displaySymbol, type MimeBundle, plotlyData, toJson } from "./mime-bundle.ts";
import { currentNotebook } from "./notebook-link.ts";

/** Something that is shown in a given form: as a cell's value, or by `display`. */
export class Rich {
  readonly #data: MimeBundle;

  constructor(data: MimeBundle) {
    this.#data = data;
  }

  /** The MIME bundle; the convention of the Deno kernel. */
  [displaySymbol](): MimeBundle {
    return this.#data;
  }
}

/** Markup shown as HTML. Without a notebook its text is shown. Example: `html("<b>bold</b>")`. */
export function html(markup: string): Rich {
  return new Rich({ "text/html": text("html", markup), "text/plain": markup.replaceAll(/<[^>]*>/g, "") });
}

/** An SVG picture from its source. Example: `svg('<svg width="10" height="10">…</svg>')`. */
export function svg(source: string): Rich {
  return new Rich({ "image/svg+xml": text("svg", source), "text/plain": "[SVG picture]" });
}

/** Text shown as Markdown, with `$…$` as formulas. */
export function markdown(source: string): Rich {
  return new Rich({ "text/markdown": text("markdown", source), "text/plain": source });
}

/**
 * A PNG, JPEG, GIF, WebP or SVG picture, from its bytes or from a file's path.
 * Throws a TypeError when the bytes are none of these, and Node's own error when there is no such file.
 */
export function image(source: Uint8Array | string): Rich {
  const bytes = typeof source === "string" ? readFileSync(source) : source;
  if (!(bytes instanceof Uint8Array)) throw new TypeError(`image takes bytes or a file's path, not ${typeof source}`);
  const bundle = imageBundle(bytes);
  if (bundle === undefined)
    throw new TypeError("image takes a PNG, JPEG, GIF, WebP or SVG picture; these bytes are none of them");
  return new Rich({ ...bundle.data, "text/plain": `[${imageType(bytes)}, ${bytes.length} bytes]` });
}

/** A value as a tree that can be folded, where the front end has one. Throws a TypeError for what JSON cannot hold. */
export function json(value: unknown): Rich {
  const data = toJson(value);
  return new Rich({ "application/json": data, "text/plain": JSON.stringify(data, null, 2) });
}

/** A Plotly figure: traces and, if wanted, a layout. Example: `plot([{ x: [1, 2], y: [3, 4] }], { title: "t" })`. */
export function plot(data: object[] | object, layout: object = {}): Rich {
  const traces = Array.isArray(data) ? data : [data];
  if (!traces.every((trace) => typeof trace === "object" && trace !== null)) {
    throw new TypeError("plot takes a trace or a list of traces, such as { x: [1, 2], y: [3, 4] }");
  }
  const plotlyMime = currentNotebook()?.plotlyMime ?? true;
  return new Rich({
    ...plotlyData({ data: traces, layout }, { plotlyMime }),
    "text/plain": `[Plotly figure, ${traces.length} traces]`,
  });
}

function text(caller: string, value: unknown): string {
  if (typeof value !== "string")
    throw new TypeError(`${caller} takes text, not ${value === null ? "null" : typeof value}`);
  return value;
}
