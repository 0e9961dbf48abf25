/**
 * What a person or a log sees of a run. On a terminal the last line says which cells run and for how long; everywhere
 * else only whole lines are written, one now and then for a cell that takes long, so that no CI takes the run for dead.
 */
import { stripVTControlCharacters } from "node:util";
import { type Cell, isRunnable, joined, type Notebook, type Output, sourceOf } from "./notebook.ts";
import type { CellReport, RunEvents } from "./notebook-run.ts";

/** What is written to: a stream of this process. */
export interface Screen {
  write(text: string): void;
  isTTY?: boolean;
  columns?: number;
}

interface ProgressOptions {
  /** For results. */
  out: Screen;
  /** For the line that comes and goes. */
  live: Screen;
  quiet: boolean;
  /** Keeps the colours of what cells print; default as `out` is a terminal. */
  colors?: boolean;
}

const liveIntervalMs = 100;
const patienceMs = 60_000;

export class Progress {
  readonly #options: ProgressOptions;
  readonly #colors: boolean;
  readonly #running = new Set<NotebookProgress>();
  #timer: NodeJS.Timeout | undefined;
  /** Whether a line that will go again is on the terminal. */
  #shown = false;

  constructor(options: ProgressOptions) {
    this.#options = options;
    this.#colors = options.colors ?? options.out.isTTY === true;
  }

  /** What is told of one of the notebooks. */
  notebook(path: string, notebook: Notebook): NotebookProgress {
    return new NotebookProgress(this, path, notebook);
  }

  get quiet(): boolean {
    return this.#options.quiet;
  }

  begin(notebook: NotebookProgress): void {
    if (this.quiet) return;
    this.#running.add(notebook);
    this.#timer ??= this.#startTimer();
    if (this.#options.live.isTTY === true) this.#redraw();
  }

  end(notebook: NotebookProgress): void {
    this.#running.delete(notebook);
    if (this.#running.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Writes whole lines. */
  print(text: string): void {
    this.#erase();
    this.#options.out.write(`${this.#colors ? text : stripVTControlCharacters(text)}\n`);
    if (this.#running.size > 0 && this.#options.live.isTTY === true) this.#redraw();
  }

  #startTimer(): NodeJS.Timeout {
    const isLive = this.#options.live.isTTY === true;
    const tick = (): void => {
      if (isLive) this.#redraw();
      else for (const notebook of this.#running) this.print(notebook.news);
    };
    // The timer alone keeps no run alive.
    return setInterval(tick, isLive ? liveIntervalMs : patienceMs).unref();
  }

  /** A line that is broken could not be taken away again, so it is cut where the terminal ends. */
  #redraw(): void {
    const { live } = this.#options;
    const line = [...this.#running].map(({ current }) => current).join(" · ");
    const room = (live.columns || 80) - 1;
    live.write(`\r\u001b[2K${line.length > room ? `${line.slice(0, room - 1)}…` : line}`);
    this.#shown = true;
  }

  #erase(): void {
    if (this.#shown) this.#options.live.write("\r\u001b[2K");
    this.#shown = false;
  }
}

class NotebookProgress implements RunEvents {
  readonly #progress: Progress;
  readonly #path: string;
  readonly #total: number;
  readonly #began = performance.now();
  #count = 0;
  #title = "";
  #cellBegan = 0;

  constructor(progress: Progress, path: string, notebook: Notebook) {
    this.#progress = progress;
    this.#path = path;
    this.#total = notebook.cells.filter(isRunnable).length;
  }

  /** The running cell and how long it has taken so far. */
  get current(): string {
    return `${this.#place} ${this.#elapsed}  ${this.#title}`;
  }

  /** The same for a log. */
  get news(): string {
    return `${this.#place} ${this.#title}  still running after ${this.#elapsed}`;
  }

  get #elapsed(): string {
    return `${((performance.now() - this.#cellBegan) / 1000).toFixed(1)} s`;
  }

  get #place(): string {
    return `${this.#path} [${this.#count}/${this.#total}]`;
  }

  cellBegins(cell: Cell): void {
    this.#count++;
    this.#title = titleOf(cell);
    this.#cellBegan = performance.now();
    this.#progress.begin(this);
  }

  cellEnded({ cell, difference, duration, limit, outcome }: CellReport): void {
    this.#progress.end(this);
    if (this.#progress.quiet && outcome === "ok") return;
    const lines = [
      `${this.#place} ${this.#title}  ${outcome === "ok" ? "" : `${outcome} `}${formatDuration(duration)}`,
    ];
    for (const output of cell.outputs ?? []) lines.push(indent(textOf(output)));
    if (difference !== undefined) lines.push(`    differs from what is stored: ${difference}`);
    if (limit !== undefined) lines.push(`    ended by the ${limit}`);
    this.#progress.print(lines.join("\n"));
  }

  /** The sum, and what was not run. */
  end(reports: readonly CellReport[]): void {
    if (this.#progress.quiet) return;
    const count = (outcome: CellReport["outcome"]): number =>
      reports.filter((report) => report.outcome === outcome).length;
    const parts = (["ok", "failed", "differs", "timeout", "interrupted", "skipped", "not run"] as const)
      .filter((outcome) => count(outcome) > 0)
      .map((outcome) => `${count(outcome)} ${outcome}`);
    const time = formatDuration(performance.now() - this.#began);
    this.#progress.print(`${this.#path}: ${parts.join(", ") || "no code cells"} in ${time}\n`);
  }
}

/** The first line that says something, cut to a bearable length. */
function titleOf(cell: Cell): string {
  const lines = sourceOf(cell).split("\n");
  const title = lines.find((line) => line.trim() !== "")!.trim();
  return title.length > 60 ? `${title.slice(0, 59)}…` : title;
}

function formatDuration(ms: number): string {
  return ms < 1000 ? `${ms.toFixed(0)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

function indent(text: string): string {
  const lines = text.replace(/\n$/, "").split("\n");
  return lines.map((line) => `    ${line}`.trimEnd()).join("\n");
}

function textOf(output: Output): string {
  if (output.output_type === "stream") return joined(output.text);
  if (output.output_type === "error") return output.traceback.join("\n");
  return joined(output.data["text/plain"]) || `(${Object.keys(output.data).join(", ")})`;
}
