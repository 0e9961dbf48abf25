/**
 * Whole segments that nothing lies in: a bag in shared memory that the scheduler puts into, because it knows when nobody
 * reads a segment any more, and any thread takes out of by one compare-and-exchange. So memory that one thread has
 * filled is used again by another at once, warm, and nobody has to be asked.
 */
const SLOTS = 256;

const EMPTY = 0;
const FILLED = 1;
/** Somebody looks at what is in it. */
const TAKEN = 2;

/** Makes the bag that all threads of a session share. */
export function createPoolMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(SLOTS * 20);
}

export class Pool {
  readonly #ids: Float64Array;
  readonly #sizes: Float64Array;
  readonly #states: Int32Array;

  constructor(memory: SharedArrayBuffer) {
    this.#ids = new Float64Array(memory, 0, SLOTS);
    this.#sizes = new Float64Array(memory, SLOTS * 8, SLOTS);
    this.#states = new Int32Array(memory, SLOTS * 16, SLOTS);
  }

  /** Puts a segment in; false when there is no place left. For the scheduler's thread alone, which has announced it to all. */
  put(id: number, bytes: number): boolean {
    const slot = this.#states.indexOf(EMPTY);
    if (slot < 0) return false;
    this.#ids[slot] = id;
    this.#sizes[slot] = bytes;
    Atomics.store(this.#states, slot, FILLED);
    return true;
  }

  /** Takes the smallest segment out that is big enough, and not bigger than allowed; its number. */
  take(bytes: number, most = Number.POSITIVE_INFINITY): number | undefined {
    for (;;) {
      const slot = this.#smallest(bytes, most);
      if (slot === undefined) return undefined;
      if (Atomics.compareExchange(this.#states, slot, FILLED, TAKEN) !== FILLED) continue;
      // Another one may lie there by now.
      const fits = this.#sizes[slot]! >= bytes && this.#sizes[slot]! <= most;
      const id = this.#ids[slot]!;
      Atomics.store(this.#states, slot, fits ? EMPTY : FILLED);
      if (fits) return id;
    }
  }

  #smallest(bytes: number, most: number): number | undefined {
    let best: number | undefined;
    for (let slot = 0; slot < SLOTS; slot++) {
      if (Atomics.load(this.#states, slot) !== FILLED) continue;
      const size = this.#sizes[slot]!;
      if (size >= bytes && size <= most && (best === undefined || size < this.#sizes[best]!)) best = slot;
    }
    return best;
  }
}
