import type { MessagePort } from "node:worker_threads";
import type { ObserverMessage, ObserverRequest } from "../../runtime/host.ts";
import type { FromSession } from "./protocol.ts";

/** How long the end of a cell waits for the scheduler to say that all its events have been posted. */
const flushMs = 250;

/** Passes on what the schedulers of the session's runtimes say, and asks them things. */
export class TaskObservers {
  /** Where output goes whose cell is not known. */
  latestCell = "0";
  readonly #ports = new Set<MessagePort>();
  readonly #send: (message: FromSession) => void;
  readonly #flushes = new Map<number, () => void>();
  /** Tasks whose last output did not end with a line. */
  readonly #openLines = new Set<string>();
  #lastFlush = 0;

  constructor(send: (message: FromSession) => void) {
    this.#send = send;
  }

  add(port: MessagePort): void {
    this.#ports.add(port);
    port.on("message", (message: ObserverMessage) => this.#receive(message));
    port.on("close", () => {
      this.#ports.delete(port);
      // A runtime that has shut down answers nothing more.
      for (const done of this.#flushes.values()) done();
    });
  }

  /** The cell is over: failures of its tasks that nobody has looked at are told. */
  cellEnded(cell: string): void {
    for (const port of this.#ports) port.postMessage({ type: "cellEnded", cell } satisfies ObserverRequest);
  }

  /** Cancels the cell's unfinished tasks. */
  cancelCell(cell: string): void {
    for (const port of this.#ports) port.postMessage({ type: "cancelCell", cell } satisfies ObserverRequest);
  }

  /** Resolves when all events and output so far have been passed on. */
  async flush(): Promise<void> {
    await Promise.all([...this.#ports].map((port) => this.#flushPort(port)));
  }

  #flushPort(port: MessagePort): Promise<void> {
    const id = ++this.#lastFlush;
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#flushes.get(id)?.(), flushMs);
      this.#flushes.set(id, () => {
        clearTimeout(timer);
        this.#flushes.delete(id);
        resolve();
      });
      port.postMessage({ type: "flush", id } satisfies ObserverRequest);
    });
  }

  #receive(message: ObserverMessage): void {
    if (message.type === "events") this.#send({ type: "taskEvents", events: message.events });
    else if (message.type === "flushed") this.#flushes.get(message.id)?.();
    else {
      const cell = message.cell ?? this.latestCell;
      this.#send({ type: "stream", cell, name: message.stream, text: this.#labelled(message) });
    }
  }

  /** The text with task and worker before each line: `(retrieve(3) w2) text`. */
  #labelled({ taskId, taskName, workerId, stream, text }: Extract<ObserverMessage, { type: "output" }>): string {
    const source = `${taskId} ${stream}`;
    const label = `(${taskName} ${workerId}) `;
    const continues = this.#openLines.delete(source);
    if (!text.endsWith("\n")) this.#openLines.add(source);
    const lines = text.replaceAll(/\n(?!$)/g, `\n${label}`);
    return continues ? lines : label + lines;
  }
}
