import type { Message } from "./wire/message.ts";

/** The order of what comes on shell: each request is answered when those before it have been. */
export class ShellQueue {
  /** Those that wait for their turn, the current one not among them. */
  readonly #waiting = new Set<Message>();
  readonly #aborted = new WeakSet<Message>();
  #last: Promise<void> = Promise.resolve();
  #current: Message | undefined;
  #failed: { session: string; sentAt: number; tookMs: number } | undefined;

  /** The request that is being answered. */
  get current(): Message | undefined {
    return this.#current;
  }

  /** Resolves when all that is in the queue now has been answered; at once, and undefined, where nothing is. */
  get emptied(): Promise<void> | undefined {
    return this.#current === undefined && this.#waiting.size === 0 ? undefined : this.#last;
  }

  /** Whether a message that fits waits for its turn. */
  holds(fits: (message: Message) => boolean): boolean {
    for (const message of this.#waiting) if (fits(message)) return true;
    return false;
  }

  /** Resolves when the request has been answered; `answer` must not reject. */
  add(request: Message, answer: (request: Message) => Promise<void>): Promise<void> {
    this.#waiting.add(request);
    this.#last = this.#last.then(async () => {
      this.#waiting.delete(request);
      this.#current = request;
      await answer(request);
      this.#current = undefined;
    });
    return this.#last;
  }

  /** A cell has failed that took so long: what waits behind it must not run, what the client sends once it knows may. */
  abortBehind({ header }: Message, tookMs: number): void {
    for (const waiting of this.#waiting) this.#aborted.add(waiting);
    this.#failed = { session: header.session, sentAt: Date.parse(header.date), tookMs };
  }

  /** Whether the request was on its way when a cell before it failed. */
  isAborted(request: Message): boolean {
    return this.#aborted.has(request) || this.#wasSentBeforeFailure(request);
  }

  /**
   * A long "run all" is still arriving when its first cell fails. By the client's own clock: a request that it made
   * sooner after the failed one than the failure took cannot have been made in knowledge of it.
   */
  #wasSentBeforeFailure({ header }: Message): boolean {
    const failed = this.#failed;
    if (failed === undefined || failed.session !== header.session) return false;
    const laterMs = Date.parse(header.date) - failed.sentAt;
    return laterMs > 0 && laterMs + clockStepMs < failed.tookMs;
  }
}

/** What the dates in headers are rounded to. */
const clockStepMs = 1;
