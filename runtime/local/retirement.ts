/** Workers that have run a function as often as its option `maxCalls` allows: they get nothing new, and are replaced when they have nothing left. */
import type { Task, WorkerRecord } from "./records.ts";

/** A worker is given a task. */
export function countCall(worker: WorkerRecord, { definition, policy }: Task): void {
  if (policy.maxCalls === 0) return;
  worker.calls ??= new Map();
  const count = (worker.calls.get(definition)?.count ?? 0) + 1;
  worker.calls.set(definition, { count, most: policy.maxCalls });
  if (count >= policy.maxCalls) worker.retiring = true;
}

/** A task was taken back from its worker before it started. */
export function uncountCall(worker: WorkerRecord, { definition, policy }: Task): void {
  const entry = worker.calls?.get(definition);
  if (policy.maxCalls === 0 || entry === undefined) return;
  entry.count--;
  worker.retiring = [...worker.calls!.values()].some(({ count, most }) => count >= most);
}

/** Whether the worker has done all that it will do. */
export function isSpent(worker: WorkerRecord): boolean {
  return worker.retiring && worker.up && worker.lanes.size === 0 && worker.suspended.size === 0;
}
