import { writeFile } from "node:fs/promises";
import { inspect } from "node:util";
import type { TaskEvent } from "./events.ts";
import type { Advice } from "./timeline/advice.ts";
import { advise } from "./timeline/advise.ts";
import { TimelineBuilder } from "./timeline/builder.ts";
import { type ChromeTrace, toChromeTrace } from "./timeline/chrome-trace.ts";
import type { TimelineData, TimelineFilter } from "./timeline/data.ts";
import { type Simulation, simulate } from "./timeline/simulate.ts";
import { describe, formatTime, summarize, type TimelineStats } from "./timeline/statistics.ts";

export type { Advice, AdviceRule } from "./timeline/advice.ts";
export type { ChromeTrace, ChromeTraceEvent } from "./timeline/chrome-trace.ts";
export * from "./timeline/data.ts";
export type { Simulation } from "./timeline/simulate.ts";
export * from "./timeline/statistics.ts";
export { advise, simulate, TimelineBuilder, toChromeTrace };

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
  #stats: TimelineStats | undefined;

  /** `now` is the time on the session's clock up to which unfinished tasks go; default the last event's. */
  constructor(events: readonly TaskEvent[], filter: TimelineFilter = {}, now?: number) {
    const builder = new TimelineBuilder({ limit: Infinity });
    builder.add(events);
    this.data = builder.view(filter, now);
    this.events = eventsOf(events, filter, this.data, builder);
  }

  /** Wall time, task time, speed-up, lower bound, per function and so on, as plain data in milliseconds. */
  get stats(): TimelineStats {
    this.#stats ??= summarize(this.data);
    return this.#stats;
  }

  /** Known anti-patterns found in what happened, the costliest first; empty when nothing is certain. */
  advise(): Advice[] {
    return advise(this.data);
  }

  /**
   * What the same work would have taken with `workers` workers.
   *
   * @throws {RangeError} `workers` is not a positive whole number.
   */
  simulate(options: { workers: number }): Simulation {
    return simulate(this.data, options);
  }

  /** The trace that `save` writes. */
  toChromeTrace(): ChromeTrace {
    return toChromeTrace(this.data);
  }

  /** Writes a trace that https://ui.perfetto.dev and chrome://tracing open. */
  async save(path: string): Promise<void> {
    await writeFile(path, JSON.stringify(this.toChromeTrace()));
  }

  [inspect.custom](): string {
    const { functions } = this.stats;
    const lines = functions.map(
      (one) =>
        `  ${one.name}: ${one.count} × median ${formatTime(one.median)}, p95 ${formatTime(one.p95)}, max ${formatTime(one.max)}`,
    );
    return ["Timeline", describe(this.stats), ...lines].join("\n").replace("Timeline\n", "Timeline: ");
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
      (filter.cell === undefined || cell === undefined || cell === filter.cell)
    );
  });
}
