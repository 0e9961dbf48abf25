/** timeline, profile and the state calls: looking at what runs and what ran. */
import { now } from "./clock.ts";
import type { TaskEvent } from "./events.ts";
import { guarded } from "./host.ts";
import { checkOptions } from "./options.ts";
import { backend } from "./runtime.ts";
import type { ObjectRecord, TaskRecord, WorkerState } from "./state.ts";
import { Timeline, type TimelineFilter } from "./timeline.ts";

const cell = {
  expected: "a cell's number or label",
  accepts: (value: unknown) => typeof value === "string" || Number.isInteger(value),
};
const text = { expected: "a text", accepts: (value: unknown) => typeof value === "string" };
const milliseconds = {
  expected: "milliseconds as in an event's time",
  accepts: (value: unknown) => typeof value === "number" && !Number.isNaN(value),
};

const ask = <T>(question: "events" | "tasks" | "objects" | "workers"): T => {
  const owner = backend();
  return guarded(() => owner.query(question)) as T;
};

/**
 * What happened in this session so far, or the part of it that the filter lets through. As a cell's value it shows
 * itself as the chart; `stats`, `advise()`, `simulate()` and `save()` work with it. Supersedes `ray.timeline`.
 */
export function timeline(filter: TimelineFilter = {}): Timeline {
  checkOptions(filter, { cell, name: text, since: milliseconds, until: milliseconds }, "timeline");
  const { events } = ask<{ events: TaskEvent[] }>("events");
  return new Timeline(events, filter, now());
}

/**
 * Marks a span of a task's or the driver's time in the timeline: from the call to the end of the block.
 *
 * @example
 * using span = profile("parse", { file });
 */
export function profile(name: string, data?: unknown): Disposable {
  if (typeof name !== "string" || name === "") throw new TypeError("profile: the name must be a non-empty string");
  const kept = snapshot(data);
  const owner = backend();
  const start = now();
  return { [Symbol.dispose]: () => guarded(() => owner.recordSpan(name, kept, start, now())) };
}

function snapshot(data: unknown): unknown {
  try {
    return structuredClone(data);
  } catch (error) {
    throw new TypeError(`profile: data must be something that can be copied: ${(error as Error).message}`);
  }
}

/** The unfinished tasks, exact and without a cap; finished ones are in `timeline().events`. */
export function listTasks(filter: Partial<Pick<TaskRecord, "state" | "functionName" | "cell">> = {}): TaskRecord[] {
  checkOptions(filter, { state: text, functionName: text, cell: text }, "listTasks");
  return matching(ask<TaskRecord[]>("tasks"), filter);
}

/** The objects that somebody can still reach. */
export function listObjects(filter: Partial<Pick<ObjectRecord, "state" | "taskId">> = {}): ObjectRecord[] {
  checkOptions(filter, { state: text, taskId: text }, "listObjects");
  return matching(ask<ObjectRecord[]>("objects"), filter);
}

/** The worker threads and what they run. */
export function listWorkers(): WorkerState[] {
  return ask<WorkerState[]>("workers");
}

function matching<T extends object>(records: T[], filter: object): T[] {
  const wanted = Object.entries(filter);
  return records.filter((record) => wanted.every(([key, value]) => (record as Record<string, unknown>)[key] === value));
}
