/** The notebook as Jupyter's own library (`nbformat`) writes it, byte for byte, so that tools can take turns on one file. */
import { createHash } from "node:crypto";
import { type Cell, joined, type Notebook, type Output, sourceOf } from "./notebook.ts";

/** The text of the file: sorted keys, one space of indent, texts as lists of lines. */
export function formatNotebook(notebook: Notebook): string {
  const { orig_nbformat: _, orig_nbformat_minor: __, signature: ___, ...metadata } = notebook.metadata;
  const ids = new Set(notebook.cells.map((cell) => cell.id));
  const cells = notebook.cells.map((cell, index) => {
    const { id, ...rest } = formatCell(cell);
    // Only format 4.5 and later has ids; one that is missing is made of what the cell is, so that it stays the same.
    return notebook.nbformat_minor >= 5 ? { ...rest, id: id ?? newId(ids, `${index} ${sourceOf(cell)}`) } : rest;
  });
  return `${JSON.stringify(sorted({ ...notebook, cells, metadata }), null, 1)}\n`;
}

function newId(taken: Set<string | undefined>, seed: string): string {
  for (let round = 0; ; round++) {
    const id = createHash("sha256").update(`${round} ${seed}`).digest("hex").slice(0, 8);
    if (taken.has(id)) continue;
    taken.add(id);
    return id;
  }
}

function formatCell(cell: Cell): Cell {
  const { trusted: _, ...metadata } = cell.metadata;
  const source = splitLines(sourceOf(cell));
  if (cell.cell_type !== "code") return { ...cell, metadata, source };
  const { execution_count = null, outputs = [] } = cell;
  return { ...cell, execution_count, metadata, outputs: outputs.map(formatOutput), source };
}

function formatOutput(output: Output): Output {
  if (output.output_type === "error") return output;
  if (output.output_type === "stream") return { ...output, text: splitLines(joined(output.text)) };
  const data = Object.entries(output.data).map(([type, value]) => [type, isLines(type) ? formatText(value) : value]);
  return { ...output, data: Object.fromEntries(data) as Record<string, unknown> };
}

const isLines = (type: string): boolean =>
  type.startsWith("text/") || type === "image/svg+xml" || type === "application/javascript";

const formatText = (value: unknown): unknown => (typeof value === "string" ? splitLines(value) : value);

/** Text as a list of lines with their ends; what ends a line is what Python's `splitlines` takes for an end. */
export function splitLines(text: string): string[] {
  return text.match(/[^\n\r\v\f\x1c-\x1e\x85\u2028\u2029]*(?:\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029])|.+$/gu) ?? [];
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, one]) => [key, sorted(one)]));
}
