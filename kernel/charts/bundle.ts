import { createRequire } from "node:module";
import {
  type Advice,
  adviceText,
  advise,
  cellLabel,
  figuresOf,
  MOST_ADVISED,
  renderText,
  sentenceOf,
  summarize,
  type TimelineData,
  type TimelineStats,
  titleOf,
  withTable,
} from "../../runtime/timeline.ts";
import { loaderScript } from "./loader.ts";
import { FAILURE, type FunctionColors } from "./palette.ts";
import { plotlyFigure, standAlone } from "./plotly-figure.ts";
import { PAGE_BACKGROUND, type Trace } from "./plotly-plane.ts";
import { renderPng } from "./png.ts";
import { renderSvg } from "./svg.ts";
import { escapeXml } from "./svg-elements.ts";

/** MIME type → content, as in a `display_data` message. */
export type ChartBundle = Record<string, unknown>;

export interface BundleOptions {
  colors: FunctionColors;
  /** Name under which the kernelspec is installed: its folder holds `plotly.min.js`. */
  kernelspecName: string;
  /** Adds `application/vnd.plotly.v1+json`, for VS Code's own renderer. */
  plotlyMime?: boolean;
  /** The text ends with a table of the functions. */
  withFunctions?: boolean;
}

const { version: PLOTLY_VERSION } = createRequire(import.meta.url)("plotly.js-basic-dist-min/package.json") as {
  version: string;
};

/**
 * The picture follows the theme of the page by `color-scheme`, which pictures in `<img>` see: by the system's
 * scheme alone it would be dark in a light notebook.
 */
const STYLE =
  "<style>.heddle-timeline{overflow-x:auto}.heddle-timeline img{max-width:100%;min-width:600px;height:auto;color-scheme:light}" +
  '[data-jp-theme-light="false"] .heddle-timeline img,.vscode-dark .heddle-timeline img,.vscode-high-contrast:not(.vscode-high-contrast-light) .heddle-timeline img{color-scheme:dark}' +
  ".heddle-plot{border:1px solid rgba(128,136,146,.3);border-radius:6px;padding:6px 12px 8px;box-sizing:border-box}.heddle-timeline image{image-rendering:pixelated}.heddle-timeline h6{font:600 14px system-ui,sans-serif;margin:4px 0 2px}.heddle-timeline p{font:12px system-ui,sans-serif;margin:2px 0}.heddle-timeline p span{display:inline-block;margin-right:14px}.heddle-timeline small{opacity:.7;font-size:12px}</style>";

/** The whole chart: interactive HTML over a picture, PNG, text. */
export async function fullBundle(data: TimelineData, options: BundleOptions): Promise<ChartBundle> {
  const { colors, kernelspecName, plotlyMime = false, withFunctions = false } = options;
  const stats = summarize(data);
  const advice = data.tasks.length <= MOST_ADVISED ? advise(data) : [];
  const png = await renderPng(renderSvg(data, stats, { colors, theme: "light", advice }));
  const figure = plotlyFigure(data, stats, { colors });
  // Inside the JSON: a page that takes scripts away as untrusted takes these along.
  const foot = legend(figure.data) + adviceList(advice, data);
  const text = renderText(data, stats, { advice });
  const html = [
    '<div class="heddle-timeline">',
    STYLE,
    imageTag(data, stats, { colors, advice }),
    `<script type="application/json">${JSON.stringify({ ...figure, head: heading(data, stats), foot }).replaceAll("<", "\\u003c")}</script>`,
    `<script>${loaderScript(kernelspecName, PLOTLY_VERSION)}</script>`,
    "</div>",
  ].join("");
  return {
    "text/html": html,
    "image/png": Buffer.from(png).toString("base64"),
    "text/plain": withFunctions ? withTable(text, stats) : text,
    ...(plotlyMime
      ? { "application/vnd.plotly.v1+json": standAlone(plotlyFigure(data, stats, { colors, titled: true })) }
      : {}),
  };
}

/** The picture alone, cheap enough to be drawn ten times a second. */
export function liveBundle(data: TimelineData, { colors }: { colors: FunctionColors }): ChartBundle {
  const stats = summarize(data);
  return {
    "text/html": `<div class="heddle-timeline">${STYLE}${imageTag(data, stats, { colors, advice: [] })}</div>`,
    "text/plain": renderText(data, stats),
  };
}

function imageTag(
  data: TimelineData,
  stats: TimelineStats,
  { colors, advice }: { colors: FunctionColors; advice: readonly Advice[] },
): string {
  const svg = Buffer.from(renderSvg(data, stats, { colors, advice })).toString("base64");
  return `<img alt="${escapeXml(sentenceOf(data, stats))}" src="data:image/svg+xml;base64,${svg}">`;
}

function heading(data: TimelineData, stats: TimelineStats): string {
  const figures = figuresOf(data, stats).map(
    ({ name, value, bad }) =>
      `<span><small>${name}</small> <b${bad ? ' style="color:#D55E00"' : ""}>${value}</b></span>`,
  );
  const label = cellLabel(data);
  return `<h6>${label === "" ? "" : `<small>${escapeXml(label)}</small> `}${escapeXml(titleOf(data))}</h6><p>${figures.join("")}</p>`;
}

function adviceList(advice: readonly Advice[], data: TimelineData): string {
  return advice
    .slice(0, 3)
    .map((one) => `<p><b style="color:${FAILURE}">▸</b> ${escapeXml(adviceText(one, data))}</p>`)
    .join("");
}

/** Explains the traces of the figure; a click hides one. */
function legend(traces: readonly Trace[]): string {
  const entries = traces.filter((trace) => typeof trace.name === "string" && trace.showlegend !== false);
  const items = entries.map((trace) => {
    const name = escapeXml(trace.name as string);
    return `<span data-trace="${name}" style="cursor:pointer">${swatch(trace)} ${name}</span>`;
  });
  return `<p>${items.join("")}</p>`;
}

function swatch(trace: Trace): string {
  const marker = trace.marker as { color?: string; line?: { color?: string }; pattern?: unknown } | undefined;
  const line = trace.line as { color?: string; width?: number; dash?: string } | undefined;
  const box = "display:inline-block;width:12px;height:10px;";
  const page = (color: string | undefined): string =>
    color === undefined || color.startsWith("@") ? "currentColor" : color;
  if (trace.type === "bar") {
    // A veil: what lies under it looks pale.
    if (marker?.color === PAGE_BACKGROUND) return `<i style="${box}background:rgba(123,135,148,.35)"></i>`;
    if (marker?.pattern)
      return `<i style="${box}background:repeating-linear-gradient(135deg,#7b8794 0 1.5px,transparent 1.5px 4px);outline:1px solid #7b8794"></i>`;
    if (marker?.line?.color)
      return `<i style="${box}outline:2px solid ${page(marker.line.color)};outline-offset:-2px"></i>`;
    return `<i style="${box}background:${page(marker?.color)}"></i>`;
  }
  if (trace.fillcolor) return `<i style="${box}background:${page(trace.fillcolor as string)}"></i>`;
  if (trace.mode === "markers") return `<span style="color:${page(marker?.color)};margin:0">▼</span>`;
  return `<i style="display:inline-block;width:16px;vertical-align:middle;border-top:${line?.width ?? 1}px ${line?.dash ? "dotted" : "solid"} ${page(line?.color)}"></i>`;
}
