/**
 * The shape that statistics, charts and traces are made from: who ran what, when, and who waited for it.
 * All times are milliseconds on the session's clock, as in `TaskEvent`.
 */

/** What to look at; the parts that are left out do not restrict. */
export interface TimelineFilter {
  /** The cell that submitted the tasks or awaited them: its execution count. */
  cell?: string | number;
  /** A task's name or its function's name. */
  name?: string;
  /** Milliseconds on the session's clock: what ended before is left out. */
  since?: number;
  /** Milliseconds on the session's clock: what began later is left out. */
  until?: number;
}

export type LaneKind = "driver" | "worker" | "actor" | "notRun";

/** One row: the driver, a worker, an actor, or the tasks that ended before any worker took them up. */
export interface TimelineLane {
  id: string;
  label: string;
  kind: LaneKind;
}

export interface Interval {
  start: number;
  end: number;
}

/** One try at a task. An attempt that is still running ends "now". */
export interface TimelineAttempt extends Interval {
  /** 0 for the first. */
  number: number;
  /** Index into `lanes`. */
  lane: number;
  workerId: string;
  /** When the user's code began; between `start` and this the arguments were fetched. */
  executedAt: number;
  state: "running" | "finished" | "failed" | "cancelled";
  error: { name: string; message: string } | undefined;
  /** When the task had given its slot back because it awaited `get` or `wait`. */
  blocked: readonly Interval[];
}

export type TimelineTaskState = "waiting" | "running" | "finished" | "failed" | "cancelled";

export interface TimelineTask {
  id: string;
  name: string;
  functionName: string;
  /** The actor that ran it, `Counter#1`. */
  actor: string | undefined;
  parentId: string | undefined;
  cell: string | undefined;
  numCpus: number;
  submittedAt: number;
  /** When its inputs were there. */
  readyAt: number | undefined;
  /** Undefined while it is waiting or running. */
  endedAt: number | undefined;
  state: TimelineTaskState;
  /** Encoded size of the results in bytes. */
  size: number | undefined;
  /** Array data among its arguments, in bytes: read in place, copied for it, and why. Undefined where there was none. */
  argumentsRead: { viewed: number; copied: number; why?: string } | undefined;
  /** Ids of the tasks whose results it was given as arguments. */
  dependencies: readonly string[];
  /** Objects it was given: results of tasks and `put` objects. */
  inputs: readonly string[];
  returns: readonly string[];
  attempts: readonly TimelineAttempt[];
  /** Submitted by another cell than the one that the view is of. */
  foreign: boolean;
  /** Where in the user's code it was submitted, where that is known: `cell-3.ts:12:7`. */
  place?: string;
  /** Data of 100 kB and more that it was handed by value. Equal hashes: equal data. */
  largeArguments?: readonly { bytes: number; hash: number }[];
}

/** `get`, `wait` or the next of `asCompleted`. One that has not returned yet ends "now". */
export interface TimelineCall extends Interval {
  id: string;
  kind: "get" | "wait";
  /** The task that called; absent for the driver. */
  taskId?: string;
  cell?: string;
  /** The refs asked for, cut after 64. */
  objectIds: readonly string[];
  /** Asked for: the tasks behind the refs (cut after 64), and how many refs there were. */
  taskIds: readonly string[];
  total: number;
  numReturns?: number;
  timeout?: number;
  /** Came back: the tasks behind the refs (cut after 64), and how many refs there were. */
  returned: readonly string[];
  returnedTotal: number;
  pending: number;
  outcome: "running" | "ok" | "failed" | "timeout" | "interrupted";
  /** Where in the user's code it stands, where that is known. */
  place?: string;
}

/** Something that happened at one moment, apart from the tasks. */
export interface TimelineMark {
  kind: "workerStarted" | "workerCrashed" | "spilled" | "restored";
  time: number;
  /** Index into `lanes`; absent for the whole store. */
  lane?: number;
  bytes?: number;
}

export interface TimelineSpan extends Interval {
  name: string;
  lane: number;
  taskId?: string;
}

export interface TimelinePut {
  time: number;
  objectId: string;
  bytes: number;
  taskId?: string;
}

/** A snapshot, cut to `start`…`end`. */
export interface TimelineData extends Interval {
  /** The moment up to which unfinished work is drawn. */
  now: number;
  cell?: string;
  lanes: readonly TimelineLane[];
  /** Workers that were alive in this time, whether they ran something or not. */
  workers: number;
  /** In the order of submission. */
  tasks: readonly TimelineTask[];
  /** The driver's calls, in the order in which they began. */
  calls: readonly TimelineCall[];
  /** Calls that tasks made. */
  nestedCalls: readonly TimelineCall[];
  marks: readonly TimelineMark[];
  spans: readonly TimelineSpan[];
  puts: readonly TimelinePut[];
  /** Functions that were shipped with 1 MB or more in their captured variables. */
  captures: readonly { functionName: string; bytes: number; largest?: string }[];
  /** Cells that submitted what this cell only waited for. */
  submittedIn: readonly string[];
  /** Some task or call has not ended yet. */
  live: boolean;
  /** Where time between cells was left out, and how much of it. */
  pauses?: readonly { time: number; length: number }[];
}

/** Whether a `wait` came back, early or at its time limit: the moments a chart marks. A look that found nothing is none. */
export function isEarlyReturn(call: TimelineCall): boolean {
  if (call.kind !== "wait" || call.outcome === "running" || call.outcome === "interrupted") return false;
  return call.returnedTotal > 0 || (call.outcome === "timeout" && call.timeout !== 0);
}

/** How long the user's code of an attempt ran between `from` and `to`, waiting for nested tasks left out. */
export function executionTime(attempt: TimelineAttempt, from = -Infinity, to = Infinity): number {
  let time = overlap(attempt.executedAt, attempt.end, from, to);
  for (const pause of attempt.blocked) time -= overlap(pause.start, pause.end, from, to);
  return Math.max(0, time);
}

function overlap(start: number, end: number, from: number, to: number): number {
  return Math.max(0, Math.min(end, to) - Math.max(start, from));
}
