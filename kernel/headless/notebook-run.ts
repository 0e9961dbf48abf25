/** Runs the cells of one notebook on a kernel of its own, without sockets. */
import { randomUUID } from "node:crypto";
import { dirname, resolve } from "node:path";
import { kernelInfo } from "../information.ts";
import { Kernel } from "../kernel.ts";
import type { Message } from "../wire/message.ts";
import { differenceOf } from "./compare.ts";
import { type Cell, type Notebook, type Output, sourceOf } from "./notebook.ts";
import { Outputs } from "./outputs.ts";

export interface RunOptions {
  /** Milliseconds one cell may take. */
  cellTimeout: number | undefined;
  /** Milliseconds the whole notebook may take. */
  timeout: number | undefined;
  /** Goes on after a cell that failed. */
  allowErrors: boolean;
  /** A cell whose outputs are not those that the notebook has stored is reported as `differs`; the run goes on. */
  check: boolean;
  /** Ends the run; what has been done stays in the notebook. */
  signal: AbortSignal;
}

export type CellOutcome = "ok" | "failed" | "differs" | "skipped" | "timeout" | "interrupted" | "not run";

/** How a cell ended. */
export interface CellReport {
  index: number;
  cell: Cell;
  outcome: CellOutcome;
  /** Milliseconds. */
  duration: number;
  error?: { ename: string; evalue: string; traceback: string[] };
  /** How its outputs differ from the stored ones, in one line. */
  difference?: string;
}

export interface RunEvents {
  cellBegins(index: number, cell: Cell): void;
  cellEnded(report: CellReport): void;
}

/** Runs a notebook in place: outputs and counts of its cells become what a client would see. */
export async function runNotebook(
  path: string,
  notebook: Notebook,
  options: RunOptions,
  events: RunEvents,
): Promise<CellReport[]> {
  const run = new NotebookRun(path, options);
  try {
    return await run.all(notebook, events);
  } finally {
    await run.close();
  }
}

class NotebookRun {
  readonly #options: RunOptions;
  readonly #kernel: Kernel;
  readonly #outputs = new Outputs();
  readonly #cells = new Map<string, Cell>();
  readonly #replies = new Map<string, (content: Record<string, unknown>) => void>();
  readonly #deadline: number;

  constructor(path: string, options: RunOptions) {
    this.#options = options;
    this.#deadline = performance.now() + (options.timeout ?? Number.POSITIVE_INFINITY);
    this.#kernel = new Kernel({ folder: dirname(resolve(path)), send: (message) => this.#heard(message) });
  }

  #heard(message: Message): void {
    const request = (message.parentHeader as { msg_id?: string }).msg_id ?? "";
    if (message.channel !== "iopub") {
      this.#replies.get(request)?.(message.content);
      this.#replies.delete(request);
      return;
    }
    const cell = this.#cells.get(request);
    if (cell !== undefined) this.#outputs.add(cell, message);
  }

  async all(notebook: Notebook, events: RunEvents): Promise<CellReport[]> {
    const reports: CellReport[] = [];
    let stop: CellOutcome | undefined;
    for (const [index, cell] of notebook.cells.entries()) {
      if (cell.cell_type !== "code" || sourceOf(cell).trim() === "") continue;
      const stored = this.#options.check ? (cell.outputs ?? []) : undefined;
      cell.outputs = [];
      cell.execution_count = null;
      const report = await this.#report(index, cell, stop, stored, events);
      reports.push(report);
      if (
        report.outcome === "timeout" ||
        report.outcome === "interrupted" ||
        (report.outcome === "failed" && !this.#options.allowErrors)
      )
        stop ??= "not run";
    }
    notebook.metadata.language_info = { ...kernelInfo.language_info };
    notebook.metadata.kernelspec ??= { display_name: "TypeScript (heddle)", language: "typescript", name: "heddle" };
    return reports;
  }

  async #report(
    index: number,
    cell: Cell,
    stop: CellOutcome | undefined,
    stored: readonly Output[] | undefined,
    events: RunEvents,
  ): Promise<CellReport> {
    const tags = cell.metadata.tags ?? [];
    if (stop !== undefined) return { index, cell, outcome: stop, duration: 0 };
    if (tags.includes("skip") || tags.includes("skip-execution"))
      return { index, cell, outcome: "skipped", duration: 0 };
    events.cellBegins(index, cell);
    const began = performance.now();
    const { content, ended } = await this.#execute(cell);
    const duration = performance.now() - began;
    cell.execution_count = (content.execution_count as number | undefined) ?? null;
    const report: CellReport = {
      index,
      cell,
      outcome: outcomeOf(content, ended, tags.includes("raises-exception")),
      duration,
    };
    if (content.status === "error") report.error = content as unknown as NonNullable<CellReport["error"]>;
    const difference = stored === undefined || report.outcome !== "ok" ? undefined : differenceOf(cell, stored);
    if (difference !== undefined) Object.assign(report, { outcome: "differs", difference });
    events.cellEnded(report);
    return report;
  }

  async #execute(
    cell: Cell,
  ): Promise<{ content: Record<string, unknown>; ended: "timeout" | "interrupted" | undefined }> {
    const id = randomUUID();
    this.#cells.set(id, cell);
    let ended: "timeout" | "interrupted" | undefined;
    const reply = new Promise<Record<string, unknown>>((resolve) => this.#replies.set(id, resolve));
    this.#kernel.handle(
      request(id, "shell", "execute_request", {
        code: sourceOf(cell),
        silent: false,
        store_history: true,
        allow_stdin: false,
        stop_on_error: true,
      }),
    );
    const end = (why: "timeout" | "interrupted"): void => {
      ended ??= why;
      this.#kernel.handle(request(randomUUID(), "control", "interrupt_request", {}));
    };
    const left = Math.min(this.#options.cellTimeout ?? Number.POSITIVE_INFINITY, this.#deadline - performance.now());
    const timer = Number.isFinite(left) ? setTimeout(() => end("timeout"), Math.max(0, left)) : undefined;
    const aborted = (): void => end("interrupted");
    const { signal } = this.#options;
    if (signal.aborted) aborted();
    signal.addEventListener("abort", aborted, { once: true });
    const content = await reply;
    clearTimeout(timer);
    signal.removeEventListener("abort", aborted);
    return { content, ended };
  }

  close(): Promise<void> {
    return this.#kernel.close();
  }
}

function outcomeOf(
  content: Record<string, unknown>,
  ended: "timeout" | "interrupted" | undefined,
  mayFail: boolean,
): CellOutcome {
  if (ended !== undefined) return ended;
  return content.status === "ok" || mayFail ? "ok" : "failed";
}

function request(id: string, channel: "shell" | "control", type: string, content: Record<string, unknown>): Message {
  const header = {
    msg_id: id,
    session: "headless",
    username: "heddle",
    date: new Date().toISOString(),
    msg_type: type,
    version: "5.4",
  };
  return { channel, identities: [], header, parentHeader: {}, metadata: {}, content, buffers: [] };
}
