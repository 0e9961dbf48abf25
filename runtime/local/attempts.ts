/** A task from its first attempt to its end: started on a worker, finished, failed, tried again, lost with its worker. */
import type { IdTable } from "../id-table.ts";
import { workerIdText } from "../ids.ts";
import type { Block } from "./block.ts";
import type { CallDesk } from "./call-desk.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { Effects } from "./effects.ts";
import { type EventLog, Row } from "./event-log.ts";
import { failureOf } from "./failures.ts";
import type { ObjectDirectory } from "./object-directory.ts";
import { TaskOk, TaskThrewRetryable, TaskTimedOut, TaskWasCancelled } from "./protocol.ts";
import {
  type Failure,
  type FailureKind,
  learnDuration,
  NO_ATTEMPTS,
  stepTime,
  type Task,
  type WorkerRecord,
} from "./records.ts";
import type { StoreDesk } from "./store-desk.ts";
import type { StreamDesk } from "./stream-desk.ts";

export interface AttemptSurroundings {
  effects: Pick<Effects, "describe" | "stopTask">;
  log: EventLog;
  directory: ObjectDirectory;
  dispatcher: Dispatcher;
  calls: CallDesk;
  clock: { now: number };
  tasks: IdTable<Task>;
  streams: StreamDesk;
  store: StoreDesk;
}

/** How long the thread of a task has to notice by itself that the task's time is over. */
const NOTICE_MS = 5;

const overTimeAt = ({ policy, startedAt }: Task): number => startedAt + policy.timeout + NOTICE_MS;

export class Attempts {
  readonly #with: AttemptSurroundings;
  /** The worker whose values are being sealed. */
  reporting: WorkerRecord | undefined;
  /** Tasks that run under a `timeout`. */
  readonly #timed = new Set<Task>();
  /** When the first of them may be over it; infinite where none is. */
  overTimeAt = Number.POSITIVE_INFINITY;

  constructor(surroundings: AttemptSurroundings) {
    this.#with = surroundings;
  }

  /** A worker began the task. */
  started(id: number, time: number): void {
    const task = this.#with.tasks.get(id);
    if (task === undefined || task.worker === undefined) return;
    task.startedAt = time;
    if (task.slot >= 0) task.worker.freeSlots.push(task.slot);
    task.slot = -1;
    task.state = "running";
    this.#with.log.add(Row.started, stepTime(task, time), id, task.worker.index, task.attempt);
    if (task.policy.timeout > 0) this.#watchTime(task);
  }

  #watchTime(task: Task): void {
    this.#timed.add(task);
    this.overTimeAt = Math.min(this.overTimeAt, overTimeAt(task));
  }

  /** Stops the code of tasks whose time is over: that of a synchronous one keeps its thread from doing so itself. */
  stopOverTime(now: number): void {
    this.overTimeAt = Number.POSITIVE_INFINITY;
    for (const task of this.#timed) {
      if (overTimeAt(task) > now) this.overTimeAt = Math.min(this.overTimeAt, overTimeAt(task));
      else {
        this.#timed.delete(task);
        task.overTime = true;
        this.#with.effects.stopTask(task);
      }
    }
  }

  /** The task's thread knows that its time is over, and decides by itself how it ends. */
  timeOver(id: number): void {
    const task = this.#with.tasks.get(id);
    if (task === undefined) return;
    task.overTime = false;
    this.#timed.delete(task);
  }

  /** An attempt ended on its worker. `blocks` are the values, or the one thing thrown. */
  finished(id: number, time: number, startedAt: number, executedAt: number, outcome: number, blocks: Block[]): void {
    const task = this.#with.tasks.get(id);
    if (task === undefined || task.worker === undefined) {
      for (const block of blocks) this.#with.directory.discardBlock(block);
      return;
    }
    const worker = task.worker;
    this.#leaveWorker(task, outcome === TaskOk);
    if (outcome === TaskOk) {
      learnDuration(task.definition, time - startedAt);
      let size = 0;
      for (const block of blocks) size += block.size;
      const ended = stepTime(task, time);
      this.#with.log.add(Row.finished, ended, id, worker.index, task.attempt, startedAt, executedAt, size);
      this.forgetThrown(task);
      this.#complete(task, "finished");
      this.reporting = worker;
      for (let index = 0; index < task.returns; index++) this.#seal(id + index, blocks[index], undefined);
      this.reporting = undefined;
      this.#with.streams.ended(task, false);
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
    const { clock, directory, effects, log } = this.#with;
    const [thrown, summary] = blocks;
    if (outcome === TaskWasCancelled || (task.cancelRequested && outcome !== TaskTimedOut)) {
      for (const block of blocks) directory.discardBlock(block);
      const time = stepTime(task, clock.now);
      log.add(Row.cancelled, time, task.id, worker.index, task.attempt, startedAt, executedAt);
      this.end(task, "cancelled", failureOf("cancelled", task), true);
      return;
    }
    // A call that throws holds its slot as one that returns does.
    if (outcome !== TaskTimedOut) learnDuration(task.definition, clock.now - startedAt);
    const retry = outcome === TaskThrewRetryable && task.retriesLeft > 0;
    const error =
      summary === undefined
        ? { name: "TaskTimeoutError", message: "took longer than its timeout" }
        : effects.describe(summary);
    if (summary !== undefined) directory.discardBlock(summary);
    if (thrown !== undefined) directory.holdAll(thrown.refs);
    this.#logFailure(task, worker, startedAt, executedAt, retry, error);
    if (retry) {
      if (thrown !== undefined) task.attempts = [...task.attempts, thrown];
      this.#retry(task);
      return;
    }
    const kind: FailureKind = outcome === TaskTimedOut ? "timeout" : "thrown";
    const failure = failureOf(kind, task, thrown, worker);
    this.end(task, "failed", { ...failure, message: `${error.name}: ${error.message}` }, true);
  }

  #logFailure(
    task: Task,
    worker: WorkerRecord,
    startedAt: number,
    executedAt: number,
    retry: boolean,
    error: { name: string; message: string },
  ): void {
    const { attempt, id } = task;
    const time = stepTime(task, this.#with.clock.now);
    const willRetry = retry ? 1 : 0;
    this.#with.log.add(Row.failed, time, id, worker.index, attempt, startedAt, executedAt, willRetry, { error });
  }

  #retry(task: Task): void {
    task.retriesLeft--;
    task.attempt++;
    task.startedAt = 0;
    task.state = "ready";
    task.worker = undefined;
    this.#with.log.add(Row.ready, stepTime(task, this.#with.clock.now), task.id);
    this.#with.dispatcher.addReady(task);
  }

  /** What earlier attempts of the task threw is not needed any more. */
  forgetThrown(task: Task): void {
    for (const block of task.attempts) this.#with.directory.releaseBlock(block);
    task.attempts = NO_ATTEMPTS;
  }

  #leaveWorker(task: Task, done = false): void {
    if (task.worker !== undefined && task.worker.suspended.size > 0) task.worker.suspended.delete(task);
    this.#with.dispatcher.leaveLane(task, done);
    this.#with.calls.forgetTask(task);
    this.#with.streams.attemptOver(task);
    this.#with.store.allRead(task);
    if (task.slot >= 0 && task.worker !== undefined) task.worker.freeSlots.push(task.slot);
    task.slot = -1;
    task.overTime = false;
    this.#timed.delete(task);
  }

  /** Ends a task without a value: all its objects fail. */
  end(task: Task, state: "failed" | "cancelled", failure: Failure, logged = false): void {
    if (!logged) {
      const time = stepTime(task, this.#with.clock.now);
      if (state === "cancelled") this.#with.log.add(Row.cancelled, time, task.id, 0, task.attempt);
      else
        this.#with.log.add(Row.failed, time, task.id, 0, task.attempt, 0, 0, 0, {
          error: { name: failure.kind, message: failure.message },
        });
    }
    this.#complete(task, state);
    const { cause } = failure;
    if (cause !== undefined) cause.holds++;
    for (let index = 0; index < task.returns; index++) this.#seal(task.id + index, undefined, failure);
    if (cause !== undefined) this.#with.directory.dropCause(cause);
    if (task.returns === 0) this.#with.directory.noteLoneFailure(failure);
    this.#with.streams.ended(task, true);
  }

  /** The objects of a task that has not ended are there, whoever holds them. */
  #seal(id: number, block: Block | undefined, failure: Failure | undefined): void {
    const { directory } = this.#with;
    directory.seal(directory.objects.get(id)!, block, failure);
  }

  #complete(task: Task, state: "finished" | "failed" | "cancelled"): void {
    task.state = state;
    this.#with.tasks.delete(task.id);
    if (task.parent !== 0) this.#with.tasks.get(task.parent)?.children?.delete(task.id);
    this.#with.directory.releaseArguments(task);
  }

  /** The task's worker is gone: what had not started goes to others, what ran is tried again or fails. */
  lost(task: Task, worker: WorkerRecord, reason: string, thrown: string): void {
    // A follower went with the task before it.
    if (task.worker !== worker) return;
    const { overTime, startedAt } = task;
    this.#leaveWorker(task);
    task.worker = undefined;
    if (startedAt === 0) {
      if (task.state === "ready") this.#with.dispatcher.putBack(task);
      return;
    }
    if (task.cancelRequested) {
      const time = stepTime(task, this.#with.clock.now);
      this.#with.log.add(Row.cancelled, time, task.id, worker.index, task.attempt, startedAt, startedAt);
      this.end(task, "cancelled", failureOf("cancelled", task, undefined, worker), true);
      return;
    }
    if (overTime) {
      this.#logFailure(task, worker, startedAt, startedAt, false, { name: "TaskTimeoutError", message: "" });
      this.end(task, "failed", failureOf("timeout", task, undefined, worker), true);
      return;
    }
    const retry = task.retriesLeft > 0;
    const kind: FailureKind = reason === "outOfMemory" ? "outOfMemory" : "crashed";
    const error = {
      name: kind === "crashed" ? "WorkerCrashedError" : "OutOfMemoryError",
      message: `worker ${workerIdText(worker.index)} ended${thrown === "" ? "" : `: ${thrown}`}`,
    };
    this.#logFailure(task, worker, startedAt, startedAt, retry, error);
    if (retry) this.#retry(task);
    else this.end(task, "failed", { ...failureOf(kind, task, undefined, worker), message: thrown }, true);
  }
}
