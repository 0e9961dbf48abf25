/** Stories that once went wrong, as the simulation found and cut them. */
import { expect, test } from "vitest";
import { playStory } from "./simulation.ts";
import type { Act, Setting, Submit } from "./story.ts";

const setting: Setting = {
  threads: 2,
  cpus: 2,
  gpus: 0.5,
  slots: 4,
  room: 1000,
  pieces: 1000,
  spills: true,
  stepMs: 0.5,
};

function submit(as: number, more: Partial<Submit> = {}): Submit {
  return {
    do: "submit",
    by: 0,
    as,
    fn: 0,
    needs: [],
    carries: [],
    returns: 1,
    cpus: 1,
    gpus: 0,
    maxRetries: 0,
    ...more,
  };
}

const get = (by: number, call: number, objects: number[], shared = false): Act => ({
  do: "get",
  by,
  call,
  objects,
  settled: false,
  poll: false,
  shared,
});
const hear = (thread: number, records = 1000): Act => ({ do: "hear", thread, records });
const read = (thread: number): Act => ({ do: "read", thread, records: 1000 });
const start = (thread: number): Act => ({ do: "start", thread });
const crash = (thread: number, claiming = false): Act => ({ do: "crash", thread, claiming, reason: "crash" });
const fail = (by: number, retryable = false): Act => ({ do: "throw", by, retryable, carries: [] });
const finish = (by: number): Act => ({ do: "finish", by, carries: [] });
const run: Act = { do: "run" };
/** Task `as` runs on thread 1. */
const running = (...tasks: Submit[]): Act[] => [...tasks, hear(0), run, read(1), start(1)];

const stories: Record<string, { setting?: Partial<Setting>; acts: Act[] }> = {
  "a thread that holds an object twice, by a ref and by views, lets go of it twice": {
    acts: [...running(submit(20)), submit(100, { by: 20 }), get(20, 4, [100], true), finish(20)],
  },
  "a failure that spreads to other tasks lets go of what was thrown once, at last": {
    acts: [...running(submit(30)), submit(80, { needs: [30] }), fail(30)],
  },
  "all objects of a task with several returns share what was thrown": {
    acts: [...running(submit(30, { returns: 3 })), fail(30)],
  },
  "what earlier attempts threw is let go, whether the last one fails or not": {
    acts: [
      ...running(submit(20, { maxRetries: 1 }), submit(30, { maxRetries: 2 })),
      fail(20, true),
      hear(1),
      run,
      read(2),
      start(2),
      fail(30, true),
    ],
  },
  "an object that is let go by those who were just told of it is dropped once": {
    acts: [
      ...running(submit(40)),
      submit(50, { needs: [40] }),
      hear(0),
      { do: "forget", by: 0, object: 40 },
      { do: "collect", thread: 0 },
      hear(0),
      fail(40),
    ],
  },
  "events of a task come in the order of their times": {
    acts: [...running(submit(20)), get(20, 1, []), finish(20), hear(1, 2), run],
  },
  "tasks that a thread had not begun when it ended keep their places": {
    setting: { threads: 1, cpus: 1, stepMs: 0.01 },
    acts: [
      ...running(submit(20)),
      finish(20),
      hear(1),
      submit(30),
      submit(40),
      submit(50),
      hear(0),
      run,
      crash(1),
      { do: "replace", thread: 1 },
      run,
    ],
  },
  "a worker whose ring is full does not keep tasks from another": {
    setting: { room: 1 },
    acts: [
      ...running(submit(40)),
      submit(80, { by: 40, cpus: 2 }),
      { do: "wait", by: 40, call: 4, objects: [80] },
      hear(1),
      submit(90, { returns: 2 }),
      submit(100, { by: 40, cpus: 0, gpus: 0.5 }),
      finish(40),
    ],
  },
  "a task alone in its lane moves to an idle worker when its thread does something else": {
    setting: { threads: 3, cpus: 3 },
    acts: [
      ...[20, 40, 50, 80].map((as) => submit(as, { cpus: 0.5 })),
      hear(0),
      run,
      read(2),
      start(2),
      crash(2, true),
      { do: "replace", thread: 2 },
      run,
    ],
  },
  "an input that is let go while its task waits for a slot fails the task": {
    acts: [
      { do: "put", by: 0, as: 30, carries: [] },
      ...running(submit(20, { cpus: 2 })),
      submit(70, { needs: [30] }),
      hear(0),
      { do: "free", by: 0, object: 30 },
    ],
  },
  "an input that is let go while its task lies on a worker fails the task": {
    acts: [
      { do: "put", by: 0, as: 30, carries: [] },
      submit(70, { needs: [30] }),
      hear(0),
      run,
      { do: "free", by: 0, object: 30 },
      hear(0),
      read(1),
      start(1),
    ],
  },
  "a cancel that is not recursive leaves alone what the task submits afterwards": {
    acts: [
      ...running(submit(40)),
      { do: "cancel", by: 0, object: 40, force: false, recursive: false },
      hear(0),
      submit(110, { by: 40 }),
    ],
  },
  "a decided call does not wait for one that its task makes afterwards": {
    setting: { threads: 1, cpus: 1 },
    acts: [...running(submit(50)), get(50, 8, []), submit(190, { by: 50 }), get(50, 9, [190])],
  },
  "cancelling a cell ends a task once that fails with another one of it": {
    acts: [submit(30, { cell: "2" }), submit(40, { cell: "2", needs: [30] }), hear(0), { do: "cancelCell", cell: "2" }],
  },
  "when all workers are to be replaced, what their tasks wait for runs there all the same": {
    setting: { threads: 1, cpus: 1 },
    acts: [
      submit(20, { cpus: 0 }),
      submit(30, { needs: [20] }),
      submit(50, { carries: [30] }),
      submit(60, { cpus: 0, maxCalls: 1, fn: 1 }),
      hear(0),
      run,
      read(1),
      start(1),
      start(1),
      start(1),
      get(50, 1, [30]),
      finish(60),
    ],
  },
  "items of a stream whose reader is gone are not kept": {
    acts: [
      ...running(submit(20)),
      submit(30, { by: 20, highWaterMark: 3 }),
      hear(1),
      run,
      read(2),
      start(2),
      crash(1),
      { do: "replace", thread: 1 },
      { do: "yield", by: 30, as: 40, carries: [] },
    ],
  },
  "a task that ended while it waited for a slot leaves the queue": {
    setting: { threads: 1, cpus: 1 },
    acts: [submit(60, { cpus: 2 }), hear(0), { do: "cancel", by: 0, object: 60, force: false, recursive: true }],
  },
};

test.each(Object.entries(stories))("%s", (_name, { acts, setting: own }) => {
  expect(playStory({ setting: { ...setting, ...own }, acts })).toBeUndefined();
});
