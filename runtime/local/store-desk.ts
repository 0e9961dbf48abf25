/**
 * Where big values lie, in shared memory or on disk, and who may be reading them there. When a thread finds the store
 * full, the values that were used least recently go to disk; one that is used comes back. Nobody ever waits for a value
 * to come back: readers read a file as well as memory, so a store that is full of values in use stops nothing.
 *
 * Memory goes back only when nobody can be reading it: views on it, attempts that were sent it and have not read it yet,
 * and values on their way to a thread (a fence tells when those have arrived) keep it.
 */
import type { Block } from "./block.ts";
import { type EventLog, Row } from "./event-log.ts";
import { isOnDisk } from "./locator.ts";
import type { Home, StoredObject, Task } from "./records.ts";

export interface StoreEffects {
  /** Bytes of shared memory that are free. */
  freeBytes(): number;
  /** Memory of a block, or its part of a file, goes back. */
  freeMemory(block: Block): void;
  /** Calls back once every thread has handled all values that it has been sent so far. */
  fence(passed: () => void): void;
  /** Writes values to disk; `spilled` follows for each. */
  spill(homes: readonly Home[]): void;
  /** Reads a value back; `restored` follows. False when there is no room after all. */
  restore(home: Home): boolean;
  /** Whether values can go to disk. */
  readonly canSpill: boolean;
  /** There may be room now; or there is none to be had. */
  roomAnswer(client: number, ticket: number, made: boolean): void;
}

interface RoomRequest {
  bytes: number;
  since: number;
  answer(made: boolean): void;
}

/** How long a request waits for threads that have values unread. */
const FENCE_MS = 500;
/** More than is asked for is spilled at once, since who asks will mostly ask again: this part of what is in memory. */
const AT_ONCE = 1 / 16;

export class StoreDesk {
  readonly #effects: StoreEffects;
  readonly #log: EventLog;
  readonly #clock: { now: number };
  /** Values in memory, the least recently used first. */
  readonly #inMemory = new Set<Home>();
  #memoryBytes = 0;
  /** Threads that wait for room; values that come back wait behind all of them. */
  #requests: RoomRequest[] = [];
  #returns: RoomRequest[] = [];
  /** Bytes that are being written, and bytes whose readers may still be on their way. */
  #writing = 0;
  #leaving = 0;

  constructor(effects: StoreEffects, log: EventLog, clock: { now: number }) {
    this.#effects = effects;
    this.#log = log;
    this.#clock = clock;
  }

  /** Requests that wait, and values that are remembered. */
  get size(): number {
    return this.#requests.length + this.#returns.length + this.#inMemory.size + this.#leaving + this.#writing;
  }

  /** A value with pieces in the store is kept from here on; its owner refers to it. */
  keep(owner: StoredObject | Task, block: Block): Home {
    let bytes = 0;
    for (const locator of block.locators) bytes += locator.bytes;
    const onDisk = block.locators.some(({ segment }) => isOnDisk(segment));
    const home: Home = {
      owner,
      bytes,
      memory: onDisk ? undefined : block,
      disk: onDisk ? block : undefined,
      readers: 0,
      views: 0,
      sent: false,
      moving: undefined,
      used: false,
      gone: false,
      leaving: undefined,
    };
    if (onDisk) this.#note(Row.spilled, home);
    else this.#enter(home);
    return home;
  }

  #enter(home: Home): void {
    this.#inMemory.add(home);
    this.#memoryBytes += home.bytes;
  }

  #exit(home: Home): void {
    if (this.#inMemory.delete(home)) this.#memoryBytes -= home.bytes;
  }

  // ---------------------------------------------------------------- readers

  /** Somebody is sent the value: it was used last. */
  #use(home: Home): void {
    home.used = true;
    if (this.#inMemory.delete(home)) this.#inMemory.add(home);
    else if (home.memory === undefined && home.moving === undefined) this.#comeBack(home);
  }

  /** The value goes to a thread that asked for it. */
  send(home: Home): void {
    home.sent = true;
    this.#use(home);
  }

  /** The task is on a worker that reads these inputs when it starts. */
  reads(task: Task, inputs: readonly StoredObject[]): void {
    for (const { home } of inputs) this.#read(task, home);
  }

  /** The same for its arguments. */
  readsArguments(task: Task): void {
    this.#read(task, task.home);
  }

  #read(task: Task, home: Home | undefined): void {
    if (home === undefined) return;
    home.readers++;
    task.reading ??= [];
    task.reading.push(home);
    this.#use(home);
  }

  /** The task has read all of it, or never will. */
  allRead(task: Task): void {
    const { reading } = task;
    if (reading === undefined) return;
    task.reading = undefined;
    for (const home of reading) {
      home.readers--;
      this.#letLeave(home);
    }
  }

  view(home: Home): void {
    home.views++;
  }

  unview(home: Home): void {
    home.views--;
    this.#letLeave(home);
  }

  // ---------------------------------------------------------------- leaving

  /** Nobody is to be sent the value any more. */
  discard(home: Home): void {
    home.gone = true;
    this.#exit(home);
    // What is being written leaves when that is done.
    if (home.moving !== "out") for (const block of [home.memory, home.disk]) this.#leave(home, block);
  }

  #leave(home: Home, block: Block | undefined): void {
    if (block === undefined) return;
    if (!home.sent) return this.#left(home, block);
    this.#leaving += home.bytes;
    this.#effects.fence(() => {
      this.#leaving -= home.bytes;
      this.#left(home, block);
    });
  }

  #left(home: Home, block: Block): void {
    if (home.readers + home.views === 0) return this.#effects.freeMemory(block);
    home.leaving ??= [];
    home.leaving.push(block);
  }

  #letLeave(home: Home): void {
    if (home.leaving === undefined || home.readers + home.views > 0) return;
    for (const block of home.leaving) this.#effects.freeMemory(block);
    home.leaving = undefined;
  }

  // ---------------------------------------------------------------- spilling

  /** A thread found the store full. */
  askRoom(client: number, ticket: number, bytes: number, time: number): void {
    this.#requests.push({
      bytes,
      since: time,
      answer: (made) => this.#effects.roomAnswer(client, ticket, made),
    });
  }

  /** Answers requests for room, and has values written for those that must wait. Call it after a batch of events. */
  run(): void {
    if (this.#requests.length > 0) this.#serve(this.#requests);
    if (this.#returns.length > 0 && this.#requests.length === 0) this.#serve(this.#returns);
  }

  /** Whether something waits for what no event tells of. */
  get waits(): boolean {
    return this.#requests.length + this.#returns.length > 0;
  }

  #serve(requests: RoomRequest[]): void {
    let granted = 0;
    for (let request = requests[0]; request !== undefined; request = requests[0]) {
      const { answer, bytes, since } = request;
      const missing = (): number => bytes + granted - this.#effects.freeBytes();
      const willFit = missing() <= 0 || this.#makesRoom(missing(), since);
      if (willFit && missing() > 0) return;
      requests.shift();
      if (willFit) granted += bytes;
      answer(willFit);
    }
  }

  /** Whether so much room will come, or has come. */
  #makesRoom(bytes: number, since: number): boolean {
    const coming = this.#writing + this.#leaving;
    if (bytes > coming) return this.#spill(bytes - coming);
    return this.#writing > 0 || this.#clock.now - since < FENCE_MS;
  }

  /** Sends the least recently used values to disk until so many bytes come of it; false, and nothing, when they cannot. */
  #spill(bytes: number): boolean {
    if (!this.#effects.canSpill) return false;
    const chosen: Home[] = [];
    const most = Math.max(bytes, this.#memoryBytes * AT_ONCE);
    let sum = 0;
    for (const home of this.#inMemory) {
      if (home.readers + home.views > 0 || home.moving !== undefined) continue;
      chosen.push(home);
      sum += home.bytes;
      if (sum >= most) break;
    }
    if (sum < bytes) return false;
    const writes = chosen.filter((home) => !this.#leaveMemory(home));
    for (const home of writes) {
      home.moving = "out";
      home.used = false;
      this.#writing += home.bytes;
    }
    if (writes.length > 0) this.#effects.spill(writes);
    return true;
  }

  /** The value's memory goes where there is a copy on disk. */
  #leaveMemory(home: Home): boolean {
    const { disk, memory } = home;
    if (disk === undefined) return false;
    this.#exit(home);
    home.memory = undefined;
    place(home);
    this.#note(Row.spilled, home);
    this.#leave(home, memory);
    return true;
  }

  /** A value is on disk; without a block that failed. */
  spilled(home: Home, block: Block | undefined, time: number): void {
    this.#clock.now = time;
    this.#writing -= home.bytes;
    home.moving = undefined;
    home.disk = block;
    if (home.gone) {
      for (const left of [home.memory, block]) this.#leave(home, left);
      return;
    }
    if (block === undefined) return this.#refuse();
    // Whoever uses it now would only have to fetch it back.
    if (!home.used && home.readers + home.views === 0) this.#leaveMemory(home);
  }

  /** The disk takes nothing more: what waits for it does not wait longer. */
  #refuse(): void {
    const requests = this.#requests;
    this.#requests = [];
    const free = this.#effects.freeBytes();
    for (const { answer, bytes } of requests) answer(bytes <= free);
  }

  // ---------------------------------------------------------------- coming back

  /** The value is read into memory again as soon as there is room. */
  #comeBack(home: Home): void {
    home.moving = "in";
    const answer = (made: boolean): void => {
      if (made && !home.gone && this.#effects.restore(home)) return;
      home.moving = undefined;
    };
    this.#returns.push({ bytes: home.bytes, since: this.#clock.now, answer });
  }

  /** A value is in memory again; without a block that failed. */
  restored(home: Home, block: Block | undefined, time: number): void {
    this.#clock.now = time;
    home.moving = undefined;
    if (block === undefined) return;
    if (home.gone) return this.#effects.freeMemory(block);
    home.memory = block;
    place(home);
    this.#enter(home);
    this.#note(Row.restored, home);
  }

  #note(kind: number, { bytes, owner }: Home): void {
    this.#log.add(kind, this.#clock.now, owner.id, bytes, "args" in owner ? 1 : 0);
  }
}

/** Whoever is sent the value from now on reads it where it lies best. */
function place({ disk, memory, owner }: Home): void {
  const block = memory ?? disk!;
  if ("args" in owner) owner.args = block;
  else owner.block = block;
}
