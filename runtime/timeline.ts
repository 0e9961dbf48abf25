import { writeFile } from "node:fs/promises";
import { inspect } from "node:util";
import type { TaskEvent } from "./events.ts";
import type { Advice } from "./timeline/advice.ts";
import { advise } from "./timeline/advise.ts";
import { asOf } from "./timeline/as-of.ts";
import { TimelineBuilder } from "./timeline/builder.ts";
import { type ChromeTrace, toChromeTrace } from "./timeline/chrome-trace.ts";
import type { TimelineData, TimelineFilter } from "./timeline/data.ts";
import { withoutPauses } from "./timeline/pauses.ts";
import { type Simulation, simulate } from "./timeline/simulate.ts";
import { plural, summarize, type TimelineStats } from "./timeline/statistics.ts";
import { renderText, withTable } from "./timeline/text.ts";

export type { Advice, AdviceRule } from "./timeline/advice.ts";
export type { ChromeTrace, ChromeTraceEvent } from "./timeline/chrome-trace.ts";
export * from "./timeline/data.ts";
export * from "./timeline/headline.ts";
export type { Simulation } from "./timeline/simulate.ts";
export * from "./timeline/statistics.ts";
export { timeTicks } from "./timeline/time-axis.ts";
export { assignTracks } from "./timeline/tracks.ts";
export { advise, renderText, simulate, TimelineBuilder, toChromeTrace, withTable };

/** Under this type the program that draws a timeline is told which part of what it knows: a `TimelineReference`. */
export const TIMELINE_MIME = "application/vnd.heddle.timeline+json";

/** A snapshot, for who has the session's events too. Times as in `TaskEvent`. */
export interface TimelineReference {
  filter: TimelineFilter;
  /** The first and the last event of the runtime that it is of. */
  first: number;
  last: number;
  /** When the snapshot was taken. */
  now: number;
}

/** Cuts the snapshot out of a timeline that may know more by now, and other runtimes of the session. */
export function snapshotOf(builder: TimelineBuilder, { filter, first, now }: TimelineReference): TimelineData {
  const since = Math.max(first, filter.since ?? -Infinity);
  return withoutPauses(asOf(builder.view({ ...filter, since }, now), now));
}

/** More tasks than this are not searched for anti-patterns while somebody waits to see something. */
export const MOST_ADVISED = 20_000;

const MOST_COLUMNS = 120;

/**
 * What happened in a session, or in the part of it that a filter lets through: made by `timeline()`.
 *
 * It is a snapshot: what happens later is in the next `timeline()`. In a notebook it shows itself as the chart.
 */
export class Timeline {
  /** The events it was made from, in the order in which they happened. */
  readonly events: readonly TaskEvent[];
  /** Lanes, tasks with their attempts, calls: what a chart draws. */
  readonly data: TimelineData;
  /** The same without the time between cells in which the user read and typed: what figures and chart are made from. */
  readonly #active: TimelineData;
  readonly #reference: TimelineReference;
  #stats: TimelineStats | undefined;

  /** `now` is the time on the session's clock up to which unfinished tasks go; default the last event's. */
  constructor(events: readonly TaskEvent[], filter: TimelineFilter = {}, now?: number) {
    const builder = new TimelineBuilder({ limit: Infinity });
    builder.add(events);
    this.data = builder.view(filter, now);
    this.#active = withoutPauses(this.data);
    this.events = eventsOf(events, filter, this.data, builder);
    const last = builder.lastTime;
    // As JSON an infinite bound would be another one.
    const parts = Object.entries(filter).filter(
      ([, part]) => part !== undefined && Math.abs(Number(part)) !== Infinity,
    );
    const first = events[0]?.time ?? last;
    this.#reference = { filter: Object.fromEntries(parts) as TimelineFilter, first, last, now: this.data.now };
  }

  /** Wall time, task time, speed-up, lower bound, per function and so on, as plain data in milliseconds. */
  get stats(): TimelineStats {
    this.#stats ??= summarize(this.#active);
    return this.#stats;
  }

  /** Known anti-patterns found in what happened, the costliest first; empty when nothing is certain. */
  advise(): Advice[] {
    return advise(this.#active);
  }

  /**
   * What the same work would have taken with `workers` workers.
   *
   * @throws {RangeError} `workers` is not a positive whole number.
   */
  simulate(options: { workers: number }): Simulation {
    return simulate(this.#active, options);
  }

  /** The trace that `save` writes. */
  toChromeTrace(): ChromeTrace {
    return toChromeTrace(this.data);
  }

  /** Writes a trace that https://ui.perfetto.dev and chrome://tracing open. */
  async save(path: string): Promise<void> {
    await writeFile(path, JSON.stringify(this.toChromeTrace()));
  }

  /** How a notebook shows it: as the chart, which the kernel draws of the events that it has been told. */
  [Symbol.for("Jupyter.display")](): Record<string, unknown> {
    return { [TIMELINE_MIME]: this.#reference, "text/plain": `Timeline of ${plural(this.data.tasks.length, "task")}` };
  }

  /** The chart in plain characters, as wide as the terminal, and a line for each function. */
  toString(): string {
    const width = Math.min(process.stdout.columns ?? 80, MOST_COLUMNS);
    const advice = this.data.tasks.length <= MOST_ADVISED ? this.advise() : [];
    return withTable(renderText(this.#active, this.stats, { width, advice }), this.stats);
  }

  [inspect.custom](): string {
    return this.toString();
  }
}

function eventsOf(
  events: readonly TaskEvent[],
  filter: TimelineFilter,
  data: TimelineData,
  builder: TimelineBuilder,
): readonly TaskEvent[] {
  if (Object.values(filter).every((part) => part === undefined)) return events;
  const tasks = new Set(data.tasks.map((task) => task.id));
  const calls = new Set([...data.calls, ...data.nestedCalls].map((call) => call.id));
  return events.filter((event) => {
    if ("callId" in event) return calls.has(event.callId);
    if ("taskId" in event && event.taskId !== undefined) return tasks.has(event.taskId);
    const cell = builder.cellOf(event);
    return (
      event.time >= data.start &&
      event.time <= data.end &&
      (filter.cell === undefined || cell === undefined || cell === String(filter.cell))
    );
  });
}
