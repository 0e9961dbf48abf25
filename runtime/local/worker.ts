/**
 * A worker thread: takes tasks from its ring, runs each lane's tasks one after the other, sends results back.
 * Piscina calls `serve` once; it returns when the thread is to end.
 */

import { now } from "../clock.ts";
import { becomeWorker } from "../current.ts";
import { TaskCancelledError, TaskTimeoutError } from "../errors.ts";
import { workerIdText } from "../ids.ts";
import { refNumber } from "../object-ref.ts";
import { loadModules, modulesLoaded } from "../serialization/decode.ts";
import { CLAIM_STARTED, CLAIM_WAITING } from "./claims.ts";
import { Client } from "./client.ts";
import { runItems } from "./item-run.ts";
import { Pages } from "./payload.ts";
import * as protocol from "./protocol.ts";
import type { RingReader } from "./ring.ts";
import { captureOutput } from "./task-output.ts";
import { TaskReports } from "./task-reports.ts";
import { defineHostObject } from "./worker-host.ts";
import type { WorkerStart } from "./worker-pool.ts";
import { taskStorage, type WorkerLane, WorkerTask } from "./worker-task.ts";

const LINGER_MS = 1;
/** How long a task that only has its signal may take to stop. */
const STOP_GRACE_MS = 1000;
/** A longer text is sent in pieces. */
const OUTPUT_BYTES = 16_384;

class WorkerThread {
  readonly #client: Client;
  readonly #reports: TaskReports;
  readonly #claims: Int32Array;
  readonly #workerId: string;
  readonly #lanes = new Map<number, WorkerLane>();
  readonly #tasks = new Map<number, WorkerTask>();
  readonly #pages = new Pages();
  /** Lanes that have a next task and no current one. */
  readonly #runnable: WorkerLane[] = [];
  /** The task of a plain synchronous call, which needs no context that survives awaits. */
  #synchronous: WorkerTask | undefined;
  #running = false;

  constructor({ link, claims }: WorkerStart) {
    this.#claims = new Int32Array(claims);
    this.#workerId = workerIdText(link.index);
    const caller = {
      task: () => this.current()?.id ?? 0,
      waitingTask: () => this.#waitingTask(),
      suspend: () => this.#suspend(),
    };
    this.#client = new Client(
      link,
      caller,
      (type, reader) => this.#record(type, reader),
      () => this.#runLanes(),
    );
    this.#reports = new TaskReports(this.#client);
    // An idle worker must not look like a finished program to its thread.
    link.port.ref();
    becomeWorker({ backend: this.#client, context: () => this.current() });
    captureOutput((stream, bytes) => this.#print(stream, bytes));
    defineHostObject(() => this.current());
    this.#client.line.begin(0);
    this.#client.line.commit(protocol.Up, 0);
    this.#client.line.drain();
  }

  /** Sends what a task printed, in pieces that fit into records and end between characters. */
  #print(stream: "stdout" | "stderr", bytes: Uint8Array): void {
    const task = this.current()?.id ?? 0;
    for (let from = 0; from < bytes.length; ) {
      let end = Math.min(from + OUTPUT_BYTES, bytes.length);
      // UTF-8's continuation bytes belong to the character before them.
      while (end < bytes.length && (bytes[end]! & 0xc0) === 0x80) end--;
      const words = 2 + ((end - from + 7) >> 3);
      const to = this.#client.line.begin(words);
      to.f64[to.word] = task;
      to.i32[to.word * 2 + 2] = stream === "stdout" ? 1 : 2;
      to.i32[to.word * 2 + 3] = end - from;
      to.u8.set(bytes.subarray(from, end), (to.word + 2) * 8);
      this.#client.line.commit(protocol.Output, words);
      from = end;
    }
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
      const lane = this.#runnable.shift();
      if (lane === undefined) {
        this.#client.line.readAll();
        if (this.#runnable.length > 0) continue;
        this.#client.line.ring();
        // While nothing is suspended no timer of a task can be late, so the thread may wait without its event loop.
        if (this.#tasks.size > 0 || this.#client.line.block(LINGER_MS) === false) break;
        continue;
      }
      this.#startNext(lane);
      if (this.#client.line.reader.pending) this.#client.line.readAll();
    }
    this.#running = false;
  }

  #startNext(lane: WorkerLane): void {
    const task = lane.queue.shift();
    if (task === undefined || lane.current !== undefined) return;
    if (Atomics.compareExchange(this.#claims, task.slot, CLAIM_WAITING, CLAIM_STARTED) !== CLAIM_WAITING) {
      this.#reports.dropped(task.slot);
      this.#laneFree(lane);
      return;
    }
    lane.current = task;
    task.lane = lane;
    this.#tasks.set(task.id, task);
    this.#reports.started(task);
    this.#run(task);
  }

  #laneFree(lane: WorkerLane): void {
    if (lane.queue.length > 0) this.#runnable.push(lane);
    else this.#lanes.delete(lane.id);
  }

  #run(task: WorkerTask): void {
    const { loaded } = task;
    if (loaded.loading !== undefined) {
      void loaded.loading.then(() => this.#run(task));
      return;
    }
    try {
      if (loaded.failed !== undefined) throw loaded.failed;
      const modules = task.payload.modules(this.#client.store);
      if (modulesLoaded(modules)) this.#call(task);
      else
        void loadModules(modules)
          .then(() => this.#call(task))
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
      this.#watchTime(task);
      if (task.loaded.synchronous === true) {
        this.#synchronous = task;
        try {
          result = fn(...args);
        } finally {
          this.#synchronous = undefined;
        }
      } else result = taskStorage.run(task, () => fn(...args));
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

  #watchTime(task: WorkerTask): void {
    const { timeout } = task.options;
    if (timeout > 0) {
      const timer = setTimeout(
        () => this.#stop(task, new TaskTimeoutError(`task ${task.name} took longer than ${timeout} ms`)),
        timeout,
      );
      task.stopTimer = () => clearTimeout(timer);
    }
  }

  /** Decodes the arguments; refs at top level become the values that came along. */
  #arguments(task: WorkerTask): unknown[] {
    const { payload, options } = task;
    const { store } = this.#client;
    const content = payload.args(store);
    const args = this.#client.decodeContent(
      content.main,
      content.locators,
      options.shared ? task.id : undefined,
    ) as unknown[];
    if (payload.inputs === 0) return args;
    const inputOf = payload.inputReader(store);
    return args.map((arg) => {
      const id = refNumber(arg);
      if (id === undefined) return arg;
      const { main, locators } = inputOf(id);
      return this.#client.decodeContent(main, locators, options.shared ? id : undefined);
    });
  }

  #finished(task: WorkerTask, value: unknown): void {
    if (this.#isOver(task)) return;
    if (task.stopReason instanceof TaskTimeoutError) return this.#failed(task, task.stopReason);
    try {
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
    setImmediate(() => this.#client.line.drain());
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
