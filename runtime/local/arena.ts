/**
 * Segments of shared memory, and where one thread finds room in them. Segments have a fixed size (views on growable memory
 * are 20 to 37 times slower). Small pieces share segments that their thread alone allocates from. A big piece has a
 * segment of its own, so big pieces never find the memory in splinters; such segments go from thread to thread by the
 * pool, because writing into fresh pages is several times slower than into warm ones.
 */
import { isOnDisk, type Locator } from "./locator.ts";
import { Pool } from "./pool.ts";

const SHARED_BYTES = 8 << 20;
/** From here on a piece gets a segment of its own. */
const OWN_SEGMENT_BYTES = 1 << 20;
const ALIGNMENT = 64;
const SEGMENTS_PER_THREAD = 2 ** 20;

/** A segment whose ranges this thread gives out. */
interface Segment {
  id: number;
  memory: SharedArrayBuffer;
  /** Free ranges by offset, ascending, never adjacent. */
  free: { offset: number; bytes: number }[];
}

/** What the other threads have to know of a segment. */
export interface SegmentEvents {
  /** There is a new one, before any record that names it; `pooled` ones belong to whoever has taken them. */
  made(id: number, memory: SharedArrayBuffer, pooled: boolean): void;
  /** Nothing lies in it, and nobody will use it again. */
  dropped(id: number): void;
  /** A pooled one was taken, and nothing was put into it after all. */
  unused(id: number): void;
}

export class Arena {
  readonly #threadIndex: number;
  readonly #events: SegmentEvents;
  readonly #pool: Pool;
  readonly #segments = new Map<number, Segment>();
  #nextSegment = 0;

  constructor(threadIndex: number, pool: SharedArrayBuffer, events: SegmentEvents) {
    this.#threadIndex = threadIndex;
    this.#pool = new Pool(pool);
    this.#events = events;
  }

  /**
   * Takes room for a piece. `excess` says by how much all segments together would be bigger than they may be, with so
   * many bytes more. Throws `RangeError` when the machine has no memory for a new segment.
   */
  take(bytes: number, excess: (bytes: number) => number): Locator {
    const size = roundUp(bytes);
    if (size < OWN_SEGMENT_BYTES) return this.#takeRange(this.#withRoom(size) ?? this.#newShared(), bytes);
    let segment = this.#pool.take(size, size * 1.25);
    if (segment === undefined && excess(size) > 0) segment = this.#pool.take(size) ?? this.#dropPooled(size, excess);
    return { segment: segment ?? this.#newSegment(size, true).id, offset: 0, bytes };
  }

  /** Segments of the wrong size go, where there would be too many. */
  #dropPooled(size: number, excess: (bytes: number) => number): undefined {
    while (excess(size) > 0) {
      const id = this.#pool.take(0);
      if (id === undefined) return;
      this.#events.dropped(id);
    }
  }

  /** The same, in a segment that stays this thread's. */
  takeOwn(bytes: number): Locator {
    const size = roundUp(bytes);
    if (size < OWN_SEGMENT_BYTES) return this.#takeRange(this.#withRoom(size) ?? this.#newShared(), bytes);
    return this.#takeRange(this.#own(this.#newSegment(size, false)), bytes);
  }

  /** Takes back what nobody knows of, or, where it is this thread's own, what the scheduler gives back. */
  give({ bytes, offset, segment: id }: Locator): void {
    const segment = this.#segments.get(id);
    if (segment === undefined) return this.#events.unused(id);
    giveRange(segment, offset, roundUp(bytes));
    const { byteLength } = segment.memory;
    if (byteLength === SHARED_BYTES || segment.free[0]?.bytes !== byteLength) return;
    this.#segments.delete(id);
    this.#events.dropped(id);
  }

  #withRoom(size: number): Segment | undefined {
    for (const segment of this.#segments.values())
      if (segment.memory.byteLength === SHARED_BYTES && segment.free.some(({ bytes }) => bytes >= size)) return segment;
    return undefined;
  }

  #newShared(): Segment {
    return this.#own(this.#newSegment(SHARED_BYTES, false));
  }

  #own({ id, memory }: { id: number; memory: SharedArrayBuffer }): Segment {
    const segment = { id, memory, free: [{ offset: 0, bytes: memory.byteLength }] };
    this.#segments.set(id, segment);
    return segment;
  }

  #newSegment(size: number, pooled: boolean): { id: number; memory: SharedArrayBuffer } {
    const memory = new SharedArrayBuffer(size);
    const id = this.#threadIndex * SEGMENTS_PER_THREAD + this.#nextSegment++;
    this.#events.made(id, memory, pooled);
    return { id, memory };
  }

  #takeRange(segment: Segment, bytes: number): Locator {
    return { segment: segment.id, offset: takeRange(segment.free, roundUp(bytes)), bytes };
  }
}

/** The thread that made a segment; undefined for a file and for no place at all. */
export function ownerOf({ bytes, segment }: Locator): number | undefined {
  return bytes === 0 || isOnDisk(segment) ? undefined : Math.floor(segment / SEGMENTS_PER_THREAD);
}

/** Bytes that a piece takes of a segment. */
export const roundUp = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

function takeRange(free: Segment["free"], size: number): number {
  const index = free.findIndex((range) => range.bytes >= size);
  const range = free[index]!;
  const offset = range.offset;
  range.offset += size;
  range.bytes -= size;
  if (range.bytes === 0) free.splice(index, 1);
  return offset;
}

function giveRange(segment: Segment, offset: number, size: number): void {
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
