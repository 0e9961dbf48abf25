import { IdTable } from "../id-table.ts";
import { workerIdText } from "../ids.ts";
import { amountsOf, type ResourceShape } from "../options.ts";
import type { Block } from "./block.ts";
import { CallDesk } from "./call-desk.ts";
import { Dispatcher } from "./dispatcher.ts";
import type { Effects } from "./effects.ts";
import { type EventLog, Row, type RowDetail } from "./event-log.ts";
import { failureOf, hopOf, inputMessage } from "./failures.ts";
import { ObjectDirectory } from "./object-directory.ts";
import { TaskOk, TaskThrewRetryable, TaskTimedOut, TaskWasCancelled } from "./protocol.ts";
import type { Failure, FailureKind, StoredObject, Task, WorkerRecord } from "./records.ts";
import { learnDuration, newTask, type Submission } from "./records.ts";

const NO_OBJECTS: readonly StoredObject[] = [];

export class Scheduler {
  readonly directory: ObjectDirectory;
  readonly dispatcher: Dispatcher;
  readonly tasks = new IdTable<Task>();
  readonly log: EventLog;
  readonly #effects: Effects;
  /** Every `get` and `wait` that has not returned. */
  readonly calls: CallDesk;
  #sequence = 0;
  readonly #clock = { now: 0 };

  constructor(totals: ResourceShape, effects: Effects, log: EventLog) {
    this.#effects = effects;
    this.log = log;
    this.directory = new ObjectDirectory({
      ready: (client, object) => effects.ready(client, object),
      freeMemory: (block) => effects.freeMemory(block),
      inputReady: (task, object) => this.#inputReady(task, object),
      callProgress: (call, index, object) => this.calls.progress(call, index, object),
      unlooked: (failure) => effects.unlooked(failure),
    });
    this.dispatcher = new Dispatcher(totals, {
      dispatch: (task, lane) =>
        effects.dispatch(
          task,
          lane,
          task.inputs.length === 0 ? NO_OBJECTS : task.inputs.map((id) => this.directory.objects.get(id)!),
        ),
      revoke: (task) => effects.revoke(task),
      resumed: (task) => this.calls.resumed(task),
    });
    this.calls = new CallDesk({
      effects,
      log,
      directory: this.directory,
      dispatcher: this.dispatcher,
      clock: this.#clock,
      task: (id) => this.tasks.get(id),
      object: (id) => this.directory.find(id),
    });
  }

  /** Starts and resumes what can be; call it after a batch of events. */
  run(time: number): void {
    this.#clock.now = time;
    this.dispatcher.run();
  }

  // ---------------------------------------------------------------- tasks

  submit(submission: Submission): void {
    const { client, id, parent, returns } = submission;
    // A nested task belongs to the cell of the task that submitted it.
    const parentTask = parent === 0 ? undefined : this.tasks.get(parent);
    submission.cell ??= parentTask?.cell;
    const task = newTask(submission, this.#sequence++);
    this.tasks.set(id, task);
    this.log.add(Row.submitted, task.submittedAt, id, parent, 0, 0, 0, 0, this.#detailOf(task));
    if (parentTask !== undefined) {
      parentTask.children ??= new Set();
      parentTask.children.add(id);
    }
    this.directory.holdAll(task.args.refs);
    for (let index = 0; index < returns; index++) this.#createHeld(id + index, id, client);
    const failed = this.#awaitInputs(task);
    if (failed !== undefined) this.#failFromInput(task, failed);
    else if (parentTask?.cancelRequested === true) this.#end(task, "cancelled", failureOf("cancelled", task));
    else if (task.missing === 0) this.#becomeReady(task);
  }

  /** What the log says of a submission beside its numbers; tasks of one function that look alike share it. */
  #detailOf({ cell, definition, inputs, policy, preview, returns }: Task): RowDetail {
    const { last } = definition;
    const alike = preview === undefined && inputs.length === 0;
    if (alike && last !== undefined && last.policy === policy && last.cell === cell) return last.detail;
    const { functionName } = definition;
    const cpus = (policy.shape.CPU ?? 0) / 10_000;
    const name = policy.name ?? `${functionName}(${preview ?? ""})`;
    const detail: RowDetail = { name, functionName, cell, objects: inputs, returns, cpus };
    if (alike) definition.last = { policy, cell, detail };
    return detail;
  }

  #createHeld(id: number, task: number, client: number): StoredObject {
    this.dispatcher.workers.get(client)?.held.add(id);
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
    if (object.failure !== undefined) this.#failFromInput(task, object);
    else if (--task.missing === 0) this.#becomeReady(task);
  }

  #failFromInput(task: Task, object: StoredObject): void {
    const failure = object.failure!;
    const own = hopOf(task);
    this.#end(task, "failed", {
      ...failure,
      message: failure.message || inputMessage(failure.kind),
      hops: [own, ...failure.hops],
    });
  }

  #becomeReady(task: Task): void {
    task.state = "ready";
    this.log.add(Row.ready, this.#clock.now || task.submittedAt, task.id);
    this.dispatcher.addReady(task);
  }

  /** A worker began the task. */
  started(id: number, time: number): void {
    const task = this.tasks.get(id);
    if (task === undefined || task.worker === undefined) return;
    task.startedAt = time;
    if (task.slot >= 0) task.worker.freeSlots.push(task.slot);
    task.slot = -1;
    task.state = "running";
    this.log.add(Row.started, time, id, task.worker.index, task.attempt);
  }

  /** A worker skipped a task that was taken back from it. */
  dropped(worker: number, slot: number): void {
    this.dispatcher.workers.get(worker)?.freeSlots.push(slot);
  }

  /** An attempt ended on its worker. `blocks` are the values, or the one thing thrown. */
  finished(id: number, time: number, startedAt: number, executedAt: number, outcome: number, blocks: Block[]): void {
    this.#clock.now = time;
    const task = this.tasks.get(id);
    if (task === undefined || task.worker === undefined) return;
    const worker = task.worker;
    this.#leaveWorker(task);
    if (outcome === TaskOk) {
      learnDuration(task.definition, time - startedAt);
      let size = 0;
      for (const block of blocks) size += block.size;
      this.log.add(Row.finished, time, id, worker.index, task.attempt, startedAt, executedAt, size);
      this.#complete(task, "finished");
      for (let index = 0; index < task.returns; index++) this.#sealReturn(id + index, blocks[index], undefined);
      return;
    }
    this.#attemptFailed(task, worker, startedAt, executedAt, outcome, blocks);
  }

  #attemptFailed(
    task: Task,
    worker: WorkerRecord,
    startedAt: number,
    executedAt: number,
    outcome: number,
    blocks: Block[],
  ): void {
    const thrown = blocks[0];
    if (outcome === TaskWasCancelled || (task.cancelRequested && outcome !== TaskTimedOut)) {
      this.log.add(Row.cancelled, this.#clock.now, task.id, worker.index, task.attempt, startedAt, executedAt);
      this.#end(task, "cancelled", failureOf("cancelled", task), true);
      return;
    }
    const retry = outcome === TaskThrewRetryable && task.retriesLeft > 0;
    const error =
      blocks[1] === undefined ? { name: "TaskTimeoutError", message: "" } : this.#effects.describe(blocks[1]);
    this.#logFailure(task, worker, startedAt, executedAt, retry, error);
    if (retry) {
      if (thrown !== undefined) task.attempts = [...task.attempts, thrown];
      this.#retry(task);
      return;
    }
    const kind: FailureKind = outcome === TaskTimedOut ? "timeout" : "thrown";
    const failure = failureOf(kind, task, thrown, worker);
    this.#end(task, "failed", { ...failure, message: `${error.name}: ${error.message}` }, true);
  }

  #logFailure(
    { attempt, id }: Task,
    worker: WorkerRecord,
    startedAt: number,
    executedAt: number,
    retry: boolean,
    error: { name: string; message: string },
  ): void {
    const willRetry = retry ? 1 : 0;
    this.log.add(Row.failed, this.#clock.now, id, worker.index, attempt, startedAt, executedAt, willRetry, { error });
  }

  #retry(task: Task): void {
    task.retriesLeft--;
    task.attempt++;
    task.startedAt = 0;
    task.state = "ready";
    task.worker = undefined;
    this.log.add(Row.ready, this.#clock.now, task.id);
    this.dispatcher.addReady(task);
  }

  #leaveWorker(task: Task): void {
    if (task.worker !== undefined && task.worker.suspended.size > 0) task.worker.suspended.delete(task);
    this.dispatcher.leaveLane(task);
    this.calls.forgetTask(task);
    if (task.slot >= 0 && task.worker !== undefined) task.worker.freeSlots.push(task.slot);
    task.slot = -1;
  }

  /** Ends a task without a value: all its objects fail. */
  #end(task: Task, state: "failed" | "cancelled", failure: Failure, logged = false): void {
    if (!logged) {
      if (state === "cancelled") this.log.add(Row.cancelled, this.#clock.now, task.id, 0, task.attempt);
      else
        this.log.add(Row.failed, this.#clock.now, task.id, 0, task.attempt, 0, 0, 0, {
          error: { name: failure.kind, message: failure.message },
        });
    }
    this.#complete(task, state);
    for (let index = 0; index < task.returns; index++) this.#sealReturn(task.id + index, undefined, failure);
  }

  #sealReturn(id: number, block: Block | undefined, failure: Failure | undefined): void {
    const object = this.directory.objects.get(id);
    if (object === undefined) {
      if (block !== undefined && block.locators.length > 0) this.#effects.freeMemory(block);
      return;
    }
    this.directory.seal(object, block, failure);
  }

  #complete(task: Task, state: "finished" | "failed" | "cancelled"): void {
    task.state = state;
    this.tasks.delete(task.id);
    if (task.parent !== 0) this.tasks.get(task.parent)?.children?.delete(task.id);
    this.directory.releaseBlock(task.args);
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
    for (const task of [...this.tasks.values()]) if (task.cell === cell) this.#cancelTask(task, false, true);
  }

  #cancelTask(task: Task, force: boolean, recursive: boolean): void {
    const children = recursive && task.children !== undefined ? [...task.children] : [];
    const running = task.worker !== undefined && !this.dispatcher.takeBack(task);
    if (running) {
      task.cancelRequested = true;
      this.#effects.cancelOnWorker(task);
      if (force) this.#effects.endWorker(task.worker!.index, "cancelled");
    } else this.#end(task, "cancelled", failureOf("cancelled", task));
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

  hold(client: number, id: number): void {
    const held = this.dispatcher.workers.get(client)?.held;
    if (held?.has(id)) return;
    if (this.directory.objects.has(id)) held?.add(id);
    this.directory.hold(id);
  }

  release(client: number, id: number): void {
    this.dispatcher.workers.get(client)?.held.delete(id);
    this.directory.release(id);
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

  workerUp(index: number, slots: number, time: number): void {
    const freeSlots = Array.from({ length: slots }, (_, slot) => slots - 1 - slot);
    this.dispatcher.workers.set(index, {
      index,
      up: true,
      lanes: new Set(),
      suspended: new Set(),
      held: new Set(),
      freeSlots,
      lastUsed: 0,
    });
    this.log.add(Row.workerStarted, time, 0, index);
  }

  /** A worker's thread ended. What it had not started goes to others; what it ran is tried again or fails. */
  workerDown(
    index: number,
    reason: "shutdown" | "crash" | "outOfMemory" | "recycled" | "cancelled",
    time: number,
  ): void {
    this.#clock.now = time;
    const worker = this.dispatcher.workers.get(index);
    if (worker === undefined) return;
    worker.up = false;
    this.dispatcher.workers.delete(index);
    this.log.add(Row.workerExited, time, 0, index, 0, 0, 0, 0, { reason });
    const lost = [...worker.suspended, ...[...worker.lanes].flatMap((lane) => [...lane.tasks])];
    for (const task of lost) this.#lostWithWorker(task, worker, reason);
    this.calls.forgetClient(index);
    for (const id of worker.held) this.directory.release(id);
  }

  #lostWithWorker(task: Task, worker: WorkerRecord, reason: string): void {
    const started = task.startedAt > 0;
    const { startedAt } = task;
    this.#leaveWorker(task);
    task.worker = undefined;
    if (!started) {
      this.dispatcher.addReady(task, true);
      return;
    }
    if (task.cancelRequested) {
      this.log.add(Row.cancelled, this.#clock.now, task.id, worker.index, task.attempt, startedAt, startedAt);
      this.#end(task, "cancelled", failureOf("cancelled", task, undefined, worker), true);
      return;
    }
    const retry = task.retriesLeft > 0;
    const kind: FailureKind = reason === "outOfMemory" ? "outOfMemory" : "crashed";
    const error = {
      name: kind === "crashed" ? "WorkerCrashedError" : "OutOfMemoryError",
      message: `worker ${workerIdText(worker.index)} ended`,
    };
    this.#logFailure(task, worker, startedAt, startedAt, retry, error);
    if (retry) this.#retry(task);
    else this.#end(task, "failed", failureOf(kind, task, undefined, worker), true);
  }

  /** Amounts of each resource that no task holds now. */
  availableResources(): Record<string, number> {
    return amountsOf(this.dispatcher.available);
  }
}
