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
import { type Failure, type FailureKind, learnDuration, type Task, type WorkerRecord } from "./records.ts";
import type { StreamDesk } from "./stream-desk.ts";

export interface AttemptSurroundings {
  effects: Pick<Effects, "describe" | "freeMemory">;
  log: EventLog;
  directory: ObjectDirectory;
  dispatcher: Dispatcher;
  calls: CallDesk;
  clock: { now: number };
  tasks: IdTable<Task>;
  streams: StreamDesk;
}

export class Attempts {
  readonly #with: AttemptSurroundings;

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
    this.#with.log.add(Row.started, time, id, task.worker.index, task.attempt);
  }

  /** An attempt ended on its worker. `blocks` are the values, or the one thing thrown. */
  finished(id: number, time: number, startedAt: number, executedAt: number, outcome: number, blocks: Block[]): void {
    const task = this.#with.tasks.get(id);
    if (task === undefined || task.worker === undefined) return;
    const worker = task.worker;
    this.#leaveWorker(task);
    if (outcome === TaskOk) {
      learnDuration(task.definition, time - startedAt);
      let size = 0;
      for (const block of blocks) size += block.size;
      this.#with.log.add(Row.finished, time, id, worker.index, task.attempt, startedAt, executedAt, size);
      this.#complete(task, "finished");
      for (let index = 0; index < task.returns; index++) this.#sealReturn(id + index, blocks[index], undefined);
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
    const thrown = blocks[0];
    if (outcome === TaskWasCancelled || (task.cancelRequested && outcome !== TaskTimedOut)) {
      this.#with.log.add(
        Row.cancelled,
        this.#with.clock.now,
        task.id,
        worker.index,
        task.attempt,
        startedAt,
        executedAt,
      );
      this.end(task, "cancelled", failureOf("cancelled", task), true);
      return;
    }
    const retry = outcome === TaskThrewRetryable && task.retriesLeft > 0;
    const error =
      blocks[1] === undefined ? { name: "TaskTimeoutError", message: "" } : this.#with.effects.describe(blocks[1]);
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
    { attempt, id }: Task,
    worker: WorkerRecord,
    startedAt: number,
    executedAt: number,
    retry: boolean,
    error: { name: string; message: string },
  ): void {
    const { clock, log } = this.#with;
    const willRetry = retry ? 1 : 0;
    log.add(Row.failed, clock.now, id, worker.index, attempt, startedAt, executedAt, willRetry, { error });
  }

  #retry(task: Task): void {
    task.retriesLeft--;
    task.attempt++;
    task.startedAt = 0;
    task.state = "ready";
    task.worker = undefined;
    this.#with.log.add(Row.ready, this.#with.clock.now, task.id);
    this.#with.dispatcher.addReady(task);
  }

  #leaveWorker(task: Task): void {
    if (task.worker !== undefined && task.worker.suspended.size > 0) task.worker.suspended.delete(task);
    this.#with.dispatcher.leaveLane(task);
    this.#with.calls.forgetTask(task);
    this.#with.streams.attemptOver(task);
    if (task.slot >= 0 && task.worker !== undefined) task.worker.freeSlots.push(task.slot);
    task.slot = -1;
  }

  /** Ends a task without a value: all its objects fail. */
  end(task: Task, state: "failed" | "cancelled", failure: Failure, logged = false): void {
    if (!logged) {
      if (state === "cancelled") this.#with.log.add(Row.cancelled, this.#with.clock.now, task.id, 0, task.attempt);
      else
        this.#with.log.add(Row.failed, this.#with.clock.now, task.id, 0, task.attempt, 0, 0, 0, {
          error: { name: failure.kind, message: failure.message },
        });
    }
    this.#complete(task, state);
    for (let index = 0; index < task.returns; index++) this.#sealReturn(task.id + index, undefined, failure);
    if (task.returns === 0) this.#with.directory.noteLoneFailure(failure);
    this.#with.streams.ended(task, true);
  }

  #sealReturn(id: number, block: Block | undefined, failure: Failure | undefined): void {
    const object = this.#with.directory.objects.get(id);
    if (object === undefined) {
      if (block !== undefined && block.locators.length > 0) this.#with.effects.freeMemory(block);
      return;
    }
    this.#with.directory.seal(object, block, failure);
  }

  #complete(task: Task, state: "finished" | "failed" | "cancelled"): void {
    task.state = state;
    this.#with.tasks.delete(task.id);
    if (task.parent !== 0) this.#with.tasks.get(task.parent)?.children?.delete(task.id);
    this.#with.directory.releaseBlock(task.args);
  }

  /** The task's worker is gone: what had not started goes to others, what ran is tried again or fails. */
  lost(task: Task, worker: WorkerRecord, reason: string): void {
    const started = task.startedAt > 0;
    const { startedAt } = task;
    this.#leaveWorker(task);
    task.worker = undefined;
    if (!started) {
      this.#with.dispatcher.addReady(task, true);
      return;
    }
    if (task.cancelRequested) {
      this.#with.log.add(
        Row.cancelled,
        this.#with.clock.now,
        task.id,
        worker.index,
        task.attempt,
        startedAt,
        startedAt,
      );
      this.end(task, "cancelled", failureOf("cancelled", task, undefined, worker), true);
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
    else this.end(task, "failed", failureOf(kind, task, undefined, worker), true);
  }
}
