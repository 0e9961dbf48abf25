import { type ImageBundle, imageBundle } from "./images.ts";
import { describeText } from "./plain-text.ts";
import { tableHtml } from "./tables.ts";

/** MIME type → content: text for text types, base64 text for binary ones, a plain value for `application/json` and its kin. */
export type MimeBundle = Record<string, unknown>;

/** A bundle and its metadata, as a message of Jupyter carries them. */
export interface Shown {
  data: MimeBundle;
  metadata: Record<string, unknown>;
}

export interface ShowOptions {
  /** Adds `application/vnd.plotly.v1+json` for Plotly figures. */
  plotlyMime: boolean;
}

/** The method by which an object says how it is shown; the convention of the Deno kernel. */
export const displaySymbol: unique symbol = Symbol.for("Jupyter.display") as never;

/**
 * How a value is shown: always as text, and in whatever richer form it has. Undefined for `undefined`. A promise only
 * where the value's own method gives one, so that what is displayed stands in order with what is printed.
 */
export function showValue(
  value: unknown,
  options: ShowOptions = { plotlyMime: true },
): Shown | undefined | Promise<Shown> {
  if (value === undefined) return undefined;
  if (isObject(value)) {
    const own = ownBundle(value);
    if (own !== undefined) return own;
  }
  const image = imageBundle(value);
  if (image !== undefined) return withText(image, value);
  const rich = isObject(value) ? richData(value, options) : {};
  return { data: { "text/plain": describeText(value), ...rich }, metadata: {} };
}

function withText(image: ImageBundle, value: unknown): Shown {
  return { data: { "text/plain": describeText(value), ...image.data }, metadata: image.metadata };
}

/** What `Symbol.for("Jupyter.display")` gives: a bundle, or a promise of one. */
function ownBundle(value: object): Shown | Promise<Shown> | undefined {
  const method = memberOf(value, displaySymbol);
  if (typeof method !== "function") return undefined;
  const data = Reflect.apply(method, value, []) as unknown;
  const isThenable = isObject(data) && typeof (data as { then?: unknown }).then === "function";
  return isThenable ? Promise.resolve(data).then(checkedBundle) : checkedBundle(data);
}

function checkedBundle(data: unknown): Shown {
  if (!isObject(data)) {
    throw new TypeError(
      `[Symbol.for("Jupyter.display")]() must return an object of MIME types, got ${describeText(data)}`,
    );
  }
  return { data: toJson(data) as MimeBundle, metadata: {} };
}

function richData(value: object, options: ShowOptions): MimeBundle {
  const html = markupOf(value);
  if (html !== undefined) return html;
  if (isPlotlyFigure(value)) return plotlyData(value, options);
  const vega = vegaMime(value);
  if (vega !== undefined) return { [vega]: toJson(value) };
  const table = tableOf(value);
  return table === undefined ? {} : { "text/html": table };
}

/** Objects that carry their own markup: `toHTML()`, `toSVG()`, or a DOM element's `outerHTML`. */
function markupOf(value: object): MimeBundle | undefined {
  const [toHTML, toSVG, outerHTML] = ["toHTML", "toSVG", "outerHTML"].map((name) => memberOf(value, name));
  if (typeof toHTML === "function") return { "text/html": String(Reflect.apply(toHTML, value, [])) };
  if (typeof toSVG === "function") return { "image/svg+xml": String(Reflect.apply(toSVG, value, [])) };
  if (typeof outerHTML !== "string") return undefined;
  return /^<svg[\s>]/i.test(outerHTML) ? { "image/svg+xml": outerHTML } : { "text/html": outerHTML };
}

const plotlyKeys = new Set(["data", "layout", "config", "frames"]);

/** A figure: `data` is a list of traces, and there is nothing but what Plotly's figures have. */
function isPlotlyFigure(value: object): value is { data: object[] } {
  const [data, layout] = [memberOf(value, "data"), memberOf(value, "layout")];
  return (
    Array.isArray(data) &&
    isObject(layout) &&
    data.every(isObject) &&
    Object.keys(value).every((key) => plotlyKeys.has(key))
  );
}

/** A Plotly figure as Jupyter's plot extensions and VS Code show it. */
export function plotlyData(figure: object, { plotlyMime }: ShowOptions): MimeBundle {
  return plotlyMime ? { "application/vnd.plotly.v1+json": toJson(figure) } : { "application/json": toJson(figure) };
}

function vegaMime(value: object): string | undefined {
  const schema = memberOf(value, "$schema");
  const match = typeof schema === "string" ? /\/schema\/(vega|vega-lite)\/v(\d+)/.exec(schema) : null;
  return match === null ? undefined : `application/vnd.${match[1]?.replace("-", "")}.v${match[2]}+json`;
}

/** To look whether an object is something special must not fail, as it does with some proxies and getters. */
function memberOf(value: object, name: PropertyKey): unknown {
  try {
    return (value as Record<PropertyKey, unknown>)[name];
  } catch {
    return undefined;
  }
}

function tableOf(value: object): string | undefined {
  try {
    return tableHtml(value);
  } catch {
    return undefined;
  }
}

/** The value as plain JSON, as a message can carry it. Throws a TypeError that says what cannot. */
export function toJson(value: unknown): unknown {
  const text = JSON.stringify(value, (_key, inner: unknown) =>
    ArrayBuffer.isView(inner) && !(inner instanceof DataView)
      ? Array.from(inner as unknown as ArrayLike<number>)
      : inner,
  );
  if (text === undefined) throw new TypeError(`cannot be shown as JSON: ${describeText(value)}`);
  return JSON.parse(text);
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
