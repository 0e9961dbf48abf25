import { executionTime, type TimelineCall, type TimelineData, type TimelineTask } from "./data.ts";

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
  | "hotActor"
  | "largeArgument"
  | "largeCapture";

/** One of Ray's documented anti-patterns, found in a timeline. */
export interface Advice {
  rule: AdviceRule;
  /** What happened, what it cost and how to repair it, in one sentence or two. */
  message: string;
  /** Milliseconds of wall time that the repair can save at most. */
  cost: number;
  cell?: string;
  /** Where in the user's code, where it is one place that is known: `cell-3.ts:12:7`, or a file's URL with line and column. */
  place?: string;
  /** The line of that place. */
  line?: number;
  /** Some of the tasks it is about. */
  taskIds: string[];
}

/** Shorter losses are not worth a line under a chart. */
const WORTH_TELLING_MS = 50;

/** What an advice is about: tasks, and, where it is another place than that of their submission, what stands at fault. */
export interface Culprits {
  tasks: readonly TimelineTask[];
  at?: readonly Placed[];
}

type Placed = Pick<TimelineCall, "place">;

/** An advice, if it is worth a line: it costs some time, and a good part of the whole. */
export function advice(
  rule: Advice["rule"],
  data: TimelineData,
  culprits: Culprits,
  cost: number,
  message: () => string,
): Advice | undefined {
  if (culprits.tasks.length === 0 || cost < WORTH_TELLING_MS || cost < (data.end - data.start) * 0.1) return undefined;
  return costless(rule, data, culprits, message(), cost);
}

/** The same for what costs memory or is wrong whatever it costs. */
export function costless(
  rule: Advice["rule"],
  data: TimelineData,
  { tasks, at = tasks }: Culprits,
  message: string,
  cost = 0,
): Advice {
  const taskIds = tasks.slice(0, 64).map((task) => task.id);
  return { rule, message, cost, ...cellOf(data, tasks), ...placeOf(at), taskIds };
}

/** The lines that these stand on, as far as they are known. */
export function linesOf(placed: readonly Placed[]): Set<string> {
  return new Set(placed.flatMap(({ place }) => place?.replace(/:\d+$/, "") ?? []));
}

function placeOf(placed: readonly Placed[]): Pick<Advice, "place" | "line"> {
  const place = placed.find((one) => one.place !== undefined)?.place;
  const line = /:(\d+):\d+$/.exec(place ?? "")?.[1];
  if (place === undefined || line === undefined || linesOf(placed).size > 1) return {};
  return { place, line: Number(line) };
}

/** What the users' code of a task took, all attempts together. */
export function runTime(task: TimelineTask): number {
  return task.attempts.reduce((sum, attempt) => sum + executionTime(attempt), 0);
}

export function largestGroup<T>(items: readonly T[], key: (item: T) => string): T[] {
  return [...grouped(items, key).values()].reduce(
    (largest, group) => (group.length > largest.length ? group : largest),
    [] as T[],
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

function cellOf(data: TimelineData, tasks: readonly TimelineTask[]): { cell: string } | Record<string, never> {
  const cell = data.cell ?? tasks[0]?.cell;
  return cell === undefined ? {} : { cell };
}
