import type { MimeBundle } from "../display/mime-bundle.ts";
import type { NotebookLink, SessionOptions } from "../display/notebook-link.ts";
import { currentCell } from "./cell-context.ts";
import type { FromSession, ToSession } from "./protocol.ts";
import { shutdownRuntime } from "./runtime-link.ts";
import type { LineMessage } from "./watchdog.ts";

type Comm = Extract<ToSession, { type: "comm" }>;

/** What cells ask of the notebook's front end, and its answers. */
export class NotebookLine implements NotebookLink {
  plotlyMime = true;
  readonly #post: (message: LineMessage) => void;
  readonly #questions = new Map<number, (answer: string) => void>();
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

  /** A message of the kernel process. */
  receive(message: ToSession): void {
    if (message.type === "inputReply") {
      this.#questions.get(message.id)?.(message.value);
      this.#questions.delete(message.id);
    } else if (message.type === "comm") this.#receiveComm(message);
    else if (message.type === "shutdown") void shutdownRuntime().finally(() => process.exit(0));
  }

  #receiveComm(message: Comm): void {
    // No cell can register a target yet: Jupyter's answer to an unknown target is to close it.
    if (message.kind !== "open") return;
    this.#send({
      type: "comm",
      cell: currentCell().label,
      kind: "close",
      commId: message.commId,
      data: {},
      metadata: {},
      buffers: [],
    });
  }

  #send(message: FromSession): void {
    this.#post({ type: "send", message });
  }
}
