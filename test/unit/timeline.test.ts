import { expect, test } from "vitest";
import type { TaskEvent } from "../../runtime/events.ts";
import { withoutPauses } from "../../runtime/timeline/pauses.ts";
import {
  describe,
  formatTime,
  snapshotOf,
  summarize,
  Timeline,
  TimelineBuilder,
  type TimelineData,
  type TimelineFilter,
} from "../../runtime/timeline.ts";
import {
  callEvents,
  earlyReturns,
  everything,
  inOrder,
  manyTasks,
  taskEvents,
  workerEvents,
} from "../support/traces.ts";

function view(events: readonly TaskEvent[], filter: TimelineFilter = {}, now?: number): TimelineData {
  const builder = new TimelineBuilder();
  builder.add(events);
  return builder.view(filter, now);
}

test("lanes are the driver, the workers by number, the actors, and what never ran", () => {
  const events = inOrder(
    taskEvents({ id: "a", submit: 0, start: 1, end: 2, worker: "worker-10" }),
    taskEvents({ id: "b", submit: 0, start: 1, end: 2, worker: "worker-9" }),
    taskEvents({ id: "c", submit: 0, start: 1, end: 2, worker: "worker-3", actor: "Counter#1" }),
    taskEvents({ id: "d", submit: 0, end: 2, state: "cancelled" }),
    callEvents({ id: "g", kind: "get", of: ["a"], start: 0, end: 2 }),
  );
  expect(view(events).lanes.map(({ label, kind }) => [label, kind])).toEqual([
    ["driver", "driver"],
    ["worker 9", "worker"],
    ["worker 10", "worker"],
    ["Counter#1", "actor"],
    ["did not run", "notRun"],
  ]);
});

test("a task keeps all its attempts, with the error of the one that failed", () => {
  const task = view(everything(), { cell: "1" }).tasks.find(({ id }) => id === "flaky(1)");
  expect(task?.state).toBe("finished");
  expect(
    task?.attempts.map(({ state, start, executedAt, end, error }) => [state, start, executedAt, end, error?.message]),
  ).toEqual([
    ["failed", 12, 14, 96, "socket hang up"],
    ["finished", 130, 132, 258, undefined],
  ]);
});

test("an object given as an argument leads to the task that made it", () => {
  const tasks = new Map(view(everything()).tasks.map((task) => [task.id, task]));
  expect(tasks.get("join")?.dependencies).toEqual(["parse(a)", "parse(b)"]);
  expect(tasks.get("trial(2)")?.parentId).toBe("sweep");
  expect(tasks.get("load(a)")?.dependencies).toEqual([]);
});

test("items of a generator lead to the generator", () => {
  const events: TaskEvent[] = [
    ...taskEvents({ id: "g", submit: 0, start: 1 }),
    { type: "yielded", time: 2, taskId: "g", index: 0, objectId: "object-of-item" },
    ...taskEvents({ id: "use", submit: 3, after: ["item"] }),
  ];
  expect(view(events).tasks.find(({ id }) => id === "use")?.dependencies).toEqual(["g"]);
});

test("unfinished tasks and calls go up to now", () => {
  const events = [
    ...taskEvents({ id: "a", submit: 0, start: 5 }),
    ...callEvents({ id: "g", kind: "get", of: ["a"], start: 6 }),
  ];
  const data = view(events, {}, 50);
  expect(data.live).toBe(true);
  expect(data.end).toBe(50);
  expect(data.tasks[0]?.attempts[0]).toMatchObject({ start: 5, end: 50, state: "running" });
  expect(data.calls[0]).toMatchObject({ end: 50, outcome: "running", pending: 1 });
});

test("the end of an attempt closes the wait that it was in", () => {
  const events: TaskEvent[] = [
    ...taskEvents({ id: "a", submit: 0, start: 0 }),
    { type: "blocked", time: 10, taskId: "a" },
    { type: "cancelled", time: 30, taskId: "a", attempt: 0, workerId: "worker-0", startedAt: 0, executedAt: 0 },
  ];
  const data = view(events, {}, 100);
  expect(data.tasks[0]?.attempts[0]?.blocked).toEqual([{ start: 10, end: 30 }]);
  expect(summarize(data).taskTime).toBe(10);
});

test("adding in pieces gives the same as adding at once", () => {
  const events = manyTasks(300, 4);
  const builder = new TimelineBuilder();
  for (let at = 0; at < events.length; at += 7) builder.add(events.slice(at, at + 7));
  expect(builder.view()).toEqual(view(events));
});

test("a nested task belongs to the cell of its parent", () => {
  const nested = taskEvents({ id: "child", parent: "a", submit: 1 }).map((event) => {
    const { cell: _, ...rest } = event as TaskEvent & { cell?: string };
    return rest as TaskEvent;
  });
  expect(
    view([...taskEvents({ id: "a", cell: "7", submit: 0, start: 0 }), ...nested], { cell: "7" }).tasks.map(
      ({ id }) => id,
    ),
  ).toEqual(["a", "child"]);
});

test("a cell that awaits tasks of an earlier cell shows them from when it began, and says where they came from", () => {
  const events = inOrder(
    taskEvents({ id: "old", cell: "3", submit: 0, start: 0, end: 10 }),
    taskEvents({ id: "long", cell: "3", submit: 0, start: 0, end: 100 }),
    callEvents({ id: "g", cell: "4", kind: "get", of: ["old", "long"], start: 60, end: 101 }),
  );
  const data = view(events, { cell: "4" });
  expect(data.submittedIn).toEqual(["3"]);
  expect(data.start).toBe(60);
  expect(data.tasks.map(({ id, foreign }) => [id, foreign])).toEqual([["long", true]]);
  expect(summarize(data).taskTime).toBe(40);
});

test("filters by name, function and time", () => {
  const events = everything();
  expect(view(events, { name: "load" }).tasks).toHaveLength(3);
  expect(view(events, { name: "load(b)" }).tasks.map(({ id }) => id)).toEqual(["load(b)"]);
  const late = view(events, { since: 800, until: 870 });
  expect(late.tasks.map(({ id }) => id)).toEqual(["join", "report", "slow"]);
  expect([late.start, late.end]).toEqual([800, 870]);
});

test("the oldest finished tasks are forgotten beyond the limit", () => {
  const builder = new TimelineBuilder({ limit: 100 });
  for (let i = 0; i < 250; i++)
    builder.add(taskEvents({ id: `t${i}`, cell: String(Math.floor(i / 50)), submit: i, start: i, end: i + 1 }));
  expect(builder.tasks.size).toBeLessThanOrEqual(100);
  expect(builder.tasks.has("t249")).toBe(true);
  expect(builder.tasks.has("t0")).toBe(false);
});

test("statistics of the early-return example", () => {
  const stats = summarize(view(earlyReturns(), { cell: "3" }));
  expect(stats.tasks).toBe(8);
  expect(stats.workers).toBe(8);
  expect(stats.taskTime).toBeCloseTo(2_810, -2);
  expect(stats.speedUp).toBeCloseTo(4, 0);
  expect(stats.capacityUsed).toBeCloseTo(0.5, 1);
  expect(stats.lowerBound).toBeGreaterThan(700);
  expect(stats.lowerBound).toBeLessThanOrEqual(stats.wall);
  expect(stats.criticalPath).toEqual(["f7"]);
});

test("the lower bound is the longest chain or the work divided by the workers", () => {
  const chain = inOrder(
    workerEvents(4),
    taskEvents({ id: "a", submit: 0, start: 0, end: 100 }),
    taskEvents({ id: "b", submit: 0, ready: 100, start: 100, end: 200, after: ["a"] }),
    taskEvents({ id: "c", submit: 0, start: 0, end: 30, worker: "worker-1" }),
  );
  expect(summarize(view(chain))).toMatchObject({ lowerBound: 200, longestChain: 200, criticalPath: ["a", "b"] });
  const wide = inOrder(
    workerEvents(2),
    ...[0, 1, 2, 3].map((i) =>
      taskEvents({
        id: `t${i}`,
        submit: 0,
        start: Math.floor(i / 2) * 100,
        end: Math.floor(i / 2) * 100 + 100,
        worker: `worker-${i % 2}`,
      }),
    ),
  );
  expect(summarize(view(wide))).toMatchObject({ lowerBound: 200, longestChain: 100, speedUp: 2, capacityUsed: 1 });
});

test("the critical path goes through inputs, busy workers and parents", () => {
  const events = inOrder(
    workerEvents(2),
    taskEvents({ id: "parent", submit: 0, start: 0, end: 300, blocked: [[20, 290]] }),
    taskEvents({ id: "first", parent: "parent", submit: 10, start: 10, end: 150, worker: "worker-1" }),
    taskEvents({ id: "second", parent: "parent", submit: 12, start: 150, end: 280, worker: "worker-1" }),
    taskEvents({ id: "last", submit: 5, ready: 300, start: 301, end: 400, after: ["parent"] }),
  );
  expect(summarize(view(events)).criticalPath).toEqual(["parent", "last"]);
  const children = events.filter(
    (event) => !("taskId" in event) || (event.taskId !== "last" && event.taskId !== "parent"),
  );
  expect(summarize(view(children)).criticalPath).toEqual(["first", "second"]);
});

test("work that early returns let start is saved time", () => {
  const tasks = [100, 200, 1000].map((end, i) =>
    taskEvents({ id: `t${i}`, submit: 0, start: 0, end, worker: `worker-${i}` }),
  );
  const stage2 = taskEvents({ id: "next", submit: 210, start: 210, end: 500, worker: "worker-0" });
  const waits = callEvents({
    id: "w",
    kind: "wait",
    of: ["t0", "t1", "t2"],
    returned: ["t0", "t1"],
    numReturns: 2,
    start: 1,
    end: 205,
  });
  const rest = callEvents({ id: "g", kind: "get", of: ["t2", "next"], start: 220, end: 1001 });
  expect(summarize(view(inOrder(workerEvents(3), ...tasks, stage2, waits, rest))).savedByEarlyReturns).toBe(295);
  const all = callEvents({ id: "w", kind: "get", of: ["t0", "t1", "t2"], start: 1, end: 1001 });
  expect(summarize(view(inOrder(workerEvents(3), ...tasks, all))).savedByEarlyReturns).toBe(0);
});

test("per function: count, median, 95th percentile, maximum", () => {
  const events = Array.from({ length: 100 }, (_, i) =>
    taskEvents({ id: `t${i}`, fn: "work", submit: 0, start: i * 200, end: i * 200 + i + 1 }),
  );
  expect(summarize(view(inOrder(...events))).functions).toEqual([
    { name: "work", count: 100, failed: 0, median: 50.5, p95: 95, max: 100, total: 5050 },
  ]);
});

test("queue time runs from ready to started, for each attempt", () => {
  const stats = summarize(view(everything()));
  expect(stats.queueTime.max).toBe(395);
  expect(stats).toMatchObject({ failed: 1, retried: 1, cancelled: 2, running: 0, waiting: 0 });
});

test("nothing at all gives zeros", () => {
  const stats = summarize(view([]));
  expect(stats).toMatchObject({
    tasks: 0,
    wall: 0,
    speedUp: 0,
    capacityUsed: 0,
    lowerBound: 0,
    criticalPath: [],
    functions: [],
  });
  expect(describe(stats)).toBe(
    "0 tasks on 0 workers in 0 ms; 0 ms of task time, 0.0× speed-up, 0 % of capacity; lower bound 0 ms.",
  );
});

test("times read as people read them", () => {
  const readings = [
    0, 0.0123, 0.9994, 3.14, 9.96, 180, 999.4, 999.9, 2_400, 59_949, 59_999, 72_000, 3_599_999, 5_400_000,
  ].map(formatTime);
  expect(readings).toEqual([
    "0 ms",
    "12 µs",
    "999 µs",
    "3.1 ms",
    "10 ms",
    "180 ms",
    "999 ms",
    "1.00 s",
    "2.40 s",
    "59.9 s",
    "1 m 0 s",
    "1 m 12 s",
    "1 h 0 m",
    "1 h 30 m",
  ]);
});

test("a timeline object gives the events of its part, its statistics and a readable form", () => {
  const events = [
    ...earlyReturns({ cell: "3" }),
    ...taskEvents({ id: "other", cell: "9", submit: 5_000, start: 5_000, end: 5_100 }),
  ];
  const timeline = new Timeline(events, { cell: "9" });
  expect(timeline.events.filter((event) => event.type !== "workerStarted").map(({ type }) => type)).toEqual([
    "submitted",
    "ready",
    "started",
    "finished",
  ]);
  expect(timeline.stats.tasks).toBe(1);
  expect(new Timeline(events).events).toHaveLength(events.length);
});

test("the time between cells in which nothing ran is in no figure, but in the data", () => {
  const events = inOrder(
    workerEvents(1),
    taskEvents({ id: "a", cell: "1", submit: 0, start: 0, end: 100 }),
    taskEvents({ id: "b", cell: "2", submit: 60_100, start: 60_110, end: 60_200, ready: 60_105 }),
    callEvents({ id: "g", cell: "2", kind: "get", of: ["b"], start: 60_101, end: 60_201 }),
  );
  const timeline = new Timeline(events);
  expect(timeline.stats).toMatchObject({ wall: 201, taskTime: 190 });
  expect(timeline.data).toMatchObject({ start: 0, end: 60_201 });
  const active = withoutPauses(timeline.data);
  expect(active.pauses).toEqual([{ time: 100, length: 60_000 }]);
  expect(active.tasks[1]).toMatchObject({ submittedAt: 100, readyAt: 105, endedAt: 200 });
  expect(active.calls[0]).toMatchObject({ start: 101, end: 201 });
  expect(String(timeline)).toContain("(1 m 0 s between cells left out)");
});

test("a pause of one cell, a short one, and one that a task fills are no pauses", () => {
  const pause = (end: number, cell: string, start = 5_000) =>
    new Timeline(
      inOrder(
        taskEvents({ id: "a", cell: "1", submit: 0, start: 0, end }),
        taskEvents({ id: "b", cell, submit: start, start, end: start + 100 }),
      ),
    ).stats.wall;
  expect(pause(100, "2")).toBe(200);
  expect(pause(100, "1")).toBe(5_100);
  expect(pause(100, "2", 1_050)).toBe(1_150);
  expect(pause(4_900, "2")).toBe(5_100);
});

test("a cell is given by its number too; a name leaves out the calls that have to do with others", () => {
  const events = [
    ...earlyReturns({ cell: "3" }),
    ...taskEvents({ id: "other", fn: "other", cell: "9", submit: 5_000, start: 5_000, end: 5_100 }),
    ...callEvents({ id: "g", cell: "9", kind: "get", of: ["other"], start: 5_001, end: 5_101 }),
  ];
  expect(view(events, { cell: 9 }).tasks.map(({ id }) => id)).toEqual(["other"]);
  const named = view(events, { name: "other" });
  expect(named.calls.map(({ id }) => id)).toEqual(["g"]);
  expect([named.start, named.end]).toEqual([5_000, 5_101]);
});

test("a part of the time in which there was nothing is empty, not negative", () => {
  expect(summarize(view(earlyReturns(), { until: 10 })).wall).toBe(0);
  expect(summarize(view(earlyReturns(), { since: 99_000 })).wall).toBe(0);
});

test("a snapshot can be cut out of what is known later, of an earlier runtime too", () => {
  const earlier = inOrder(workerEvents(2), taskEvents({ id: "old", submit: 0, start: 1, end: 50 }));
  const everyWorker = [...workerEvents(10, 0), ...everything()];
  const events = everyWorker.map((event) => ({ ...event, time: event.time + 1_000 })) as TaskEvent[];
  for (const event of events) {
    if ("startedAt" in event && event.startedAt !== undefined) event.startedAt += 1_000;
    if ("executedAt" in event && event.executedAt !== undefined) event.executedAt += 1_000;
  }
  const later = new TimelineBuilder();
  later.add([...earlier, ...events]);
  for (const moment of [1_020, 1_110, 1_331, 1_455, 1_700, 1_955, 2_100]) {
    const known = events.filter(({ time }) => time <= moment);
    const then = new Timeline(known, {}, moment);
    const reference = { filter: {}, first: events[0]!.time, last: known.at(-1)!.time, now: moment };
    const cut = snapshotOf(later, reference);
    expect(summarize(cut), `at ${moment}`).toEqual({ ...then.stats, workers: expect.any(Number) });
    expect(cut.tasks.map(({ id, state }) => [id, state])).toEqual(then.data.tasks.map(({ id, state }) => [id, state]));
    expect(cut.live).toBe(then.data.live);
  }
});
