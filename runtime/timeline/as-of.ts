import type { TimelineAttempt, TimelineCall, TimelineData, TimelineTask } from "./data.ts";

/** A snapshot as it would have been at an earlier moment: what ended later was under way, what began later is not there. */
export function asOf(data: TimelineData, time: number): TimelineData {
  if (data.end <= time && data.now <= time) return data;
  const tasks = data.tasks.filter((task) => task.submittedAt <= time).map((task) => taskAsOf(task, time));
  const began = ({ start }: { start: number }): boolean => start <= time;
  return {
    ...data,
    now: Math.min(data.now, time),
    start: Math.min(data.start, time),
    end: Math.min(data.end, time),
    tasks,
    calls: data.calls.filter(began).map((call) => callAsOf(call, time)),
    nestedCalls: data.nestedCalls.filter(began).map((call) => callAsOf(call, time)),
    marks: data.marks.filter((mark) => mark.time <= time),
    spans: data.spans.filter(({ end }) => end <= time),
    puts: data.puts.filter((put) => put.time <= time),
    live: data.live || tasks.some((task) => task.endedAt === undefined) || data.calls.some((call) => call.end > time),
  };
}

function taskAsOf(task: TimelineTask, time: number): TimelineTask {
  const isOver = task.endedAt !== undefined && task.endedAt <= time;
  if (isOver) return task;
  const attempts = task.attempts.filter(({ start }) => start <= time).map((attempt) => attemptAsOf(attempt, time));
  const readyAt = task.readyAt !== undefined && task.readyAt <= time ? task.readyAt : undefined;
  const state = attempts.at(-1)?.state === "running" ? "running" : "waiting";
  return { ...task, readyAt, endedAt: undefined, size: undefined, state, attempts };
}

function attemptAsOf(attempt: TimelineAttempt, time: number): TimelineAttempt {
  if (attempt.end <= time && attempt.state !== "running") return attempt;
  return {
    ...attempt,
    end: Math.min(attempt.end, time),
    // A running attempt has not said yet when its code began.
    executedAt: attempt.start,
    state: "running",
    error: undefined,
    blocked: attempt.blocked
      .filter(({ start }) => start <= time)
      .map(({ start, end }) => ({ start, end: Math.min(end, time) })),
  };
}

function callAsOf(call: TimelineCall, time: number): TimelineCall {
  if (call.end <= time) return call;
  return { ...call, end: time, returned: [], returnedTotal: 0, pending: call.total, outcome: "running" };
}
