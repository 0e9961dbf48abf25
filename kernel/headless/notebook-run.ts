/** Runs the cells of one notebook on a kernel of its own, without sockets. */
import { randomUUID } from "node:crypto";
import { dirname, resolve } from "node:path";
import { kernelInfo } from "../information.ts";
import { Kernel } from "../kernel.ts";
import { Session } from "../session/session.ts";
import type { Message } from "../wire/message.ts";
import { differenceOf } from "./compare.ts";
import { type Cell, hasTag, heddleKernelspec, isRunnable, type Notebook, type Output, sourceOf } from "./notebook.ts";
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
  /** Which limit ended it, in one line. */
  limit?: string;
}

export interface RunEvents {
  cellBegins(cell: Cell): void;
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
  readonly #session: Session;
  readonly #kernel: Kernel;
  readonly #outputs = new Outputs();
  readonly #cells = new Map<string, Cell>();
  readonly #replies = new Map<string, (content: Record<string, unknown>) => void>();
  readonly #deadline: number;

  constructor(path: string, options: RunOptions) {
    this.#options = options;
    this.#deadline = performance.now() + (options.timeout ?? Number.POSITIVE_INFINITY);
    const folder = dirname(resolve(path));
    this.#session = new Session({ cwd: folder });
    this.#kernel = new Kernel({ folder, session: this.#session, send: (message) => this.#heard(message) });
  }

  #heard(message: Message): void {
    const request = (message.parentHeader as { msg_id?: string }).msg_id ?? "";
    const cell = this.#cells.get(request);
    if (cell !== undefined) recordTime(cell, message);
    if (message.channel !== "iopub") {
      this.#replies.get(request)?.(message.content);
      this.#replies.delete(request);
    } else if (cell !== undefined) this.#outputs.add(cell, message);
  }

  async all(notebook: Notebook, events: RunEvents): Promise<CellReport[]> {
    const reports: CellReport[] = [];
    let stopped = false;
    for (const [index, cell] of notebook.cells.entries()) {
      if (!isRunnable(cell)) continue;
      stopped ||= this.#options.signal.aborted;
      const report = await this.#report(index, cell, stopped, events);
      reports.push(report);
      stopped ||= endsTheRun(report, this.#options.allowErrors);
    }
    // Once more: tasks that outlive their cell may have added to it.
    for (const { cell, outcome } of reports) if (outcome !== "skipped") this.#outputs.settle(cell);
    notebook.metadata.language_info = { ...kernelInfo.language_info };
    notebook.metadata.kernelspec ??= { ...heddleKernelspec };
    return reports;
  }

  async #report(index: number, cell: Cell, stopped: boolean, events: RunEvents): Promise<CellReport> {
    // What is stored under it stays, as nobody asked to renew it.
    if (hasTag(cell, "skip", "skip-execution")) return { index, cell, outcome: "skipped", duration: 0 };
    const stored = cell.outputs ?? [];
    cell.outputs = [];
    cell.execution_count = null;
    delete cell.metadata.execution;
    if (stopped) return { index, cell, outcome: "not run", duration: 0 };
    events.cellBegins(cell);
    const began = performance.now();
    const { content, ended } = await this.#execute(cell);
    const duration = performance.now() - began;
    cell.execution_count = (content.execution_count as number | undefined) ?? null;
    this.#outputs.settle(cell);
    const report: CellReport = { index, cell, duration, outcome: outcomeOf(cell, content, ended) };
    if (ended?.outcome === "timeout") report.limit = ended.limit;
    if (content.status === "error") report.error = content as unknown as NonNullable<CellReport["error"]>;
    if (this.#options.check && report.outcome === "ok") compare(report, stored);
    events.cellEnded(report);
    return report;
  }

  async #execute(cell: Cell): Promise<{ content: Record<string, unknown>; ended: Ended | undefined }> {
    if (this.#timeLeft() <= 0) return { content: {}, ended: this.#timedOut };
    const id = randomUUID();
    this.#cells.set(id, cell);
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
    let ended: Ended | undefined;
    const end = (why: Ended): void => {
      ended ??= why;
      this.#kernel.handle(request(randomUUID(), "control", "interrupt_request", {}));
    };
    const stopWatching = this.#watchLimits(end);
    const aborted = (): void => end({ outcome: "interrupted" });
    const { signal } = this.#options;
    signal.addEventListener("abort", aborted, { once: true });
    const content = await reply;
    stopWatching();
    signal.removeEventListener("abort", aborted);
    return { content, ended };
  }

  /** Calls `end` when a limit is over; returns how to stop that. */
  #watchLimits(end: (why: Ended) => void): () => void {
    const { cellTimeout } = this.#options;
    const timers: NodeJS.Timeout[] = [];
    let watches = true;
    const left = this.#timeLeft();
    if (Number.isFinite(left)) timers.push(setTimeout(() => end(this.#timedOut), left));
    const startCell = (): void => {
      const limit = `--cell-timeout of ${cellTimeout} ms`;
      if (watches) timers.push(setTimeout(() => end({ outcome: "timeout", limit }), cellTimeout));
    };
    // The start of the session is no part of the first cell; one that does not start is what the reply tells.
    if (cellTimeout !== undefined) this.#session.ready().then(startCell, () => {});
    return () => {
      watches = false;
      for (const timer of timers) clearTimeout(timer);
    };
  }

  /** Milliseconds that are left for the notebook. */
  #timeLeft(): number {
    return this.#deadline - performance.now();
  }

  get #timedOut(): Ended {
    return { outcome: "timeout", limit: `--timeout of ${this.#options.timeout} ms for the notebook` };
  }

  close(): Promise<void> {
    return this.#kernel.close();
  }
}

type Ended = { outcome: "timeout"; limit: string } | { outcome: "interrupted" };

function outcomeOf(cell: Cell, content: Record<string, unknown>, ended: Ended | undefined): CellOutcome {
  if (ended !== undefined) return ended.outcome;
  return content.status === "ok" || hasTag(cell, "raises-exception") ? "ok" : "failed";
}

function endsTheRun({ outcome }: CellReport, allowErrors: boolean): boolean {
  return outcome === "timeout" || outcome === "interrupted" || (outcome === "failed" && !allowErrors);
}

function compare(report: CellReport, stored: readonly Output[]): void {
  const difference = differenceOf(report.cell, stored);
  if (difference !== undefined) Object.assign(report, { outcome: "differs", difference });
}

/** Notes when a cell began and ended under the names that nbclient and JupyterLab use. */
function recordTime(cell: Cell, { channel, content, header }: Message): void {
  const event = header.msg_type === "status" ? `status.${content.execution_state}` : header.msg_type;
  if (!["status.busy", "execute_input", "execute_reply", "status.idle"].includes(event)) return;
  cell.metadata.execution = { ...(cell.metadata.execution as object), [`${channel}.${event}`]: header.date };
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
