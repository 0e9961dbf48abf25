/**
 * The Debug Adapter Protocol as Jupyter carries it (`debug_request`, `debug_event`), on top of V8's inspector in the
 * session process. Everything here runs in the kernel process, so it answers while the cells' thread is paused.
 */
import type { Debugger as Cdp } from "node:inspector";
import type { Names } from "../language/line-commands.ts";
import type { NotebookNames } from "../language/visible-names.ts";
import type { Session } from "../session/session.ts";
import type { RunCell } from "../traceback.ts";
import type { Message } from "../wire/message.ts";
import { Breakpoints } from "./breakpoints.ts";
import type { Event, Response } from "./dap.ts";
import { InspectorLink } from "./inspector-link.ts";
import { Pause, type PauseReason } from "./pause.ts";
import { type Arguments, Requests } from "./requests.ts";
import { Sources, skippedScripts } from "./sources.ts";
import { Variables } from "./variables.ts";

export interface DebuggerOptions {
  session: Session;
  /** Cells that ran, by label. */
  cells: ReadonlyMap<string, RunCell>;
  /** Names that the notebook has now. */
  names: Names;
  /** What they are called in scripts. */
  visibleNames: NotebookNames;
  /** Tells clients of an event; `parent` is the last request of one. */
  publish(parent: Message | undefined, event: Event): void;
  /** A variable of this name is now there, of whatever type. */
  declare(name: string): void;
}

/** Steps that V8 may be asked for until it is in the user's code, after `pause`. */
const mostSteps = 200;

export class Debugger {
  readonly sources: Sources;
  readonly inspector: InspectorLink;
  readonly variables: Variables;
  readonly breakpoints: Breakpoints;
  readonly declare: (name: string) => void;
  pause: Pause | undefined;
  isStarted = false;
  readonly #options: DebuggerOptions;
  readonly #requests: Requests;
  #exceptions: readonly string[] = [];
  #parent: Message | undefined;
  #lastSeq = 0;
  #moving: PauseReason | undefined;
  #steps = 0;

  constructor(options: DebuggerOptions) {
    this.#options = options;
    this.declare = options.declare;
    this.sources = new Sources(options.cells, options.names, options.visibleNames);
    this.inspector = new InspectorLink(options.session, (method, params) => this.#hear(method, params));
    this.variables = new Variables(this.inspector);
    this.breakpoints = new Breakpoints(this.inspector, this.sources);
    this.#requests = new Requests(this);
    options.session.on("exit", () => this.#goesOn());
    options.session.on("message", ({ type }) => {
      if (type === "ready" && this.isStarted) this.#renew();
    });
  }

  /** The content of the `debug_reply`; never rejects. */
  async answer(request: Message): Promise<Response> {
    this.#parent = request;
    const {
      arguments: args,
      command,
      seq,
    } = request.content as { arguments?: unknown; command?: unknown; seq?: unknown };
    const reply = {
      type: "response" as const,
      seq: ++this.#lastSeq,
      request_seq: typeof seq === "number" ? seq : 0,
      command: String(command),
    };
    try {
      const body = await this.#requests.answer(reply.command, (args ?? {}) as Arguments);
      return { ...reply, success: true, ...(body !== undefined && { body }) };
    } catch (error) {
      return { ...reply, success: false, message: (error as Error).message };
    }
  }

  /** Called before a cell is sent to the session. */
  cellWillRun(label: string, cell: RunCell): void {
    if (this.isStarted) this.breakpoints.cellWillRun(label, cell);
  }

  start(): void {
    if (this.isStarted) return;
    this.isStarted = true;
    this.#connect();
  }

  /** Turns V8's debugger off; what is paused goes on. */
  stop(): void {
    this.#goesOn();
    this.isStarted = false;
    this.#exceptions = [];
    this.breakpoints.clear();
    this.inspector.disconnect();
    this.sources.forgetScripts();
  }

  /** Removes what the debugger has put on disk. What is paused stays so: it is not to run on while the session ends. */
  close(): void {
    this.isStarted = false;
    this.sources.files.remove();
  }

  /** `uncaught`, `all`, both or none. */
  pauseOnExceptions(filters: readonly string[]): void {
    this.#exceptions = filters;
    this.inspector.tell("Debugger.setPauseOnExceptions", { state: filters.length > 0 ? "all" : "none" });
    // What awaits the code that throws may catch.
    const maxDepth = filters.includes("uncaught") && !filters.includes("all") ? 16 : 0;
    this.inspector.tell("Debugger.setAsyncCallStackDepth", { maxDepth });
  }

  /** Makes the thread go on, for a step or for good. */
  async move(method: string, reason?: PauseReason): Promise<void> {
    this.paused();
    this.#moving = reason;
    this.#steps = 0;
    await this.inspector.call(method);
  }

  /** Pauses the thread at the next line of the user's that it runs. */
  interrupt(): void {
    if (this.pause !== undefined) return;
    this.#moving = "pause";
    this.#steps = 0;
    this.inspector.tell("Debugger.pause");
  }

  /** The pause; throws where there is none. */
  paused(): Pause {
    if (this.pause === undefined) throw new Error("nothing is paused");
    return this.pause;
  }

  emit(event: string, body: object): void {
    this.#options.publish(this.#parent, { type: "event", seq: ++this.#lastSeq, event, body });
  }

  #connect(): void {
    this.inspector.connect();
    this.inspector.tell("Debugger.enable");
    this.inspector.tell("Debugger.setBlackboxPatterns", { patterns: skippedScripts });
  }

  /** The session has been replaced: the new one is debugged as the old one was. */
  #renew(): void {
    this.sources.forgetScripts();
    this.#connect();
    this.breakpoints.renew();
    this.pauseOnExceptions(this.#exceptions);
  }

  #hear(method: string, params: object): void {
    if (method === "Debugger.scriptParsed") this.sources.noteScript(params as Cdp.ScriptParsedEventDataType);
    if (method === "Debugger.resumed") this.#goesOn();
    if (method === "Debugger.paused" && this.isStarted)
      this.#stands(new Pause(params as Cdp.PausedEventDataType, this.sources));
  }

  #stands(pause: Pause): void {
    const onward = this.#wayOn(pause);
    if (onward !== undefined) {
      this.#steps++;
      this.inspector.tell(onward);
      return;
    }
    const reason = this.#reasonOf(pause);
    this.#moving = undefined;
    this.pause = pause;
    const text = pause.exception?.value.description?.split("\n")[0];
    this.emit("stopped", {
      reason,
      threadId: 1,
      allThreadsStopped: true,
      preserveFocusHint: false,
      ...(text !== undefined && { text, description: "Paused on exception" }),
    });
  }

  /** How to leave a pause that is none for the user. */
  #wayOn(pause: Pause): string | undefined {
    const { exception, frames, hitsBreakpoint, isInUserCode } = pause;
    if (exception !== undefined) {
      const isWanted = this.#exceptions.includes("all") || exception.isUncaught;
      return isWanted && frames.length > 0 ? undefined : "Debugger.resume";
    }
    if (hitsBreakpoint || isInUserCode) return undefined;
    if (this.#steps >= mostSteps) return "Debugger.resume";
    if (this.#moving === "pause") return "Debugger.stepInto";
    // The end of a cell is the end of the steps.
    return frames.length > 0 ? "Debugger.stepOut" : "Debugger.resume";
  }

  #reasonOf({ exception, hitsBreakpoint }: Pause): PauseReason {
    if (exception !== undefined) return "exception";
    // Without a breakpoint and a step it is a `debugger` statement.
    return hitsBreakpoint ? "breakpoint" : (this.#moving ?? "breakpoint");
  }

  #goesOn(): void {
    if (this.pause === undefined) return;
    this.pause = undefined;
    this.variables.forget();
    this.emit("continued", { threadId: 1, allThreadsContinued: true });
  }
}
