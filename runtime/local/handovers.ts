/** Results that a worker hands to tasks which lie on it already, sent ahead of what they need. */
import { blockContent, type Prepared, viewsOf, writeBlock } from "./block.ts";
import type { Payload } from "./payload.ts";

/** The last result is kept for a task that comes too late to have waited for it, if it is not longer than this. */
const LAST_WORDS = 32;

export class Handovers {
  readonly #waiting = new Map<number, Payload>();
  readonly #last = viewsOf(new Int32Array(LAST_WORDS * 2));
  #lastId = 0;

  /** A task came that may lack something. */
  expect(payload: Payload): void {
    for (const id of payload.missing) {
      if (id === this.#lastId) payload.supply(id, this.#last.i32.slice(0, this.#last.i32[0]! * 2));
      else this.#waiting.set(id, payload);
    }
  }

  /** The task does not wait any more. */
  forget(payload: Payload): void {
    for (const id of payload.missing) if (this.#waiting.get(id) === payload) this.#waiting.delete(id);
  }

  /** The one value of a task is made; `block` is as it goes to the scheduler. */
  made(id: number, block: Prepared): void {
    const payload = this.#waiting.size === 0 ? undefined : this.#waiting.get(id);
    if (payload !== undefined) {
      this.#waiting.delete(id);
      payload.supply(id, blockContent(block));
    }
    this.#lastId = block.words > LAST_WORDS ? 0 : id;
    if (this.#lastId !== 0) writeBlock(this.#last, 0, block);
  }
}
