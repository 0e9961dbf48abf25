/**
 * The kernel: takes Jupyter's requests from any transport and answers them, with a session that runs cells and an
 * engine that understands them. No line of the user's runs here.
 */
import { History } from "./history.ts";
import { CellRunner } from "./cell-runner.ts";
import { answerInformation, informationRequests, kernelInfo } from "./information.ts";
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
  /** Ends the cell that runs after so many milliseconds; default never. */
  onShutdown?(restart: boolean): void;
}

type Handler = (request: Message) => Promise<void> | void;

/** Requests on shell that are answered while a cell runs. */
const unordered = new Set(["complete_request", "inspect_request", "is_complete_request", "comm_info_request"]);

export class Kernel {
  readonly #options: KernelOptions;
  readonly #runner: CellRunner;
  readonly #history: History;
  readonly #queue: Message[] = [];
  readonly #aborted = new WeakSet<Message>();
  readonly #handlers: Record<string, Handler>;
  #working = false;
  #closed: Promise<void> | undefined;
  #pendingInput: number | undefined;

  constructor(options: KernelOptions) {
    this.#options = options;
    this.#history = new History(options.historyFile);
    this.#runner = new CellRunner({
      folder: options.folder,
      kernelspecName: options.kernelspecName ?? "heddle",
      publish: (parent, type, content, buffers, metadata) => options.send(publishFor(parent, type, content, buffers, metadata)),
      ask: (parent, id, content) => {
        this.#pendingInput = id;
        options.send(askClient(parent, content));
      },
    });
    this.#handlers = {
      execute_request: (request) => this.#execute(request),
      kernel_info_request: (request) => this.#reply(request, "kernel_info_reply", kernelInfo),
      interrupt_request: (request) => this.#interrupt(request),
      shutdown_request: (request) => this.#shutdown(request),
      input_reply: (message) => this.#inputReply(message),
      comm_open: (message) => this.#runner.comm("open", message),
      comm_msg: (message) => this.#runner.comm("msg", message),
      comm_close: (message) => this.#runner.comm("close", message),
      ...Object.fromEntries(
        informationRequests.map((type) => [
          type,
          async (request: Message) => {
            const { content, reply } = await answerInformation(request, this.#runner, this.#history);
            this.#reply(request, reply, content as never);
          },
        ]),
      ),
    };
  }

  /** Takes a message of a client. Shell requests are handled in order; everything else at once. */
  handle(message: Message): void {
    if (this.#closed !== undefined) return;
    if (message.channel === "shell" && !unordered.has(message.header.msg_type)) {
      this.#queue.push(message);
      void this.#work();
    } else void this.#dispatch(message);
  }

  async #work(): Promise<void> {
    if (this.#working) return;
    this.#working = true;
    for (let message = this.#queue.shift(); message !== undefined; message = this.#queue.shift()) await this.#dispatch(message);
    this.#working = false;
  }

  async #dispatch(request: Message): Promise<void> {
    const type = request.header.msg_type;
    const handler = Object.hasOwn(this.#handlers, type) ? this.#handlers[type] : undefined;
    if (handler === undefined) {
      console.error(`heddle kernel: ${request.channel}: no handler for ${JSON.stringify(type)}`);
      return;
    }
    if (request.channel === "stdin") return handler(request);
    this.#publish(request, "status", { execution_state: "busy" });
    try {
      await handler(request);
    } catch (error) {
      console.error(`heddle kernel: ${type}: ${(error as Error).stack}`);
      const { message, name } = error as Error;
      if (type.endsWith("_request")) this.#reply(request, type.replace(/_request$/, "_reply") as "execute_reply", { status: "error", ename: name, evalue: message, traceback: [message] });
    } finally {
      this.#publish(request, "status", { execution_state: "idle" });
    }
  }

  #publish<K extends keyof Sent>(parent: Message, type: K, content: Sent[K]): void {
    this.#options.send(publishFor(parent, type, content));
  }

  #reply<K extends keyof Sent>(request: Message, type: K, content: Sent[K]): void {
    this.#options.send(replyTo(request, type, content));
  }

  async #execute(request: Message): Promise<void> {
    if (this.#aborted.has(request)) {
      this.#reply(request, "execute_reply", { status: "aborted", execution_count: this.#runner.count });
      return;
    }
    const { code, silent = false, store_history = !silent, stop_on_error = true } = request.content as { code?: unknown; silent?: boolean; store_history?: boolean; stop_on_error?: boolean };
    if (typeof code !== "string") throw new TypeError(`execute_request: code must be a text, not ${typeof code}`);
    const result = await this.#runner.run(request, { code, silent, counts: store_history && !silent });
    if (store_history && !silent) this.#history.add(this.#runner.count, code);
    // What was queued behind a cell that failed must not run; what comes later may.
    if (result["status"] === "error" && stop_on_error) for (const queued of this.#queue) this.#aborted.add(queued);
    this.#reply(request, "execute_reply", result);
  }

  async #interrupt(request: Message): Promise<void> {
    await this.#runner.interrupt();
    this.#reply(request, "interrupt_reply", { status: "ok" });
  }

  async #shutdown(request: Message): Promise<void> {
    const restart = request.content["restart"] === true;
    await this.close();
    this.#reply(request, "shutdown_reply", { status: "ok", restart });
    this.#publish(request, "status", { execution_state: "idle" });
    this.#options.onShutdown?.(restart);
  }

  #inputReply({ content }: Message): void {
    const { value } = content;
    if (this.#pendingInput === undefined || typeof value !== "string") return;
    this.#runner.input(this.#pendingInput, value);
    this.#pendingInput = undefined;
  }

  /** Ends the session and the language server. */
  close(): Promise<void> {
    this.#closed ??= this.#runner.close();
    return this.#closed;
  }
}
