/**
 * A one-way queue of binary records between two threads, in shared memory.
 *
 * Guarantees: one producer thread and one consumer thread; records arrive whole and in order; a record becomes visible
 * by one atomic store, so a producer that is cut before it leaves nothing behind; no locks.
 * Why not MessagePort: a submission has to reach the scheduler at once, even when the submitting thread computes on in
 * the same turn, and a message a task costs more than a task may cost (see runtime/README.md).
 *
 * Layout: the producer's line of memory with its position, the consumer's with its own and with what the producer asks
 * of it, then `capacity` words of 8 bytes. Positions count words and wrap as 32-bit integers. Each end keeps a copy of
 * the other's position and looks again only when that is used up, so the lines seldom change hands. A record is a
 * header word (Int32 size in words, Int32 type) and its body. Records never wrap around the end: a filler of type 0
 * covers the rest.
 */

const HEADER_BYTES = 256;
const WRITE = 0;
const READ = 32;
const WANTS_ROOM = 33;
const BLOCKED = 34;
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
  /** Where the consumer was when last looked at. */
  #read = 0;
  /** Index (in words) of the first body word of the record begun. */
  word = 0;

  /** Reserves a record of at most `words` body words; false when the consumer is too far behind. */
  begin(words: number): boolean {
    const need = words + 1;
    const at = this.#write & (this.capacity - 1);
    const toEnd = this.capacity - at;
    const skip = toEnd < need ? toEnd : 0;
    if (!this.#fits(need + skip)) return false;
    if (skip > 0) {
      this.i32[at * 2] = skip;
      this.i32[at * 2 + 1] = FILLER;
      this.#write = (this.#write + skip) | 0;
      this.word = 1;
    } else this.word = at + 1;
    return true;
  }

  #fits(words: number): boolean {
    if (this.capacity - ((this.#write - this.#read) | 0) >= words) return true;
    this.#read = Atomics.load(this.positions, READ);
    return this.capacity - ((this.#write - this.#read) | 0) >= words;
  }

  /** Makes the record begun visible; `words` is its body's true length, `type` is not 0. */
  commit(type: number, words: number): void {
    const at = this.word - 1;
    this.i32[at * 2] = words + 1;
    this.i32[at * 2 + 1] = type;
    this.#write = (this.#write + words + 1) | 0;
    Atomics.store(this.positions, WRITE, this.#write);
  }

  /** Whether much of it lies unread. */
  get crowded(): boolean {
    return !this.#fits(this.capacity - (this.capacity >> 2));
  }

  /** Asks the consumer to say so when it has taken something. */
  wantRoom(): void {
    Atomics.store(this.positions, WANTS_ROOM, 1);
  }

  /** Blocks until the consumer has taken something or `ms` have passed. Only for threads whose consumer never blocks. */
  waitForRoom(ms: number): void {
    Atomics.store(this.positions, BLOCKED, 1);
    const read = Atomics.load(this.positions, READ);
    if (read === this.#read) Atomics.wait(this.positions, READ, read, ms);
  }
}

/** The consumer's end: `next` until it says 0. A record stays as it is until the next call. */
export class RingReader extends RingEnd {
  #read = 0;
  /** What the producer knows to be read. */
  #told = 0;
  /** Where the producer was when last looked at. */
  #write = 0;
  #size = 0;
  /** Index (in words) of the first body word of the current record. */
  word = 0;
  /** Body length of the current record in words. */
  words = 0;

  /** Whether there is a record after the current one. */
  get pending(): boolean {
    return Atomics.load(this.positions, WRITE) !== ((this.#read + this.#size) | 0);
  }

  /** Where what has been written so far ends. */
  get end(): number {
    return Atomics.load(this.positions, WRITE);
  }

  /** Whether the current record is the last before `position`, or comes after it. */
  isPast(position: number): boolean {
    return ((this.#read + this.#size - position) | 0) >= 0;
  }

  /** Steps to the next record and returns its type; 0 when there is none. */
  next(): number {
    this.#read = (this.#read + this.#size) | 0;
    this.#size = 0;
    if (((this.#read - this.#told) | 0) > this.capacity >> 3) this.#giveRoom();
    for (;;) {
      if (this.#read === this.#write) {
        this.#write = Atomics.load(this.positions, WRITE);
        if (this.#read === this.#write) break;
      }
      const at = this.#read & (this.capacity - 1);
      const size = this.i32[at * 2]!;
      const type = this.i32[at * 2 + 1]!;
      if (type !== FILLER) {
        this.word = at + 1;
        this.words = size - 1;
        this.#size = size;
        return type;
      }
      this.#read = (this.#read + size) | 0;
    }
    if (this.#read !== this.#told) this.#giveRoom();
    return 0;
  }

  #giveRoom(): void {
    this.#told = this.#read;
    Atomics.store(this.positions, READ, this.#read);
    if (Atomics.load(this.positions, BLOCKED) === 0) return;
    Atomics.store(this.positions, BLOCKED, 0);
    Atomics.notify(this.positions, READ);
  }

  /** Whether the producer waits for room; asking clears it. */
  takeWantsRoom(): boolean {
    return Atomics.load(this.positions, WANTS_ROOM) === 1 && Atomics.exchange(this.positions, WANTS_ROOM, 0) === 1;
  }
}
