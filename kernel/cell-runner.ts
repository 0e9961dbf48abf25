/** Runs execute requests and publishes all that cells say, each under the request it came from. */
import { CapturedOutput } from "./captured-output.ts";
import { ChartsOnDemand } from "./charts-on-demand.ts";
import { Comms } from "./comms.ts";
import type { Response } from "./debugger/dap.ts";
import type { Debugger } from "./debugger/debugger.ts";
import { type CellEnd, Evaluation } from "./evaluation.ts";
import type { LanguageEngine } from "./language/engine.ts";
import { isTooLong } from "./language/excess.ts";
import type { Names } from "./language/line-commands.ts";
import { readCompilerOptions } from "./language/server/tsconfig.ts";
import { Fields } from "./requests.ts";
import type { Evaluated, FromSession, MimeBundle, SessionExit, SessionOptions } from "./session/protocol.ts";
import type { Session } from "./session/session.ts";
import type { Message, Sent } from "./wire/message.ts";

export interface CellRunnerOptions {
  /** The notebook's folder. */
  folder: string;
  kernelspecName: string;
  session: Session;
  engine: LanguageEngine;
  publish<K extends keyof Sent>(
    parent: Message | undefined,
    type: K,
    content: Sent[K],
    buffers?: Uint8Array[],
    metadata?: Record<string, unknown>,
  ): void;
  ask(parent: Message, id: number, content: Sent["input_request"]): void;
}

interface AskedCell {
  code: string;
  silent: boolean;
  counts: boolean;
  /** The cell has failed, and no client can know of it yet. */
  failing?(): Promise<void>;
}

/** The content of an `execute_reply`, and the result as text. */
interface CellReply {
  reply: { status: "ok" | "error"; execution_count: number; [key: string]: unknown };
  output: string | undefined;
}

export class CellRunner {
  readonly engine: LanguageEngine;
  readonly comms: Comms;
  /** The execution count. */
  count = 0;
  readonly #options: CellRunnerOptions;
  readonly #session: Session;
  readonly #evaluation: Evaluation;
  readonly #charts: ChartsOnDemand;
  /** Loaded with the first request of one. */
  #debugger: Debugger | undefined;
  /** Output of running cells with `%%capture`. */
  readonly #captures = new Map<string, CapturedOutput>();
  /** The request that each cell came from: parent of all that the cell ever says. */
  readonly #parents = new Map<string, Message>();
  #latest: Message | undefined;
  #uncounted = 0;
  #closing = false;

  constructor(options: CellRunnerOptions) {
    this.#options = options;
    this.#session = options.session;
    this.engine = options.engine;
    this.#evaluation = new Evaluation(this.#session, this.engine, {
      warn: (cell, text) => this.#hear({ type: "stream", cell, name: "stderr", text }),
      print: (cell, text) => this.#hear({ type: "stream", cell, name: "stdout", text }),
      capture: (cell) => this.#captures.set(cell, new CapturedOutput()),
      captured: (cell, value) => {
        const captured = this.#captures.get(cell) ?? new CapturedOutput();
        if (value !== undefined) captured.outputs.push(value);
        return captured;
      },
      hasOldDecorators: () => readCompilerOptions(options.folder).own.experimentalDecorators === true,
      isDebugged: () => this.#debugger?.isStarted === true,
      willRun: (label, cell) => this.#debugger?.cellWillRun(label, cell),
    });
    this.#charts = new ChartsOnDemand(options.kernelspecName, (cell, frame) =>
      this.#hear({ type: "display", cell, ...frame }),
    );
    this.comms = new Comms({
      publish: (...message) => options.publish(...message),
      send: (id, packet) => this.#session.sendComm(id, packet),
    });
    this.#session.on("message", (message) => this.#hear(message));
    this.#session.on("exit", (exit) => this.#sessionEnded(exit));
  }

  /** Runs a cell and returns what to reply. */
  async run(request: Message, cell: AskedCell): Promise<CellReply> {
    const { code, counts, silent } = cell;
    const fields = new Fields(request);
    const allowStdin = fields.flag("allow_stdin", false);
    const expressions = Object.entries(fields.object("user_expressions")).map(([name, source]) => [
      name,
      String(source),
    ]);
    if (counts) this.count++;
    const label = counts ? String(this.count) : `${this.count}-${++this.#uncounted}`;
    // Only what messages are derived from: the request's source is not held for good.
    const parent = { ...request, content: {}, buffers: [] };
    this.#parents.set(label, parent);
    this.#latest = parent;
    if (!silent) {
      this.#options.publish(request, "execute_input", { code: shownCode(code), execution_count: this.count });
      this.#charts.cellBegins(label);
    }
    const end = await this.#evaluation.run({
      label,
      source: code,
      silent,
      allowStdin,
      expressions: Object.fromEntries(expressions) as Record<string, string>,
    });
    await this.#charts.cellEnded(label);
    if (end.status === "error") await cell.failing?.();
    const isCaptured = this.#captures.delete(label);
    return this.#conclude(request, end, { silent, isCaptured });
  }

  async #conclude(
    request: Message,
    end: CellEnd,
    { silent, isCaptured }: { silent: boolean; isCaptured: boolean },
  ): Promise<CellReply> {
    const execution_count = this.count;
    if (end.status === "error") {
      if (!silent) this.#options.publish(request, "error", end.error);
      return { reply: { status: "error", execution_count, ...end.error }, output: undefined };
    }
    const { expressions, metadata = {} } = end;
    const data = end.data && this.#evaluation.shownData(end.data);
    if (data !== undefined && !silent && !isCaptured) {
      this.#options.publish(request, "execute_result", {
        execution_count,
        data: await this.#charts.draw(data),
        metadata,
      });
    }
    const text = data?.["text/plain"];
    return {
      reply: { status: "ok", execution_count, payload: [], user_expressions: expressions },
      output: typeof text === "string" ? text : undefined,
    };
  }

  #warn(parent: Message | undefined, text: string): void {
    this.#options.publish(parent, "stream", { name: "stderr", text });
  }

  #display(
    parent: Message | undefined,
    shown: { data: object; metadata: object; displayId?: string | undefined; update: boolean },
  ): void {
    const { data, displayId, metadata, update } = shown;
    const transient = displayId === undefined ? {} : { display_id: displayId };
    this.#options.publish(parent, update ? "update_display_data" : "display_data", { data, metadata, transient });
  }

  #hear(message: Exclude<FromSession, Evaluated>): void {
    if ("cell" in message && this.#captures.get(message.cell)?.take(message)) return;
    const parent = "cell" in message ? this.#parents.get(message.cell) : undefined;
    switch (message.type) {
      case "stream":
        this.#options.publish(parent, "stream", {
          name: message.name,
          text: this.#evaluation.shownText(message.text),
        });
        break;
      case "display": {
        const replace = (data: MimeBundle): void => this.#display(parent, { ...message, data, update: true });
        this.#display(parent, {
          ...message,
          data: this.#charts.drawInPlace(this.#evaluation.shownData(message.data), replace),
        });
        break;
      }
      case "clearOutput":
        this.#options.publish(parent, "clear_output", { wait: message.wait });
        break;
      case "inputRequest":
        if (parent) this.#options.ask(parent, message.id, { prompt: message.prompt, password: message.password });
        break;
      case "comm":
      case "commTarget":
      case "commHandled":
        this.comms.hear(message, parent);
        break;
      case "configure":
        this.configure(message.options);
        break;
      case "lateError":
        this.#warn(parent, `${this.#evaluation.show(message.error).traceback.join("\n")}\n`);
        break;
      case "taskEvents":
        this.#charts.add(message.events);
    }
  }

  /** What `configure()` sets, also from outside. */
  configure({ check, plotlyMime, timeline }: SessionOptions): void {
    if (check !== undefined) this.#evaluation.check = check;
    this.#charts.configure({
      ...(timeline !== undefined && { enabled: timeline === "auto" }),
      ...(plotlyMime !== undefined && { plotlyMime }),
    });
  }

  /** The content of a `debug_reply`. */
  async debug(request: Message): Promise<Response> {
    const { Debugger } = await import("./debugger/debugger.ts");
    if (this.#closing) throw new Error("the kernel is shutting down");
    this.#debugger ??= new Debugger({
      session: this.#session,
      cells: this.#evaluation.cells,
      names: this.#evaluation.names,
      visibleNames: this.#evaluation.visibleNames,
      publish: (parent, event) => this.#options.publish(parent, "debug_event", event),
      declare: (name) => this.#evaluation.declare(name),
    });
    return this.#debugger.answer(request);
  }

  /** The answer to the input that was asked for under `id`. */
  input(id: number, value: string): void {
    this.#session.sendInput(id, value);
  }

  /** Ends the cell that runs, whatever it is at; resolves when it has ended. */
  async interrupt(): Promise<void> {
    await this.#evaluation.interrupt();
    this.comms.handlersCut();
  }

  /** The names that the cells have declared. */
  get names(): Names {
    return this.#evaluation.names;
  }

  /** Resolves when the cell that is under way, or the next one, has begun to run and its names are known. */
  cellRuns(): Promise<void> {
    return this.#evaluation.cellRuns();
  }

  #sessionEnded(exit: SessionExit): void {
    this.comms.sessionEnded(this.#latest);
    if (this.#closing) return;
    this.#charts.sessionEnded();
    // A cell that runs says so as its error, and a session that cannot start says so to the next cell.
    if (this.#evaluation.running || exit.reason === "notStarted") return;
    this.#warn(this.#latest, `heddle: ${exit.message}; a new session has been started, run the cells you need again\n`);
    this.#evaluation.revive().catch(() => {});
  }

  /** Ends everything; charts get their last frame. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#debugger?.close();
    this.#evaluation.close();
    await Promise.all([this.#session.shutdown(), this.engine.close()]);
    await this.#charts.sessionEnded();
  }
}

/** A cell that is far too long is not sent back and forth. */
function shownCode(code: string): string {
  return isTooLong(code) ? `${code.slice(0, 1_000)}…` : code;
}
