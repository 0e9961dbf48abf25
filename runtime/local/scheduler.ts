import { IdTable } from "../id-table.ts";
import { amountsOf, type ResourceShape } from "../options.ts";
import { Attempts } from "./attempts.ts";
import type { Block } from "./block.ts";
import { CallDesk } from "./call-desk.ts";
import { Dispatcher } from "./dispatcher.ts";
import type { Effects } from "./effects.ts";
import { type EventLog, Row, type RowDetail } from "./event-log.ts";
import { failureOf, hopOf, inputMessage } from "./failures.ts";
import { Holds } from "./holds.ts";
import { ObjectDirectory, type ObjectEffects } from "./object-directory.ts";
import { type Lane, newTask, type StoredObject, type Submission, stepTime, type Task } from "./records.ts";
import { StoreDesk } from "./store-desk.ts";
import { StreamDesk } from "./stream-desk.ts";

const NO_OBJECTS: readonly StoredObject[] = [];

export class Scheduler {
  readonly directory: ObjectDirectory;
  readonly dispatcher: Dispatcher;
  readonly tasks = new IdTable<Task>();
  readonly log: EventLog;
  readonly #effects: Effects;
  /** Every `get` and `wait` that has not returned. */
  readonly calls: CallDesk;
  /** The items of generator tasks. */
  readonly streams: StreamDesk;
  readonly #attempts: Attempts;
  /** Where big values lie. */
  readonly store: StoreDesk;
  readonly #clock = { now: 0 };
  /** What threads hold. */
  readonly holds: Holds;

  constructor(totals: ResourceShape, effects: Effects, log: EventLog) {
    this.#effects = effects;
    this.log = log;
    this.store = new StoreDesk(effects, log, this.#clock);
    const { store } = this;
    const callbacks: ObjectEffects = {
      ready: (client, object) => effects.ready(client, object),
      freeMemory: (block) => effects.freeMemory(block),
      inputReady: (task, object) => this.#inputReady(task, object),
      callProgress: (call, index, object) => this.calls.progress(call, index, object),
      unlooked: (failure) => effects.unlooked(failure),
    };
    this.directory = new ObjectDirectory(callbacks, store);
    this.dispatcher = new Dispatcher(totals, {
      dispatch: (task, lane) => this.#dispatch(task, lane),
      revoke: (task) => {
        const taken = effects.revoke(task);
        if (taken) store.allRead(task);
        return taken;
      },
      followerOf: (task) => this.#followerOf(task),
      mayStart: (task) => this.#mayStart(task),
      retire: ({ index }) => effects.retireWorker(index),
      resumed: (task) => this.#goOn(task),
    });
    this.calls = new CallDesk({
      effects,
      log,
      directory: this.directory,
      dispatcher: this.dispatcher,
      store,
      clock: this.#clock,
      task: (id) => this.tasks.get(id),
      object: (id) => this.directory.find(id),
      goOn: (task) => this.#goOn(task),
    });
    const { calls, directory, dispatcher, tasks } = this;
    this.streams = new StreamDesk({ effects, log, directory, dispatcher, calls, task: (id) => tasks.get(id) });
    this.holds = new Holds({ directory, dispatcher, store, tasks });
    const { streams } = this;
    this.#attempts = new Attempts({
      effects,
      log,
      directory,
      dispatcher,
      calls,
      streams,
      store,
      tasks,
      clock: this.#clock,
    });
  }

  #dispatch(task: Task, lane: Lane): boolean {
    const { inputs } = task;
    const objects = inputs.length === 0 ? NO_OBJECTS : inputs.map((id) => this.directory.objects.get(id)!);
    if (!this.#effects.dispatch(task, lane, objects)) return false;
    this.store.readsArguments(task);
    this.store.reads(task, objects);
    return true;
  }

  /** A worker has read all that the task was sent. */
  argumentsRead(
    id: number,
    attempt: number,
    { copied, viewed, why }: { viewed: number; copied: number; why: string | undefined },
    time: number,
  ): void {
    const task = this.tasks.get(id);
    if (task?.attempt !== attempt || task.startedAt === 0) return;
    this.store.allRead(task);
    const detail = why === undefined ? undefined : { why };
    if (viewed + copied > 0) this.log.add(Row.argumentsRead, stepTime(task, time), id, viewed, copied, 0, 0, 0, detail);
  }

  #goOn(task: Task): void {
    this.calls.resumed(task);
    this.streams.resumed(task);
  }

  /** Starts and resumes what can be; call it after a batch of events. */
  run(time: number): void {
    this.#clock.now = time;
    this.store.run();
    this.dispatcher.run();
  }

  // ---------------------------------------------------------------- tasks

  submit(submission: Submission): void {
    const { client, id, parent, returns } = submission;
    // A nested task belongs to the cell of the task that submitted it.
    const parentTask = parent === 0 ? undefined : this.tasks.get(parent);
    submission.cell ??= parentTask?.cell;
    const task = newTask(submission, parent === 0 ? 0 : parentTask?.job || parent);
    this.tasks.set(id, task);
    this.log.add(Row.submitted, task.submittedAt, id, parent, 0, 0, 0, 0, this.#detailOf(task));
    if (parentTask !== undefined) {
      parentTask.children ??= new Set();
      parentTask.children.add(id);
    }
    this.directory.holdArguments(task);
    for (let index = 0; index < returns; index++) this.#createHeld(id + index, id, client);
    const failed = this.#awaitInputs(task);
    if (failed !== undefined) this.#failFromInput(task, failed);
    else if (parentTask?.cancelChildren === true) this.#attempts.end(task, "cancelled", failureOf("cancelled", task));
    else if (task.missing === 0) this.#becomeReady(task);
  }

  /** What the log says of a submission beside its numbers; tasks of one function that look alike share it. */
  #detailOf({ cell, definition, inputs, policy, preview, returns, stream }: Task): RowDetail {
    const { last } = definition;
    const alike = preview === undefined && inputs.length === 0;
    if (alike && last !== undefined && last.policy === policy && last.cell === cell) return last.detail;
    const { functionName } = definition;
    const cpus = (policy.shape.CPU ?? 0) / 10_000;
    const name = policy.name ?? `${functionName}(${preview ?? ""})`;
    // A stream's own number follows that of the task's object.
    const numbers = stream === undefined ? returns : 2;
    const detail: RowDetail = { name, functionName, cell, objects: inputs, returns: numbers, cpus };
    if (alike) definition.last = { policy, cell, detail };
    return detail;
  }

  #createHeld(id: number, task: number, client: number): StoredObject {
    this.dispatcher.workers.get(client)?.held.set(id, 1);
    return this.directory.create(id, task, 1);
  }

  /** Subscribes the task to inputs that are not there yet; returns an input that has failed already. */
  #awaitInputs(task: Task): StoredObject | undefined {
    for (const id of task.inputs) {
      const object = this.directory.find(id);
      object.looked = true;
      if (object.order === 0) {
        task.missing++;
        object.dependents ??= [];
        object.dependents.push(task);
      } else if (object.failure !== undefined) return object;
    }
    return undefined;
  }

  #inputReady(task: Task, object: StoredObject): void {
    if (task.state !== "waiting") return;
    // A follower that has begun has had the value, although it was to be let go of.
    const hasBegun = task.lane !== undefined && !(object.failure !== undefined && this.dispatcher.takeBack(task));
    if (object.failure !== undefined && !hasBegun) this.#failFromInput(task, object);
    else if (--task.missing === 0) {
      task.near = this.#attempts.reporting;
      this.#becomeReady(task);
    }
  }

  #failFromInput(task: Task, object: StoredObject): void {
    const failure = object.failure!;
    const own = hopOf(task);
    this.#attempts.forgetThrown(task);
    this.#attempts.end(task, "failed", {
      ...failure,
      message: failure.message || inputMessage(failure.kind),
      hops: [own, ...failure.hops],
    });
  }

  #becomeReady(task: Task): void {
    task.state = "ready";
    this.log.add(Row.ready, stepTime(task, this.#clock.now), task.id);
    this.dispatcher.addReady(task);
  }

  /** The first task that needs the task's value, where all it still needs is made on the task's lane. */
  #followerOf({ cancelRequested, id, lane, policy, returns, stream }: Task): Task | undefined {
    if (returns !== 1 || stream !== undefined || cancelRequested) return undefined;
    const follower = this.directory.objects.get(id)?.dependents?.[0];
    if (follower?.state !== "waiting" || follower.lane !== undefined) return undefined;
    if (follower.policy.shapeKey !== policy.shapeKey) return undefined;
    for (const input of follower.inputs) {
      const { failure, freed, order, task } = this.directory.find(input);
      if (failure !== undefined || freed) return undefined;
      const maker = order === 0 ? this.tasks.get(task) : undefined;
      if (order === 0 && (maker?.lane !== lane || maker?.returns !== 1 || maker.stream !== undefined)) return undefined;
    }
    return follower;
  }

  /** Inputs that were there may have been let go of since; the task fails then. */
  #mayStart(task: Task): boolean {
    for (const id of task.inputs) {
      const object = this.directory.objects.get(id)!;
      if (object.failure === undefined) continue;
      this.#failFromInput(task, object);
      return false;
    }
    return true;
  }

  /** A worker began the task. */
  started(id: number, time: number): void {
    this.#attempts.started(id, time);
  }

  /** When `look` has something to do; infinite where it has not. */
  get lookAt(): number {
    return Math.min(this.#attempts.overTimeAt, this.calls.checkAt);
  }

  /** Does what is to be done by this time although nothing has happened. */
  look(time: number): void {
    this.#clock.now = time;
    if (time >= this.#attempts.overTimeAt) this.#attempts.stopOverTime(time);
    if (time >= this.calls.checkAt) this.calls.refuseDeadlocks(time);
  }

  /** A worker has told a task that its time is over. */
  timeOver(id: number): void {
    this.#attempts.timeOver(id);
  }

  /** A worker skipped a task: it was taken back, or its turn came before its input was there. */
  dropped(worker: number, id: number, slot: number): void {
    const task = this.tasks.get(id);
    if (task?.worker?.index === worker && task.slot === slot) {
      this.store.allRead(task);
      this.dispatcher.declined(task);
    }
    this.dispatcher.workers.get(worker)?.freeSlots.push(slot);
  }

  /** An attempt ended on its worker. `blocks` are the values, or the one thing thrown. */
  finished(id: number, time: number, startedAt: number, executedAt: number, outcome: number, blocks: Block[]): void {
    this.#clock.now = time;
    this.#attempts.finished(id, time, startedAt, executedAt, outcome, blocks);
  }

  // ---------------------------------------------------------------- cancelling

  /** Cancels the task that makes an object; finished tasks and put objects are left alone. */
  cancel(object: number, force: boolean, recursive: boolean, time: number): void {
    this.#clock.now = time;
    const id = this.directory.objects.get(object)?.task ?? object;
    const task = this.tasks.get(id);
    if (task !== undefined) this.#cancelTask(task, force, recursive);
  }

  /** Cancels all unfinished tasks that a cell submitted. */
  cancelCell(cell: string, time: number): void {
    this.#clock.now = time;
    // The end of one may be the end of others that needed its value.
    for (const task of [...this.tasks.values()])
      if (task.cell === cell && this.tasks.has(task.id)) this.#cancelTask(task, false, true);
  }

  #cancelTask(task: Task, force: boolean, recursive: boolean): void {
    const children = recursive && task.children !== undefined ? [...task.children] : [];
    const running = task.worker !== undefined && !this.dispatcher.takeBack(task);
    if (running) {
      task.cancelRequested = true;
      task.cancelChildren ||= recursive;
      this.#effects.cancelOnWorker(task);
      if (force) this.#effects.stopTask(task);
    } else this.#attempts.end(task, "cancelled", failureOf("cancelled", task));
    for (const id of children) {
      const child = this.tasks.get(id);
      if (child !== undefined) this.#cancelTask(child, force, recursive);
    }
  }

  // ---------------------------------------------------------------- objects

  put(id: number, block: Block, client: number, task: number, cell: string | undefined, time: number): void {
    this.#clock.now = time;
    this.directory.seal(this.#createHeld(id, 0, client), block, undefined);
    this.log.add(Row.put, time, id, task, block.size, 0, 0, 0, cell === undefined ? undefined : { cell });
  }

  /** Lets an object's value go although refs may remain. Tasks that would have read it and have not begun will fail. */
  free(id: number, time: number): void {
    this.#clock.now = time;
    for (const worker of this.dispatcher.workers.values())
      for (const task of [...worker.lanes].flatMap((lane) => [...lane.tasks]))
        if (task.inputs.includes(id) && this.dispatcher.takeBack(task) && task.state === "ready")
          this.dispatcher.putBack(task);
    this.directory.free(id);
  }

  subscribe(client: number, id: number): void {
    const object = this.directory.find(id);
    object.looked = true;
    if (object.order !== 0) this.#effects.ready(client, object);
    else {
      object.subscribers ??= [];
      object.subscribers.push(client);
    }
  }

  // ---------------------------------------------------------------- workers

  /** A worker's thread starts; it takes tasks once it is up. */
  workerStarts(index: number, slots: number, time: number): void {
    const freeSlots = Array.from({ length: slots }, (_, slot) => slots - 1 - slot);
    this.dispatcher.workers.set(index, {
      index,
      up: false,
      lanes: new Set(),
      suspended: new Set(),
      held: new Map(),
      viewed: new Set(),
      freeSlots,
      lastUsed: 0,
      calls: undefined,
      retiring: false,
    });
    this.log.add(Row.workerStarted, time, 0, index);
  }

  /** A worker has loaded. */
  workerUp(index: number): void {
    const worker = this.dispatcher.workers.get(index);
    if (worker !== undefined) worker.up = true;
  }

  /** A worker's thread ended. What it had not started goes to others; what it ran is tried again or fails. */
  workerDown(
    index: number,
    reason: "shutdown" | "crash" | "outOfMemory" | "recycled" | "cancelled",
    time: number,
    thrown = "",
  ): void {
    this.#clock.now = time;
    const worker = this.dispatcher.workers.get(index);
    if (worker === undefined) return;
    worker.up = false;
    this.dispatcher.workers.delete(index);
    this.log.add(Row.workerExited, time, 0, index, 0, 0, 0, 0, { reason });
    const lost = [...worker.suspended, ...[...worker.lanes].flatMap((lane) => [...lane.tasks])];
    for (const task of lost) this.#attempts.lost(task, worker, reason, thrown);
    this.calls.forgetClient(index);
    this.holds.releaseAll(worker);
    for (const task of this.tasks.values()) {
      if (task.stream === undefined || task.client !== index || !this.tasks.has(task.id)) continue;
      // A stream has one reader, and it is gone.
      this.#cancelTask(task, false, true);
      this.streams.close(task.id);
    }
  }

  /** How much of everything is remembered; nothing once all tasks have ended and all refs are gone. */
  census(): Record<string, number> {
    return {
      tasks: this.tasks.size,
      objects: this.directory.objects.size,
      "open calls": this.calls.size,
      "queued tasks": this.dispatcher.queued,
      "stored values": this.store.size,
    };
  }

  /** Amounts of each resource that no task holds now, and the free bytes of the object store. */
  availableResources(): Record<string, number> {
    return { ...amountsOf(this.dispatcher.available), objectStoreMemory: this.#effects.freeBytes() };
  }
}
