/** What happens to a cell: type check beside compilation, evaluation in the session, errors in terms of its source. */
import { CellSyntaxError, compileCell } from "./language/compiler.ts";
import type { DeclarationKind } from "./language/declarations.ts";
import type { CheckResult, CompiledCell, LanguageEngine } from "./language/engine.ts";
import { type CommandCell, type Names, readCommands } from "./language/line-commands.ts";
import { isGlobalName } from "./language/user-names.ts";
import { NotebookNames } from "./language/visible-names.ts";
import type { CellError, Evaluated, MimeBundle, SessionOptions } from "./session/protocol.ts";
import type { Session } from "./session/session.ts";
import { wallTime } from "./session/wall-time.ts";
import { type ErrorContent, inUserTerms, type RunCell, showDiagnostics, showError } from "./traceback.ts";

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

/** How a cell reaches the user beside its own output. */
export interface CellVoice {
  /** Shows a text that is no error of the cell's. */
  warn(cell: string, text: string): void;
  print(cell: string, text: string): void;
  /** From now on what the cell shows is kept. */
  capture(cell: string): void;
  /** What has been kept, with the cell's value. */
  captured(cell: string, value: MimeBundle | undefined): object;
  /** Whether decorators are those of TypeScript's `experimentalDecorators`. */
  hasOldDecorators(): boolean;
  /** Whether somebody debugs. */
  isDebugged(): boolean;
  /** The cell goes to the session next. */
  willRun(label: string, cell: RunCell): void;
}

/** A cell that may run. */
interface Prepared {
  /** What TypeScript is told of it. */
  source: string;
  compiled: CompiledCell;
  commands: CommandCell | undefined;
}

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
  readonly #voice: CellVoice;
  readonly #cells = new Map<string, RunCell>();
  readonly #names = new Map<string, DeclarationKind>();
  readonly #visible = new NotebookNames();
  #running: Interruptible | undefined;
  #reviving: Promise<void> | undefined;
  #lastUnchecked: string | undefined;
  #closed = false;
  #evaluating = false;
  readonly #waitForRun: (() => void)[] = [];

  constructor(session: Session, engine: LanguageEngine, voice: CellVoice) {
    this.#session = session;
    this.#engine = engine;
    this.#voice = voice;
  }

  /** The cells that ran, by label. */
  get cells(): ReadonlyMap<string, RunCell> {
    return this.#cells;
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

  /** The names that cells of this session have declared. */
  get names(): Names {
    return this.#names;
  }

  /** What has become of the names in scripts. */
  get visibleNames(): NotebookNames {
    return this.#visible;
  }

  /** The session has a variable of this name, of whatever type, that no cell declared. */
  declare(name: string): void {
    this.#names.set(name, "let");
    if (isGlobalName(name)) this.#visible.begin({ ownGlobals: new Set([name]) });
    this.#engine.commit({ cell: `declared-${name}`, source: `declare let ${name}: any;` });
  }

  /** Replaces a session that has ended by a fresh one, without any names. Rejects if it cannot start. */
  async revive(): Promise<void> {
    if (this.#closed) throw new Error("the kernel is shutting down");
    if (this.#session.exit === undefined) return this.#reviving;
    this.#engine.reset();
    this.#names.clear();
    this.#visible.clear();
    this.#reviving ??= this.#session.restart().finally(() => {
      this.#reviving = undefined;
    });
    return this.#reviving;
  }

  /** A text that a cell prints, in terms of the sources of the cells. */
  shownText(text: string): string {
    return inUserTerms(text, this.#cells);
  }

  /** What a cell shows, with its text in terms of the sources of the cells. */
  shownData(data: MimeBundle): MimeBundle {
    const text = data["text/plain"];
    return typeof text === "string" ? { ...data, "text/plain": this.shownText(text) } : data;
  }

  /** An error as the session saw it, in terms of the sources of the cells. */
  show(error: CellError): ErrorContent {
    return showError(error, this.#cells);
  }

  async #prepare(cell: Cell, interrupted: Promise<typeof INTERRUPTED>): Promise<Prepared | { error: ErrorContent }> {
    const { label } = cell;
    const place = { cell: label, source: cell.source };
    let commands: CommandCell | undefined;
    let compiled: CompiledCell;
    let checking: Promise<CheckResult> = Promise.resolve({ diagnostics: [] });
    try {
      commands = readCommands(cell.source, this.#names);
      const { source, script } = commands ?? { source: cell.source, script: cell.source };
      if (commands?.resets) await this.#reset();
      if (this.check !== "off" && source.trim() !== "") checking = this.#engine.check({ cell: label, source });
      compiled = compileCell(script, {
        cell: label,
        notebook: this.#visible,
        isDebugged: this.#voice.isDebugged(),
        oldDecorators: /@\w/.test(script) && this.#voice.hasOldDecorators(),
      });
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
      this.#voice.warn(label, `${traceback.join("\n")}\n`);
    }
    return {
      compiled: commands ? withCommands(compiled, commands) : compiled,
      commands,
      source: commands?.source ?? cell.source,
    };
  }

  /** Said once, not under every cell. */
  #noteUnchecked(label: string, reason: string | undefined): void {
    if (reason !== undefined && reason !== this.#lastUnchecked) {
      this.#voice.warn(label, `heddle: types are not checked: ${reason}\n`);
    }
    this.#lastUnchecked = reason;
  }

  async #evaluate(
    { label, source, silent, allowStdin, expressions }: Cell,
    { commands, compiled, source: typescript }: Prepared,
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
    const cell: RunCell = { source, compiled };
    this.#cells.set(label, cell);
    this.#voice.willRun(label, cell);
    this.#engine.commit({ cell: label, source: typescript });
    for (const [name, kind] of compiled.declares) this.#names.set(name, kind);
    this.#visible.begin(compiled);
    this.#evaluating = true;
    for (const begun of this.#waitForRun.splice(0)) begun();
    const asked = compileExpressions(label, expressions, this.#visible);
    if (commands?.capture) this.#voice.capture(label);
    const begun = performance.now();
    const scripts = Object.entries(asked.compiled).map(([name, { code }]) => [name, code]);
    const evaluated = await this.#session.evaluate({
      cell: label,
      code: compiled.code,
      silent,
      allowStdin,
      ...(scripts.length > 0 && { expressions: Object.fromEntries(scripts) as Record<string, string> }),
    });
    if (commands?.isTimed) this.#voice.print(label, wallTime(performance.now() - begun));
    if (commands?.capture) await this.#giveCaptured(label, commands.capture.name, evaluated);
    this.#visible.add(compiled, evaluated.outcome.status === "ok");
    for (const expression of Object.values(asked.compiled)) this.#visible.add(expression, true);
    return this.#end(evaluated, asked.failed);
  }

  /** The variable that `%%capture` names gets what the cell has shown. */
  async #giveCaptured(cell: string, name: string | undefined, { outcome }: Evaluated): Promise<void> {
    const captured = this.#voice.captured(cell, outcome.status === "ok" ? outcome.data : undefined);
    if (name === undefined || this.#session.exit !== undefined) return;
    const text = JSON.stringify(JSON.stringify(captured));
    const code = `await __heddle__.turn(); ${this.#visible.scriptName(name)} = JSON.parse(${text}); void 0;`;
    await this.#session.evaluate({ cell, code, silent: true, allowStdin: false });
  }

  async #reset(): Promise<void> {
    await this.#session.shutdown();
    await this.revive();
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

function withCommands(compiled: CompiledCell, commands: CommandCell): CompiledCell {
  return {
    ...compiled,
    originalPosition(line, column) {
      const place = compiled.originalPosition(line, column);
      return place && commands.originalPosition(place.line, place.column);
    },
  };
}

function compileExpressions(
  label: string,
  expressions: Record<string, string>,
  notebook: NotebookNames,
): { compiled: Record<string, CompiledCell>; failed: Record<string, ExpressionResult> } {
  const compiled: Record<string, CompiledCell> = {};
  const failed: Record<string, ExpressionResult> = {};
  for (const [name, source] of Object.entries(expressions)) {
    const cell = `${label}-expression`;
    try {
      compiled[name] = compileCell(source, { cell, notebook });
    } catch (error) {
      if (!(error instanceof CellSyntaxError)) throw error;
      failed[name] = { status: "error", ...showDiagnostics(error.name, { cell, source }, [error]) };
    }
  }
  return { compiled, failed };
}

const keyboardInterrupt = (evalue: string): ErrorContent => plainError("KeyboardInterrupt", evalue);
const sessionLost = (evalue: string): ErrorContent => plainError("SessionLostError", evalue);

function plainError(ename: string, evalue: string): ErrorContent {
  return { ename, evalue, traceback: [`\u001b[31m${ename}\u001b[0m: ${evalue}`] };
}
