/**
 * Streams as the scheduler sees them: items of generator tasks, how many of them are unread, and producers that are held
 * back. A producer that has run ahead as far as it may gives its slot back until an item is taken, so it never keeps
 * its own reader from running. An attempt that repeats an earlier one adds nothing to the stream until it is past it.
 */
import type { Block } from "./block.ts";
import type { CallDesk } from "./call-desk.ts";
import type { Dispatcher } from "./dispatcher.ts";
import { type EventLog, Row } from "./event-log.ts";
import type { ObjectDirectory } from "./object-directory.ts";
import { type StoredObject, type Stream, stepTime, type Task } from "./records.ts";

export interface StreamEffects {
  /** The stream's reader has a new item. */
  item(client: number, stream: number, object: StoredObject): void;
  /** No item will follow; after a failure the reader gets the failed task's own object as the last one. */
  streamEnd(client: number, stream: number, order: number, failed: boolean): void;
  /** The producer learns how much was taken; with `resume` it may go on. */
  goOn(task: Task, taken: number, resume: boolean): void;
  /** Shared memory that nobody reads goes back to its owners. */
  freeMemory(block: Block): void;
}

export interface StreamSurroundings {
  effects: StreamEffects;
  log: EventLog;
  directory: ObjectDirectory;
  dispatcher: Dispatcher;
  calls: CallDesk;
  task(id: number): Task | undefined;
}

/** An item as its worker reports it. */
export interface Yielded {
  worker: number;
  task: number;
  attempt: number;
  /** Position in the attempt's output. */
  index: number;
  item: number;
  block: Block;
  /** The worker waits until it is told to go on. */
  waits: boolean;
  time: number;
}

/** A stream at its beginning. */
export function newStream(highWaterMark: number): Stream {
  return { highWaterMark, items: 0, taken: 0, reached: 0, producer: "runs", closed: false };
}

export class StreamDesk {
  readonly #with: StreamSurroundings;

  constructor(surroundings: StreamSurroundings) {
    this.#with = surroundings;
  }

  /** A generator produced an item. */
  yielded({ worker, task: id, attempt, index, item, block, waits, time }: Yielded): void {
    const task = this.#with.task(id);
    const stream = task?.stream;
    if (stream === undefined || task?.worker?.index !== worker || task.attempt !== attempt)
      return this.#with.effects.freeMemory(block);
    const isNew = index >= stream.items;
    if (isNew) {
      stream.items = index + 1;
      this.#with.log.add(Row.yielded, stepTime(task, time), id, index, item);
    }
    if (isNew && !stream.closed) this.#deliver(task, item, block);
    else this.#with.effects.freeMemory(block);
    stream.reached = index + 1;
    if (!waits) return;
    stream.producer = "waits";
    this.#with.calls.suspend(task);
    this.#letGoOn(task, stream);
  }

  #deliver(task: Task, item: number, block: Block): void {
    const { directory, dispatcher, effects } = this.#with;
    dispatcher.workers.get(task.client)?.held.set(item, 1);
    const object = directory.create(item, task.id, 1);
    directory.seal(object, block, undefined);
    effects.item(task.client, task.id, object);
  }

  /** The reader has taken so many items in all. */
  taken(id: number, count: number): void {
    const task = this.#with.task(id);
    if (task?.stream === undefined || count <= task.stream.taken) return;
    task.stream.taken = count;
    if (task.stream.producer === "runs") {
      if (task.worker !== undefined) this.#with.effects.goOn(task, count, false);
    } else this.#letGoOn(task, task.stream);
  }

  /** Nobody reads the stream any more: its producer is held back no longer, and what it yields is dropped. */
  close(id: number): void {
    const task = this.#with.task(id);
    if (task?.stream === undefined || task.stream.closed) return;
    task.stream.closed = true;
    if (!task.cancelRequested) this.taken(id, Number.MAX_SAFE_INTEGER);
  }

  /** Where there is room for another item, a producer that waits gets its slot back. */
  #letGoOn(task: Task, stream: Stream): void {
    if (stream.producer !== "waits" || stream.reached - stream.taken >= stream.highWaterMark) return;
    stream.producer = "resumes";
    this.#with.calls.release(task, () => this.resumed(task));
  }

  /** A task has a slot again, or goes on without one. */
  resumed(task: Task): void {
    if (task.stream?.producer !== "resumes") return;
    task.stream.producer = "runs";
    this.#with.effects.goOn(task, task.stream.taken, true);
  }

  /** An attempt is over; another one begins at the first item. */
  attemptOver({ stream }: Task): void {
    if (stream !== undefined) stream.producer = "runs";
  }

  /** The task has ended, and its own object is sealed. */
  ended(task: Task, failed: boolean): void {
    if (task.stream === undefined || task.stream.closed) return;
    const order = this.#with.directory.objects.get(task.id)?.order ?? 0;
    this.#with.effects.streamEnd(task.client, task.id, order, failed);
  }
}
