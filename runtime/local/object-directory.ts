/** Which objects exist, what they hold, who holds them and who waits for them. Pure: effects go through `ObjectEffects`. */

import { IdTable } from "../id-table.ts";
import type { Block } from "./block.ts";
import { failureWithoutTask } from "./failures.ts";
import type { Call, Cause, Failure, Home, StoredObject, Task } from "./records.ts";
import type { StoreDesk } from "./store-desk.ts";

/** What the directory makes happen outside. */
export interface ObjectEffects {
  /** A client that subscribed learns that the object is ready. */
  ready(client: number, object: StoredObject): void;
  /** Shared memory of a block that nobody reads goes back to its owners. */
  freeMemory(block: Block): void;
  /** An input of the task is there, or will never be. */
  inputReady(task: Task, object: StoredObject): void;
  callProgress(call: Call, index: number, object: StoredObject): void;
  /** A task failed, and whoever could have looked at it never did. Once a task. */
  unlooked(failure: Failure): void;
}

export class ObjectDirectory {
  readonly objects = new IdTable<StoredObject>();
  readonly #effects: ObjectEffects;
  readonly #store: StoreDesk;
  #order = 0;
  /** Failures that were looked at or reported; the objects of a task share one. */
  readonly #known = new WeakSet<Failure>();
  /** Objects with a failure of which it is not known yet whether somebody looks at it. */
  readonly #failed = new Set<StoredObject>();
  /** Refs that remote functions captured; they are held for ever. */
  readonly captures: { functionName: string; refs: readonly number[] }[] = [];
  readonly #endedCells = new Set<string>();

  constructor(effects: ObjectEffects, store: StoreDesk) {
    this.#effects = effects;
    this.#store = store;
  }

  /** Makes the record of an object that does not exist yet. */
  create(id: number, task: number, holds: number): StoredObject {
    const object = newObject(id, task, holds);
    this.objects.set(id, object);
    return object;
  }

  /** The object of that number; a lost one, which is remembered nowhere, when there is none. */
  find(id: number): StoredObject {
    const object = this.objects.get(id);
    if (object !== undefined) return object;
    return { ...newObject(id, 0, 0), order: ++this.#order, failure: failureWithoutTask("lost") };
  }

  /** Gives the object its value or its failure, once, and tells all who wait. The block's refs are held from here on. */
  seal(object: StoredObject, block: Block | undefined, failure: Failure | undefined): void {
    if (object.order !== 0) return;
    object.order = ++this.#order;
    object.block = block;
    object.failure = failure;
    if (block !== undefined) {
      this.holdAll(block.refs);
      if (block.locators.length > 0) this.#keep(object, block);
    }
    if (failure?.cause !== undefined) failure.cause.holds++;
    const { subscribers, dependents, call, callIndex, calls } = object;
    object.subscribers = object.dependents = object.call = object.calls = undefined;
    if (object.freed) this.#discard(object);
    if (call !== undefined) this.#effects.callProgress(call, callIndex, object);
    if (calls !== undefined) for (const { call, index } of calls) this.#effects.callProgress(call, index, object);
    if (subscribers !== undefined) for (const client of subscribers) this.#effects.ready(client, object);
    if (dependents !== undefined) for (const task of dependents) this.#effects.inputReady(task, object);
    if (failure === undefined && object.holds > 0) return;
    // Whoever was told just now may have let it go already.
    if (this.objects.get(object.id) !== object) return;
    if (failure !== undefined) this.#watchFailure(object, failure);
    if (object.holds === 0) this.#drop(object);
  }

  #keep(object: StoredObject, block: Block): void {
    object.home = this.#store.keep(object, block);
    // Followers have it already, or will have it from its maker.
    for (const task of object.dependents ?? []) if (task.lane !== undefined) this.#store.reads(task, [object]);
  }

  hold(id: number): void {
    const object = this.objects.get(id);
    if (object !== undefined) object.holds++;
  }

  /** Holds what is passed on inside something else; whoever gets that may look at it. */
  holdAll(ids: readonly number[]): void {
    for (const id of ids) {
      const object = this.objects.get(id);
      if (object === undefined) continue;
      object.holds++;
      object.looked = true;
    }
  }

  /** A remote function has captured these. */
  holdCaptured(functionName: string, refs: readonly number[]): void {
    if (refs.length === 0) return;
    this.captures.push({ functionName, refs });
    this.holdAll(refs);
  }

  /** Takes one hold back; the last one drops a ready object. */
  release(id: number): void {
    const object = this.objects.get(id);
    if (object === undefined) return;
    object.holds--;
    if (object.holds === 0 && object.order !== 0) this.#drop(object);
  }

  releaseAll(ids: readonly number[]): void {
    for (const id of ids) this.release(id);
  }

  /** Lets the value go although refs may remain; reading it fails from now on. */
  free(id: number): void {
    const object = this.objects.get(id);
    if (object === undefined || object.freed) return;
    object.freed = true;
    if (object.order !== 0) this.#discard(object);
  }

  #discard(object: StoredObject): void {
    const { block, failure, home } = object;
    this.#failed.delete(object);
    object.block = undefined;
    object.failure = failureWithoutTask("freed");
    this.#releaseContent(block, failure, home);
  }

  /** Tells of every failure that nobody has looked at so far: the session ends. */
  reportUnlooked(): void {
    this.#report(() => true);
  }

  /** Tells of the failures of the cell's tasks that nobody has looked at, now and from now on when they happen. */
  cellEnded(cell: string): void {
    this.#endedCells.add(cell);
    this.#report((failure) => failure.hops[0]?.cell === cell);
  }

  #report(concerns: (failure: Failure) => boolean): void {
    const failed = [...this.#failed].filter(({ failure }) => failure !== undefined && concerns(failure));
    // The objects of a task share its failure, and one of them that was looked at is enough.
    for (const object of failed) if (object.looked) this.#noteFailure(object);
    for (const object of failed) this.#noteFailure(object);
  }

  #watchFailure(object: StoredObject, failure: Failure): void {
    const cell = failure.hops[0]?.cell;
    if (cell !== undefined && this.#endedCells.has(cell)) this.#noteFailure(object);
    else if (!object.freed) this.#failed.add(object);
  }

  #noteFailure(object: StoredObject): void {
    const { failure, freed, looked } = object;
    this.#failed.delete(object);
    if (failure === undefined || freed || this.#known.has(failure)) return;
    this.#known.add(failure);
    if (!looked) this.noteLoneFailure(failure);
  }

  /** Tells of a failure that no object is there to look at. */
  noteLoneFailure(failure: Failure): void {
    if (failure.kind !== "cancelled" && failure.kind !== "lost") this.#effects.unlooked(failure);
  }

  #drop(object: StoredObject): void {
    this.#noteFailure(object);
    this.objects.delete(object.id);
    this.#releaseContent(object.block, object.failure, object.home);
  }

  #releaseContent(block: Block | undefined, failure: Failure | undefined, home: Home | undefined): void {
    if (block !== undefined) this.#releaseKept(block, home);
    if (failure?.cause !== undefined) this.dropCause(failure.cause);
  }

  /** Takes one hold of a cause back; the last one lets go of what the attempts threw. */
  dropCause(cause: Cause): void {
    if (--cause.holds > 0) return;
    if (cause.thrown !== undefined) this.releaseBlock(cause.thrown);
    for (const attempt of cause.attempts) this.releaseBlock(attempt);
  }

  /** Holds a task's arguments. */
  holdArguments(task: Task): void {
    this.holdAll(task.args.refs);
    if (task.args.locators.length > 0) task.home = this.#store.keep(task, task.args);
  }

  /** The task needs its arguments no more. */
  releaseArguments({ args, home }: Task): void {
    this.#releaseKept(args, home);
  }

  /** Lets go of what a kept value refers to and of the place where it lies. */
  #releaseKept({ refs }: Block, home: Home | undefined): void {
    if (refs.length > 0) this.releaseAll(refs);
    if (home !== undefined) this.#store.discard(home);
  }

  /** Lets go of what a block refers to and of its memory. */
  releaseBlock(block: Block): void {
    if (block.refs.length > 0) this.releaseAll(block.refs);
    this.discardBlock(block);
  }

  /** Lets go of the memory of a block that nobody wants. */
  discardBlock(block: Block): void {
    if (block.locators.length > 0) this.#effects.freeMemory(block);
  }
}

const newObject = (id: number, task: number, holds: number): StoredObject => ({
  id,
  holds,
  block: undefined,
  failure: undefined,
  order: 0,
  freed: false,
  home: undefined,
  looked: false,
  task,
  dependents: undefined,
  subscribers: undefined,
  call: undefined,
  callIndex: 0,
  calls: undefined,
});
