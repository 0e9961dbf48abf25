/**
 * How a thread that reads rings is woken. A ring alone cannot wake an event loop, and a message for each record would
 * cost more than the record; so the reader says when it goes to sleep, and only then a writer wakes it.
 */

import { availableParallelism } from "node:os";

const AWAKE = 0;
const BLOCKED = 1;
const ASLEEP = 2;

/** Longer than an answer takes that is on its way, and not much longer than blocking and waking take. */
const PATIENCE_MS = 0.05;
const LOOKS = 32;
const MOST_PAUSES = 63;

/** Looking again and again for a short time, where that has paid lately: waking a blocked thread costs both sides more. */
class Patience {
  #pauses = 0;
  #pausesLeft = 0;

  until(pending: () => boolean): boolean {
    if (this.#pausesLeft > 0) {
      this.#pausesLeft--;
      return false;
    }
    const end = performance.now() + PATIENCE_MS;
    do {
      for (let look = 0; look < LOOKS; look++) {
        if (!pending()) continue;
        this.#pauses = 0;
        return true;
      }
    } while (performance.now() < end);
    this.#pauses = Math.min(this.#pauses * 2 + 1, MOST_PAUSES);
    this.#pausesLeft = this.#pauses;
    return false;
  }
}

/** Makes the shared word of one reader. */
export function createBellMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(4);
}

/** The writer's side: call `ring` after each commit; it costs one load while the reader is awake. */
export class BellPush {
  readonly #word: Int32Array;
  readonly #wake: () => void;

  /** `wake` posts something to the reader's event loop. */
  constructor(memory: SharedArrayBuffer, wake: () => void) {
    this.#word = new Int32Array(memory);
    this.#wake = wake;
  }

  ring(): void {
    const state = Atomics.load(this.#word, 0);
    if (state === AWAKE) return;
    if (Atomics.compareExchange(this.#word, 0, state, AWAKE) !== state) return this.ring();
    if (state === BLOCKED) Atomics.notify(this.#word, 0);
    else this.#wake();
  }
}

/** The reader's side. */
export class Bell {
  readonly #word: Int32Array;
  /** None where whoever is to answer could not run meanwhile. */
  readonly #patience = availableParallelism() > 1 ? new Patience() : undefined;

  constructor(memory: SharedArrayBuffer) {
    this.#word = new Int32Array(memory);
  }

  /** Says that the event loop goes to sleep. Look at the rings once more after it: what came in before is not announced. */
  sleep(): void {
    Atomics.store(this.#word, 0, ASLEEP);
  }

  /** Says that the reader looks at its rings by itself. */
  awake(): void {
    Atomics.store(this.#word, 0, AWAKE);
  }

  /** Blocks the thread until rung or for `ms`; `pending` is asked once more in between, so that nothing is missed. */
  block(ms: number, pending: () => boolean): void {
    if (this.#patience?.until(pending) === true) return;
    Atomics.store(this.#word, 0, BLOCKED);
    if (!pending()) Atomics.wait(this.#word, 0, BLOCKED, ms);
    Atomics.store(this.#word, 0, AWAKE);
  }
}
