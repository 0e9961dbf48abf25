/** A thread of the simulation, the driver's or a worker's: what it has said, what it has been told, what it holds. */
import type { Block } from "../../runtime/local/block.ts";
import { CLAIM_DECLINED, CLAIM_STARTED, CLAIM_WAITING } from "../../runtime/local/claims.ts";
import type { Scheduler } from "../../runtime/local/scheduler.ts";

/** A task that lies on a worker. */
export interface Entry {
  task: number;
  lane: number;
  slot: number;
  args: Block;
  inputs: Block[];
  /** Inputs that the tasks before it on its lane are to make. */
  missing: Set<number>;
  /** It was sent before its inputs were there. */
  follows: boolean;
  attempt: number;
  /** Items of its stream that were taken so far. */
  itemsTaken: number;
}

/** What the scheduler writes to a thread. */
export type Told =
  | { kind: "dispatch"; entry: Entry }
  | { kind: "cancel"; task: number }
  | { kind: "value"; call: number; index: number; block: Block | undefined }
  | { kind: "callDone"; call: number }
  | { kind: "ready"; object: number }
  | { kind: "item"; stream: number; object: number }
  | { kind: "goOn"; task: number; taken: number; resume: boolean };

/** What a thread writes to the scheduler. */
export type Said = (scheduler: Scheduler) => void;

/** Code that runs: the driver's, or one attempt of a task. */
export interface Actor {
  readonly thread: Thread;
  /** 0 for the driver. */
  readonly task: number;
  /** Objects whose refs the code has. */
  readonly known: Set<number>;
  /** Those that other code of its thread told it of; it only asks for their values, since objects in a circle are kept for ever. */
  readonly told: Set<number>;
  /** Calls that it awaits; while there are any it holds no slot. */
  openCalls: number;
  readonly attempt: number;
  /** Items of a generator: how many it has made, and how many it knows to be taken; whether it waits for that. */
  items: number;
  itemsTaken: number;
  waits: boolean;
  /** It was told to stop. */
  stopping: boolean;
  /** What it was sent and has not read yet. */
  reading: readonly Block[];
  /** How it ended. */
  over: "returned" | "threw" | "threwRetryable" | "timedOut" | "cancelled" | "lost" | undefined;
  lane: Lane | undefined;
}

export interface Lane {
  id: number;
  current: Actor | undefined;
  queue: Entry[];
}

export class Thread {
  readonly index: number;
  readonly said: Said[] = [];
  /** Messages by port: each is handled once the first so many records have been heard. */
  readonly posted: { after: number; said: Said }[] = [];
  readonly told: Told[] = [];
  readonly claims: number[] = [];
  readonly lanes = new Map<number, Lane>();
  readonly runnable: Lane[] = [];
  readonly actors: Actor[] = [];
  /** Objects that the scheduler was told the thread has handles of, and views on, by the records written so far. */
  readonly held = new Set<number>();
  readonly viewed = new Set<number>();
  /** Places in memory that views look at. */
  readonly looksAt = new Map<number, Set<number>>();
  /** The same by the records heard so far, with their number. */
  readonly heard = new Map<number, number>();
  /** Objects of open `get`s. */
  readonly pinned = new Map<number, number>();
  /** Objects that were asked about, and whether they are ready. */
  readonly watched = new Map<number, boolean>();
  /** Why the thread is to end, or has ended. */
  ending: "cancelled" | "recycled" | undefined;
  dead: "crash" | "outOfMemory" | "cancelled" | "recycled" | undefined;
  /** The last single value that a task made here. */
  #made: { id: number; block: Block } | undefined;
  #heardRecords = 0;

  constructor(index: number) {
    this.index = index;
  }

  say(said: Said): void {
    this.said.push(said);
  }

  post(said: Said): void {
    this.posted.push({ after: this.#heardRecords + this.said.length, said });
  }

  /** The next things for the scheduler to handle: at most so many records, and the messages that are due by then. */
  takeSaid(records: number): Said[] {
    const taken = this.said.splice(0, records);
    this.#heardRecords += taken.length;
    while (this.posted.length > 0 && this.posted[0]!.after <= this.#heardRecords) taken.push(this.posted.shift()!.said);
    return taken;
  }

  /** The code has a ref of the object; the scheduler learns of the thread's first. */
  hold(id: number): void {
    if (this.held.has(id)) return;
    this.held.add(id);
    this.say((scheduler) => {
      count(this.heard, id, 1);
      scheduler.holds.hold(this.index, id);
    });
  }

  /** The code has an object that this thread made, and so holds from its making on. */
  own(id: number): void {
    this.held.add(id);
  }

  /** Views on the object's memory keep it too. */
  view(id: number, block: Block): void {
    const places = this.looksAt.get(id) ?? new Set();
    this.looksAt.set(id, places);
    for (const { offset } of block.locators) places.add(offset);
    if (this.viewed.has(id)) return;
    this.viewed.add(id);
    this.say((scheduler) => {
      count(this.heard, id, 1);
      scheduler.holds.view(this.index, id);
    });
  }

  /** Tells from now on whether all that the thread has written so far has been heard. */
  mark(): () => boolean {
    const end = this.#heardRecords + this.said.length;
    return () => this.#heardRecords >= end;
  }

  pin(ids: readonly number[], by: 1 | -1): void {
    for (const id of ids) count(this.pinned, id, by);
  }

  /** Garbage collection: what no code knows any more is let go. */
  collect(): void {
    const needed = new Set(this.pinned.keys());
    for (const { known, told } of this.actors) for (const id of [...known, ...told]) needed.add(id);
    for (const set of [this.held, this.viewed]) {
      for (const id of set) {
        if (needed.has(id) && set === this.held) continue;
        set.delete(id);
        if (set === this.held) this.watched.delete(id);
        else this.looksAt.delete(id);
        const isView = set === this.viewed;
        this.say((scheduler) => {
          count(this.heard, id, -1);
          if (isView) scheduler.holds.unview(this.index, id);
          else scheduler.holds.release(this.index, id);
        });
      }
    }
  }

  /** Claims the next task that can start; what was taken back is skipped, and what lacks an input given back. */
  claimNext(whenDeclined: (entry: Entry) => void): { entry: Entry; lane: Lane } | undefined {
    for (;;) {
      const lane = this.runnable.shift();
      if (lane === undefined) return undefined;
      const entry = lane.queue.shift();
      if (entry === undefined || lane.current !== undefined) continue;
      const isWaiting = this.claims[entry.slot] === CLAIM_WAITING;
      if (isWaiting && entry.missing.size === 0) {
        this.claims[entry.slot] = CLAIM_STARTED;
        return { entry, lane };
      }
      if (isWaiting) this.claims[entry.slot] = CLAIM_DECLINED;
      this.say((scheduler) => {
        if (isWaiting) whenDeclined(entry);
        scheduler.dropped(this.index, entry.task, entry.slot);
      });
      this.laneFree(lane);
    }
  }

  enqueue(entry: Entry): void {
    let lane = this.lanes.get(entry.lane);
    if (lane === undefined) {
      lane = { id: entry.lane, current: undefined, queue: [] };
      this.lanes.set(entry.lane, lane);
    }
    lane.queue.push(entry);
    if (this.#made !== undefined) supply(entry, this.#made.id, this.#made.block);
    if (lane.current === undefined && lane.queue.length === 1) this.runnable.push(lane);
  }

  /** A task made its one value, which those that lie behind it may need. */
  make(id: number, block: Block): void {
    this.#made = { id, block };
    for (const { queue } of this.lanes.values()) for (const entry of queue) supply(entry, id, block);
  }

  laneFree(lane: Lane): void {
    lane.current = undefined;
    if (lane.queue.length > 0) this.runnable.push(lane);
    else this.lanes.delete(lane.id);
  }

  /** Tasks on the thread that have not been claimed. */
  *entries(): Generator<Entry> {
    for (const told of this.told) if (told.kind === "dispatch") yield told.entry;
    for (const lane of this.lanes.values()) yield* lane.queue;
  }
}

function supply(entry: Entry, id: number, block: Block): void {
  if (entry.missing.delete(id)) entry.inputs.push(block);
}

function count(map: Map<number, number>, id: number, by: number): void {
  const sum = (map.get(id) ?? 0) + by;
  if (sum === 0) map.delete(id);
  else map.set(id, sum);
}

/** Whether the code has refs of all of them. */
export const knows = (actor: Actor, ids: readonly number[]): boolean => ids.every((id) => actor.known.has(id));

/** The code awaits something: its lane goes to others. */
export function suspend(actor: Actor): void {
  const { lane, thread } = actor;
  actor.lane = undefined;
  if (lane !== undefined) thread.laneFree(lane);
}
