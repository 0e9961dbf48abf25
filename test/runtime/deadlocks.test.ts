/** Tasks that wait for each other: refs that reach them late, by what tasks of one thread share. */
import { DeadlockError, get, type ObjectRef, remote, settled, TaskError } from "heddle";
import { describe, expect, it } from "vitest";
import { rejection, useRuntime } from "../support/runtime-measures.ts";
import { add, echo } from "../support/runtime-tasks.ts";

// One thread, so that all tasks have the same globals.
useRuntime({ numCpus: 1 });

/** Puts refs where other tasks of the thread find them. */
const tell = remote(function tell(at: number, refs: ObjectRef<unknown>[]): void {
  Reflect.set(globalThis, `told ${at}`, refs);
});

/** Awaits what it finds there. */
const waits = remote(
  async function waits(at: number, timeout?: number) {
    const told = () => Reflect.get(globalThis, `told ${at}`) as ObjectRef<unknown>[] | undefined;
    while (told() === undefined) await new Promise((resolve) => setTimeout(resolve, 2));
    return await get(told()!, timeout === undefined ? {} : { timeout });
  },
  { numCpus: 0 },
);

describe("a circle of tasks that wait for each other", () => {
  it("of one task: it awaits itself", async () => {
    const r = waits.remote(0);
    await get(tell.remote(0, [r]));
    const error = await rejection(get(r));
    expect(error).toBeInstanceOf(DeadlockError);
    expect(error).toBeInstanceOf(TaskError);
    expect(error.message).toMatch(
      /^get: these tasks wait for each other.*: waits\(0\) awaits in get o\w+ of itself\. /,
    );
  });

  it("of two by get and one by its input: one get fails, and the others with it", async () => {
    const first = waits.remote(1);
    const needs = echo.remote(first);
    const second = waits.remote(2);
    await get([tell.remote(1, [second]), tell.remote(2, [add.remote(1, 1), needs])]);
    const outcomes = await settled([first, second, needs]);
    for (const outcome of outcomes) {
      expect(outcome.status).toBe("rejected");
      const { reason } = outcome as PromiseRejectedResult;
      expect(reason).toBeInstanceOf(DeadlockError);
      for (const part of ["waits(1) awaits in get", "waits(2) awaits in get", "needs as input"])
        expect(reason.message).toContain(part);
    }
  });

  it("is none where a limit of time ends it, and none where all is only slow", async () => {
    const r = waits.remote(3, 1500);
    await get(tell.remote(3, [r]));
    expect(await rejection(get(r))).not.toBeInstanceOf(DeadlockError);
    const slow = remote(async function slow() {
      await new Promise((resolve) => setTimeout(resolve, 1800));
      return 7;
    });
    const outer = waits.remote(4);
    await get(tell.remote(4, [slow.remote()]));
    expect(await get(outer)).toEqual([7]);
  });
});
