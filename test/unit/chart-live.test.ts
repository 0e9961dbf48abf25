import { expect, test } from "vitest";
import { type ChartFrame, type Clock, LiveChart, type LiveChartOptions } from "../../kernel/charts/live-chart.ts";
import { FunctionColors } from "../../kernel/charts/palette.ts";
import type { TaskEvent } from "../../runtime/events.ts";
import { TimelineBuilder } from "../../runtime/timeline.ts";
import {
  callEvents,
  earlyReturns,
  everything,
  inOrder,
  manyTasks,
  taskEvents,
  workerEvents,
} from "../support/traces.ts";

/** A clock that stands still until it is moved; drawing takes no time on it unless `cost` says so. */
class FakeClock implements Clock {
  time = 0;
  cost = 0;
  #timers: { due: number; run: () => void }[] = [];

  now(): number {
    return this.time;
  }

  setTimer(run: () => void, delay: number): unknown {
    const timer = { due: this.time + delay, run };
    this.#timers.push(timer);
    return timer;
  }

  clearTimer(timer: unknown): void {
    this.#timers = this.#timers.filter((one) => one !== timer);
  }

  get idle(): boolean {
    return this.#timers.length === 0;
  }

  moveTo(time: number): void {
    for (;;) {
      const next = this.#timers.toSorted((a, b) => a.due - b.due)[0];
      if (!next || next.due > time) break;
      this.clearTimer(next);
      this.time = Math.max(this.time, next.due);
      next.run();
    }
    this.time = Math.max(this.time, time);
  }
}

type Frame = ChartFrame & { at: number; full: boolean };

function open(options: Partial<LiveChartOptions> = {}): { chart: LiveChart; clock: FakeClock; frames: Frame[] } {
  const clock = new FakeClock();
  const frames: Frame[] = [];
  const publish = (frame: ChartFrame): void => {
    frames.push({ ...frame, at: clock.time, full: "image/png" in frame.data });
    clock.time += clock.cost;
  };
  return { clock, frames, chart: new LiveChart({ cell: "3", kernelspecName: "heddle", clock, publish, ...options }) };
}

/** Adds the events at their times, in batches of what happened within `step` ms. */
function play(chart: LiveChart, clock: FakeClock, events: readonly TaskEvent[], { from = 0, step = 10 } = {}): void {
  let at = 0;
  while (at < events.length) {
    const until = (Math.floor((events[at]!.time - from) / step) + 1) * step;
    const batch = events.slice(at).filter(({ time }) => time - from < until);
    clock.moveTo(until);
    chart.add(batch);
    at += batch.length;
  }
}

function textOf(frame: Frame | undefined): string {
  return frame?.data["text/plain"] as string;
}

const events = earlyReturns({ cell: "3", at: 0 });

test("published once after 100 ms of work, then updated in place, the last frame in full", async () => {
  const { chart, clock, frames } = open();
  play(chart, clock, events);
  await chart.cellEnded();
  expect(frames[0]).toMatchObject({ update: false, full: false });
  expect(frames[0]!.at).toBeCloseTo(110, -1);
  expect(new Set(frames.map(({ displayId }) => displayId)).size).toBe(1);
  expect(frames.slice(1).every(({ update }) => update)).toBe(true);
  expect(frames.map(({ full }) => full).lastIndexOf(false)).toBe(frames.length - 2);
  expect(frames.at(-1)?.full).toBe(true);
  expect(clock.idle).toBe(true);
  expect(chart.live).toBe(false);
});

test("at most ten frames a second, and an early return is in the next", async () => {
  const { chart, clock, frames } = open();
  play(chart, clock, events);
  for (let i = 1; i < frames.length; i++) expect(frames[i]!.at - frames[i - 1]!.at).toBeGreaterThanOrEqual(100);
  const shown = frames.find((frame) => textOf(frame).includes("v retrieve(2) retrieve(3)"));
  expect(shown!.at).toBeLessThan(307 + 110);
});

test("drawing that takes long is done seldom: a hundredth of the time", () => {
  const { chart, clock, frames } = open();
  clock.cost = 20;
  play(
    chart,
    clock,
    manyTasks(400, 2, { mean: 10 }).map((event) => ("cell" in event ? { ...event, cell: "3" } : event)),
  );
  for (let i = 1; i < frames.length; i++) expect(frames[i]!.at - frames[i - 1]!.at).toBeGreaterThanOrEqual(2_000);
});

test("short work is published at the cell's end, in full, once", async () => {
  const { chart, clock, frames } = open();
  play(
    chart,
    clock,
    inOrder(
      taskEvents({ id: "a", cell: "3", submit: 0, start: 1, end: 30 }),
      taskEvents({ id: "b", cell: "3", submit: 0, start: 1, end: 40, worker: "worker-1" }),
    ),
  );
  await chart.cellEnded();
  expect(frames).toMatchObject([{ update: false, full: true }]);
});

test.each([
  ["a single task under 50 ms", taskEvents({ id: "a", cell: "3", submit: 0, start: 1, end: 45 })],
  [
    "a single task that waited long and ran shortly",
    taskEvents({ id: "a", cell: "3", submit: 0, start: 400, end: 445 }),
  ],
  ["a single task that never ran", taskEvents({ id: "a", cell: "3", submit: 0, end: 900, state: "cancelled" })],
  ["tasks of another cell", taskEvents({ id: "a", cell: "2", submit: 0, start: 1, end: 450 })],
  ["workers that start", workerEvents(8)],
  ["a wait for nothing", callEvents({ id: "w", cell: "3", kind: "wait", of: [], start: 0, end: 300 })],
])("%s: no chart", async (_, trace) => {
  const { chart, clock, frames } = open();
  play(chart, clock, trace);
  await chart.cellEnded();
  clock.moveTo(10_000);
  await chart.close();
  expect(frames).toEqual([]);
});

test.each([
  ["at once", { start: 1, end: 60 }],
  ["after a long wait", { start: 400, end: 460 }],
])("a single task that runs over 50 ms, %s, has its chart", async (_, times) => {
  const { chart, clock, frames } = open();
  play(chart, clock, taskEvents({ id: "a", cell: "3", submit: 0, ...times }));
  await chart.cellEnded();
  expect(frames).toHaveLength(1);
});

test("silent while nothing goes on", () => {
  const { chart, clock, frames } = open();
  play(chart, clock, inOrder(...["a", "b"].map((id) => taskEvents({ id, cell: "3", submit: 0, start: 1, end: 200 }))));
  clock.moveTo(400);
  const drawn = frames.length;
  clock.moveTo(3_600_000);
  expect(frames).toHaveLength(drawn);
  expect(clock.idle).toBe(true);
});

test("bars of running tasks grow, slower the longer they are", () => {
  const { chart, clock, frames } = open();
  chart.add(taskEvents({ id: "a", cell: "3", submit: 0, start: 1 }));
  clock.moveTo(5_000);
  expect(frames.length).toBeGreaterThanOrEqual(8);
  expect(frames.length).toBeLessThanOrEqual(12);
  expect(textOf(frames.at(-1))).toContain("running 1");
  const before = frames.length;
  clock.moveTo(3_600_000);
  expect(frames.length - before).toBeLessThan(800);
});

test("tasks that outlive the cell keep updating its chart until the last one ends", async () => {
  const { chart, clock, frames } = open();
  const trace = inOrder(
    taskEvents({ id: "a", cell: "3", submit: 0, start: 1, end: 120 }),
    taskEvents({ id: "late", cell: "3", submit: 0, start: 1, end: 900, worker: "worker-1" }),
  );
  play(
    chart,
    clock,
    trace.filter(({ time }) => time <= 120),
  );
  await chart.cellEnded();
  expect(frames.at(-1)).toMatchObject({ full: true });
  expect(chart.live).toBe(true);
  play(
    chart,
    clock,
    trace.filter(({ time }) => time > 120),
  );
  clock.moveTo(1_500);
  await chart.cellEnded();
  expect(frames.at(-1)).toMatchObject({ full: true, update: true });
  expect(textOf(frames.at(-1))).not.toContain("running");
  expect(clock.idle).toBe(true);
});

test("a cell that awaits tasks of another shows them, says so, and follows them", async () => {
  const timeline = new TimelineBuilder();
  const { chart, clock, frames } = open({ cell: "4", timeline });
  const trace = inOrder(
    taskEvents({ id: "a", cell: "3", submit: 0, start: 1, end: 400 }),
    callEvents({ id: "g", cell: "4", kind: "get", of: ["a"], start: 100, end: 401 }),
  );
  for (const event of trace) {
    clock.moveTo(event.time);
    timeline.add([event]);
    chart.add([event]);
  }
  await chart.cellEnded();
  expect(textOf(frames.at(-1))).toContain("[4] get · submitted in [3]");
});

test("when the session is lost, the chart shows what was", async () => {
  const { chart, clock, frames } = open({ cell: "1" });
  play(
    chart,
    clock,
    everything().filter(({ time }) => time < 400),
  );
  clock.moveTo(60_000);
  await chart.close();
  expect(frames.at(-1)).toMatchObject({ full: true, update: true });
  expect(textOf(frames.at(-1))).toContain("wall 366 ms");
  expect(clock.idle).toBe(true);
  const drawn = frames.length;
  chart.add(everything());
  await chart.close();
  expect(frames).toHaveLength(drawn);
});

test("a frame while live is the picture alone; the last has the interactive figure, PNG and text", async () => {
  const { chart, clock, frames } = open({ plotlyMime: true, colors: new FunctionColors() });
  play(chart, clock, events);
  await chart.cellEnded();
  expect(Object.keys(frames[0]!.data)).toEqual(["text/html", "text/plain"]);
  expect(frames[0]!.data["text/html"]).not.toContain("<script");
  expect(Object.keys(frames.at(-1)!.data)).toEqual([
    "text/html",
    "image/png",
    "text/plain",
    "application/vnd.plotly.v1+json",
  ]);
});
