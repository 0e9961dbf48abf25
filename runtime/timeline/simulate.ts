import { longestChain } from "./critical-path.ts";
import { executionTime, type TimelineCall, type TimelineData, type TimelineTask } from "./data.ts";
import { Replay, type ReplayTask, type Step } from "./replay.ts";
import { spread } from "./statistics.ts";

/** What the same work would have taken with another number of workers. Times in milliseconds. */
export interface Simulation {
  workers: number;
  /** Predicted wall time. */
  wall: number;
  /** Task time divided by the predicted wall time. */
  speedUp: number;
  capacityUsed: number;
  /** However many workers there are, it takes at least this long: the longest chain of dependencies. */
  limit: number;
  /** From one worker to twice as many as there were. */
  curve: { workers: number; wall: number; speedUp: number }[];
}

const LONGEST_CURVE = 32;
/** Tasks replayed for one curve, so that it takes about a second. */
const REPLAY_BUDGET = 400_000;

/**
 * Replays the measured tasks, their dependencies and the driver's own work and waits with another number of workers.
 *
 * @throws {RangeError} `workers` is not a positive whole number.
 */
export function simulate(data: TimelineData, { workers }: { workers: number }): Simulation {
  if (!Number.isInteger(workers) || workers < 1)
    throw new RangeError(`simulate: workers must be a whole number from 1 on, not ${String(workers)}.`);
  const plan = planOf(data);
  const taskTime = plan.tasks.reduce((sum, task) => sum + task.work, 0);
  const wallWith = (count: number): number => new Replay(plan.tasks, plan.driver, { workers: count }).run();
  const wall = wallWith(workers);
  const speedUp = (time: number): number => (time > 0 ? taskTime / time : 0);
  return {
    workers,
    wall,
    speedUp: speedUp(wall),
    capacityUsed: speedUp(wall) / workers,
    limit: longestChain(data),
    curve: curvePoints(data).map((count) => {
      const time = count === workers ? wall : wallWith(count);
      return { workers: count, wall: time, speedUp: speedUp(time) };
    }),
  };
}

function curvePoints(data: TimelineData): number[] {
  const last = Math.max(2, data.workers * 2);
  const points = Math.max(4, Math.min(LONGEST_CURVE, Math.floor(REPLAY_BUDGET / (data.tasks.length + 1))));
  const step = Math.ceil(last / points);
  return [...new Set([1, ...Array.from({ length: Math.floor(last / step) }, (_, index) => (index + 1) * step), last])];
}

/** The recorded run as a program: what the driver and each task do, one step after the other. */
function planOf(data: TimelineData): { tasks: ReplayTask[]; driver: Step[] } {
  const ran = data.tasks.filter((task) => task.attempts.length > 0);
  const children = new Map<string, TimelineTask[]>();
  const top: TimelineTask[] = [];
  const known = new Set(ran.map((task) => task.id));
  for (const task of ran) {
    if (task.parentId === undefined || !known.has(task.parentId)) top.push(task);
    else if (children.get(task.parentId)?.push(task) === undefined) children.set(task.parentId, [task]);
  }
  const pause: Step = { type: "run", time: dispatchTime(data) };
  const tasks = ran.map((task) => ({
    id: task.id,
    slots: task.actor === undefined ? task.numCpus : 0,
    ...(task.actor === undefined ? {} : { actor: task.actor }),
    dependencies: task.dependencies.filter((id) => known.has(id)),
    work: task.attempts.reduce((sum, attempt) => sum + executionTime(attempt), 0),
    steps: [pause, ...taskSteps(task, children.get(task.id) ?? [])],
  }));
  return { tasks, driver: driverSteps(data, top) };
}

/** From the moment when a task is ready and its worker is free until it starts: median. */
function dispatchTime(data: TimelineData): number {
  const runs = data.tasks.flatMap((task) => task.attempts.slice(0, 1).map((attempt) => ({ task, attempt })));
  runs.sort((a, b) => a.attempt.start - b.attempt.start);
  const freeSince = new Map<number, number>();
  const pauses: number[] = [];
  for (const { task, attempt } of runs) {
    const free = freeSince.get(attempt.lane) ?? -Infinity;
    const pause = attempt.start - Math.max(task.readyAt ?? task.submittedAt, free);
    if (pause >= 0) pauses.push(pause);
    freeSince.set(attempt.lane, Math.max(free, attempt.end));
  }
  return spread(pauses).median;
}

/** All attempts as one piece: a retry is run again, as it was. */
function taskSteps(task: TimelineTask, children: readonly TimelineTask[]): Step[] {
  const steps: Step[] = [];
  const waitedFor = new Set<string>();
  for (const attempt of task.attempts) {
    let cursor = attempt.start;
    const runTo = (time: number): void => {
      if (time > cursor) steps.push({ type: "run", time: time - cursor });
      cursor = Math.max(cursor, time);
    };
    const moments = [
      ...children
        .filter((child) => child.submittedAt >= attempt.start && child.submittedAt <= attempt.end)
        .map((child) => ({ time: child.submittedAt, child })),
      ...attempt.blocked.map((pause) => ({ time: pause.start, pause })),
    ].sort((a, b) => a.time - b.time);
    for (const moment of moments) {
      runTo(moment.time);
      if ("child" in moment) steps.push({ type: "submit", taskId: moment.child.id });
      else {
        const awaited = children.filter(
          (child) =>
            (child.endedAt ?? Infinity) <= moment.pause.end &&
            child.submittedAt <= moment.pause.start &&
            !waitedFor.has(child.id),
        );
        for (const child of awaited) waitedFor.add(child.id);
        steps.push({ type: "wait", taskIds: awaited.map((child) => child.id), count: awaited.length });
        cursor = moment.pause.end;
      }
    }
    runTo(attempt.end);
  }
  return steps;
}

function driverSteps(data: TimelineData, top: readonly TimelineTask[]): Step[] {
  const steps: Step[] = [];
  const known = new Set(data.tasks.filter((task) => task.attempts.length > 0).map((task) => task.id));
  let cursor = data.start;
  const runTo = (time: number): void => {
    if (time > cursor) steps.push({ type: "run", time: time - cursor });
    cursor = Math.max(cursor, time);
  };
  const moments = [
    ...top.map((task) => ({ time: task.submittedAt, task })),
    ...data.calls.map((call) => ({ time: call.start, call })),
  ];
  for (const moment of moments.sort((a, b) => a.time - b.time)) {
    runTo(moment.time);
    if ("task" in moment) steps.push({ type: "submit", taskId: moment.task.id });
    else {
      steps.push(waitStep(moment.call, known));
      cursor = Math.max(cursor, moment.call.end);
    }
  }
  return steps;
}

function waitStep(call: TimelineCall, known: ReadonlySet<string>): Step {
  const taskIds = call.taskIds.filter((id) => known.has(id));
  const count = call.kind === "get" ? taskIds.length : Math.min(call.numReturns ?? 1, taskIds.length);
  return { type: "wait", taskIds, count, ...(call.timeout === undefined ? {} : { timeout: call.timeout }) };
}
