/**
 * A one-way queue of binary records between two threads, in shared memory.
 *
 * Guarantees: one producer thread and one consumer thread; records arrive whole and in order; a record becomes visible
 * by one atomic store, so a producer that is cut before it leaves nothing behind; no locks.
 * Why not MessagePort: a submission has to reach the scheduler at once, even when the submitting thread computes on in
 * the same turn, and a message a task costs more than a task may cost (see runtime/README.md).
 *
 * Layout: Int32 write position, Int32 read position, then `capacity` words of 8 bytes. Positions count words and wrap
 * as 32-bit integers. A record is a header word (Int32 size in words, Int32 type) and its body. Records never wrap
 * around the end: a filler of type 0 covers the rest.
 */

const HEADER_BYTES = 64;
const WRITE = 0;
const READ = 1;
const WANTS_ROOM = 2;
const FILLER = 0;

/** Makes the shared memory of a ring; `capacityWords` must be a power of two. */
export function createRingMemory(capacityWords: number): SharedArrayBuffer {
  if ((capacityWords & (capacityWords - 1)) !== 0) throw new RangeError("ring capacity must be a power of two");
  return new SharedArrayBuffer(HEADER_BYTES + capacityWords * 8);
}

class RingEnd {
  protected readonly positions: Int32Array;
  protected readonly capacity: number;
  readonly i32: Int32Array;
  readonly f64: Float64Array;
  readonly u8: Uint8Array;

  constructor(memory: SharedArrayBuffer) {
    this.capacity = (memory.byteLength - HEADER_BYTES) / 8;
    this.positions = new Int32Array(memory, 0, HEADER_BYTES / 4);
    this.i32 = new Int32Array(memory, HEADER_BYTES);
    this.f64 = new Float64Array(memory, HEADER_BYTES);
    this.u8 = new Uint8Array(memory, HEADER_BYTES);
  }
}

/** The producer's end. `begin` a record, write the words after `word`, `commit`. */
export class RingWriter extends RingEnd {
  #write = 0;
  /** Index (in words) of the first body word of the record begun. */
  word = 0;

  /** The largest body a record may have, in words. */
  get maxWords(): number {
    return this.capacity >> 2;
  }

  /** Reserves a record of at most `words` body words; false when the consumer is too far behind. */
  begin(words: number): boolean {
    const need = words + 1;
    const mask = this.capacity - 1;
    let at = this.#write & mask;
    const toEnd = this.capacity - at;
    const skip = toEnd < need ? toEnd : 0;
    const used = (this.#write - Atomics.load(this.positions, READ)) | 0;
    if (this.capacity - used < need + skip) return false;
    if (skip > 0) {
      this.i32[at * 2] = skip;
      this.i32[at * 2 + 1] = FILLER;
      this.#write = (this.#write + skip) | 0;
      at = 0;
    }
    this.word = at + 1;
    return true;
  }

  /** Makes the record begun visible; `words` is its body's true length, `type` is not 0. */
  commit(type: number, words: number): void {
    const at = this.word - 1;
    this.i32[at * 2] = words + 1;
    this.i32[at * 2 + 1] = type;
    this.#write = (this.#write + words + 1) | 0;
    Atomics.store(this.positions, WRITE, this.#write);
  }

  /** Asks the consumer to say so when it has taken something. */
  wantRoom(): void {
    Atomics.store(this.positions, WANTS_ROOM, 1);
  }

  /** Blocks until the consumer has taken something or `ms` have passed. Only for threads whose consumer never blocks. */
  waitForRoom(ms: number): void {
    const read = Atomics.load(this.positions, READ);
    const used = (this.#write - read) | 0;
    if (used > this.capacity >> 1) Atomics.wait(this.positions, READ, read, ms);
  }
}

/** The consumer's end: `next` until it says 0, `release` after each record. */
export class RingReader extends RingEnd {
  #read = 0;
  #size = 0;
  /** Index (in words) of the first body word of the current record. */
  word = 0;
  /** Body length of the current record in words. */
  words = 0;

  /** Whether a record is there. */
  get pending(): boolean {
    return Atomics.load(this.positions, WRITE) !== this.#read;
  }

  /** Steps to the next record and returns its type; 0 when there is none. */
  next(): number {
    const write = Atomics.load(this.positions, WRITE);
    const mask = this.capacity - 1;
    while (this.#read !== write) {
      const at = this.#read & mask;
      const size = this.i32[at * 2]!;
      const type = this.i32[at * 2 + 1]!;
      if (type !== FILLER) {
        this.word = at + 1;
        this.words = size - 1;
        this.#size = size;
        return type;
      }
      this.#read = (this.#read + size) | 0;
      Atomics.store(this.positions, READ, this.#read);
    }
    return 0;
  }

  /** Whether the producer waits for room; asking clears it. */
  takeWantsRoom(): boolean {
    return Atomics.load(this.positions, WANTS_ROOM) === 1 && Atomics.exchange(this.positions, WANTS_ROOM, 0) === 1;
  }

  /** Gives the current record's room back to the producer. */
  release(): void {
    this.#read = (this.#read + this.#size) | 0;
    Atomics.store(this.positions, READ, this.#read);
    Atomics.notify(this.positions, READ);
  }
}
