/**
 * A worker thread: takes tasks from its ring, runs each lane's tasks one after the other, sends results back.
 * Piscina calls `serve` once; it returns when the thread is to end.
 */

import { MessageChannel, threadId } from "node:worker_threads";
import { LONGEST_TIMER_MS, now } from "../clock.ts";
import { becomeWorker } from "../current.ts";
import { TaskCancelledError, TaskTimeoutError } from "../errors.ts";
import { enterGuard, INTERRUPT_INSIDE, interruptWord, leaveGuard } from "../host.ts";
import { workerIdText } from "../ids.ts";
import { loadModules, loadTypeScriptBy, modulesLoaded } from "../serialization/decode.ts";
import { CLAIM_DECLINED, CLAIM_STARTED, CLAIM_WAITING } from "./claims.ts";
import { Client } from "./client.ts";
import { Handovers } from "./handovers.ts";
import { runItems } from "./item-run.ts";
import { Pages } from "./payload.ts";
import * as protocol from "./protocol.ts";
import type { RingReader } from "./ring.ts";
import { readArguments } from "./task-arguments.ts";
import { captureOutput } from "./task-output.ts";
import { TaskReports } from "./task-reports.ts";
import { defineHostObject } from "./worker-host.ts";
import type { WorkerStart } from "./worker-pool.ts";
import { taskStorage, type WorkerLane, WorkerTask } from "./worker-task.ts";

const LINGER_MS = 5;
/** How long a task that only has its signal may take to stop. */
const STOP_GRACE_MS = 1000;

class WorkerThread {
  readonly #client: Client;
  readonly #reports: TaskReports;
  readonly #claims: Int32Array;
  readonly #workerId: string;
  readonly #lanes = new Map<number, WorkerLane>();
  readonly #tasks = new Map<number, WorkerTask>();
  readonly #pages = new Pages();
  readonly #handovers = new Handovers();
  /** Lanes that have a next task and no current one. */
  readonly #runnable: WorkerLane[] = [];
  /** The task of a plain synchronous call, which needs no context that survives awaits. */
  #synchronous: WorkerTask | undefined;
  #running = false;
  readonly #turns = new MessageChannel();
  readonly #steps: (() => void)[] = [];
  #turnComes = false;
  /** The task whose code may be cut now; the scheduler reads it. */
  readonly #runs = new Float64Array(new SharedArrayBuffer(8));

  constructor({ link, claims }: WorkerStart) {
    this.#claims = new Int32Array(claims);
    this.#workerId = workerIdText(link.index);
    const caller = {
      task: () => this.current()?.id ?? 0,
      waitingTask: () => this.#waitingTask(),
      suspend: () => this.#suspend(),
      holder: () => {
        const task = this.current();
        return { task: task?.id ?? 0, name: task === undefined ? "code that outlived its task" : `task ${task.name}` };
      },
    };
    this.#client = new Client(link, caller, {
      record: (type, reader) => this.#record(type, reader),
      turnOver: () => this.#runLanes(),
      cut: (task, overTime) => this.#wasCut(task, overTime),
    });
    this.#reports = new TaskReports(this.#client, this.#handovers);
    // An idle worker must not look like a finished program to its thread.
    link.port.ref();
    becomeWorker({ backend: this.#client, context: () => this.current() });
    captureOutput((stream, bytes) => this.#reports.printed(this.current()?.id ?? 0, stream, bytes));
    defineHostObject(() => this.current());
    loadTypeScriptBy(link.session.typescriptLoader);
    this.#client.line.begin(0);
    this.#client.line.commit(protocol.Up, 0);
    this.#turns.port1.on("message", () => this.#client.line.turn(() => this.#turn()));
    const { buffer } = this.#runs;
    this.#client.line.post({ type: "helm", helm: { threadId, interruptWord: interruptWord.buffer, runs: buffer } });
    this.#client.line.drain();
  }

  /** The task whose code runs. */
  current(): WorkerTask | undefined {
    return this.#synchronous ?? taskStorage.getStore();
  }

  #record(type: number, reader: RingReader): void {
    if (type === protocol.Dispatch) this.#dispatched(reader);
    else if (type === protocol.GoOn) {
      const { f64, i32, word } = reader;
      this.#tasks.get(f64[word]!)?.goOn(f64[word + 1]!, i32[word * 2 + 4] === 1);
    } else if (type === protocol.CancelTask) {
      const task = this.#tasks.get(reader.f64[reader.word]!);
      if (task !== undefined) this.#stop(task, new TaskCancelledError(`task ${task.name} was cancelled`));
    }
  }

  #dispatched(reader: RingReader): void {
    const { i32, f64, word, words } = reader;
    const definition = i32[word * 2 + 4]!;
    const task = new WorkerTask({
      id: f64[word]!,
      slot: i32[word * 2 + 3]!,
      attempt: i32[word * 2 + 6]!,
      workerId: this.#workerId,
      loaded: this.#client.definitions.function(definition),
      options: this.#client.definitions.options(i32[word * 2 + 5]!),
      payload: this.#pages.keep(reader, word + 5, words - 5, i32[word * 2 + 7]!),
      itemsTaken: f64[word + 4]!,
    });
    this.#handovers.expect(task.payload);
    const id = i32[word * 2 + 2]!;
    let lane = this.#lanes.get(id);
    if (lane === undefined) {
      lane = { id, current: undefined, queue: [] };
      this.#lanes.set(id, lane);
    }
    lane.queue.push(task);
    if (lane.current === undefined && lane.queue.length === 1) this.#runnable.push(lane);
  }

  /** Runs what can be run; synchronous tasks of a lane follow each other without leaving this loop. */
  #runLanes(): void {
    if (this.#running) return;
    this.#running = true;
    for (;;) {
      const lane = this.#runnable[0];
      if (lane === undefined) {
        this.#client.line.readAll();
        if (this.#runnable.length > 0) continue;
        this.#client.line.ring();
        // While nothing is suspended no timer of a task can be late, so the thread may wait without its event loop.
        if (this.#tasks.size > 0 || this.#client.line.block(LINGER_MS) === false) break;
        continue;
      }
      // What may take long is begun where it may be cut.
      if (!this.#client.line.inMessage && lane.queue[0]?.mayTakeLong === true) {
        this.#nextTurn();
        break;
      }
      this.#runnable.shift();
      this.#startNext(lane);
      if (this.#client.line.reader.pending) this.#client.line.readAll();
    }
    this.#running = false;
  }

  #startNext(lane: WorkerLane): void {
    const task = lane.queue.shift();
    if (task === undefined || lane.current !== undefined) return;
    if (!this.#claim(task)) {
      this.#handovers.forget(task.payload);
      this.#reports.dropped(task);
      this.#laneFree(lane);
      return;
    }
    lane.current = task;
    task.lane = lane;
    this.#tasks.set(task.id, task);
    this.#reports.started(task);
    this.#watchTime(task);
    this.#run(task);
  }

  /** Whether the task may start: it was not taken back, and the one before it has left what it needs. */
  #claim({ payload, slot }: WorkerTask): boolean {
    const claim = payload.complete ? CLAIM_STARTED : CLAIM_DECLINED;
    return (
      Atomics.compareExchange(this.#claims, slot, CLAIM_WAITING, claim) === CLAIM_WAITING && claim === CLAIM_STARTED
    );
  }

  #laneFree(lane: WorkerLane): void {
    if (lane.queue.length > 0) this.#runnable.push(lane);
    else this.#lanes.delete(lane.id);
  }

  #run(task: WorkerTask): void {
    const { loaded } = task;
    if (loaded.loading !== undefined) {
      void loaded.loading.then(() => this.#later(() => this.#run(task)));
      return;
    }
    try {
      if (loaded.failed !== undefined) throw loaded.failed;
      const modules = task.payload.modules(this.#client.store);
      if (modulesLoaded(modules)) this.#call(task);
      else
        void loadModules(modules)
          .then(() => this.#later(() => this.#call(task)))
          .catch((error: unknown) => this.#failed(task, error));
    } catch (error) {
      this.#failed(task, error);
    }
  }

  /**
   * Asks a task to stop. Code whose awaits are cancellation points ends by itself. Other code is let go: its outcome is
   * decided now, or after a second when it has its signal and may want to clean up, and what it does later is ignored.
   */
  #stop(task: WorkerTask, reason: TaskCancelledError | TaskTimeoutError): void {
    task.stop(reason);
    if (task.knows) return;
    const letGo = (): void => {
      if (!task.knows) this.#failed(task, reason);
    };
    setTimeout(letGo, task.listens ? STOP_GRACE_MS : 0);
  }

  /** Whether the task is this thread's no more: it was let go. */
  #isOver(task: WorkerTask): boolean {
    return this.#tasks.get(task.id) !== task;
  }

  #call(task: WorkerTask): void {
    if (this.#isOver(task)) return;
    const fn = task.loaded.fn!;
    let result: unknown;
    try {
      const args = this.#arguments(task);
      task.executedAt = now();
      if (task.loaded.synchronous === true) {
        this.#synchronous = task;
        try {
          result = this.#runCode(task, fn, args);
        } finally {
          this.#synchronous = undefined;
        }
      } else result = taskStorage.run(task, () => this.#runCode(task, fn, args));
    } catch (error) {
      this.#failed(task, error);
      return;
    }
    if (task.loaded.generates) this.#generate(task, result as Generator);
    else if (isThenable(result)) {
      task.loaded.synchronous = false;
      result.then(
        (value) => this.#finished(task, value),
        (error: unknown) => this.#failed(task, error),
      );
    } else {
      // From now on calls of a plain function that has never returned a promise run without async context.
      task.loaded.synchronous ??= isPlainFunction(fn);
      this.#finished(task, result);
    }
  }

  /** Streams a generator's items, or collects them where they are the values of several refs. */
  #generate(task: WorkerTask, generator: Generator | AsyncGenerator): void {
    const items: unknown[] = [];
    const { highWaterMark, numReturns } = task.options;
    const keep = (_: number, value: unknown): void => {
      if (numReturns > 0) items.push(value);
    };
    const send = (index: number, value: unknown, waits: boolean): void =>
      this.#reports.yielded(task, index, value, waits);
    runItems(task, generator, {
      send: highWaterMark === undefined ? keep : send,
      look: () => {
        if (this.#client.line.reader.pending) this.#client.line.readAll();
      },
      suspend: () => this.#suspend(task),
      isOver: () => this.#isOver(task),
    }).then(
      () => this.#finished(task, highWaterMark === undefined ? items : undefined),
      (error: unknown) => this.#failed(task, error),
    );
  }

  /** Runs a task's code, where it may be cut if possible: see `cutter.ts`. */
  #runCode(task: WorkerTask, fn: (...args: unknown[]) => unknown, args: unknown[]): unknown {
    // After a cut the first may still say yes.
    if (!this.#client.line.inMessage || Atomics.load(interruptWord, 0) !== INTERRUPT_INSIDE) return fn(...args);
    this.#runs[0] = task.id;
    leaveGuard();
    try {
      return fn(...args);
    } finally {
      enterGuard();
      this.#runs[0] = 0;
    }
  }

  /** Goes on in a turn of the event loop that a message begins, where a task's code may be cut. */
  #later(step: () => void): void {
    this.#steps.push(step);
    this.#nextTurn();
  }

  #nextTurn(): void {
    if (this.#turnComes) return;
    this.#turnComes = true;
    this.#turns.port2.postMessage(null);
  }

  #turn(): void {
    this.#turnComes = false;
    for (let step = this.#steps.shift(); step !== undefined; step = this.#steps.shift()) step();
  }

  /** The task's code was cut, and with it the loop that ran it. */
  #wasCut(id: number, overTime: boolean): void {
    this.#running = false;
    this.#synchronous = undefined;
    this.#runs[0] = 0;
    taskStorage.enterWith(undefined as never);
    const task = this.#tasks.get(id);
    if (task === undefined) return;
    task.stop(overTime ? task.timeoutReason() : new TaskCancelledError(`task ${task.name} was cancelled`));
    this.#failed(task, task.stopReason);
  }

  #watchTime(task: WorkerTask): void {
    const { timeout } = task.options;
    if (timeout === 0 || timeout === Number.POSITIVE_INFINITY) return;
    const isOver = (): void => {
      this.#reports.timeOver(task);
      this.#stop(task, task.timeoutReason());
    };
    const timer = setTimeout(isOver, Math.min(timeout, LONGEST_TIMER_MS));
    task.stopTimer = () => clearTimeout(timer);
  }

  /** What the function is called with; refs at top level are replaced by the values that came along. */
  #arguments(task: WorkerTask): unknown[] {
    const read = readArguments(task, this.#client);
    if (read.inStore) this.#reports.argumentsRead(task, read);
    return read.values;
  }

  #finished(task: WorkerTask, value: unknown): void {
    if (this.#isOver(task)) return;
    if (task.isOverTime) task.stop(task.timeoutReason());
    if (task.stopReason instanceof TaskTimeoutError) return this.#failed(task, task.stopReason);
    try {
      this.#client.arrays.checked?.checkTask(task.id);
      this.#reports.returned(task, value);
    } catch (error) {
      return this.#failed(task, error);
    }
    this.#ended(task);
  }

  #failed(task: WorkerTask, error: unknown): void {
    if (this.#isOver(task)) return;
    this.#reports.failed(task, error);
    this.#ended(task);
  }

  #ended(task: WorkerTask): void {
    task.stopTimer?.();
    this.#tasks.delete(task.id);
    this.#leaveLane(task);
  }

  #leaveLane(task: WorkerTask): void {
    const { lane } = task;
    task.lane = undefined;
    if (lane === undefined || lane.current !== task) return;
    lane.current = undefined;
    this.#laneFree(lane);
    if (!this.#running) this.#client.line.drain();
  }

  /** Another attempt of the task may run by now, whose slot is not this code's to give back. */
  #waitingTask(): number {
    const task = this.current();
    return task === undefined || this.#isOver(task) ? 0 : task.id;
  }

  /** The running task awaits a call: the next of its lane may start once this turn is over. */
  #suspend(task = this.current()): void {
    const lane = task?.lane;
    if (task === undefined || lane === undefined) return;
    task.lane = undefined;
    lane.current = undefined;
    this.#laneFree(lane);
    this.#nextTurn();
  }
}

const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function";

const isPlainFunction = (fn: object): boolean => Object.getPrototypeOf(fn) === Function.prototype;

/** Piscina's entry: never returns while the thread lives. */
export function serve(start: WorkerStart): Promise<void> {
  new WorkerThread(start);
  return new Promise(() => {});
}
