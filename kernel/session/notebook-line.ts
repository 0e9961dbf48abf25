import type { MimeBundle } from "../display/mime-bundle.ts";
import type { CommPacket, NotebookLink, SessionOptions } from "../display/notebook-link.ts";
import { currentCell, runInCell } from "./cell-context.ts";
import { describeError } from "./cell-error.ts";
import type { FromSession, ToSession } from "./protocol.ts";
import { shutdownRuntime } from "./runtime-link.ts";
import type { LineMessage } from "./watchdog.ts";

/** What cells ask of the notebook's front end, and its answers. */
export class NotebookLine implements NotebookLink {
  plotlyMime = true;
  readonly #post: (message: LineMessage) => void;
  readonly #questions = new Map<number, (answer: string) => void>();
  readonly #targets = new Map<string, (packet: CommPacket) => void>();
  readonly #comms = new Map<string, (packet: CommPacket) => void>();
  #lastQuestion = 0;

  constructor(post: (message: LineMessage) => void) {
    this.#post = post;
  }

  display(output: { data: MimeBundle; metadata: Record<string, unknown>; displayId?: string; update: boolean }): void {
    this.#send({ type: "display", cell: currentCell().label, ...output });
  }

  clearOutput(wait: boolean): void {
    this.#send({ type: "clearOutput", cell: currentCell().label, wait });
  }

  configure(options: SessionOptions): void {
    if (options.plotlyMime !== undefined) this.plotlyMime = options.plotlyMime;
    this.#send({ type: "configure", options });
  }

  input(prompt: string, password: boolean): Promise<string> {
    const { label, allowStdin } = currentCell();
    if (!allowStdin) {
      return Promise.reject(
        new Error(
          "input() cannot ask: this front end (or a headless run) takes no input. Pass the value in another way.",
        ),
      );
    }
    const id = ++this.#lastQuestion;
    this.#send({ type: "inputRequest", cell: label, id, prompt, password });
    return new Promise((resolve) => this.#questions.set(id, resolve));
  }

  sendComm(packet: CommPacket): void {
    this.#send({ type: "comm", cell: currentCell().label, ...packet });
  }

  attachComm(commId: string, receive: ((packet: CommPacket) => void) | undefined): void {
    if (receive === undefined) this.#comms.delete(commId);
    else this.#comms.set(commId, receive);
  }

  setCommTarget(name: string, opened: (packet: CommPacket) => void): Disposable {
    this.#targets.set(name, opened);
    this.#send({ type: "commTarget", name, registered: true });
    return {
      [Symbol.dispose]: () => {
        if (this.#targets.get(name) !== opened) return;
        this.#targets.delete(name);
        this.#send({ type: "commTarget", name, registered: false });
      },
    };
  }

  handler<A extends unknown[]>(body: (...args: A) => unknown): (...args: A) => void {
    const cell = currentCell();
    return (...args) =>
      runInCell(cell, () => {
        try {
          body(...args);
        } catch (error) {
          this.#send({ type: "lateError", cell: cell.label, error: describeError(error) });
        }
      });
  }

  /** A message of the kernel process. */
  receive(message: ToSession): void {
    if (message.type === "inputReply") {
      this.#questions.get(message.id)?.(message.value);
      this.#questions.delete(message.id);
    } else if (message.type === "comm") this.#receiveComm(message);
    else if (message.type === "shutdown") void shutdownRuntime().finally(() => process.exit(0));
  }

  #receiveComm({ commId, id, kind, targetName = "", ...rest }: Extract<ToSession, { type: "comm" }>): void {
    const receive = kind === "open" ? this.#targets.get(targetName) : this.#comms.get(commId);
    receive?.({ kind, commId, targetName, ...rest });
    this.#send({ type: "commHandled", id });
  }

  #send(message: FromSession): void {
    this.#post({ type: "send", message });
  }
}
