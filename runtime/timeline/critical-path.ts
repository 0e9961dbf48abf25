import { executionTime, type TimelineAttempt, type TimelineData, type TimelineTask } from "./data.ts";

/**
 * The longest chain of work in which each piece needs the one before: a task after the tasks whose results it was
 * given, and a nested task after the part of its parent that ran before it was submitted. Milliseconds.
 */
export function longestChain(data: TimelineData, runs = runsInOrder(data)): number {
  const done = new Map<string, number>();
  const begun = new Map<string, { at: number; attempt: TimelineAttempt }>();
  let longest = 0;
  for (const { task, attempt } of runs) {
    let at = 0;
    for (const id of task.dependencies) at = Math.max(at, done.get(id) ?? 0);
    const parent = task.parentId === undefined ? undefined : begun.get(task.parentId);
    if (parent) at = Math.max(at, parent.at + executionTime(parent.attempt, data.start, task.submittedAt));
    begun.set(task.id, { at, attempt });
    const end = at + executionTime(attempt, data.start, data.end);
    done.set(task.id, end);
    longest = Math.max(longest, end);
  }
  return longest;
}

/**
 * What the end really waited for, walked back from the last task to end: before each task the one that ended last of
 * those it needed — its inputs, else the one that had its worker, else its parent.
 */
export function criticalPath(data: TimelineData, runs = runsInOrder(data)): string[] {
  const byId = new Map(runs.map((run) => [run.task.id, run]));
  const lanes = new Map<number, Run[]>();
  for (const run of runs) {
    const lane = lanes.get(run.attempt.lane);
    if (lane) lane.push(run);
    else lanes.set(run.attempt.lane, [run]);
  }
  for (const lane of lanes.values()) lane.sort((a, b) => a.attempt.end - b.attempt.end);
  let last: Run | undefined;
  for (const run of runs) if (!last || run.attempt.end > last.attempt.end) last = run;
  const path: string[] = [];
  const seen = new Set<string>();
  for (let run = last; run && !seen.has(run.task.id); run = before(run, byId, lanes.get(run.attempt.lane) ?? [])) {
    seen.add(run.task.id);
    path.push(run.task.id);
  }
  return path.reverse();
}

/** A task and what decides how long it took: its last attempt. */
export interface Run {
  task: TimelineTask;
  attempt: TimelineAttempt;
}

/** The runs of a snapshot by their start; sorting is the dear part, so that who needs both results sorts once. */
export function runsInOrder({ tasks }: TimelineData): Run[] {
  const runs: Run[] = [];
  for (const task of tasks) {
    const attempt = task.attempts.at(-1);
    if (attempt) runs.push({ task, attempt });
  }
  return runs.sort((a, b) => a.attempt.start - b.attempt.start);
}

function before(run: Run, byId: ReadonlyMap<string, Run>, lane: readonly Run[]): Run | undefined {
  const { task, attempt } = run;
  let latest: Run | undefined;
  for (const id of task.dependencies) {
    const input = byId.get(id);
    if (input && input.attempt.end <= attempt.start && (!latest || input.attempt.end > latest.attempt.end))
      latest = input;
  }
  const neighbour = lastEndedBy(lane, attempt.start);
  const ready = Math.max(task.submittedAt, latest?.attempt.end ?? -Infinity);
  // The worker was busy when the task could have run: the task on that worker is what it waited for.
  if (neighbour && neighbour.attempt.end > ready) return neighbour;
  return latest ?? (task.parentId === undefined ? undefined : byId.get(task.parentId));
}

/** The last run of the lane, sorted by end, that had ended at `time`. */
function lastEndedBy(lane: readonly Run[], time: number): Run | undefined {
  let low = 0;
  let high = lane.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (lane[middle]!.attempt.end <= time) low = middle + 1;
    else high = middle;
  }
  return lane[low - 1];
}
