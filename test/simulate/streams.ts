/** Streams of generator tasks as producers and readers see them, and what the scheduler must never do with them. */
import type { StoredObject } from "../../runtime/local/records.ts";
import type { Actor, Thread } from "./thread.ts";
import { Violation } from "./violation.ts";

export interface SimulatedStream {
  readonly id: number;
  readonly thread: Thread;
  readonly reader: Actor;
  readonly highWaterMark: number;
  /** Position of each item in its attempt's output. */
  readonly indexes: Map<number, number>;
  /** Items that the scheduler has heard of, of all attempts and of the present one. */
  items: number;
  reached: number;
  /** Items that went out to the reader, that it has read, and that it has taken; the last also as the scheduler knows it. */
  delivered: number;
  arrived: number;
  taken: number;
  heardTaken: number;
  /** The producer whose waiting the scheduler has heard of. */
  waiting: Actor | undefined;
  /** Nobody reads it; also as the scheduler knows it. */
  closed: boolean;
  heardClosed: boolean;
  ended: boolean;
}

export function newStreamOf(id: number, reader: Actor, highWaterMark: number): SimulatedStream {
  return {
    id,
    thread: reader.thread,
    reader,
    highWaterMark,
    indexes: new Map(),
    items: 0,
    reached: 0,
    delivered: 0,
    arrived: 0,
    taken: 0,
    heardTaken: 0,
    waiting: undefined,
    closed: false,
    heardClosed: false,
    ended: false,
  };
}

/** Whether the producer may go on by what the scheduler has heard. */
export const hasRoom = ({ heardClosed, heardTaken, highWaterMark, reached }: SimulatedStream): boolean =>
  heardClosed || reached - heardTaken < highWaterMark;

/** An item goes out to the stream's reader. */
export function checkItem(stream: SimulatedStream, object: StoredObject): void {
  const index = stream.indexes.get(object.id);
  if (stream.ended || stream.heardClosed) throw new Violation(`stream ${stream.id} has an item after its end`);
  if (index !== stream.delivered)
    throw new Violation(`item ${index} of stream ${stream.id} came as ${stream.delivered}`);
  if (object.failure === undefined && object.block === undefined)
    throw new Violation(`item ${index} of stream ${stream.id} has no value`);
  stream.delivered++;
  if (stream.delivered - stream.heardTaken > stream.highWaterMark)
    throw new Violation(`stream ${stream.id} has more than ${stream.highWaterMark} unread items`);
}

export function checkStreamEnd(stream: SimulatedStream): void {
  if (stream.ended || stream.heardClosed)
    throw new Violation(`the end of stream ${stream.id} was told twice, or to nobody`);
  if (stream.delivered !== stream.items) throw new Violation(`stream ${stream.id} ended with items that never came`);
  stream.ended = true;
}

/** The producer may go on. */
export function checkResume(stream: SimulatedStream): void {
  if (stream.waiting === undefined) throw new Violation(`the producer of stream ${stream.id} goes on and did not wait`);
  if (!hasRoom(stream)) throw new Violation(`the producer of stream ${stream.id} goes on without room`);
  stream.waiting = undefined;
}
