/**
 * The kernel: takes Jupyter's requests from any transport and answers them, with a session that runs cells and an
 * engine that understands them. No line of the user's runs here.
 */
import { CellRunner } from "./cell-runner.ts";
import { History } from "./history.ts";
import { answerInformation, informationRequests } from "./information.ts";
import type { LanguageEngine } from "./language/engine.ts";
import { isTooLong } from "./language/excess.ts";
import { createLanguageEngine } from "./language/tsgo.ts";
import { Fields, RequestError } from "./requests.ts";
import type { SessionOptions } from "./session/protocol.ts";
import { Session } from "./session/session.ts";
import { ShellQueue } from "./shell-queue.ts";
import { askClient, type Message, publishFor, replyTo, type Sent } from "./wire/message.ts";

export interface KernelOptions {
  /** The notebook's folder. */
  folder: string;
  /** Delivers a message to the client or clients. */
  send(message: Message): void;
  /** Name under which Jupyter serves the kernelspec's files; default "heddle". */
  kernelspecName?: string;
  /** Where executed sources are kept; default nowhere. */
  historyFile?: string;
  /** One that has been started already; default a new one in the folder. Ends with the kernel. */
  session?: Session;
  /** One that has been started already; default TypeScript's in the folder. Ends with the kernel. */
  engine?: LanguageEngine;
  /** What `configure()` in a cell sets, from the start. */
  configuration?: SessionOptions;
  /** Resolves when all that has been received so far has been given to `handle`; default: nothing is ever under way. */
  received?(): Promise<void>;
  /** A client has asked for the end, and has its reply. */
  onShutdown?(restart: boolean): void;
}

type Content = { [key: string]: unknown };
/** What the reply says, where there is one. */
type Handler = (request: Message) => Promise<Content | undefined> | Content | undefined;

export class Kernel {
  readonly #options: KernelOptions;
  readonly #runner: CellRunner;
  readonly #history: History;
  readonly #handlers: Record<string, Handler>;
  readonly #queue = new ShellQueue();
  #closed: Promise<void> | undefined;
  /** What cells ask the user, the first of them being asked: front ends show one question at a time. */
  #questions: { id: number; message: Message }[] = [];

  constructor(options: KernelOptions) {
    this.#options = options;
    this.#history = new History(options.historyFile);
    this.#runner = new CellRunner({
      folder: options.folder,
      kernelspecName: options.kernelspecName ?? "heddle",
      session: options.session ?? new Session({ cwd: options.folder }),
      engine: options.engine ?? createLanguageEngine({ folder: options.folder }),
      publish: (parent, type, content, buffers, metadata) =>
        options.send(publishFor(parent, type, content, buffers, metadata)),
      ask: (parent, id, content) => {
        this.#questions.push({ id, message: askClient(parent, content) });
        if (this.#questions.length === 1) this.#askNext();
      },
    });
    this.#runner.configure(options.configuration ?? {});
    this.#handlers = {
      execute_request: (request) => this.#execute(request),
      debug_request: async (request) => ({ ...(await this.#runner.debug(request)) }),
      interrupt_request: () => this.#interrupt(),
      shutdown_request: (request) => this.#shutdown(request),
      input_reply: (message) => this.#takeInput(message),
      comm_open: (message) => this.#takeComm("open", message),
      comm_msg: (message) => this.#takeComm("msg", message),
      comm_close: (message) => this.#takeComm("close", message),
    };
    for (const type of subshellRequests) this.#handlers[type] = refuseSubshells;
    for (const type of informationRequests) {
      this.#handlers[type] = (request) => answerInformation(request, this.#runner, this.#history);
    }
  }

  /**
   * Takes a message of a client; resolves when it has been dealt with and its answers sent, and never rejects. Requests
   * on shell are handled one after the other, except that questions and what goes on an open comm do not wait for a
   * cell that runs; everything on other channels is handled at once.
   */
  handle(message: Message): Promise<void> {
    if (this.#closed !== undefined) return this.#closed;
    if (this.#isMisplaced(message)) {
      console.error(
        `heddle kernel: ${message.channel}: messages of type ${message.header.msg_type} do not belong on this channel`,
      );
      return Promise.resolve();
    }
    if (message.channel !== "shell" || this.#reachesOpenComm(message)) return this.#answer(message);
    if (informationRequests.includes(message.header.msg_type)) return this.#answerBeside(message);
    return this.#queue.add(message, (request) => this.#answer(request));
  }

  /** Answers to `input()` come on stdin, and nothing else does. */
  #isMisplaced({ channel, header }: Message): boolean {
    const isKnown = Object.hasOwn(this.#handlers, header.msg_type);
    return isKnown && (channel === "stdin") !== (header.msg_type === "input_reply");
  }

  /** What is known to change is waited for: the names of a cell are there once it has begun to run. */
  async #answerBeside(request: Message): Promise<void> {
    const { emptied } = this.#queue;
    if (emptied !== undefined) await Promise.race([emptied, this.#runner.cellRuns()]);
    await this.#answer(request);
  }

  /** A comm that is not open yet may be waiting for a cell to register its target. */
  #reachesOpenComm(message: Message): boolean {
    const { content, header } = message;
    if (!header.msg_type.startsWith("comm_") || !this.#runner.comms.isKnown(message)) return false;
    return !this.#queue.holds((waiting) => waiting.content.comm_id === content.comm_id);
  }

  /** Ends the session and the language server. */
  close(): Promise<void> {
    this.#closed ??= this.#runner.close();
    return this.#closed;
  }

  async #answer(request: Message): Promise<void> {
    const type = request.header.msg_type;
    const handler = Object.hasOwn(this.#handlers, type) ? this.#handlers[type] : undefined;
    if (handler === undefined) {
      console.error(`heddle kernel: ${request.channel}: messages of type ${JSON.stringify(type)} are not known`);
      return;
    }
    const says = request.channel !== "stdin";
    if (says) this.#publish(request, "status", { execution_state: "busy" });
    // Front ends that record times take it from the reply.
    const started = new Date().toISOString();
    const content = await this.#outcome(request, handler);
    if (content !== undefined && type.endsWith("_request")) {
      const replyType = type.replace(/_request$/, "_reply") as keyof Sent;
      this.#options.send(
        replyTo(request, replyType, content as Sent[typeof replyType], type === "execute_request" ? { started } : {}),
      );
      // Clients that did not ask learn of it too.
      if (replyType === "shutdown_reply") this.#publish(request, replyType, content);
    }
    if (says) this.#sayIdle(request);
    if (type === "shutdown_request") this.#options.onShutdown?.(request.content.restart === true);
  }

  #sayIdle(request: Message): void {
    this.#publish(request, "status", { execution_state: "idle" });
    const { current } = this.#queue;
    // Front ends show the state that was said last, and servers end kernels that have been idle for long.
    if (current !== undefined && current !== request && this.#closed === undefined)
      this.#publish(current, "status", { execution_state: "busy" });
  }

  async #outcome(request: Message, handler: Handler): Promise<Content | undefined> {
    try {
      return await handler(request);
    } catch (error) {
      const { message, name, stack } = error as Error;
      console.error(`heddle kernel: ${request.channel}: ${error instanceof RequestError ? message : stack}`);
      return { status: "error", ename: name, evalue: message, traceback: [`${name}: ${message}`] };
    }
  }

  #publish<K extends keyof Sent>(parent: Message, type: K, content: Sent[K]): void {
    this.#options.send(publishFor(parent, type, content));
  }

  async #execute(request: Message): Promise<Content> {
    if (request.channel !== "shell")
      throw new RequestError(`execute_request: cells are executed on shell, not on ${request.channel}`);
    if (this.#queue.isAborted(request) || this.#closed !== undefined)
      return { status: "aborted", execution_count: this.#runner.count };
    const begun = performance.now();
    const fields = new Fields(request);
    const code = fields.text("code");
    const silent = fields.flag("silent", false);
    const counts = fields.flag("store_history", true) && !silent;
    const stopOnError = fields.flag("stop_on_error", true);
    const failing = async (): Promise<void> => {
      await this.#options.received?.();
      this.#queue.abortBehind(request, performance.now() - begun);
    };
    const { output, reply } = await this.#runner.run(request, {
      code,
      silent,
      counts,
      ...(stopOnError && { failing }),
    });
    this.#questions = [];
    if (counts && !isTooLong(code)) this.#history.add(this.#runner.count, code, output);
    return reply;
  }

  async #interrupt(): Promise<Content> {
    await this.#runner.interrupt();
    return { status: "ok" };
  }

  async #shutdown(request: Message): Promise<Content> {
    await this.close();
    return { status: "ok", restart: request.content.restart === true };
  }

  async #takeComm(kind: "open" | "msg" | "close", message: Message): Promise<undefined> {
    await this.#runner.comms.take(kind, message);
  }

  #askNext(): void {
    const [question] = this.#questions;
    if (question !== undefined) this.#options.send(question.message);
  }

  #takeInput(message: Message): undefined {
    const [question] = this.#questions;
    if (question === undefined) return;
    const value = new Fields(message).text("value");
    this.#questions.shift();
    this.#runner.input(question.id, value);
    this.#askNext();
  }
}

const subshellRequests = ["create_subshell_request", "delete_subshell_request", "list_subshell_request"];

/** They would run cells at the same time: here cells share one thread, and questions do not wait for them anyway. */
function refuseSubshells(request: Message): never {
  throw new RequestError(`${request.header.msg_type}: this kernel has no subshells`);
}
