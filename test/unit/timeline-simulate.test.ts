import { expect, test } from "vitest";
import type { TaskEvent } from "../../runtime/events.ts";
import { Timeline } from "../../runtime/timeline.ts";
import { callEvents, earlyReturns, inOrder, manyTasks, taskEvents, workerEvents } from "../support/traces.ts";

function predicted(events: readonly TaskEvent[], workers: number): number {
  return new Timeline(events).simulate({ workers }).wall;
}

/** `count` tasks of 100 ms, one after the other on each of `workers` workers, and a `get` of all. */
function batch(count: number, workers: number): TaskEvent[] {
  const tasks = Array.from({ length: count }, (_, i) => {
    const start = Math.floor(i / workers) * 100;
    return taskEvents({ id: `t${i}`, submit: 0, start, end: start + 100, worker: `worker-${i % workers}` });
  });
  const ids = Array.from({ length: count }, (_, i) => `t${i}`);
  return inOrder(
    workerEvents(workers),
    ...tasks,
    callEvents({ id: "g", kind: "get", of: ids, start: 0, end: Math.ceil(count / workers) * 100 }),
  );
}

test("independent tasks divide by the workers", () => {
  const events = batch(16, 4);
  expect(predicted(events, 4)).toBe(400);
  expect(predicted(events, 1)).toBe(1600);
  expect(predicted(events, 8)).toBe(200);
  expect(predicted(events, 100)).toBe(100);
});

test("a chain gains nothing", () => {
  const chain = Array.from({ length: 5 }, (_, i) =>
    taskEvents({
      id: `c${i}`,
      submit: 0,
      ready: i * 100,
      start: i * 100,
      end: i * 100 + 100,
      after: i === 0 ? [] : [`c${i - 1}`],
    }),
  );
  const simulation = new Timeline(inOrder(workerEvents(1), ...chain)).simulate({ workers: 8 });
  expect(simulation.wall).toBe(500);
  expect(simulation.limit).toBe(500);
});

test("with as many workers as there were, it predicts what was", () => {
  for (const [events, workers] of [
    [earlyReturns(), 8],
    [manyTasks(200, 8), 8],
    [manyTasks(3_000, 16), 16],
  ] as const) {
    const { stats } = new Timeline(events);
    expect(Math.abs(predicted(events, workers) / stats.wall - 1)).toBeLessThan(0.05);
  }
});

test("trained on few workers, it predicts the run on more", () => {
  const wall = (events: TaskEvent[]): number => new Timeline(events).stats.wall;
  const [few, many] = [manyTasks(400, 4), manyTasks(400, 12)];
  expect(Math.abs(predicted(few, 12) / wall(many) - 1)).toBeLessThan(0.15);
  expect(Math.abs(predicted(many, 4) / wall(few) - 1)).toBeLessThan(0.15);
});

test("the driver's own work and its waits stay in the order that they had", () => {
  const events = inOrder(
    workerEvents(2),
    taskEvents({ id: "a", submit: 0, start: 0, end: 100 }),
    callEvents({ id: "g1", kind: "get", of: ["a"], start: 0, end: 100 }),
    taskEvents({ id: "b", submit: 150, start: 150, end: 250 }),
    callEvents({ id: "g2", kind: "get", of: ["b"], start: 150, end: 250 }),
  );
  expect(predicted(events, 16)).toBe(250);
});

test("a task that waits for its own gives its slot back", () => {
  const events = inOrder(
    workerEvents(2),
    taskEvents({ id: "parent", submit: 0, start: 0, end: 220, blocked: [[10, 210]] }),
    taskEvents({ id: "x", parent: "parent", submit: 5, start: 5, end: 105, worker: "worker-1" }),
    taskEvents({ id: "y", parent: "parent", submit: 6, start: 105, end: 205, worker: "worker-1" }),
  );
  expect(predicted(events, 1)).toBe(220);
  expect(predicted(events, 2)).toBeCloseTo(120, -1);
});

test("a wait that timed out does not make the run longer", () => {
  const events = inOrder(
    workerEvents(1),
    taskEvents({ id: "a", submit: 0, start: 0, end: 100 }),
    callEvents({ id: "w", kind: "wait", of: ["a"], start: 0, end: 100, timeout: 7_000 }),
  );
  expect(predicted(events, 1)).toBe(100);
});

test("calls of one actor stay one after the other", () => {
  const calls = [0, 1, 2].map((i) =>
    taskEvents({ id: `c${i}`, actor: "Counter#1", numCpus: 0, submit: 0, start: i * 50, end: i * 50 + 50 }),
  );
  expect(predicted(inOrder(workerEvents(4), ...calls), 8)).toBe(150);
});

test("the curve goes from one worker to twice as many and falls", () => {
  const { curve } = new Timeline(batch(16, 4)).simulate({ workers: 4 });
  expect(curve.map(({ workers }) => workers)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  for (let i = 1; i < curve.length; i++) expect(curve[i]!.wall).toBeLessThanOrEqual(curve[i - 1]!.wall);
  expect(curve[7]!.speedUp).toBe(8);
});

test.each([0, -1, 1.5, Number.NaN])("%s workers are refused", (workers) => {
  expect(() => new Timeline(batch(2, 2)).simulate({ workers })).toThrow(RangeError);
});
