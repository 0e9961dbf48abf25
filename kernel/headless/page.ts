/** A notebook as one HTML page that needs nothing else: no server, no network, its charts interactive. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, extname } from "node:path";
import { escapeHtml } from "../display/tables.ts";
import { version } from "../version.ts";
import { highlight } from "./highlight.ts";
import { MarkdownRenderer } from "./markdown.ts";
import { type Cell, hasTag, type Notebook, sourceOf } from "./notebook.ts";
import { needsPlotly, outputHtml } from "./page-outputs.ts";
import { figureScript, style, themeScript } from "./page-style.ts";

/** The page of the notebook that is, or could be, at `path`: pictures that it mentions are looked for beside it. */
export async function renderPage(path: string, notebook: Notebook): Promise<string> {
  const markdown = new MarkdownRenderer(dirname(path));
  const cells = notebook.cells.map((cell) => renderCell(cell, markdown));
  const title = escapeHtml(titleOf(notebook) ?? basename(path, extname(path)));
  const usesPlotly = notebook.cells.some((cell) => needsPlotly(cell.outputs ?? []));
  return [
    "<!doctype html>",
    '<html lang="en">',
    `<head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">`,
    `<meta name="generator" content="heddle ${version}"><title>${title}</title>`,
    `<style>${style}</style>`,
    // Before the charts, whose own scripts draw with it as soon as they are read.
    usesPlotly ? `<script>${plotlySource()}</script>` : "",
    `</head><body><script>${themeScript}</script><main>`,
    ...cells,
    `</main>${usesPlotly ? `<script>${figureScript}</script>` : ""}</body></html>`,
    "",
  ].join("\n");
}

function titleOf({ cells, metadata }: Notebook): string | undefined {
  if (typeof metadata.title === "string") return metadata.title;
  const texts = cells.filter((cell) => cell.cell_type === "markdown").map(sourceOf);
  return texts.map((text) => /^#\s+(.+)$/m.exec(text)?.[1]).find((title) => title !== undefined);
}

function plotlySource(): string {
  const file = createRequire(import.meta.url).resolve("plotly.js-basic-dist-min");
  return readFileSync(file, "utf8").replaceAll(/<\/(script)/gi, "<\\/$1");
}

function renderCell(cell: Cell, markdown: MarkdownRenderer): string {
  const id = cell.id === undefined ? "" : ` id="cell-${escapeHtml(cell.id)}"`;
  if (cell.cell_type === "markdown") {
    const html = markdown.cell(cell);
    return `<section class="text"${id}>${isHidden(cell, "source") ? folded("Text", html) : html}</section>`;
  }
  if (cell.cell_type === "raw")
    return cell.metadata.raw_mimetype === "text/html" || cell.metadata.format === "text/html"
      ? `<section${id}>${sourceOf(cell)}</section>`
      : `<section${id}><pre>${escapeHtml(sourceOf(cell))}</pre></section>`;
  const count = cell.execution_count ?? " ";
  const code = `<pre class="code"><code>${highlight(sourceOf(cell))}\n</code></pre>`;
  const outputs = (cell.outputs ?? []).map((output) => outputHtml(output, markdown)).join("\n");
  return [
    `<section class="cell"${id}>`,
    `<div class="source"><span class="count">[${count}]</span>${isHidden(cell, "source") ? folded("Code", code) : code}</div>`,
    outputs === ""
      ? ""
      : `<div class="outputs">${isHidden(cell, "outputs") ? folded("Output", outputs) : outputs}</div>`,
    "</section>",
  ].join("");
}

/** Whether front ends fold this part of the cell: by JupyterLab's own mark, or by the tags of Jupyter Book. */
function isHidden(cell: Cell, part: "source" | "outputs"): boolean {
  const marks = (cell.metadata.jupyter ?? {}) as Record<string, unknown>;
  return (
    marks[`${part}_hidden`] === true || hasTag(cell, part === "source" ? "hide-input" : "hide-output", "hide-cell")
  );
}

const folded = (what: string, html: string): string => `<details><summary>${what}</summary>${html}</details>`;
