import {
  cancel,
  get,
  getRuntimeContext,
  listTasks,
  listWorkers,
  type ObjectRef,
  put,
  remote,
  TaskCancelledError,
  timeline,
} from "heddle";
import { describe, expect, it } from "vitest";
import { countingFile, countOf, rejection, until, useRuntime } from "../support/runtime-measures.ts";
import { add, countIn, opened } from "../support/runtime-tasks.ts";

// One thread, so that what is suspended is on the thread of what is cut.
useRuntime({ numCpus: 1 });

const exits = (): number => timeline().events.filter((event) => event.type === "workerExited").length;
const running = (functionName: string): Promise<void> =>
  until(() => listTasks({ functionName }).some((task) => task.state === "running"));

/** Endless code of several kinds; none gives the thread away. */
const endless = remote(function endless(kind: string, path: string) {
  countIn(path);
  switch (kind) {
    case "caught":
      for (;;) {
        try {
          for (let i = 0; i < 1e9; i++);
        } catch {
          // A cut is no exception.
        }
      }
    case "waiting":
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
      break;
    case "putting":
      for (let i = 0; ; i++) put(i)[Symbol.dispose]();
    default:
      for (;;);
  }
});

const pause = remote(async (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)), { numCpus: 0 });

describe("force", () => {
  it.each(["loop", "caught", "waiting", "putting"])(
    "ends endless synchronous code alone, and its thread goes on: %s",
    async (kind) => {
      const [before, workers] = [exits(), listWorkers().map((worker) => worker.workerId)];
      const [path, open] = [countingFile(), countingFile()];
      const waiter = remote(async (ref: ObjectRef<number>[]) => [getRuntimeContext().workerId, await get(ref[0]!)]);
      const gate = opened.remote(open, 7);
      const suspended = waiter.remote([gate]);
      await until(() => listTasks({ state: "blocked" }).length === 1);
      const r = endless.remote(kind, path);
      await until(() => countOf(path) === 1);
      cancel(r, { force: true });
      expect(await rejection(get(r))).toBeInstanceOf(TaskCancelledError);
      expect(await get(add.remote(1, 2))).toBe(3);
      countIn(open);
      expect(await get(suspended)).toEqual([workers[0], 7]);
      expect(exits()).toBe(before);
      expect(countOf(path)).toBe(1);
    },
  );

  it("a function whose kind is not known yet is cut too, and its thread's context is clean", async () => {
    const before = exits();
    for (let round = 0; round < 3; round++) {
      const fresh = remote(async function fresh() {
        for (;;);
      });
      const r = fresh.remote();
      await running("fresh");
      cancel(r, { force: true });
      expect(await rejection(get(r))).toBeInstanceOf(TaskCancelledError);
      const context = remote(async function context() {
        await null;
        return getRuntimeContext().functionName;
      });
      expect(await get(context.remote())).toBe("context");
    }
    expect(exits()).toBe(before);
  });

  it("what waits behind it in its lane runs", async () => {
    const before = exits();
    const path = countingFile();
    const r = endless.remote("loop", path);
    const behind = [1, 2, 3].map((n) => add.remote(n, n));
    await until(() => countOf(path) === 1);
    cancel(r, { force: true });
    cancel(r, { force: true });
    expect(await get(behind)).toEqual([2, 4, 6]);
    expect(exits()).toBe(before);
  });

  it("code that cannot be cut goes with its thread, and what else ran there runs again", async () => {
    const before = exits();
    const [path, other] = [countingFile(), countingFile()];
    const stuck = remote(async function stuck(file: string) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      countIn(file);
      for (;;);
    });
    const beside = remote(async function beside(file: string) {
      const run = countIn(file);
      await get(pause.remote(run === 1 ? 60_000 : 1));
      return run;
    });
    const b = beside.remote(other);
    await until(() => listTasks({ state: "blocked" }).length === 1);
    const r = stuck.remote(path);
    await until(() => countOf(path) === 1);
    cancel(r, { force: true });
    expect(await rejection(get(r))).toBeInstanceOf(TaskCancelledError);
    expect(await get(b)).toBe(2);
    expect(exits()).toBe(before + 1);
  });
});
