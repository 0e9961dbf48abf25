import { inspect } from "node:util";

const mostRows = 60;
const rowsAtEnds = 30;
const mostColumns = 30;

/** The HTML table of an array of plain objects, abbreviated in the middle; undefined for anything else. */
export function tableHtml(value: object): string | undefined {
  if (!Array.isArray(value) || value.length === 0 || !value.every(isPlain)) return undefined;
  const rows = value as Record<string, unknown>[];
  const columns = columnsOf(rows);
  if (columns.length === 0) return undefined;
  const shown = columns.slice(0, mostColumns);
  const head = ["", ...shown, ...(columns.length > shown.length ? ["…"] : [])];
  const body = shownRows(rows).map((index) =>
    index === undefined ? gapRow(head.length) : row(index, rows[index] ?? {}, shown),
  );
  const more = columns.length > shown.length || rows.length > mostRows;
  const note = more ? `\n<p>${rows.length.toLocaleString("en")} rows × ${columns.length} columns</p>` : "";
  return `<table>\n<thead><tr>${head.map((name) => `<th>${escapeHtml(name)}</th>`).join("")}</tr></thead>\n<tbody>\n${body.join("\n")}\n</tbody>\n</table>${note}`;
}

/** Text with the characters of HTML's syntax replaced. */
export function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

function columnsOf(rows: Record<string, unknown>[]): string[] {
  const columns = new Set<string>();
  for (const index of shownRows(rows)) for (const name of Object.keys(rows[index ?? 0] ?? {})) columns.add(name);
  return [...columns];
}

/** Indexes of the rows to show; undefined stands for the gap. */
function shownRows(rows: unknown[]): (number | undefined)[] {
  const all = [...rows.keys()];
  return rows.length <= mostRows ? all : [...all.slice(0, rowsAtEnds), undefined, ...all.slice(-rowsAtEnds)];
}

function row(index: number, values: Record<string, unknown>, columns: string[]): string {
  const cells = columns.map(
    (name) => `<td${typeof values[name] === "number" ? ' style="text-align: right"' : ""}>${cell(values, name)}</td>`,
  );
  return `<tr><th>${index}</th>${cells.join("")}</tr>`;
}

function cell(values: Record<string, unknown>, name: string): string {
  const value = values[name];
  if (value === undefined) return "";
  return escapeHtml(
    typeof value === "string"
      ? value
      : inspect(value, { depth: 1, breakLength: Number.POSITIVE_INFINITY, maxArrayLength: 10 }),
  );
}

function gapRow(columns: number): string {
  return `<tr>${"<td>…</td>".repeat(columns)}</tr>`;
}

function isPlain(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
