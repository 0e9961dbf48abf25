/** A thread's line to the scheduler: its two rings, its port, and who wakes whom. */
import { receiveMessageOnPort } from "node:worker_threads";
import { ObjectLostError } from "../errors.ts";
import { enterGuard, guarded, leaveGuard, onResume } from "../host.ts";
import { Bell, BellPush } from "./bell.ts";
import type { FromScheduler, Link, ToScheduler } from "./protocol.ts";
import { RingReader, RingWriter } from "./ring.ts";

/** Longer lists of ids go in several records. */
export const IDS_PER_RECORD = 1024;

export interface LineEvents {
  record(type: number, reader: RingReader): void;
  message(message: NonNullable<FromScheduler>): void;
  /** All records that were there have been handled. */
  turnOver(): void;
}

/** What concerns only a worker. */
export interface ThreadEvents {
  /** A record that is not for the thread's calls and objects. */
  record(type: number, reader: RingReader): void;
  /** All records that were there have been handled. */
  turnOver(): void;
  /** The code of a task was cut, because its time was over or it was cancelled. */
  cut(task: number, overTime: boolean): void;
}

export class Line {
  readonly reader: RingReader;
  /** Whether what runs was called by a message, and so by nothing that others wait behind. */
  inMessage = false;
  readonly #link: Link;
  readonly #events: LineEvents;
  readonly #writer: RingWriter;
  readonly #schedulerBell: BellPush;
  readonly #bell: Bell;
  readonly #forgetResume: () => void;
  #awaited = 0;
  #ringsSoon = false;
  /** Why nothing can be said any more. */
  #closed: string | undefined;

  constructor(link: Link, events: LineEvents) {
    this.#link = link;
    this.#events = events;
    this.#writer = new RingWriter(link.toScheduler);
    this.reader = new RingReader(link.fromScheduler);
    this.#bell = new Bell(link.ownBell);
    this.#schedulerBell = new BellPush(link.schedulerBell, () => link.port.postMessage(null));
    link.port.on("message", (message: FromScheduler) =>
      this.turn(() => {
        if (message !== null) events.message(message);
      }),
    );
    link.port.unref();
    // The handler of a wake-up may have been cut before it read anything; nobody would wake this thread again.
    this.#forgetResume = onResume(() => {
      this.#ringNow();
      this.catchUp();
      this.drain();
    });
    this.#bell.sleep();
  }

  /** Posts a message to the scheduler; it is handled after the records written before it. */
  post(message: ToScheduler): void {
    this.#link.port.postMessage(message);
    this.#schedulerBell.ring();
  }

  /** Posts what the next record refers to; the scheduler reads it when it meets the record. */
  announce(message: ToScheduler): void {
    this.#link.port.postMessage(message);
  }

  /** Reserves a record; blocks for a moment when the scheduler is behind, which it never is for long. Throws when the runtime has ended. */
  begin(words: number): RingWriter {
    if (this.#closed !== undefined) throw new ObjectLostError(this.#closed);
    while (!this.#writer.begin(words)) {
      this.#schedulerBell.ring();
      this.#writer.waitForRoom(10);
    }
    return this.#writer;
  }

  commit(type: number, words: number): void {
    this.#commit(type, words);
    this.#schedulerBell.ring();
  }

  /** The same for what the scheduler need not hear at once; `ring` or another record must follow. */
  commitSilently(type: number, words: number): void {
    this.#writer.commit(type, words);
  }

  /** Wakes the scheduler if it sleeps. */
  ring(): void {
    this.#schedulerBell.ring();
  }

  /** The same for what nobody waits for: the scheduler is woken for it when this turn of the event loop is over. */
  commitQuietly(type: number, words: number): void {
    this.#commit(type, words);
    if (this.#writer.crowded) this.#schedulerBell.ring();
    else if (!this.#ringsSoon) {
      this.#ringsSoon = true;
      setImmediate(() => this.#ringNow());
    }
  }

  #ringNow(): void {
    this.#ringsSoon = false;
    this.#schedulerBell.ring();
  }

  #commit(type: number, words: number): void {
    this.#writer.commit(type, words);
    while (!this.#writer.writeRest()) {
      this.#schedulerBell.ring();
      this.#writer.waitForRoom(10);
    }
  }

  /** Records that are nothing but a list of ids. */
  writeIds(type: number, ids: readonly number[], quietly = false): void {
    for (let from = 0; from < ids.length; from += IDS_PER_RECORD) {
      const part = ids.slice(from, from + IDS_PER_RECORD);
      const to = this.begin(part.length);
      for (let index = 0; index < part.length; index++) to.f64[to.word + index] = part[index]!;
      if (quietly) this.commitQuietly(type, part.length);
      else this.commit(type, part.length);
    }
  }

  /** What a message to this thread calls for, and then what has arrived. */
  turn(handle: () => void): void {
    this.inMessage = true;
    guarded(handle);
    this.drain();
    this.inMessage = false;
  }

  /** Handles all records that are there, and sleeps. */
  drain(): void {
    const inside = enterGuard();
    try {
      this.#bell.awake();
      do {
        this.readAll();
        this.#events.turnOver();
        this.#bell.sleep();
      } while (this.reader.pending);
      if (this.reader.takeWantsRoom()) this.post(null);
    } finally {
      if (inside) leaveGuard();
    }
  }

  /** Handles the records that are there now. */
  readAll(): void {
    const { reader } = this;
    for (let type = reader.next(); type !== 0; type = reader.next()) {
      this.#events.record(type, reader);
    }
  }

  /** Reads the port now, for something that a record refers to. */
  catchUp(): void {
    const { port } = this.#link;
    for (let entry = receiveMessageOnPort(port); entry !== undefined; entry = receiveMessageOnPort(port)) {
      if (entry.message !== null) this.#events.message(entry.message as NonNullable<FromScheduler>);
      // It was to wake the event loop, which will not see it any more.
      else setImmediate(() => this.drain());
    }
  }

  /** Blocks the thread until there is something to read, or for `ms`; whether there is. */
  block(ms: number): boolean {
    this.#bell.block(ms, () => this.reader.pending);
    return this.reader.pending;
  }

  /** Keeps the process alive while somebody awaits something: +1 when it begins, -1 when it ends. */
  keepAlive(change: 1 | -1): void {
    this.#awaited += change;
    if (this.#awaited === 1 && change === 1) this.#link.port.ref();
    else if (this.#awaited === 0) this.#link.port.unref();
  }

  close(reason: string): void {
    this.#closed = reason;
    this.#forgetResume();
    this.#link.port.close();
  }
}
