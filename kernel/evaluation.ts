/** What happens to a cell: type check beside compilation, evaluation in the session, errors in terms of its source. */
import { CellSyntaxError, compileCell } from "./language/compiler.ts";
import type { CheckResult, CompiledCell, LanguageEngine } from "./language/engine.ts";
import type { CellError, Evaluated, MimeBundle, SessionOptions } from "./session/protocol.ts";
import type { Session } from "./session/session.ts";
import { type ErrorContent, type RunCell, showDiagnostics, showError } from "./traceback.ts";

export interface Cell {
  /** Its execution count as text, or another name no cell has had. */
  label: string;
  source: string;
  silent: boolean;
  allowStdin: boolean;
  /** Name → expression to evaluate after the cell. */
  expressions: Record<string, string>;
}

/** Value of a user expression, as `execute_reply` carries it. */
type ExpressionResult = { status: "ok"; data: MimeBundle; metadata: object } | ({ status: "error" } & ErrorContent);

export type CellEnd =
  | {
      status: "ok";
      data?: MimeBundle;
      metadata?: Record<string, unknown>;
      expressions: Record<string, ExpressionResult>;
    }
  | { status: "error"; error: ErrorContent };

const INTERRUPTED = Symbol("interrupted");

/** What an interrupt can say to a cell that the session does not have yet. */
class Interruptible {
  readonly interrupted: Promise<typeof INTERRUPTED>;
  isInterrupted = false;
  #resolve!: (value: typeof INTERRUPTED) => void;

  constructor() {
    this.interrupted = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  interrupt(): void {
    this.isInterrupted = true;
    this.#resolve(INTERRUPTED);
  }
}

export class Evaluation {
  check: NonNullable<SessionOptions["check"]> = "error";
  readonly #session: Session;
  readonly #engine: LanguageEngine;
  readonly #warn: (cell: string, text: string) => void;
  readonly #cells = new Map<string, RunCell>();
  #running: Interruptible | undefined;
  #reviving: Promise<void> | undefined;
  #lastUnchecked: string | undefined;
  #closed = false;
  #evaluating = false;
  readonly #waitForRun: (() => void)[] = [];

  /** `warn` shows the user of a cell a text that is no error. */
  constructor(session: Session, engine: LanguageEngine, warn: (cell: string, text: string) => void) {
    this.#session = session;
    this.#engine = engine;
    this.#warn = warn;
  }

  get running(): boolean {
    return this.#running !== undefined;
  }

  /** Runs a cell to its end; never rejects for what the cell does. One at a time. */
  async run(cell: Cell): Promise<CellEnd> {
    const running = new Interruptible();
    const { interrupted } = running;
    this.#running = running;
    try {
      const prepared = await this.#prepare(cell, interrupted);
      return "error" in prepared ? { status: "error", ...prepared } : await this.#evaluate(cell, prepared, running);
    } finally {
      this.#running = undefined;
      this.#evaluating = false;
    }
  }

  /** Resolves when a cell is being evaluated: the names it declares are known. */
  cellRuns(): Promise<void> {
    return this.#evaluating ? Promise.resolve() : new Promise((resolve) => this.#waitForRun.push(resolve));
  }

  /** Ends the running cell, whatever it is at; resolves when it has ended. */
  async interrupt(): Promise<void> {
    this.#running?.interrupt();
    await this.#session.interrupt();
  }

  /** From now on no session is started and no cell runs: what waits ends with an error. */
  close(): void {
    this.#closed = true;
  }

  /** Replaces a session that has ended by a fresh one, without any names. Rejects if it cannot start. */
  async revive(): Promise<void> {
    if (this.#closed) throw new Error("the kernel is shutting down");
    if (this.#session.exit === undefined) return this.#reviving;
    this.#engine.reset();
    this.#reviving ??= this.#session.restart().finally(() => {
      this.#reviving = undefined;
    });
    return this.#reviving;
  }

  /** An error as the session saw it, in terms of the sources of the cells. */
  show(error: CellError): ErrorContent {
    return showError(error, this.#cells);
  }

  async #prepare(
    { label, source }: Cell,
    interrupted: Promise<typeof INTERRUPTED>,
  ): Promise<CompiledCell | { error: ErrorContent }> {
    const place = { cell: label, source };
    const skipped = this.check === "off" || source.trim() === "";
    const checking: Promise<CheckResult> = skipped ? Promise.resolve({ diagnostics: [] }) : this.#engine.check(place);
    let compiled: CompiledCell;
    try {
      compiled = compileCell(source, { cell: label });
    } catch (error) {
      if (!(error instanceof CellSyntaxError)) throw error;
      return { error: showDiagnostics(error.name, place, [error]) };
    }
    const checked = await Promise.race([interrupted, checking]);
    if (checked === INTERRUPTED) return { error: keyboardInterrupt("the cell was interrupted before it ran") };
    this.#noteUnchecked(label, checked.unchecked);
    const stops = checked.diagnostics.filter(({ severity }) => severity === "error" && this.check === "error");
    if (stops.length > 0) return { error: showDiagnostics("TypeScriptError", place, stops) };
    if (checked.diagnostics.length > 0) {
      const { traceback } = showDiagnostics("TypeScript", place, checked.diagnostics);
      this.#warn(label, `${traceback.join("\n")}\n`);
    }
    return compiled;
  }

  /** Said once, not under every cell. */
  #noteUnchecked(label: string, reason: string | undefined): void {
    if (reason !== undefined && reason !== this.#lastUnchecked) {
      this.#warn(label, `heddle: types are not checked: ${reason}\n`);
    }
    this.#lastUnchecked = reason;
  }

  async #evaluate(
    { label, source, silent, allowStdin, expressions }: Cell,
    compiled: CompiledCell,
    running: Interruptible,
  ): Promise<CellEnd> {
    try {
      await Promise.race([running.interrupted, this.revive()]);
    } catch (error) {
      return { status: "error", error: sessionLost((error as Error).message) };
    }
    // From here to the call of the session nothing is awaited: an interrupt comes before, or finds the cell running.
    if (running.isInterrupted)
      return { status: "error", error: keyboardInterrupt("the cell was interrupted before it ran") };
    this.#cells.set(label, { source, compiled });
    this.#engine.commit({ cell: label, source });
    this.#evaluating = true;
    for (const begun of this.#waitForRun.splice(0)) begun();
    const asked = compileExpressions(label, expressions);
    const evaluated = await this.#session.evaluate({
      cell: label,
      code: compiled.code,
      silent,
      allowStdin,
      ...(Object.keys(asked.scripts).length > 0 && { expressions: asked.scripts }),
    });
    return this.#end(evaluated, asked.failed);
  }

  #end({ outcome, expressions = {} }: Evaluated, failed: Record<string, ExpressionResult>): CellEnd {
    switch (outcome.status) {
      case "ok": {
        const results = { ...failed };
        for (const [name, result] of Object.entries(expressions)) {
          results[name] =
            "data" in result
              ? { status: "ok", data: result.data, metadata: {} }
              : { status: "error", ...this.show(result.error) };
        }
        return { ...outcome, expressions: results };
      }
      case "error":
        return { status: "error", error: this.show(outcome.error) };
      case "interrupted":
        return {
          status: "error",
          error: keyboardInterrupt(
            outcome.how === "awaits"
              ? "the cell was interrupted"
              : "the cell was interrupted; what it was computing was cut, its finally blocks did not run",
          ),
        };
      case "lost":
        if (outcome.exit.reason === "shutdown") return { status: "error", error: sessionLost(outcome.exit.message) };
        // The next cell says so if this fails.
        this.revive().catch(() => {});
        return {
          status: "error",
          error: sessionLost(`${outcome.exit.message}; a new session has been started, run the cells you need again`),
        };
    }
  }
}

function compileExpressions(
  label: string,
  expressions: Record<string, string>,
): { scripts: Record<string, string>; failed: Record<string, ExpressionResult> } {
  const scripts: Record<string, string> = {};
  const failed: Record<string, ExpressionResult> = {};
  for (const [name, source] of Object.entries(expressions)) {
    const cell = `${label}-expression`;
    try {
      scripts[name] = compileCell(source, { cell }).code;
    } catch (error) {
      if (!(error instanceof CellSyntaxError)) throw error;
      failed[name] = { status: "error", ...showDiagnostics(error.name, { cell, source }, [error]) };
    }
  }
  return { scripts, failed };
}

const keyboardInterrupt = (evalue: string): ErrorContent => plainError("KeyboardInterrupt", evalue);
const sessionLost = (evalue: string): ErrorContent => plainError("SessionLostError", evalue);

function plainError(ename: string, evalue: string): ErrorContent {
  return { ename, evalue, traceback: [`\u001b[31m${ename}\u001b[0m: ${evalue}`] };
}
