/** Runs cells: checks and compiles them, gives them to the session, publishes what comes of it under the right cell. */
import type { LanguageEngine } from "./language/engine.ts";
import { CellSyntaxError, compileCell } from "./language/compiler.ts";
import { createLanguageEngine } from "./language/tsgo.ts";
import { NotebookCharts } from "./notebook-charts.ts";
import type { Evaluated, EvaluateRequest, FromSession, SessionExit, SessionOptions } from "./session/protocol.ts";
import { Session } from "./session/session.ts";
import { type ErrorContent, type RunCell, showDiagnostics, showError } from "./traceback.ts";
import type { Message, Sent } from "./wire/message.ts";

export interface CellRunnerOptions {
  folder: string;
  kernelspecName: string;
  publish<K extends keyof Sent>(parent: Message | undefined, type: K, content: Sent[K], buffers?: Uint8Array[], metadata?: Record<string, unknown>): void;
  ask(parent: Message, id: number, content: Sent["input_request"]): void;
}

type Reply = Record<string, unknown>;

export class CellRunner {
  readonly engine: LanguageEngine;
  /** The execution count. */
  count = 0;
  readonly #options: CellRunnerOptions;
  readonly #session: Session;
  readonly #charts: NotebookCharts;
  readonly #cells = new Map<string, RunCell>();
  /** The request that each cell came from: parent of all that the cell ever says. */
  readonly #parents = new Map<string, Message>();
  readonly #comms = new Map<string, string>();
  #check: NonNullable<SessionOptions["check"]> = "error";
  #hidden = 0;
  #running = false;
  #saidUnchecked = false;
  #closing = false;

  constructor(options: CellRunnerOptions) {
    this.#options = options;
    this.#session = new Session({ cwd: options.folder });
    this.engine = createLanguageEngine({ folder: options.folder });
    this.#charts = new NotebookCharts(options.kernelspecName, (cell, { data, displayId, metadata, update }) =>
      options.publish(this.#parents.get(cell), update ? "update_display_data" : "display_data", { data, metadata, transient: { display_id: displayId } }),
    );
    this.#session.on("message", (message) => this.#heard(message));
    this.#session.on("exit", (exit) => this.#sessionEnded(exit));
  }

  /** Runs a cell and returns the content of its reply. */
  async run(request: Message, { code, counts, silent }: { code: string; silent: boolean; counts: boolean }): Promise<Reply> {
    if (counts) this.count++;
    const cell = counts ? String(this.count) : `${this.count}-${++this.#hidden}`;
    this.#parents.set(cell, request);
    if (!silent) this.#options.publish(request, "execute_input", { code, execution_count: this.count });
    const failed = (error: ErrorContent): Reply => {
      if (!silent) this.#options.publish(request, "error", error);
      return { status: "error", execution_count: this.count, ...error };
    };
    const checked = silent ? undefined : await this.#checkTypes(request, cell, code);
    if (checked !== undefined) return failed(checked);
    let evaluation: Evaluated;
    try {
      evaluation = await this.#evaluate(request, cell, code, silent);
    } catch (error) {
      if (error instanceof CellSyntaxError) return failed(showDiagnostics("SyntaxError", { cell, source: code }, [error]));
      throw error;
    }
    if (!silent) await this.#charts.cellEnded(cell);
    return this.#conclude(request, evaluation, silent, failed);
  }

  /** Type errors that stop the cell; undefined when it may run. A syntax error is the compiler's to tell. */
  async #checkTypes(request: Message, cell: string, source: string): Promise<ErrorContent | undefined> {
    if (this.#check === "off") return undefined;
    try {
      compileCell(source, { cell });
    } catch {
      return undefined;
    }
    const { diagnostics, unchecked } = await this.engine.check({ cell, source });
    if (unchecked !== undefined && !this.#saidUnchecked) {
      this.#saidUnchecked = true;
      this.#options.publish(request, "stream", { name: "stderr", text: `${unchecked}\n` });
    }
    const errors = diagnostics.filter((diagnostic) => diagnostic.severity === "error");
    if (errors.length === 0) return undefined;
    const shown = showDiagnostics("TypeScriptError", { cell, source }, errors);
    if (this.#check === "error") return shown;
    this.#options.publish(request, "stream", { name: "stderr", text: `${shown.traceback.join("\n")}\n` });
    return undefined;
  }

  async #evaluate(request: Message, cell: string, source: string, silent: boolean): Promise<Evaluated> {
    const compiled = compileCell(source, { cell });
    this.#cells.set(cell, { source, compiled });
    if (!silent) this.#charts.cellBegins(cell);
    const { allow_stdin: allowStdin = false, user_expressions: expressions } = request.content as { allow_stdin?: boolean; user_expressions?: Record<string, string> };
    if (this.#session.exit !== undefined) await this.#restart();
    this.#running = true;
    const evaluate: Omit<EvaluateRequest, "type" | "id"> = { cell, code: compiled.code, silent, allowStdin };
    const named = Object.entries(expressions ?? {});
    if (named.length > 0) evaluate.expressions = Object.fromEntries(named.map(([name, expression]) => [name, compileExpression(expression, cell)]));
    const evaluation = this.#session.evaluate(evaluate);
    if (!silent) this.engine.commit({ cell, source });
    const result = await evaluation;
    this.#running = false;
    return result;
  }

  async #conclude(request: Message, { expressions, outcome }: Evaluated, silent: boolean, failed: (error: ErrorContent) => Reply): Promise<Reply> {
    switch (outcome.status) {
      case "ok": {
        const { data, metadata = {} } = outcome;
        if (data !== undefined && !silent) this.#options.publish(request, "execute_result", { execution_count: this.count, data, metadata });
        return { status: "ok", execution_count: this.count, payload: [], user_expressions: this.#showExpressions(expressions) };
      }
      case "error":
        return failed(showError(outcome.error, this.#cells));
      case "interrupted": {
        const evalue = outcome.how === "awaits" ? "the cell was interrupted" : "the cell was interrupted; its JavaScript was cut, so finally blocks did not run";
        return failed({ ename: "KeyboardInterrupt", evalue, traceback: [`KeyboardInterrupt: ${evalue}`] });
      }
      case "lost": {
        const evalue = `${outcome.exit.message}. A new session has been started: the names of earlier cells are gone, run them again`;
        await this.#restart();
        return failed({ ename: "SessionLostError", evalue, traceback: [`SessionLostError: ${evalue}`] });
      }
    }
  }

  #showExpressions(expressions: Evaluated["expressions"]): Record<string, unknown> {
    const shown = Object.entries(expressions ?? {}).map(([name, result]) => [
      name,
      "data" in result ? { status: "ok", data: result.data, metadata: {} } : { status: "error", ...showError(result.error, this.#cells) },
    ]);
    return Object.fromEntries(shown) as Record<string, unknown>;
  }

  #heard(message: Exclude<FromSession, Evaluated>): void {
    const { publish } = this.#options;
    const parent = "cell" in message ? this.#parents.get(message.cell) : undefined;
    switch (message.type) {
      case "stream":
        return publish(parent, "stream", { name: message.name, text: message.text });
      case "display": {
        const { data, displayId, metadata, update } = message;
        const transient = displayId === undefined ? {} : { display_id: displayId };
        return publish(parent, update ? "update_display_data" : "display_data", { data, metadata, transient });
      }
      case "clearOutput":
        return publish(parent, "clear_output", { wait: message.wait });
      case "inputRequest":
        if (parent !== undefined) this.#options.ask(parent, message.id, { prompt: message.prompt, password: message.password });
        return;
      case "comm":
        return this.#sayComm(parent, message);
      case "configure":
        return this.#configure(message.options);
      case "lateError":
        return publish(parent, "stream", { name: "stderr", text: `${showError(message.error, this.#cells).traceback.join("\n")}\n` });
      case "taskEvents":
        return this.#charts.add(message.events);
    }
  }

  #sayComm(parent: Message | undefined, { buffers, commId, data, kind, metadata, targetName = "" }: Extract<FromSession, { type: "comm" }>): void {
    const meta = (metadata ?? {}) as Record<string, unknown>;
    if (kind === "open") {
      this.#comms.set(commId, targetName);
      this.#options.publish(parent, "comm_open", { comm_id: commId, target_name: targetName, data }, buffers, meta);
    } else if (kind === "msg") this.#options.publish(parent, "comm_msg", { comm_id: commId, data }, buffers, meta);
    else {
      this.#comms.delete(commId);
      this.#options.publish(parent, "comm_close", { comm_id: commId, data }, buffers, meta);
    }
  }

  #configure({ check, plotlyMime, timeline }: SessionOptions): void {
    if (check !== undefined) this.#check = check;
    if (timeline !== undefined) this.#charts.enabled = timeline === "auto";
    if (plotlyMime !== undefined) this.#charts.plotlyMime = plotlyMime;
  }

  /** A comm message of the client. */
  comm(kind: "open" | "msg" | "close", { buffers, content, metadata }: Message): void {
    const { comm_id: commId, data, target_name: targetName } = content;
    if (typeof commId !== "string") return;
    if (kind === "open") this.#comms.set(commId, String(targetName));
    if (kind === "close") this.#comms.delete(commId);
    if (this.#session.exit !== undefined) return;
    this.#session.sendComm({ kind, commId, data, metadata, buffers, ...(typeof targetName === "string" ? { targetName } : {}) });
  }

  /** Open comms, of one target if given. */
  comms(target: unknown): Record<string, { target_name: string }> {
    const open = [...this.#comms].filter(([, name]) => target === undefined || target === null || name === target);
    return Object.fromEntries(open.map(([id, name]) => [id, { target_name: name }]));
  }

  input(id: number, value: string): void {
    this.#session.sendInput(id, value);
  }

  async interrupt(): Promise<void> {
    await this.#session.interrupt();
  }

  #sessionEnded(exit: SessionExit): void {
    if (this.#closing) return;
    void this.#charts.sessionEnded();
    // A cell that ran tells it as its error.
    if (this.#running) return;
    const parent = [...this.#parents.values()].at(-1);
    this.#options.publish(parent, "stream", { name: "stderr", text: `${exit.message}. A new session has been started: the names of earlier cells are gone, run them again\n` });
    void this.#restart();
  }

  #restarting: Promise<void> | undefined;

  #restart(): Promise<void> {
    this.#running = false;
    this.#restarting ??= this.#session.restart().finally(() => {
      this.#restarting = undefined;
    });
    this.engine.reset();
    this.#comms.clear();
    return this.#restarting;
  }

  /** Ends everything; charts get their last frame first. */
  async close(): Promise<void> {
    this.#closing = true;
    await Promise.all([this.#session.shutdown(), this.engine.close()]);
    await this.#charts.sessionEnded();
  }
}

/** A `user_expressions` entry as a script; what is no expression gives its syntax error when it runs. */
function compileExpression(expression: string, cell: string): string {
  try {
    return compileCell(expression, { cell }).code;
  } catch (error) {
    return `throw new SyntaxError(${JSON.stringify((error as Error).message)})`;
  }
}
