/**
 * The world around the scheduler: threads that obey its effects, and the code that runs on them. The scheduler is the
 * real one and is spoken to as its own thread does it, by its events and its effects; everything else is a model.
 */
import type { Block } from "../../runtime/local/block.ts";
import { CLAIM_DECLINED, CLAIM_TAKEN_BACK, CLAIM_WAITING } from "../../runtime/local/claims.ts";
import type { Effects } from "../../runtime/local/effects.ts";
import { EventLog } from "../../runtime/local/event-log.ts";
import { fileNumber, type Locator } from "../../runtime/local/locator.ts";
import type { Definition, Failure, Home, Lane, Policy, StoredObject, Task } from "../../runtime/local/records.ts";
import { Scheduler } from "../../runtime/local/scheduler.ts";
import { SimulatedDisk } from "./disk.ts";
import { SimulatedFences } from "./fences.ts";
import { Observer } from "./observer.ts";
import type { Setting, Submit } from "./story.ts";
import { checkItem, checkResume, checkStreamEnd, type SimulatedStream } from "./streams.ts";
import { type Actor, Thread } from "./thread.ts";
import { Violation } from "./violation.ts";

export interface SimulatedTask {
  readonly submit: Submit;
  readonly policy: Policy;
  /** Attempts that began. */
  starts: number;
  /** The last attempt that began. */
  actor: Actor | undefined;
  cancelAsked: boolean;
}

export interface SimulatedCall {
  readonly id: number;
  readonly actor: Actor;
  readonly kind: "get" | "wait";
  readonly objects: readonly number[];
  readonly settled: boolean;
  readonly shared: boolean;
  /** The task that the scheduler was told of; 0 for none. */
  readonly task: number;
  /** Indexes whose values went out. */
  readonly values: Set<number>;
  failed: boolean;
  /** The thread said that it is over, or asked for what is there only. */
  ended: boolean;
  heard: boolean;
  answered: boolean;
}

interface Memory {
  /** The object whose value it is; 0 for arguments and what was thrown. */
  owner: number;
  what: string;
  onDisk: boolean;
  free: boolean;
}

const PIECE_BYTES = 8;

const UNIT = 10_000;

export class World implements Effects {
  readonly setting: Setting;
  readonly threads = new Map<number, Thread>();
  readonly driver: Actor;
  readonly tasks = new Map<number, SimulatedTask>();
  readonly calls = new Map<number, SimulatedCall>();
  readonly streams = new Map<number, SimulatedStream>();
  /** Objects that were ever made. */
  readonly objects = new Set<number>();
  /** Objects that were let go of explicitly. */
  readonly freed = new Set<number>();
  readonly scheduler: Scheduler;
  readonly observer: Observer;
  readonly log = new EventLog();
  /** How often what happened. */
  readonly tally: Map<string, number>;
  time = 1;
  readonly disk: SimulatedDisk;
  #used = 0;
  readonly fences: SimulatedFences;
  readonly #memory = new Map<number, Memory>();
  readonly #definitions: Definition[] = [0, 1, 2].map((id) => ({
    id,
    functionName: `f${id}`,
    meanMs: undefined,
    last: undefined,
  }));
  #nextThread = 1;
  #nextMemory = 1;
  #policies = 0;

  constructor(setting: Setting, tally = new Map<string, number>()) {
    this.setting = setting;
    this.tally = tally;
    this.disk = new SimulatedDisk(this);
    this.fences = new SimulatedFences(this.threads);
    const totals = shapeOf(setting.cpus, setting.gpus);
    this.scheduler = new Scheduler(totals, this, this.log);
    this.observer = new Observer(this, totals);
    const thread = new Thread(0);
    this.threads.set(0, thread);
    this.driver = newActor(thread, 0);
    thread.actors.push(this.driver);
    for (let count = 0; count < setting.threads; count++) this.scheduler.workerUp(this.startThread().index);
  }

  startThread(): Thread {
    const thread = new Thread(this.#nextThread++);
    this.threads.set(thread.index, thread);
    this.scheduler.workerStarts(thread.index, this.setting.slots, this.time);
    return thread;
  }

  /** The code of a task's last attempt, or the driver's. */
  actor(by: number): Actor | undefined {
    const actor = by === 0 ? this.driver : this.tasks.get(by)?.actor;
    return actor === undefined || actor.thread.dead !== undefined ? undefined : actor;
  }

  policyOf({ cpus, gpus, highWaterMark, maxCalls = 0, maxRetries }: Submit): Policy {
    const shape = shapeOf(cpus, gpus);
    const shapeKey = JSON.stringify(shape);
    return {
      id: ++this.#policies,
      name: undefined,
      shape,
      shapeKey,
      maxRetries,
      maxCalls,
      timeout: 0,
      highWaterMark,
    };
  }

  definition(fn: number): Definition {
    return this.#definitions[fn]!;
  }

  /** A value with refs inside and a piece of shared memory. */
  newBlock(owner: number, what: string, refs: readonly number[]): Block {
    const onDisk = this.setting.spills && this.freeBytes() < PIECE_BYTES;
    return { content: new Int32Array(0), refs, locators: [this.#newPiece(owner, what, onDisk)], size: PIECE_BYTES };
  }

  #newPiece(owner: number, what: string, onDisk: boolean): Locator {
    const offset = this.#nextMemory++;
    this.#memory.set(offset, { owner, what, onDisk, free: false });
    if (onDisk) this.count("on disk");
    else this.#used += PIECE_BYTES;
    return { segment: onDisk ? fileNumber(1, 0) : 1, offset, bytes: PIECE_BYTES };
  }

  /** The same value at another place; one that is `gone` may have been let go before it was copied. */
  moved(block: Block, onDisk: boolean, gone: boolean): Block {
    const { owner, what } = this.#memory.get(block.locators[0]!.offset)!;
    if (!gone) this.#useBlock(block, what);
    return { ...block, locators: [this.#newPiece(owner, what, onDisk)] };
  }

  count(what: string): void {
    this.tally.set(what, (this.tally.get(what) ?? 0) + 1);
  }

  // ---------------------------------------------------------------- effects

  dispatch(task: Task, lane: Lane, inputs: readonly StoredObject[]): boolean {
    const thread = this.threads.get(lane.worker.index);
    if (thread === undefined) throw new Violation(`task ${task.id} was sent to a thread that is gone`);
    if (thread.told.length >= this.setting.room) {
      this.count("no room");
      return false;
    }
    this.observer.dispatching(task, lane, thread);
    if (lane.tasks.length > 1) this.count("sent ahead");
    this.#useBlock(task.args, `arguments of ${task.id}`);
    const missing = inputs.filter(({ order }) => order === 0).map(({ id }) => id);
    const blocks = inputs.filter(({ order }) => order !== 0).map((input) => this.#valueOf(input, `task ${task.id}`));
    for (const entry of thread.entries())
      if (entry.slot === task.slot)
        throw new Violation(
          `the claim word of ${entry.task}, which lies on thread ${thread.index}, went to ${task.id}`,
        );
    thread.claims[task.slot] = CLAIM_WAITING;
    const { args, attempt, id, slot, stream } = task;
    const itemsTaken = stream?.taken ?? 0;
    const follows = missing.length > 0;
    if (follows) this.count("sent ahead of its input");
    const place = { task: id, lane: lane.id, slot, attempt };
    const entry = { ...place, args, inputs: blocks, missing: new Set(missing), follows, itemsTaken };
    thread.told.push({ kind: "dispatch", entry });
    return true;
  }

  revoke(task: Task): boolean {
    const { claims } = this.observer.threadOf(task.id);
    const claim = claims[task.slot];
    if (claim !== CLAIM_WAITING && claim !== CLAIM_DECLINED) {
      this.count("taken back too late");
      return false;
    }
    this.count("taken back");
    if (task.state === "waiting") this.count("follower taken back");
    if (claim === CLAIM_WAITING) claims[task.slot] = CLAIM_TAKEN_BACK;
    this.observer.takenBack(task.id);
    return true;
  }

  cancelOnWorker(task: Task): void {
    this.threads.get(task.worker!.index)!.told.push({ kind: "cancel", task: task.id });
  }

  /** The worst case: the code cannot be cut, and the thread goes. */
  stopTask(task: Task): void {
    this.threads.get(task.worker!.index)!.ending ??= "cancelled";
  }

  retireWorker(worker: number): void {
    const thread = this.threads.get(worker)!;
    thread.ending ??= "recycled";
    this.count("recycled");
    const lies = [...thread.entries()].some(({ slot }) => thread.claims[slot] === CLAIM_WAITING);
    if (lies || thread.actors.some(({ over }) => over === undefined))
      throw new Violation(`worker ${worker} is recycled and still has tasks`);
  }

  value(client: number, id: number, index: number, object: StoredObject): void {
    const call = this.calls.get(id)!;
    if (call.answered) throw new Violation(`call ${id} got a value after its answer`);
    if (call.values.has(index)) throw new Violation(`call ${id} got value ${index} twice`);
    if (call.objects[index] !== object.id) throw new Violation(`call ${id} got object ${object.id} at [${index}]`);
    call.values.add(index);
    let block: Block | undefined;
    if (object.failure === undefined) block = this.#valueOf(object, `call ${id}`);
    else {
      call.failed = true;
      this.observer.failureSeen(object);
      for (const thrown of blocksOf(object.failure)) this.#useBlock(thrown, `the failure of ${object.id}`);
    }
    this.threads.get(client)?.told.push({ kind: "value", call: id, index, block });
  }

  /** A call can be refused only when what it waits for waits for its own task. */
  refuse(client: number, id: number, index: number, failure: Failure): void {
    const call = this.calls.get(id)!;
    if (call.answered || call.values.has(index)) throw new Violation(`call ${id} was refused when it had its answer`);
    if (!this.observer.waitsForItself(call.task, call.objects[index]!))
      throw new Violation(
        `call ${id} was refused (${failure.message}), and nothing it waits for waits for ${call.task}`,
      );
    this.count("deadlock");
    call.ended = true;
    this.threads.get(client)?.told.push({ kind: "value", call: id, index, block: undefined });
  }

  callDone(client: number, id: number): void {
    const call = this.calls.get(id)!;
    if (call.answered) throw new Violation(`call ${id} was answered twice`);
    if (!isDecided(call)) throw new Violation(`call ${id} was answered before its outcome was known`);
    call.answered = true;
    this.threads.get(client)?.told.push({ kind: "callDone", call: id });
  }

  ready(client: number, object: StoredObject): void {
    if (object.order === 0) throw new Violation(`object ${object.id} was said to be ready and is not`);
    this.threads.get(client)?.told.push({ kind: "ready", object: object.id });
  }

  item(client: number, id: number, object: StoredObject): void {
    checkItem(this.streams.get(id)!, object);
    this.count("item");
    const thread = this.threads.get(client);
    thread?.heard.set(object.id, 1);
    thread?.told.push({ kind: "item", stream: id, object: object.id });
  }

  streamEnd(client: number, id: number): void {
    if (this.threads.has(client)) checkStreamEnd(this.streams.get(id)!);
  }

  goOn(task: Task, taken: number, resume: boolean): void {
    if (resume) checkResume(this.streams.get(task.id)!);
    if (resume) this.count("producer goes on");
    this.threads.get(task.worker!.index)!.told.push({ kind: "goOn", task: task.id, taken, resume });
  }

  freeMemory(block: Block): void {
    for (const { offset } of block.locators) {
      const memory = this.#memory.get(offset);
      if (memory === undefined) throw new Violation("memory that nobody allocated was let go");
      if (memory.free) throw new Violation(`the memory of ${memory.what} was let go twice`);
      memory.free = true;
      if (!memory.onDisk) this.#used -= PIECE_BYTES;
      this.#refuseIfUsed(block, offset, memory);
    }
  }

  freeBytes(): number {
    return this.setting.pieces * PIECE_BYTES - this.#used - this.disk.reserved;
  }

  get canSpill(): boolean {
    return this.setting.spills;
  }

  spill = (homes: readonly Home[]): void => this.disk.spill(homes);
  restore = (home: Home): boolean => this.disk.restore(home);
  roomAnswer: Effects["roomAnswer"] = (client, ticket, made) => this.disk.roomAnswer(client, ticket, made);
  fence = (passed: () => void): void => this.fences.add(passed);

  unlooked(failure: Failure): void {
    this.observer.unlooked(failure);
  }

  describe(summary: Block): { name: string; message: string } {
    this.#useBlock(summary, "a summary");
    return { name: "Error", message: "thrown" };
  }

  #valueOf(object: StoredObject, reader: string): Block {
    const { block, id } = object;
    if (block === undefined || object.failure !== undefined)
      throw new Violation(`${reader} was given object ${id}, which has no value`);
    const memory = this.#memory.get(block.locators[0]!.offset)!;
    if (memory.owner !== id) throw new Violation(`${reader} was given ${memory.what} as the value of ${id}`);
    this.#useBlock(block, `object ${id}`);
    return block;
  }

  #useBlock(block: Block, what: string): void {
    for (const { offset } of block.locators)
      if (this.#memory.get(offset)!.free) throw new Violation(`memory of ${what} is used after it was let go`);
  }

  /** A value may lie in a thread's ring, be an argument of a task that lies there or has begun, or be looked at. */
  #refuseIfUsed(block: Block, offset: number, { what }: Memory): void {
    for (const thread of this.threads.values()) {
      if (thread.dead !== undefined) continue;
      for (const told of thread.told)
        if (told.kind === "value" && told.block === block)
          throw new Violation(`the memory of ${what} was let go on its way to thread ${thread.index}`);
      for (const places of thread.looksAt.values())
        if (places.has(offset))
          throw new Violation(`the memory of ${what} was let go while thread ${thread.index} has a view on it`);
      for (const { over, reading, task } of thread.actors)
        if (over === undefined && reading.includes(block))
          throw new Violation(`the memory of ${what} was let go while task ${task} may be reading it`);
      for (const { args, inputs, slot, task } of thread.entries())
        if ((args === block || inputs.includes(block)) && thread.claims[slot] === CLAIM_WAITING)
          throw new Violation(`the memory of ${what} was let go before task ${task} could read it`);
    }
  }

  /** Memory that was never let go. */
  leftMemory(): string[] {
    return [...this.#memory.values()].filter(({ free }) => !free).map(({ what }) => what);
  }
}

export function shapeOf(cpus: number, gpus: number): Record<string, number> {
  return {
    ...(cpus > 0 ? { CPU: Math.round(cpus * UNIT) } : {}),
    ...(gpus > 0 ? { gpu: Math.round(gpus * UNIT) } : {}),
  };
}

/** What the attempts that led to a failure threw. */
export function blocksOf(failure: Failure | undefined): Block[] {
  const { attempts = [], thrown } = failure?.cause ?? {};
  return thrown === undefined ? [...attempts] : [...attempts, thrown];
}

export function newActor(thread: Thread, task: number, attempt = 0, itemsTaken = 0): Actor {
  return {
    thread,
    task,
    attempt,
    known: new Set(),
    told: new Set(),
    openCalls: 0,
    items: 0,
    itemsTaken,
    waits: false,
    reading: [],
    stopping: false,
    over: undefined,
    lane: undefined,
  };
}

/** Whether all that the scheduler needs to answer the call has happened. */
export function isDecided(call: SimulatedCall): boolean {
  if (call.ended || (call.failed && !call.settled)) return true;
  return call.kind === "get" && call.values.size === call.objects.length;
}
