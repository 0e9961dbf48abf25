/**
 * The scheduler: what happens to tasks and objects when something happens. A pure state machine: events come in as
 * method calls with their time, effects go out through `Effects`, and nothing else is touched; so a simulation can
 * drive it. Semantics are Ray Core's where the public contract does not say otherwise.
 */
import type { TaskHop } from "../errors.ts";
import { taskIdText, workerIdText } from "../ids.ts";
import { amountsOf, type ResourceShape } from "../options.ts";
import type { Block } from "./block.ts";
import { Dispatcher } from "./dispatcher.ts";
import { type EventLog, Row } from "./event-log.ts";
import { ObjectDirectory } from "./object-directory.ts";
import {
  CallFailed,
  CallInterrupted,
  CallOk,
  CallTimeout,
  TaskOk,
  TaskThrewRetryable,
  TaskTimedOut,
  TaskWasCancelled,
} from "./protocol.ts";
import type {
  Call,
  Definition,
  Failure,
  FailureKind,
  Lane,
  Policy,
  StoredObject,
  Task,
  WorkerRecord,
} from "./records.ts";

const _DRIVER = 0;

/** What the scheduler makes happen. */
export interface Effects {
  /** Sends the task and its inputs to the lane's worker; false when there is no room at present. */
  dispatch(task: Task, lane: Lane, inputs: readonly StoredObject[]): boolean;
  /** Takes a task back that its worker has not started; false when it has. */
  revoke(task: Task): boolean;
  /** Asks the task's worker to cancel it: its awaits reject and its signal aborts. */
  cancelOnWorker(task: Task): void;
  /** Ends a worker's thread and has it replaced; `workerDown` follows. */
  endWorker(worker: number, reason: "cancelled"): void;
  value(client: number, call: number, index: number, object: StoredObject): void;
  callDone(client: number, call: number, outcome: number): void;
  ready(client: number, object: StoredObject): void;
  freeMemory(block: Block): void;
  /** Name and message out of the second block of a failed attempt, for the event log. */
  describe(summary: Block): { name: string; message: string };
}

/** A task as it arrives. */
export interface Submission {
  id: number;
  definition: Definition;
  policy: Policy;
  args: Block;
  inputs: readonly number[];
  returns: number;
  parent: number;
  cell: string | undefined;
  name: string;
  client: number;
  time: number;
}

export class Scheduler {
  readonly directory: ObjectDirectory;
  readonly dispatcher: Dispatcher;
  readonly tasks = new Map<number, Task>();
  readonly log: EventLog;
  readonly #effects: Effects;
  readonly #calls = new Map<string, Call>();
  #sequence = 0;
  #now = 0;

  constructor(totals: ResourceShape, effects: Effects, log: EventLog) {
    this.#effects = effects;
    this.log = log;
    this.directory = new ObjectDirectory({
      ready: (client, object) => effects.ready(client, object),
      freeMemory: (block) => effects.freeMemory(block),
      inputReady: (task, object) => this.#inputReady(task, object),
      callProgress: (call, index, object) => this.#callProgress(call, index, object),
    });
    this.dispatcher = new Dispatcher(totals, {
      dispatch: (task, lane) =>
        this.#effects.dispatch(
          task,
          lane,
          task.inputs.map((id) => this.directory.objects.get(id)!),
        ),
      revoke: (task) => effects.revoke(task),
      resumed: (task) => this.#resumed(task),
    });
  }

  /** Starts and resumes what can be; call it after a batch of events. */
  run(time: number): void {
    this.#now = time;
    this.dispatcher.run();
  }

  // ---------------------------------------------------------------- tasks

  submit(submission: Submission): void {
    const { id, definition, policy, inputs, returns, parent, client, time } = submission;
    const task: Task = {
      id,
      sequence: this.#sequence++,
      definition,
      policy,
      args: submission.args,
      inputs,
      returns,
      parent,
      // A nested task belongs to the cell of the task that submitted it.
      cell: submission.cell ?? this.tasks.get(parent)?.cell,
      name: submission.name,
      client,
      submittedAt: time,
      state: "waiting",
      missing: 0,
      attempt: 0,
      retriesLeft: policy.maxRetries < 0 ? Number.POSITIVE_INFINITY : policy.maxRetries,
      lane: undefined,
      worker: undefined,
      slot: -1,
      startedAt: 0,
      openCalls: 0,
      cancelRequested: false,
      attempts: [],
      children: undefined,
    };
    this.tasks.set(id, task);
    this.#recordSubmission(task);
    if (parent !== 0) this.#adopt(parent, id);
    this.directory.holdAll(task.args.refs);
    for (let index = 0; index < returns; index++) this.#createHeld(id + index, id, client);
    const failed = this.#awaitInputs(task);
    if (failed !== undefined) this.#failFromInput(task, failed);
    else if (this.tasks.get(parent)?.cancelRequested) this.#end(task, "cancelled", this.#failure("cancelled", task));
    else if (task.missing === 0) this.#becomeReady(task);
  }

  #recordSubmission(task: Task): void {
    this.log.add(Row.submitted, task.submittedAt, task.id, task.parent, 0, 0, 0, 0, {
      name: task.name,
      functionName: task.definition.functionName,
      cell: task.cell,
      objects: task.inputs,
      returns: task.returns,
      cpus: (task.policy.shape.CPU ?? 0) / 10_000,
    });
  }

  #adopt(parent: number, child: number): void {
    const task = this.tasks.get(parent);
    if (task !== undefined) {
      task.children ??= new Set();
      task.children.add(child);
    }
  }

  #createHeld(id: number, task: number, client: number): StoredObject {
    this.dispatcher.workers.get(client)?.held.add(id);
    return this.directory.create(id, task, 1);
  }

  /** Subscribes the task to inputs that are not there yet; returns an input that has failed already. */
  #awaitInputs(task: Task): StoredObject | undefined {
    for (const id of task.inputs) {
      const object = this.directory.objects.get(id) ?? this.#lostObject(id);
      object.looked = true;
      if (object.order === 0) {
        task.missing++;
        object.dependents ??= [];
        object.dependents.push(task);
      } else if (object.failure !== undefined) return object;
    }
    return undefined;
  }

  #lostObject(id: number): StoredObject {
    const object = this.directory.create(id, 0, 1);
    this.directory.seal(
      object,
      undefined,
      { kind: "lost", message: "", hops: [], cause: undefined, attempts: [] },
      this.#now,
    );
    return object;
  }

  #inputReady(task: Task, object: StoredObject): void {
    if (task.state !== "waiting") return;
    if (object.failure !== undefined) this.#failFromInput(task, object);
    else if (--task.missing === 0) this.#becomeReady(task);
  }

  #failFromInput(task: Task, object: StoredObject): void {
    const failure = object.failure!;
    const own = this.#hop(task);
    this.#end(task, "failed", {
      ...failure,
      message: failure.message || objectMessage(failure.kind),
      hops: [own, ...failure.hops],
    });
  }

  #becomeReady(task: Task): void {
    task.state = "ready";
    this.log.add(Row.ready, this.#now || task.submittedAt, task.id);
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
    this.#now = time;
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
      for (let index = 0; index < task.returns; index++) this.#sealReturn(id + index, blocks[index], undefined, time);
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
      this.log.add(Row.cancelled, this.#now, task.id, worker.index, task.attempt, startedAt, executedAt);
      this.#end(task, "cancelled", this.#failure("cancelled", task), true);
      return;
    }
    const retry = outcome === TaskThrewRetryable && task.retriesLeft > 0;
    const error =
      blocks[1] === undefined ? { name: "TaskTimeoutError", message: "" } : this.#effects.describe(blocks[1]);
    this.log.add(Row.failed, this.#now, task.id, worker.index, task.attempt, startedAt, executedAt, retry ? 1 : 0, {
      error,
    });
    if (retry) {
      if (thrown !== undefined) task.attempts.push(thrown);
      this.#retry(task);
      return;
    }
    const kind: FailureKind = outcome === TaskTimedOut ? "timeout" : "thrown";
    this.#end(task, "failed", this.#failure(kind, task, thrown, worker), true);
  }

  #retry(task: Task): void {
    task.retriesLeft--;
    task.attempt++;
    task.startedAt = 0;
    task.state = "ready";
    task.worker = undefined;
    this.log.add(Row.ready, this.#now, task.id);
    this.dispatcher.addReady(task);
  }

  #leaveWorker(task: Task): void {
    task.worker?.suspended.delete(task);
    this.dispatcher.leaveLane(task);
    if (task.openCalls > 0) {
      for (const [key, call] of this.#calls) if (call.task === task) this.#calls.delete(key);
      task.openCalls = 0;
    }
    if (task.slot >= 0 && task.worker !== undefined) task.worker.freeSlots.push(task.slot);
    task.slot = -1;
  }

  /** Ends a task without a value: all its objects fail. */
  #end(task: Task, state: "failed" | "cancelled", failure: Failure, logged = false): void {
    if (!logged) {
      if (state === "cancelled") this.log.add(Row.cancelled, this.#now, task.id, 0, task.attempt);
      else
        this.log.add(Row.failed, this.#now, task.id, 0, task.attempt, 0, 0, 0, {
          error: { name: failure.kind, message: failure.message },
        });
    }
    this.#complete(task, state);
    for (let index = 0; index < task.returns; index++) this.#sealReturn(task.id + index, undefined, failure, this.#now);
  }

  #sealReturn(id: number, block: Block | undefined, failure: Failure | undefined, time: number): void {
    const object = this.directory.objects.get(id);
    if (object === undefined) {
      if (block !== undefined && block.locators.length > 0) this.#effects.freeMemory(block);
      return;
    }
    this.directory.seal(object, block, failure, time);
  }

  #complete(task: Task, state: "finished" | "failed" | "cancelled"): void {
    task.state = state;
    this.tasks.delete(task.id);
    this.tasks.get(task.parent)?.children?.delete(task.id);
    this.directory.releaseBlock(task.args);
  }

  #failure(kind: FailureKind, task: Task, cause?: Block, worker?: WorkerRecord): Failure {
    return { kind, message: "", hops: [this.#hop(task, worker)], cause, attempts: task.attempts };
  }

  #hop(task: Task, worker = task.worker): TaskHop {
    return {
      taskId: taskIdText(task.id),
      taskName: task.name,
      functionName: task.definition.functionName,
      attempt: task.attempt,
      ...(worker === undefined ? {} : { workerId: workerIdText(worker.index) }),
      ...(task.cell === undefined ? {} : { cell: task.cell }),
    };
  }

  // ---------------------------------------------------------------- cancelling

  /** Cancels the task that makes an object; finished tasks and put objects are left alone. */
  cancel(object: number, force: boolean, recursive: boolean, time: number): void {
    this.#now = time;
    const id = this.directory.objects.get(object)?.task ?? object;
    const task = this.tasks.get(id);
    if (task !== undefined) this.#cancelTask(task, force, recursive);
  }

  /** Cancels all unfinished tasks that a cell submitted. */
  cancelCell(cell: string, time: number): void {
    this.#now = time;
    for (const task of [...this.tasks.values()]) if (task.cell === cell) this.#cancelTask(task, false, true);
  }

  #cancelTask(task: Task, force: boolean, recursive: boolean): void {
    const children = recursive && task.children !== undefined ? [...task.children] : [];
    const running = task.worker !== undefined && !this.dispatcher.takeBack(task);
    if (running) {
      task.cancelRequested = true;
      this.#effects.cancelOnWorker(task);
      if (force) this.#effects.endWorker(task.worker!.index, "cancelled");
    } else this.#end(task, "cancelled", this.#failure("cancelled", task));
    for (const id of children) {
      const child = this.tasks.get(id);
      if (child !== undefined) this.#cancelTask(child, force, recursive);
    }
  }

  // ---------------------------------------------------------------- objects

  put(id: number, block: Block, client: number, task: number, cell: string | undefined, time: number): void {
    this.#now = time;
    this.directory.seal(this.#createHeld(id, 0, client), block, undefined, time);
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
    const object = this.directory.objects.get(id) ?? this.#lostObject(id);
    object.looked = true;
    if (object.order !== 0) this.#effects.ready(client, object);
    else {
      object.subscribers ??= [];
      object.subscribers.push(client);
    }
  }

  // ---------------------------------------------------------------- get and wait

  /** A `get` began: its values go to the client as they come, then the call is done. `poll` answers at once. */
  get(
    client: number,
    id: number,
    taskId: number,
    objects: number[],
    flags: { settled: boolean; poll: boolean },
    detail: { cell: string | undefined; timeout: number | undefined; time: number },
  ): void {
    this.#now = detail.time;
    const call = this.#openCall(client, id, "get", taskId, objects, flags.settled);
    this.#recordCall(call, taskId, objects, objects.length, 0, detail);
    for (let index = 0; index < objects.length && !call.done; index++) {
      const object = this.directory.objects.get(objects[index]!) ?? this.#lostObject(objects[index]!);
      object.looked = true;
      if (object.order !== 0) this.#callProgress(call, index, object);
      else {
        object.calls ??= [];
        object.calls.push({ call, index });
      }
    }
    if (objects.length === 0) this.#callOver(call, CallOk);
    if (flags.poll) this.#callOver(call, CallTimeout);
  }

  #openCall(
    client: number,
    id: number,
    kind: "get" | "wait",
    taskId: number,
    objects: number[],
    settled: boolean,
  ): Call {
    const task = taskId === 0 ? undefined : this.tasks.get(taskId);
    const call: Call = {
      id,
      client,
      kind,
      task,
      objects,
      settled,
      remaining: objects.length,
      outcome: CallOk,
      done: false,
    };
    this.#calls.set(`${client}:${id}`, call);
    if (task !== undefined) this.#suspend(task);
    return call;
  }

  #recordCall(
    call: Call,
    task: number,
    objects: readonly number[],
    total: number,
    numReturns: number,
    detail: { cell: string | undefined; timeout: number | undefined; time: number },
  ): void {
    this.log.add(
      Row.callStarted,
      detail.time,
      callNumber(call),
      task,
      call.kind === "wait" ? 1 : 0,
      total,
      numReturns,
      0,
      {
        objects: objects.slice(0, 64),
        cell: detail.cell,
        timeout: detail.timeout,
      },
    );
  }

  #callProgress(call: Call, index: number, object: StoredObject): void {
    if (call.done) return;
    this.#effects.value(call.client, call.id, index, object);
    if (object.failure !== undefined && !call.settled) this.#callOver(call, CallFailed);
    else if (--call.remaining === 0) this.#callOver(call, CallOk);
  }

  /** The call is decided; its task gets its slot back first. */
  #callOver(call: Call, outcome: number): void {
    if (call.done) return;
    call.done = true;
    call.outcome = outcome;
    if (call.kind === "get") {
      this.log.add(Row.callReturned, this.#now, callNumber(call), 0, 0, call.objects.length, call.remaining, 0, {
        objects: call.objects.slice(0, 64),
        outcome: outcomeName(outcome),
      });
    }
    if (call.remaining > 0 && call.kind === "get") this.#forgetWaiting(call);
    const { task } = call;
    if (task === undefined || task.state !== "running") {
      this.#finishCall(call);
      return;
    }
    task.openCalls--;
    if (task.openCalls > 0) this.#finishCall(call);
    else this.dispatcher.addResuming(task);
  }

  #forgetWaiting(call: Call): void {
    for (const id of call.objects) {
      const object = this.directory.objects.get(id);
      if (object?.calls !== undefined) object.calls = object.calls.filter((entry) => entry.call !== call);
    }
  }

  #finishCall(call: Call): void {
    this.#calls.delete(`${call.client}:${call.id}`);
    this.#effects.callDone(call.client, call.id, call.outcome);
  }

  /** The task awaits something: its slot goes to others. */
  #suspend(task: Task): void {
    task.openCalls++;
    if (task.openCalls > 1 || task.lane === undefined) return;
    this.log.add(Row.blocked, this.#now, task.id);
    this.dispatcher.leaveLane(task);
    task.worker?.suspended.add(task);
  }

  #resumed(task: Task): void {
    this.log.add(Row.resumed, this.#now, task.id);
    for (const call of [...this.#calls.values()]) if (call.task === task && call.done) this.#finishCall(call);
  }

  /** The client gave up waiting: its time was over or its signal aborted. */
  abandon(client: number, id: number, outcome: number, time: number): void {
    this.#now = time;
    const call = this.#calls.get(`${client}:${id}`);
    if (call !== undefined) this.#callOver(call, outcome);
  }

  waitBegin(
    client: number,
    id: number,
    taskId: number,
    objects: number[],
    total: number,
    numReturns: number,
    detail: { cell: string | undefined; timeout: number | undefined; time: number },
  ): void {
    this.#now = detail.time;
    const call = this.#openCall(client, id, "wait", taskId, [], false);
    this.#recordCall(call, taskId, objects, total, numReturns, detail);
  }

  waitEnd(
    client: number,
    id: number,
    ready: number[],
    total: number,
    pending: number,
    outcome: number,
    time: number,
  ): void {
    this.#now = time;
    const call = this.#calls.get(`${client}:${id}`);
    if (call === undefined) return;
    this.log.add(Row.callReturned, time, callNumber(call), 0, 1, total, pending, 0, {
      objects: ready,
      outcome: outcomeName(outcome),
    });
    this.#callOver(call, outcome);
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
    this.#now = time;
    const worker = this.dispatcher.workers.get(index);
    if (worker === undefined) return;
    worker.up = false;
    this.dispatcher.workers.delete(index);
    this.log.add(Row.workerExited, time, 0, index, 0, 0, 0, 0, { reason });
    const lost = [...worker.suspended, ...[...worker.lanes].flatMap((lane) => lane.tasks)];
    for (const task of lost) this.#lostWithWorker(task, worker, reason);
    for (const [key, call] of this.#calls) if (call.client === index) this.#calls.delete(key);
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
      this.log.add(Row.cancelled, this.#now, task.id, worker.index, task.attempt, startedAt, startedAt);
      this.#end(task, "cancelled", this.#failure("cancelled", task, undefined, worker), true);
      return;
    }
    const retry = task.retriesLeft > 0;
    const kind: FailureKind = reason === "outOfMemory" ? "outOfMemory" : "crashed";
    const error = {
      name: kind === "crashed" ? "WorkerCrashedError" : "OutOfMemoryError",
      message: `worker ${workerIdText(worker.index)} ended`,
    };
    this.log.add(Row.failed, this.#now, task.id, worker.index, task.attempt, startedAt, startedAt, retry ? 1 : 0, {
      error,
    });
    if (retry) this.#retry(task);
    else this.#end(task, "failed", this.#failure(kind, task, undefined, worker), true);
  }

  /** Amounts of each resource that no task holds now. */
  availableResources(): Record<string, number> {
    return amountsOf(this.dispatcher.available);
  }
}

const callNumber = (call: Call): number => call.client * 2 ** 32 + call.id;

const outcomeName = (outcome: number): "ok" | "failed" | "timeout" | "interrupted" =>
  outcome === CallOk
    ? "ok"
    : outcome === CallFailed
      ? "failed"
      : outcome === CallTimeout
        ? "timeout"
        : outcome === CallInterrupted
          ? "interrupted"
          : "ok";

const objectMessage = (kind: FailureKind): string =>
  kind === "freed" ? "an input was freed" : kind === "lost" ? "an input is not known to this runtime" : "";

/** Learns how long calls of a function hold their slot. Recent calls count most. */
function learnDuration(definition: Definition, ms: number): void {
  definition.meanMs = definition.meanMs === undefined ? ms : definition.meanMs * 0.8 + ms * 0.2;
}
