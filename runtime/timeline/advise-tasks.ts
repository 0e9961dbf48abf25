import { type Advice, advice, costless, grouped, runTime } from "./advice.ts";
import type { TimelineAttempt, TimelineData, TimelineTask } from "./data.ts";
import { formatBytes, formatTime, plural, spread } from "./statistics.ts";

/** How long a batch of small tasks should run. */
const BATCH_MS = 10;

/** Tasks that take hardly longer than starting them: too-fine-grained-tasks. */
export function tooFineAdvice(data: TimelineData): Advice | undefined {
  for (const [name, tasks] of grouped(data.tasks, (task) => task.functionName)) {
    if (tasks.length < 50) continue;
    const run = spread(tasks.map(runTime));
    const overhead = Math.max(startingTime(data, tasks), idleTime(data, tasks));
    if (overhead === 0 || run.median >= overhead * 5 || run.median > BATCH_MS / 2) continue;
    const batch = Math.min(tasks.length, Number((BATCH_MS / Math.max(run.median, 0.01)).toPrecision(2)));
    const cost = ((tasks.length - tasks.length / batch) * overhead) / Math.max(1, data.workers);
    const found = advice("tasksTooSmall", data, { tasks }, cost, () => {
      return `${plural(tasks.length, "call")} of ${name} took ${formatTime(run.median)} each and about ${formatTime(overhead)} to start: ${formatTime(cost)} lost. Give each task about ${batch} items.`;
    });
    if (found) return found;
  }
  return undefined;
}

/** A loop that only submits takes no longer from one task to the next. */
const SUBMISSION_MS = 0.1;

/**
 * What the workers stood idle for each task while tasks that needed no others were submitted one after the other:
 * describing, storing, scheduling and answering took longer than running. 0 where something else may have been waited for.
 */
function idleTime(data: TimelineData, tasks: readonly TimelineTask[]): number {
  const gaps = tasks.slice(1).map((task, index) => task.submittedAt - tasks[index]!.submittedAt);
  if (tasks.some((task) => task.dependencies.length > 0) || spread(gaps).median > SUBMISSION_MS) return 0;
  const start = tasks[0]!.submittedAt;
  const end = tasks.reduce((last, task) => Math.max(last, task.endedAt ?? start), start);
  const busy = data.tasks.reduce(
    (sum, task) => sum + (overlaps(task, start, end) ? runTime(task) * task.numCpus : 0),
    0,
  );
  return Math.max(0, (end - start) * data.workers - busy) / tasks.length;
}

function overlaps(task: TimelineTask, start: number, end: number): boolean {
  return task.submittedAt <= end && (task.endedAt ?? end) >= start;
}

/** The pause between two tasks of a worker while the second was ready all the time, and its fetching: median; 0 when seldom seen. */
function startingTime(data: TimelineData, tasks: readonly TimelineTask[]): number {
  const wanted = new Set(tasks);
  const lanes = grouped(
    data.tasks.flatMap((task) => task.attempts.map((attempt) => ({ task, attempt }))),
    ({ attempt }) => attempt.lane,
  );
  const pauses: number[] = [];
  for (const lane of lanes.values()) {
    lane.sort((a, b) => a.attempt.start - b.attempt.start);
    for (let i = 1; i < lane.length; i++) {
      const [before, after] = [lane[i - 1]!, lane[i]!];
      const ready = after.task.readyAt ?? after.task.submittedAt;
      const pause = after.attempt.executedAt - before.attempt.end;
      if (wanted.has(after.task) && ready <= before.attempt.end && pause >= 0) pauses.push(pause);
    }
  }
  return pauses.length < tasks.length / 4 ? 0 : spread(pauses).median;
}

/** One task that all others had to wait for. */
export function stragglerAdvice(data: TimelineData): Advice | undefined {
  for (const [name, tasks] of grouped(data.tasks, (task) => task.functionName)) {
    const ran = tasks.filter((task) => task.state === "finished");
    if (ran.length < 5) continue;
    const last = ran.reduce((a, b) => (b.endedAt! > a.endedAt! ? b : a));
    const median = spread(ran.map(runTime)).median;
    const others = data.tasks.filter((task) => task !== last).map((task) => task.endedAt ?? 0);
    const alone = last.endedAt! - Math.max(...others);
    if (runTime(last) < median * 3 || alone < (data.end - data.start) * 0.2) continue;
    const lane = data.lanes[last.attempts.at(-1)!.lane]?.label ?? "one worker";
    const found = advice("straggler", data, { tasks: [last] }, alone, () => {
      return `${last.name} on ${lane} took ${formatTime(runTime(last))}, the median of ${name} is ${formatTime(median)}: all else had ended ${formatTime(alone)} before. Submit the longest first, or split it.`;
    });
    if (found) return found;
  }
  return undefined;
}

/** Tasks that take the longer the more of them run at once: over-parallelised. */
export function concurrencyAdvice(data: TimelineData): Advice | undefined {
  if (data.workers < 2 || data.tasks.length < 10) return undefined;
  const othersDuring = crowd(data);
  for (const [name, tasks] of grouped(data.tasks, (task) => task.functionName)) {
    const attempts = tasks.flatMap((task) => task.attempts.filter((attempt) => attempt.state === "finished"));
    if (attempts.length < 10) continue;
    const together = attempts.map((attempt) => ({
      time: attempt.end - attempt.executedAt,
      others: othersDuring(attempt),
    }));
    const alone = together.filter(({ others }) => others < 0.25).map(({ time }) => time);
    const crowded = together.filter(({ others }) => others > (data.workers - 1) * 0.75).map(({ time }) => time);
    if (alone.length < 5 || crowded.length < 5) continue;
    const [single, many] = [spread(alone), spread(crowded)];
    const slowdown = many.median / single.median;
    // As fast as one after the other: the workers only stood in each other's way.
    if (!(slowdown > Math.max(2, data.workers * 0.75)) || single.p95 > many.median) continue;
    const cost = many.total / data.workers - single.median * (crowded.length / data.workers);
    const found = advice("tooMuchParallelism", data, { tasks }, cost, () => {
      return `${name} takes ${formatTime(single.median)} alone and ${formatTime(many.median)} beside ${data.workers - 1} others: the workers compete for the same processor, memory or disk. Fewer at a time, with a larger numCpus, are as fast.`;
    });
    if (found) return found;
  }
  return undefined;
}

/** A function that says how many other attempts ran during one, on the average. */
function crowd(data: TimelineData): (attempt: TimelineAttempt) => number {
  const steps = data.tasks
    .flatMap((task) =>
      task.attempts.flatMap(({ executedAt, end }) => [
        { time: executedAt, change: 1 },
        { time: end, change: -1 },
      ]),
    )
    .sort((a, b) => a.time - b.time);
  const times = Float64Array.from(steps, (step) => step.time);
  const running = new Float64Array(steps.length);
  const area = new Float64Array(steps.length);
  steps.forEach((step, index) => {
    running[index] = (running[index - 1] ?? 0) + step.change;
    if (index > 0) area[index] = area[index - 1]! + running[index - 1]! * (step.time - times[index - 1]!);
  });
  const areaAt = (time: number): number => {
    const index = lastAtOrBefore(times, time);
    return index < 0 ? 0 : area[index]! + running[index]! * (time - times[index]!);
  };
  return ({ executedAt, end }) => (areaAt(end) - areaAt(executedAt)) / Math.max(1e-6, end - executedAt) - 1;
}

function lastAtOrBefore(times: Float64Array, time: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle]! <= time) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** The store spilled while many results were waiting to be taken: limit-pending-tasks, ray-get-too-many-objects. */
export function spillAdvice(data: TimelineData): Advice | undefined {
  const moved = data.marks.filter((mark) => mark.kind === "spilled");
  const bytes = moved.reduce((sum, mark) => sum + (mark.bytes ?? 0), 0);
  const [first] = moved;
  if (!first || bytes === 0) return undefined;
  const pending = data.tasks.filter(
    (task) => task.submittedAt <= first.time && (task.endedAt ?? Infinity) > first.time,
  );
  if (pending.length < Math.max(1, data.workers) * 20) return undefined;
  const message = `${formatBytes(bytes)} went to disk while ${plural(pending.length, "task")} were under way. Keep fewer at a time: wait for some before submitting more.`;
  return costless("tooMuchAtOnce", data, { tasks: pending }, message);
}
