import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { TaskEvent } from "../../runtime/events.ts";
import { type ChromeTraceEvent, Timeline } from "../../runtime/timeline.ts";
import { callEvents, earlyReturns, everything, manyTasks, taskEvents } from "../support/traces.ts";

const traces: [string, TaskEvent[]][] = [
  ["early returns", earlyReturns()],
  ["everything", everything()],
  ["many tasks", manyTasks(2_000, 8)],
  [
    "two calls at once",
    [...everything(), ...callEvents({ id: "both", kind: "get", of: ["report"], start: 100, end: 350 })].sort(
      (a, b) => a.time - b.time,
    ),
  ],
];

test.each(traces)("the trace of %s is what the trace event format asks for", (_, events) => {
  const { displayTimeUnit, traceEvents } = new Timeline(events).toChromeTrace();
  expect(displayTimeUnit).toBe("ms");
  for (const event of traceEvents) {
    expect(Number.isInteger(event.pid) && Number.isInteger(event.tid)).toBe(true);
    if (event.ph !== "M") expect(Number.isInteger(event.ts) && event.ts! >= 0, JSON.stringify(event)).toBe(true);
    if (event.ph === "X") expect(Number.isInteger(event.dur) && event.dur! >= 0, JSON.stringify(event)).toBe(true);
  }
  const named = new Set(traceEvents.filter(({ name }) => name === "thread_name").map(({ tid }) => tid));
  for (const event of traceEvents) if (event.ph !== "M") expect(named, JSON.stringify(event)).toContain(event.tid);
});

test.each(traces)("slices of one row of %s nest and never cross", (_, events) => {
  const rows = new Map<number, ChromeTraceEvent[]>();
  for (const event of new Timeline(events).toChromeTrace().traceEvents) {
    if (event.ph !== "X") continue;
    rows.set(event.tid, [...(rows.get(event.tid) ?? []), event]);
  }
  for (const slices of rows.values()) {
    const open: number[] = [];
    for (const { ts, dur } of slices.sort((a, b) => a.ts! - b.ts! || b.dur! - a.dur!)) {
      while (open.length > 0 && open.at(-1)! <= ts!) open.pop();
      if (open.length > 0) expect(ts! + dur!).toBeLessThanOrEqual(open.at(-1)!);
      open.push(ts! + dur!);
    }
  }
});

test("flows begin inside the slice of the result and end where the dependent starts", () => {
  const { traceEvents } = new Timeline(everything()).toChromeTrace();
  const starts = traceEvents.filter(({ ph }) => ph === "s");
  const ends = new Map(traceEvents.filter(({ ph }) => ph === "f").map((event) => [event.id, event]));
  expect(starts).toHaveLength(8);
  for (const start of starts) {
    const end = ends.get(start.id)!;
    expect(end.bp).toBe("e");
    expect(end.ts).toBeGreaterThanOrEqual(start.ts!);
    for (const flow of [start, end])
      expect(
        traceEvents.some(
          ({ ph, tid, ts, dur }) => ph === "X" && tid === flow.tid && ts! <= flow.ts! && ts! + dur! >= flow.ts!,
        ),
      ).toBe(true);
  }
});

test("it has what Ray's trace lacks: state, attempt, parent, dependencies, queue time, size, calls, early returns", () => {
  const { traceEvents } = new Timeline(everything()).toChromeTrace();
  const task = (name: string) =>
    traceEvents.filter((event) => event.cat === "task" && event.name === name).map(({ args }) => args);
  expect(task("flaky(1)")).toMatchObject([
    { state: "failed", attempt: 0, error: "Error: socket hang up" },
    { state: "finished", attempt: 1 },
  ]);
  expect(task("trial(0)")).toMatchObject([{ parent: "sweep" }]);
  expect(task("join")).toMatchObject([{ after: ["parse(a)", "parse(b)"], queued_ms: 6, result_bytes: 100 }]);
  expect(traceEvents.filter(({ ph, cat }) => ph === "i" && cat === "driver").map(({ name }) => name)).toEqual([
    "wait timed out",
    "early return of 2",
  ]);
  expect(traceEvents.filter(({ ph, cat }) => ph === "X" && cat === "driver").map(({ name }) => name)).toEqual([
    "get (3)",
    "wait (1 of 4)",
    "wait (2 of 4)",
    "get (1)",
  ]);
});

test("spans and puts are in it: spans beside their tasks, puts in them", () => {
  const events: TaskEvent[] = [
    ...taskEvents({ id: "a", submit: 0, start: 0, end: 100 }),
    { type: "span", time: 10, end: 60, name: "read", taskId: "a" },
    { type: "span", time: 40, end: 90, name: "parse", taskId: "a" },
    { type: "put", time: 50, objectId: "o1", bytes: 8_000, taskId: "a" },
    { type: "put", time: 60, objectId: "o2", bytes: 9_000 },
  ];
  const { traceEvents } = new Timeline(events).toChromeTrace();
  const tidOf = (name: string) =>
    traceEvents.filter((event) => event.name === name && event.ph !== "M").map(({ tid }) => tid);
  const [task] = tidOf("a");
  expect(new Set([task, ...tidOf("read"), ...tidOf("parse")]).size).toBe(3);
  expect(traceEvents.filter(({ cat }) => cat === "span")).toMatchObject([
    { name: "read", ts: 10_000, dur: 50_000, args: { task_id: "a" } },
    { name: "parse", ts: 40_000, dur: 50_000 },
  ]);
  expect(traceEvents.filter(({ name }) => name === "put")).toMatchObject([
    { ts: 50_000, tid: task, args: { object_id: "o1", bytes: 8_000 } },
    { ts: 60_000, args: { bytes: 9_000 } },
  ]);
});

test("save writes the trace as JSON", async () => {
  const folder = await mkdtemp(join(tmpdir(), "heddle-trace-"));
  try {
    const timeline = new Timeline(earlyReturns());
    await timeline.save(join(folder, "trace.json"));
    expect(JSON.parse(await readFile(join(folder, "trace.json"), "utf8"))).toEqual(timeline.toChromeTrace());
  } finally {
    await rm(folder, { recursive: true });
  }
});
