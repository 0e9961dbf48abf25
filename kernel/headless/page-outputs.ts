/** Outputs of a cell as HTML, each in the richest form that a page without a kernel can show. */

import { escapeHtml } from "../display/tables.ts";
import type { MarkdownRenderer } from "./markdown.ts";
import { joined, type Output } from "./notebook.ts";
import { terminalHtml } from "./terminal-text.ts";

type Data = Record<string, unknown>;
type Show = (data: Data, markdown: MarkdownRenderer, metadata: Data) => string;

const plotly = "application/vnd.plotly.v1+json";

/** Richest first, in the order in which JupyterLab prefers them. */
const forms: readonly (readonly [type: string, show: Show])[] = [
  ["text/html", (data) => joined(data["text/html"])],
  [plotly, (data) => figure(data[plotly])],
  ["text/markdown", (data, markdown) => markdown.text(joined(data["text/markdown"]))],
  ["image/svg+xml", (data) => picture("image/svg+xml", Buffer.from(joined(data["image/svg+xml"])).toString("base64"))],
  ...["image/png", "image/jpeg", "image/gif", "image/webp"].map((type): [string, Show] => [
    type,
    (data, _, metadata) => picture(type, joined(data[type]), metadata[type]),
  ]),
  ["application/json", (data) => preformatted(JSON.stringify(data["application/json"], null, 2))],
  ["text/latex", (data) => preformatted(joined(data["text/latex"]))],
];

/** Whether one of the outputs draws with Plotly. */
export function needsPlotly(outputs: readonly Output[]): boolean {
  return outputs.some(
    (output) =>
      "data" in output && (plotly in output.data || joined(output.data["text/html"]).includes("heddle-timeline")),
  );
}

export function outputHtml(output: Output, markdown: MarkdownRenderer): string {
  switch (output.output_type) {
    case "stream":
      return `<pre class="${output.name === "stderr" ? "stderr" : "stdout"}">${terminalHtml(joined(output.text))}</pre>`;
    case "error":
      return `<pre class="error">${terminalHtml(output.traceback.join("\n") || `${output.ename}: ${output.evalue}`)}</pre>`;
    default: {
      const form = forms.find(([type]) => type in output.data);
      const text = `<pre>${terminalHtml(joined(output.data["text/plain"]))}</pre>`;
      return form === undefined ? text : `<div class="shown">${form[1](output.data, markdown, output.metadata)}</div>`;
    }
  }
}

const preformatted = (text: string): string => `<pre>${escapeHtml(text)}</pre>`;

function picture(type: string, base64: string, size: unknown = {}): string {
  const { height, width } = size as { width?: unknown; height?: unknown };
  const sizes = Object.entries({ width, height }).filter(([, one]) => typeof one === "number");
  const attributes = sizes.map(([name, one]) => ` ${name}="${one}"`).join("");
  return `<img alt=""${attributes} src="data:${type};base64,${base64.replaceAll(/\s/g, "")}">`;
}

/** A script within JSON cannot end the element. */
function figure(value: unknown): string {
  const json = JSON.stringify(value).replaceAll("<", "\\u003c");
  return `<div class="figure"><script type="application/json">${json}</script></div>`;
}
