import { executionTime, type TimelineData, type TimelineTask } from "./data.ts";

export type AdviceRule =
  | "getInLoop"
  | "getInSubmissionOrder"
  | "getAllBeforeProcessing"
  | "tasksTooSmall"
  | "nestedGet"
  | "returnedPut"
  | "straggler"
  | "tooMuchParallelism"
  | "tooMuchAtOnce"
  | "hotActor";

/** One of Ray's documented anti-patterns, found in a timeline. */
export interface Advice {
  rule: AdviceRule;
  /** What happened, what it cost and how to repair it, in one sentence or two. */
  message: string;
  /** Milliseconds of wall time that the repair can save at most. */
  cost: number;
  cell?: string;
  /** Some of the tasks it is about. */
  taskIds: string[];
}

/** Shorter losses are not worth a line under a chart. */
const WORTH_TELLING_MS = 50;

/** An advice, if it is worth a line: it costs some time, and a good part of the whole. */
export function advice(
  rule: Advice["rule"],
  data: TimelineData,
  tasks: readonly TimelineTask[],
  cost: number,
  message: () => string,
): Advice | undefined {
  if (tasks.length === 0 || cost < WORTH_TELLING_MS || cost < (data.end - data.start) * 0.1) return undefined;
  return { rule, message: message(), cost, ...cellOf(data, tasks), taskIds: tasks.slice(0, 64).map((task) => task.id) };
}

/** What the users' code of a task took, all attempts together. */
export function runTime(task: TimelineTask): number {
  return task.attempts.reduce((sum, attempt) => sum + executionTime(attempt), 0);
}

export function largestGroup(tasks: readonly TimelineTask[], key: (task: TimelineTask) => string): TimelineTask[] {
  return [...grouped(tasks, key).values()].reduce(
    (largest, group) => (group.length > largest.length ? group : largest),
    [],
  );
}

/** `Map.groupBy`, which Node 20 does not have. */
export function grouped<T, K>(items: Iterable<T>, key: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group) group.push(item);
    else groups.set(key(item), [item]);
  }
  return groups;
}

export function cellOf(data: TimelineData, tasks: readonly TimelineTask[]): { cell: string } | Record<string, never> {
  const cell = data.cell ?? tasks[0]?.cell;
  return cell === undefined ? {} : { cell };
}
