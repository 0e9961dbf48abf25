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
 * covers the rest. A record that is longer than half the ring goes in parts, and is read as one.
 */

import { type Views, viewsOf } from "./block.ts";

const HEADER_BYTES = 256;
const WRITE = 0;
const READ = 32;
const WANTS_ROOM = 33;
const BLOCKED = 34;
const FILLER = 0;
/** A part of a long record; the last part has the record's type. */
const PART = -1;

/** Makes the shared memory of a ring; `capacityWords` must be a power of two. */
export function createRingMemory(capacityWords: number): SharedArrayBuffer {
  if ((capacityWords & (capacityWords - 1)) !== 0) throw new RangeError("ring capacity must be a power of two");
  return new SharedArrayBuffer(HEADER_BYTES + capacityWords * 8);
}

class RingEnd {
  protected readonly positions: Int32Array;
  protected readonly capacity: number;
  readonly #ring: Views;
  /** Where the present record lies: the ring, or memory of its own for a long one. */
  i32: Int32Array;
  f64: Float64Array;
  u8: Uint8Array;

  constructor(memory: SharedArrayBuffer) {
    this.capacity = (memory.byteLength - HEADER_BYTES) / 8;
    this.positions = new Int32Array(memory, 0, HEADER_BYTES / 4);
    this.i32 = new Int32Array(memory, HEADER_BYTES);
    this.f64 = new Float64Array(memory, HEADER_BYTES);
    this.u8 = new Uint8Array(memory, HEADER_BYTES);
    this.#ring = { i32: this.i32, f64: this.f64, u8: this.u8 };
  }

  protected lookAt({ f64, i32, u8 }: Views = this.#ring): void {
    this.i32 = i32;
    this.f64 = f64;
    this.u8 = u8;
  }
}

/** The producer's end. `begin` a record, write the words after `word`, `commit`. */
export class RingWriter extends RingEnd {
  #write = 0;
  /** Where the consumer was when last looked at. */
  #read = 0;
  /** Index (in words) of the first body word of the record begun. */
  word = 0;
  #long = false;
  /** What is left to write of a long record. */
  #rest: { type: number; content: Int32Array; at: number } | undefined;

  /** Reserves a record of at most `words` body words; false when the consumer is too far behind. */
  begin(words: number): boolean {
    const need = words + 1;
    if (need > this.capacity >> 1) return this.#beginLong(words);
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

  #beginLong(words: number): boolean {
    if (this.#rest !== undefined) return false;
    this.#long = true;
    this.lookAt(viewsOf(new Int32Array(words * 2)));
    this.word = 0;
    return true;
  }

  /** Whether parts of a long record have yet to be written; nothing else can be until `writeRest` has said true. */
  get unfinished(): boolean {
    return this.#rest !== undefined;
  }

  /** Writes what fits of a long record; whether it is all there. */
  writeRest(): boolean {
    const rest = this.#rest;
    if (rest === undefined) return true;
    const total = rest.content.length >> 1;
    while (rest.at < total) {
      const part = Math.min(total - rest.at, this.capacity >> 2);
      if (!this.begin(part)) return false;
      this.i32.set(rest.content.subarray(rest.at * 2, (rest.at + part) * 2), this.word * 2);
      rest.at += part;
      this.commit(rest.at < total ? PART : rest.type, part);
    }
    this.#rest = undefined;
    return true;
  }

  #fits(words: number): boolean {
    if (this.capacity - ((this.#write - this.#read) | 0) >= words) return true;
    this.#read = Atomics.load(this.positions, READ);
    return this.capacity - ((this.#write - this.#read) | 0) >= words;
  }

  /** Makes the record begun visible; `words` is its body's true length, `type` is not 0. */
  commit(type: number, words: number): void {
    if (this.#long) {
      this.#long = false;
      this.#rest = { type, content: this.i32.subarray(0, words * 2), at: 0 };
      this.lookAt();
      this.writeRest();
      return;
    }
    const at = this.word - 1;
    this.i32[at * 2] = words + 1;
    this.i32[at * 2 + 1] = type;
    this.#write = (this.#write + words + 1) | 0;
    Atomics.store(this.positions, WRITE, this.#write);
  }

  /** Where what has been written so far ends. */
  get end(): number {
    return this.#write;
  }

  /** Whether the consumer is done with all records before `position`. */
  isRead(position: number): boolean {
    return ((Atomics.load(this.positions, READ) - position) | 0) >= 0;
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
  /** Parts of a long record that has not ended. */
  #parts: Int32Array[] = [];
  #long = false;
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
    if (this.#long) {
      this.#long = false;
      this.lookAt();
    }
    if (((this.#read - this.#told) | 0) > this.capacity >> 3) this.#giveRoom();
    for (;;) {
      if (this.#read === this.#write) {
        this.#write = Atomics.load(this.positions, WRITE);
        if (this.#read === this.#write) break;
      }
      const at = this.#read & (this.capacity - 1);
      const size = this.i32[at * 2]!;
      const type = this.i32[at * 2 + 1]!;
      if (type > FILLER) {
        this.word = at + 1;
        this.words = size - 1;
        this.#size = size;
        if (this.#parts.length > 0) this.#endLong();
        return type;
      }
      if (type === PART) this.#parts.push(this.i32.slice((at + 1) * 2, (at + size) * 2));
      this.#read = (this.#read + size) | 0;
    }
    if (this.#read !== this.#told) this.#giveRoom();
    return 0;
  }

  /** The current record is the last part of a long one. */
  #endLong(): void {
    this.#parts.push(this.i32.subarray(this.word * 2, (this.word + this.words) * 2));
    const content = new Int32Array(this.#parts.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const part of this.#parts) {
      content.set(part, at);
      at += part.length;
    }
    this.#parts = [];
    this.#long = true;
    this.lookAt(viewsOf(content));
    this.word = 0;
    this.words = content.length >> 1;
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
