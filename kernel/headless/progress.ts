/** What a person or a log sees of a run: each cell as it begins and ends, its output, its chart as text. */
import { type Cell, type Notebook, type Output, sourceOf } from "./notebook.ts";
import type { CellReport } from "./notebook-run.ts";

export class Progress {
  readonly #path: string;
  readonly #quiet: boolean;
  readonly #total: number;
  readonly #live: boolean;
  #count = 0;
  #began = performance.now();

  constructor(path: string, notebook: Notebook, quiet: boolean) {
    this.#path = path;
    this.#quiet = quiet;
    this.#live = process.stderr.isTTY === true;
    this.#total = notebook.cells.filter((cell) => cell.cell_type === "code" && sourceOf(cell).trim() !== "").length;
  }

  cellBegins(_index: number, cell: Cell): void {
    this.#count++;
    if (!this.#quiet && this.#live) process.stderr.write(`\r\u001b[2K${this.#heading(cell)} …`);
  }

  #heading(cell: Cell): string {
    const title = sourceOf(cell)
      .split("\n")
      .find((line) => line.trim() !== "")!
      .trim();
    return `${this.#path} [${this.#count}/${this.#total}] ${title.length > 60 ? `${title.slice(0, 59)}…` : title}`;
  }

  cellEnded({ cell, difference, duration, outcome }: CellReport): void {
    if (this.#live && !this.#quiet) process.stderr.write("\r\u001b[2K");
    if (this.#quiet && outcome === "ok") return;
    console.log(`${this.#heading(cell)}  ${outcome === "ok" ? "" : `${outcome} `}${formatDuration(duration)}`);
    for (const output of cell.outputs ?? []) console.log(indent(textOf(output)));
    if (difference !== undefined) console.log(`    differs from what is stored: ${difference}`);
  }

  /** The sum, and what was not run. */
  end(reports: readonly CellReport[]): void {
    if (this.#quiet) return;
    const count = (outcome: CellReport["outcome"]): number =>
      reports.filter((report) => report.outcome === outcome).length;
    const parts = (["ok", "failed", "differs", "timeout", "interrupted", "skipped", "not run"] as const)
      .filter((outcome) => count(outcome) > 0)
      .map((outcome) => `${count(outcome)} ${outcome}`);
    console.log(
      `${this.#path}: ${parts.join(", ") || "no code cells"} in ${formatDuration(performance.now() - this.#began)}\n`,
    );
  }
}

const formatDuration = (ms: number): string => (ms < 1000 ? `${ms.toFixed(0)} ms` : `${(ms / 1000).toFixed(1)} s`);

const indent = (text: string): string =>
  text
    .replace(/\n$/, "")
    .split("\n")
    .map((line) => `    ${line}`.trimEnd())
    .join("\n");

function textOf(output: Output): string {
  if (output.output_type === "stream") return String(output.text);
  if (output.output_type === "error") return output.traceback.join("\n");
  const text = output.data["text/plain"];
  return Array.isArray(text)
    ? text.join("")
    : typeof text === "string"
      ? text
      : `(${Object.keys(output.data).join(", ")})`;
}
