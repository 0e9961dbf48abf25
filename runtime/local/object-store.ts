/**
 * Shared memory for array data and big values, one allocator a thread.
 *
 * Each thread allocates from segments that it made itself, so allocation needs no lock and a thread that dies or is cut
 * leaves nothing locked; every thread can read every segment. What is freed comes back to the owner by a message from
 * the scheduler, who counts references. Segments have a fixed size (views on growable memory are 20 to 37 times slower)
 * and are kept for reuse, because writing into fresh pages is several times slower than into warm ones.
 */
import { ObjectStoreFullError } from "../errors.ts";
import type { Locator } from "./protocol.ts";

const SEGMENT_BYTES = 8 << 20;
/** From here on an object gets a segment of its own. */
const OWN_SEGMENT_BYTES = 1 << 20;
const ALIGNMENT = 64;
const SEGMENTS_PER_THREAD = 2 ** 20;

interface Segment {
  id: number;
  memory: SharedArrayBuffer;
  /** Free ranges by offset, ascending, never adjacent. */
  free: { offset: number; bytes: number }[];
  used: number;
}

/** Makes the account that all threads of a session share: bytes in use and the limit. */
export function createStoreAccount(limitBytes: number): SharedArrayBuffer {
  const memory = new SharedArrayBuffer(16);
  new BigInt64Array(memory)[1] = BigInt(Math.floor(limitBytes));
  return memory;
}

/** How a thread's store gets room back. */
export interface StorePressure {
  /** Much is in use and much of it is new: what nobody can reach any more should be looked for. */
  collect(): void;
  /** Waits a moment for what others let go of, until `fits` says yes; its last answer. */
  makeRoom(fits: () => boolean): boolean;
}

export class ObjectStore {
  readonly #threadIndex: number;
  readonly #account: BigInt64Array;
  readonly #announce: (id: number, memory: SharedArrayBuffer) => void;
  readonly #fetch: () => void;
  readonly #pressure: StorePressure;
  #sinceCollection = 0;
  readonly #known = new Map<number, SharedArrayBuffer>();
  readonly #own = new Map<number, Segment>();
  /** Whole segments nobody uses, ready for reuse. */
  #spare: Segment[] = [];
  #nextSegment = 0;
  /** Places with two users. */
  readonly #shared = new Set<string>();

  /**
   * @param announce tells the other threads of a new segment, before any record that names it
   * @param fetch reads such announcements of others that have arrived
   * @param pressure makes room
   */
  constructor(
    threadIndex: number,
    account: SharedArrayBuffer,
    announce: (id: number, memory: SharedArrayBuffer) => void,
    fetch: () => void,
    pressure: StorePressure,
  ) {
    this.#threadIndex = threadIndex;
    this.#account = new BigInt64Array(account);
    this.#announce = announce;
    this.#fetch = fetch;
    this.#pressure = pressure;
  }

  /** Bytes in use in the whole session. */
  get usedBytes(): number {
    return Number(Atomics.load(this.#account, 0));
  }

  /** Copies `data` into shared memory. Throws `ObjectStoreFullError` when it does not fit. */
  store(data: ArrayBufferView): Locator {
    const locator = this.allocate(data.byteLength);
    this.view(locator).set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    return locator;
  }

  /** Takes room for `bytes`; zero bytes take none. */
  allocate(bytes: number): Locator {
    if (bytes === 0) return { segment: -1, offset: 0, bytes: 0 };
    const size = roundUp(bytes);
    this.#charge(size, bytes);
    const segment = size >= OWN_SEGMENT_BYTES ? this.#wholeSegment(size) : this.#segmentWithRoom(size);
    const offset = takeRange(segment, size);
    return { segment: segment.id, offset, bytes };
  }

  /** One more uses what this thread allocated: `release` frees it when it has been called once more. */
  share(locator: Locator): void {
    this.#shared.add(placeOf(locator));
  }

  /** Gives back what this thread allocated. */
  release(locator: Locator): void {
    if (locator.bytes === 0) return;
    if (this.#shared.size > 0 && this.#shared.delete(placeOf(locator))) return;
    const segment = this.#own.get(locator.segment);
    if (segment === undefined)
      throw new Error(`segment ${locator.segment} does not belong to thread ${this.#threadIndex}`);
    const size = roundUp(locator.bytes);
    Atomics.sub(this.#account, 0, BigInt(size));
    giveRange(segment, locator.offset, size);
    if (segment.used === 0 && !this.#spare.includes(segment)) this.#spare.push(segment);
  }

  /** The bytes at `locator`, in place. */
  view(locator: Locator): Uint8Array {
    if (locator.bytes === 0) return new Uint8Array(0);
    return new Uint8Array(this.memory(locator.segment), locator.offset, locator.bytes);
  }

  /** A segment's memory, wherever it was made. */
  memory(id: number): SharedArrayBuffer {
    let memory = this.#known.get(id);
    if (memory === undefined) {
      this.#fetch();
      memory = this.#known.get(id);
      if (memory === undefined) throw new Error(`shared memory segment ${id} was never announced to this thread`);
    }
    return memory;
  }

  /** Takes note of another thread's segment. */
  attach(id: number, memory: SharedArrayBuffer): void {
    this.#known.set(id, memory);
  }

  /** Forgets another thread's segment. */
  detach(id: number): void {
    this.#known.delete(id);
  }

  /** The thread that owns a segment. */
  static ownerOf(segment: number): number {
    return Math.floor(segment / SEGMENTS_PER_THREAD);
  }

  /** Takes a piece off the account whose owner has ended. */
  static discharge(account: BigInt64Array, locator: Locator): void {
    Atomics.sub(account, 0, BigInt(roundUp(locator.bytes)));
  }

  #charge(size: number, bytes: number): void {
    const limit = Number(this.#account[1]!);
    const fits = () => this.#takeBytes(size, limit);
    if (!fits() && (size > limit || !this.#pressure.makeRoom(fits))) {
      throw new ObjectStoreFullError(
        `an object of ${bytes} bytes does not fit into the object store: ${this.usedBytes} of ${limit} bytes are in use; free objects or raise init({ objectStoreMemory })`,
      );
    }
    this.#sinceCollection += size;
    if (this.#sinceCollection * 8 < limit || this.usedBytes * 2 < limit) return;
    this.#sinceCollection = 0;
    this.#pressure.collect();
  }

  #takeBytes(size: number, limit: number): boolean {
    if (Number(Atomics.add(this.#account, 0, BigInt(size))) + size <= limit) return true;
    Atomics.sub(this.#account, 0, BigInt(size));
    return false;
  }

  #wholeSegment(size: number): Segment {
    const index = this.#spare.findIndex(
      (segment) => segment.memory.byteLength >= size && segment.memory.byteLength <= size * 1.25,
    );
    if (index >= 0) return this.#spare.splice(index, 1)[0]!;
    return this.#newSegment(size);
  }

  #segmentWithRoom(size: number): Segment {
    for (const segment of this.#own.values()) {
      if (segment.memory.byteLength === SEGMENT_BYTES && segment.free.some((range) => range.bytes >= size)) {
        this.#spare = this.#spare.filter((spare) => spare !== segment);
        return segment;
      }
    }
    return this.#newSegment(SEGMENT_BYTES);
  }

  #newSegment(size: number): Segment {
    const id = this.#threadIndex * SEGMENTS_PER_THREAD + this.#nextSegment++;
    const memory = new SharedArrayBuffer(size);
    const segment: Segment = { id, memory, free: [{ offset: 0, bytes: size }], used: 0 };
    this.#own.set(id, segment);
    this.#known.set(id, memory);
    this.#announce(id, memory);
    return segment;
  }
}

const placeOf = ({ offset, segment }: Locator): string => `${segment}:${offset}`;

const roundUp = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

function takeRange(segment: Segment, size: number): number {
  const index = segment.free.findIndex((range) => range.bytes >= size);
  const range = segment.free[index]!;
  const offset = range.offset;
  range.offset += size;
  range.bytes -= size;
  if (range.bytes === 0) segment.free.splice(index, 1);
  segment.used += size;
  return offset;
}

function giveRange(segment: Segment, offset: number, size: number): void {
  segment.used -= size;
  let index = segment.free.findIndex((range) => range.offset > offset);
  if (index < 0) index = segment.free.length;
  const before = segment.free[index - 1];
  const after = segment.free[index];
  const joinsBefore = before !== undefined && before.offset + before.bytes === offset;
  const joinsAfter = after !== undefined && offset + size === after.offset;
  if (joinsBefore && joinsAfter) {
    before.bytes += size + after.bytes;
    segment.free.splice(index, 1);
  } else if (joinsBefore) before.bytes += size;
  else if (joinsAfter) {
    after.offset = offset;
    after.bytes += size;
  } else segment.free.splice(index, 0, { offset, bytes: size });
}
