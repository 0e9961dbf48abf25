/** The runtime of this thread: the driver's once it has started, a worker's from the start. */
import type { Backend } from "./backend.ts";

/** What a running task is told about itself. */
export interface TaskContext {
  /** Number of the task. */
  readonly id: number;
  readonly name: string;
  readonly functionName: string;
  /** 0 for the first attempt. */
  readonly attempt: number;
  readonly workerId: string;
  readonly signal: AbortSignal;
  readonly resources: Readonly<Record<string, number>>;
  /** A cancellation point: `value` awaited, unless the task is stopped before. */
  awaiting<T>(value: T | PromiseLike<T>): T | PromiseLike<T>;
}

/** A worker's backend and the task whose code runs. */
export interface WorkerSide {
  backend: Backend;
  context(): TaskContext | undefined;
}

/** In a task the calls that wait are cancellation points, also where its own awaits are not. */
export const cancellable = <T>(value: T | Promise<T>): T | PromiseLike<T> =>
  slot.worker?.context()?.awaiting(value) ?? value;

const slot: { worker: WorkerSide | undefined } = { worker: undefined };

/** Makes this thread a worker. */
export function becomeWorker(side: WorkerSide): void {
  slot.worker = side;
}

/** The worker's side of this thread, if it is one. */
export function workerSide(): WorkerSide | undefined {
  return slot.worker;
}
