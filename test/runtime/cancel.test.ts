import { cancel, get, getRuntimeContext, listTasks, put, remote, TaskCancelledError, wait } from "heddle";
import { describe, expect, it } from "vitest";
import { countingFile, countOf, rejection, timed, until, useRuntime } from "../support/runtime-measures.ts";
import { add, compute, countIn, sleep } from "../support/runtime-tasks.ts";

useRuntime();

const running = (functionName: string): Promise<void> =>
  until(() => listTasks({ functionName }).some((task) => task.state === "running" || task.state === "blocked"));

describe("cancel", () => {
  it("cancel-02 a running task's get rejects promptly and its worker goes on", async () => {
    const r = sleep.remote(9000, 1);
    await running("sleep");
    cancel(r);
    const waiting = rejection(get(r));
    expect(await timed(waiting)).toBeLessThan(2000);
    expect(await waiting).toBeInstanceOf(TaskCancelledError);
    expect((await waiting).message).toMatch(/task sleep\(9000, 1\).* was cancelled/);
    expect(await get([add.remote(1, 1), add.remote(2, 2)])).toEqual([2, 4]);
  });

  it("cancel-02 a task that has not started never runs", async () => {
    const path = countingFile();
    const counting = remote((file: string, _after: unknown) => countIn(file));
    const gate = sleep.remote(300, 0);
    const r = counting.remote(path, gate);
    cancel(r);
    expect(await rejection(get(r))).toBeInstanceOf(TaskCancelledError);
    expect(await get(gate)).toBe(0);
    await get(add.remote(1, 1));
    expect(countOf(path)).toBe(0);
  });

  it("cancel-02 the task's signal aborts, so that it can clean up", async () => {
    const [started, path] = [countingFile(), countingFile()];
    const tidy = remote(async function tidy(begun: string, file: string) {
      const { signal } = getRuntimeContext();
      try {
        countIn(begun);
        await new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason)));
      } finally {
        countIn(file);
      }
    });
    const r = tidy.remote(started, path);
    await until(() => countOf(started) === 1);
    cancel(r);
    expect(await rejection(get(r))).toBeInstanceOf(TaskCancelledError);
    expect(countOf(path)).toBe(1);
  });

  it("cancel-03 a synchronous block goes on without force", async () => {
    const r = compute.remote(1000);
    await running("compute");
    cancel(r);
    const outcome = get(r).catch((error: unknown) => error);
    expect(await timed(outcome)).toBeGreaterThan(300);
    expect([1000, expect.any(TaskCancelledError)]).toContainEqual(await outcome);
  });

  it("cancel-03 force ends a synchronous block, and the thread is there for others", async () => {
    const r = compute.remote(20_000);
    await running("compute");
    cancel(r, { force: true });
    const waiting = rejection(get(r));
    expect(await timed(waiting)).toBeLessThan(8000);
    expect(await waiting).toBeInstanceOf(TaskCancelledError);
    expect(await get([add.remote(1, 1), add.remote(2, 2)])).toEqual([2, 4]);
  });

  it("cancel-05 a finished task keeps its value", async () => {
    const r = add.remote(3, 4);
    await get(r);
    expect(cancel(r)).toBeUndefined();
    expect(cancel(r, { force: true })).toBeUndefined();
    expect(await get(r)).toBe(7);
  });

  it("cancel-06 an object that was put is left alone", async () => {
    const r = put(1);
    cancel(r);
    cancel(r, { force: true });
    expect(await get(r)).toBe(1);
  });

  it("cancel-07 anything but a ref is refused", () => {
    expect(() => cancel(1 as never)).toThrow(TypeError);
    expect(() => cancel(1 as never)).toThrow(/cancel: expected an ObjectRef, not 1/);
  });

  it("cancel-07 unknown options are refused", () => {
    expect(() => cancel(put(1), { forced: true } as never)).toThrow(/cancel: unknown option "forced"/);
  });

  it("cancel-08 twice is as once", async () => {
    const r = sleep.remote(9000, 1);
    await running("sleep");
    cancel(r);
    cancel(r);
    expect(await rejection(get(r))).toBeInstanceOf(TaskCancelledError);
    expect(await get(add.remote(1, 1))).toBe(2);
  });

  it("cancel-11 a task that resolves after its signal aborted keeps its value", async () => {
    const started = countingFile();
    const stubborn = remote(async function stubborn(begun: string) {
      const { signal } = getRuntimeContext();
      countIn(begun);
      await new Promise<void>((resolve) => signal?.addEventListener("abort", () => resolve()));
      return "swallowed";
    });
    const r = stubborn.remote(started);
    await until(() => countOf(started) === 1);
    cancel(r);
    expect(await get(r)).toBe("swallowed");
  });

  it("cancel-12 children are cancelled along", async () => {
    const path = countingFile();
    const child = remote(async function child(file: string) {
      await new Promise((resolve) => setTimeout(resolve, 700));
      countIn(file);
    });
    const parent = remote(async function parent(file: string) {
      return get(child.remote(file));
    });
    const r = parent.remote(path);
    await running("child");
    cancel(r);
    expect(await rejection(get(r))).toBeInstanceOf(TaskCancelledError);
    await until(() => listTasks().length === 0);
    expect(listTasks({ functionName: "child" })).toEqual([]);
  });

  it("cancel-13 recursive: false leaves children alone", async () => {
    const path = countingFile();
    const child = remote(async function child(file: string) {
      await new Promise((resolve) => setTimeout(resolve, 500));
      return countIn(file);
    });
    const parent = remote(async function parent(file: string) {
      return get(child.remote(file));
    });
    const r = parent.remote(path);
    await running("child");
    cancel(r, { recursive: false });
    expect(await rejection(get(r))).toBeInstanceOf(TaskCancelledError);
    await until(() => listTasks().length === 0);
    expect(countOf(path)).toBe(1);
  });

  it("cancel-14 a ref of an inner task that a task returned can be cancelled", async () => {
    const outer = remote(() => [sleep.remote(9000, 1)]);
    const [inner] = await get(outer.remote());
    await running("sleep");
    cancel(inner!);
    expect(await timed(wait([inner!]))).toBeLessThan(2000);
    expect(await rejection(get(inner!))).toBeInstanceOf(TaskCancelledError);
  });

  it("the option signal cancels the task", async () => {
    const controller = new AbortController();
    const withSignal = remote(() => new Promise<never>(() => {}), { signal: controller.signal });
    const r = withSignal.remote();
    controller.abort();
    expect(await rejection(get(r))).toBeInstanceOf(TaskCancelledError);
    expect(() => withSignal.remote()).toThrow(/abort/i);
  });

  it("what depends on a cancelled task is cancelled by its story", async () => {
    const r = sleep.remote(9000, 1);
    const needs = add.remote(r, 1);
    cancel(r);
    const error = await rejection(get(needs));
    expect(error).toBeInstanceOf(TaskCancelledError);
    expect(error.message).toMatch(/sleep\(9000, 1\).*needed by add/);
  });
});
