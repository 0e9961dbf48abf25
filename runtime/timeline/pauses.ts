import type { Interval, TimelineData } from "./data.ts";

/** Shorter ones are no pauses: the next cell is checked and compiled in them. */
const SHORTEST_MS = 1_000;

/**
 * Leaves out the time between two cells in which nothing went on, for there the user reads and types: in the chart of
 * a session nearly everything would be empty, and its figures would be the user's. `pauses` says where it was cut.
 */
export function withoutPauses(data: TimelineData): TimelineData {
  const pauses = pausesOf(data);
  if (pauses.length === 0) return data;
  const at = (time: number): number => {
    let before = 0;
    for (const pause of pauses) {
      if (time <= pause.start) break;
      before += Math.min(time, pause.end) - pause.start;
    }
    return time - before;
  };
  const cut = <T extends Interval>(interval: T): T => ({
    ...interval,
    start: at(interval.start),
    end: at(interval.end),
  });
  const maybe = (time: number | undefined): number | undefined => (time === undefined ? undefined : at(time));
  return {
    ...cut(data),
    now: at(data.now),
    pauses: pauses.map(({ start, end }) => ({ time: at(start), length: end - start })),
    tasks: data.tasks.map((task) => ({
      ...task,
      submittedAt: at(task.submittedAt),
      readyAt: maybe(task.readyAt),
      endedAt: maybe(task.endedAt),
      attempts: task.attempts.map((attempt) => ({
        ...cut(attempt),
        executedAt: at(attempt.executedAt),
        blocked: attempt.blocked.map(cut),
      })),
    })),
    calls: data.calls.map(cut),
    nestedCalls: data.nestedCalls.map(cut),
    marks: data.marks.map((mark) => ({ ...mark, time: at(mark.time) })),
    spans: data.spans.map(cut),
    puts: data.puts.map((put) => ({ ...put, time: at(put.time) })),
  };
}

function pausesOf(data: TimelineData): Interval[] {
  const acts = [
    ...data.tasks.map(({ cell, endedAt, submittedAt }) => ({ cell, start: submittedAt, end: endedAt ?? data.now })),
    ...data.calls.map(({ cell, end, start }) => ({ cell, start, end })),
  ].sort((a, b) => a.start - b.start);
  const pauses: Interval[] = [];
  let last = acts[0];
  for (const act of acts) {
    const isOther = act.cell !== undefined && last!.cell !== undefined && act.cell !== last!.cell;
    if (isOther && act.start - last!.end > SHORTEST_MS) pauses.push({ start: last!.end, end: act.start });
    if (act.end >= last!.end) last = act;
  }
  return pauses;
}
