import { criticalPath, longestChain, runsInOrder } from "./critical-path.ts";
import {
  executionTime,
  type Interval,
  isEarlyReturn,
  type TimelineAttempt,
  type TimelineCall,
  type TimelineData,
  type TimelineTask,
} from "./data.ts";

/** Milliseconds. */
export interface Spread {
  median: number;
  p95: number;
  max: number;
  total: number;
}

export interface FunctionStats extends Spread {
  name: string;
  /** Attempts that ran, finished or not. */
  count: number;
  failed: number;
}

/** The figures at the head of a chart. Times in milliseconds. */
export interface TimelineStats {
  tasks: number;
  workers: number;
  /** From the first submission or call to the last end. */
  wall: number;
  /** The time that users' code ran in tasks, all attempts, waiting for nested tasks left out. */
  taskTime: number;
  /** Task time divided by wall time. */
  speedUp: number;
  /** Task time as a part of what all workers could have run, 0…1. */
  capacityUsed: number;
  /** No schedule on these workers is faster: the longest chain of dependencies, or the work divided by the workers. */
  lowerBound: number;
  longestChain: number;
  /** The tasks that the end had to wait for, first to last. */
  criticalPath: string[];
  /** By the time spent, most first. */
  functions: FunctionStats[];
  /** From the moment when a task could have run to the moment when a worker took it up. */
  queueTime: Spread;
  fetchTime: Spread;
  running: number;
  waiting: number;
  failed: number;
  retried: number;
  cancelled: number;
  /** How long work went on that a `get` of everything would have let start only after the last awaited task. */
  savedByEarlyReturns: number;
}

/** Computes the figures of a snapshot. */
export function summarize(data: TimelineData): TimelineStats {
  const wall = data.end - data.start;
  const attempts = data.tasks.flatMap((task) => task.attempts);
  const runs = attempts.map((attempt) => executionTime(attempt, data.start, data.end));
  const taskTime = runs.reduce((sum, run) => sum + run, 0);
  const runsByStart = runsInOrder(data);
  const chain = longestChain(data, runsByStart);
  const count = (state: TimelineTask["state"]): number =>
    data.tasks.reduce((sum, task) => sum + (task.state === state ? 1 : 0), 0);
  return {
    tasks: data.tasks.length,
    workers: data.workers,
    wall,
    taskTime,
    speedUp: wall > 0 ? taskTime / wall : 0,
    capacityUsed: wall > 0 && data.workers > 0 ? Math.min(1, taskTime / (wall * data.workers)) : 0,
    lowerBound: Math.min(wall, Math.max(chain, data.workers > 0 ? slotTime(data) / data.workers : 0)),
    longestChain: chain,
    criticalPath: criticalPath(data, runsByStart),
    functions: functionStats(data),
    queueTime: spread(data.tasks.flatMap((task) => queueTimes(task, data.now))),
    fetchTime: spread(attempts.map((attempt) => attempt.executedAt - attempt.start)),
    running: count("running"),
    waiting: count("waiting"),
    failed: count("failed"),
    retried: data.tasks.reduce((sum, task) => sum + Math.max(0, task.attempts.length - 1), 0),
    cancelled: count("cancelled"),
    savedByEarlyReturns: savedTime(data),
  };
}

/** One sentence with the figures of a timeline, for a screen reader, a log or a line of text. */
export function describe(stats: TimelineStats): string {
  const figures = [
    `${plural(stats.tasks, "task")} on ${plural(stats.workers, "worker")} in ${formatTime(stats.wall)}`,
    `${formatTime(stats.taskTime)} of task time, ${formatRatio(stats.speedUp)} speed-up, ${formatPart(stats.capacityUsed)} of capacity`,
    `lower bound ${formatTime(stats.lowerBound)}`,
  ];
  for (const state of ["failed", "retried", "cancelled", "running", "waiting"] as const)
    if (stats[state] > 0) figures.push(`${stats[state]} ${state}`);
  return `${figures.join("; ")}.`;
}

/** Milliseconds as people read them: 180 ms, 2.4 s, 1 m 12 s. */
export function formatTime(ms: number): string {
  if (ms <= 0) return "0 ms";
  if (ms < 0.9995) return `${Math.round(ms * 1000)} µs`;
  if (ms < 9.95) return `${Number(ms.toFixed(1))} ms`;
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(ms < 9_995 ? 2 : 1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m ${seconds % 60} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} m`;
}

/** Bytes in powers of ten: 12 kB, 3.4 MB, 80 MB, 1.2 GB. */
export function formatBytes(bytes: number): string {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(1)} GB`;
  if (bytes >= 1e6) return `${bytes >= 9.95e6 ? Math.round(bytes / 1e6) : (bytes / 1e6).toFixed(1)} MB`;
  return `${Math.ceil(bytes / 1e3)} kB`;
}

export function formatRatio(ratio: number): string {
  return `${ratio.toFixed(ratio < 9.95 ? 1 : 0)}×`;
}

export function formatPart(part: number): string {
  return `${Math.round(part * 100)} %`;
}

export function plural(count: number, noun: string): string {
  return `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
}

/** The waits of a task for a worker: before its first attempt and, after failures, before the others. */
export function queueTimes(task: TimelineTask, now: number): number[] {
  if (task.attempts.length === 0)
    return task.state === "waiting" && task.readyAt !== undefined ? [now - task.readyAt] : [];
  return task.attempts.map((attempt, index) => {
    const since = index === 0 ? (task.readyAt ?? task.submittedAt) : task.attempts[index - 1]!.end;
    return Math.max(0, attempt.start - since);
  });
}

export function spread(values: readonly number[]): Spread {
  const sorted = Float64Array.from(values).sort();
  const at = (part: number): number => sorted[Math.min(sorted.length - 1, Math.ceil(part * sorted.length) - 1)] ?? 0;
  return {
    median: median(sorted),
    p95: at(0.95),
    max: sorted.at(-1) ?? 0,
    total: sorted.reduce((sum, value) => sum + value, 0),
  };
}

function median(sorted: Float64Array): number {
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return 0;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function functionStats(data: TimelineData): FunctionStats[] {
  const groups = new Map<string, { runs: number[]; failed: number }>();
  for (const task of data.tasks)
    for (const attempt of task.attempts) {
      const group = groups.get(task.functionName) ?? { runs: [], failed: 0 };
      groups.set(task.functionName, group);
      group.runs.push(executionTime(attempt, data.start, data.end));
      if (attempt.state === "failed") group.failed++;
    }
  return [...groups]
    .map(([name, { runs, failed }]) => ({ name, count: runs.length, failed, ...spread(runs) }))
    .sort((a, b) => b.total - a.total);
}

/** Work that the last attempts needed, weighted by the slots it took. */
function slotTime(data: TimelineData): number {
  let sum = 0;
  for (const task of data.tasks) {
    const last = task.attempts.at(-1);
    if (last) sum += executionTime(last, data.start, data.end) * task.numCpus;
  }
  return sum;
}

function savedTime(data: TimelineData): number {
  const windows: Interval[] = [];
  const ends = new Map(data.tasks.map((task) => [task.id, task.endedAt ?? data.now]));
  for (const call of data.calls) {
    if (!isEarlyReturn(call) || call.returnedTotal === 0 || call.pending === 0) continue;
    const last = Math.max(...call.taskIds.map((id) => ends.get(id) ?? -Infinity));
    if (last > call.end) windows.push({ start: call.end, end: last });
  }
  const first = windows[0]?.start;
  if (first === undefined) return 0;
  const later = data.tasks
    .filter((task) => task.parentId === undefined && task.submittedAt >= first)
    .flatMap((task) => task.attempts);
  const working = union([
    ...driverWork(data.calls, first, data.end),
    ...later.map(({ start, end }: TimelineAttempt) => ({ start, end })),
  ]);
  return common(union(windows), working);
}

/** When the driver was in no call. */
function driverWork(calls: readonly TimelineCall[], from: number, to: number): Interval[] {
  const busy = union(calls.map(({ start, end }) => ({ start, end })));
  const gaps: Interval[] = [];
  let cursor = from;
  for (const { start, end } of busy) {
    if (start > cursor) gaps.push({ start: cursor, end: start });
    cursor = Math.max(cursor, end);
  }
  if (to > cursor) gaps.push({ start: cursor, end: to });
  return gaps;
}

/** The same moments as disjoint intervals in order. */
export function union(intervals: readonly Interval[]): Interval[] {
  const merged: Interval[] = [];
  for (const { start, end } of intervals.toSorted((a, b) => a.start - b.start)) {
    const last = merged.at(-1);
    if (last && start <= last.end) last.end = Math.max(last.end, end);
    else merged.push({ start, end });
  }
  return merged;
}

/** How long both of two lists of disjoint intervals last at once. */
function common(a: readonly Interval[], b: readonly Interval[]): number {
  let sum = 0;
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const [x, y] = [a[i]!, b[j]!];
    sum += Math.max(0, Math.min(x.end, y.end) - Math.max(x.start, y.start));
    if (x.end < y.end) i++;
    else j++;
  }
  return sum;
}
