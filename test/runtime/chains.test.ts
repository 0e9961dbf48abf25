/** Tasks that are sent to a worker ahead of what they need, behind the task that makes it. */
import {
  cancel,
  get,
  type ObjectRef,
  remote,
  settled,
  TaskCancelledError,
  TaskError,
  timeline,
  WorkerCrashedError,
} from "heddle";
import { beforeAll, describe, expect, it } from "vitest";
import { countingFile, countOf, rejection, useRuntime } from "../support/runtime-measures.ts";
import { add, countIn, opened } from "../support/runtime-tasks.ts";

useRuntime();

/** Long enough for several batches of records. */
const LENGTH = 600;

function chain(length: number, from: number | ObjectRef<number> = 0): ObjectRef<number>[] {
  const refs = [add.remote(from, 1)];
  while (refs.length < length) refs.push(add.remote(refs.at(-1)!, 1));
  return refs;
}

const eventsOf = (refs: readonly ObjectRef<unknown>[]) => {
  const ids = new Set(refs.map(({ taskId }) => taskId));
  const events = new Map<string, ReturnType<typeof timeline>["events"]>();
  for (const event of timeline().events) {
    if (!("taskId" in event) || event.taskId === undefined || !ids.has(event.taskId)) continue;
    events.set(event.taskId, [...(events.get(event.taskId) ?? []), event]);
  }
  return refs.map(({ taskId }) => events.get(taskId!)!);
};

describe("a chain of short tasks", () => {
  // Only tasks of functions that are known to be short are sent ahead.
  beforeAll(async () => {
    expect(await get(chain(LENGTH).at(-1)!)).toBe(LENGTH);
  });

  it("has all events of each task, each after those of the one before", async () => {
    const refs = chain(LENGTH);
    expect(await get(refs)).toEqual(refs.map((_, n) => n + 1));
    let before = 0;
    for (const [n, events] of eventsOf(refs).entries()) {
      expect(events.map(({ type }) => type)).toEqual(["submitted", "ready", "started", "finished"]);
      const [, ready, started, finished] = events;
      if (n > 0) expect(ready!.time).toBeGreaterThanOrEqual(before);
      expect(started!.time).toBeGreaterThanOrEqual(before);
      before = finished!.time;
    }
  });

  it("fails as a whole behind one that throws, each with its hops", async () => {
    const throws = remote(function throws(value: number): number {
      throw new RangeError(`no ${value}`);
    });
    const middle = throws.remote(chain(20).at(-1)!);
    const error = await rejection<TaskError>(get(chain(20, middle).at(-1)!));
    expect(error).toBeInstanceOf(RangeError);
    expect(error).toBeInstanceOf(TaskError);
    expect(error.message).toBe("no 20");
    expect(error.hops).toHaveLength(21);
  });

  it("goes on behind one that is tried again", async () => {
    const path = countingFile();
    const flaky = remote(
      function flaky(value: number, file: string) {
        if (countIn(file) < 3) throw new Error("again");
        return value;
      },
      { retryExceptions: true },
    );
    expect(await get(chain(20, flaky.remote(chain(20).at(-1)!, path)).at(-1)!)).toBe(40);
    expect(countOf(path)).toBe(3);
  });

  it("goes on behind one that crashes its thread and is tried again, and ends behind one that is not", async () => {
    const crashes = remote(function crashes(value: number, file: string) {
      if (countIn(file) < 2) process.exit(1);
      return value;
    });
    const path = countingFile();
    expect(await get(chain(20, crashes.remote(chain(20).at(-1)!, path)).at(-1)!)).toBe(40);
    expect(countOf(path)).toBe(2);
    const last = chain(20, crashes.options({ maxRetries: 0 }).remote(1, countingFile())).at(-1)!;
    expect(await rejection(get(last))).toBeInstanceOf(WorkerCrashedError);
  });

  it("goes on behind one that awaits others", async () => {
    const sum = remote(async function sum(value: number) {
      return (await get([add.remote(value, 1), add.remote(value, 2)])).reduce((a, b) => a + b);
    });
    let last: ObjectRef<number> = add.remote(0, 0);
    for (let n = 0; n < 10; n++) last = add.remote(sum.remote(last), 1);
    let expected = 0;
    for (let n = 0; n < 10; n++) expected = 2 * expected + 4;
    expect(await get(last)).toBe(expected);
  });

  it("ends where it is cancelled", async () => {
    const path = countingFile();
    const refs = chain(40, opened.remote(path, 0));
    cancel(refs[20]!);
    expect(await rejection(get(refs[20]!))).toBeInstanceOf(TaskCancelledError);
    countIn(path);
    const outcomes = await settled(refs);
    expect(outcomes.map(({ status }) => status)).toEqual([
      ...Array(20).fill("fulfilled"),
      ...Array(20).fill("rejected"),
    ]);
    expect((outcomes[39] as PromiseRejectedResult).reason).toBeInstanceOf(TaskCancelledError);
  });

  it("carries arrays and refs from task to task", async () => {
    const grow = remote(function grow(value: { data: Float64Array; seen: ObjectRef<number>[] }) {
      value.data[0]! += 1;
      return { data: value.data, seen: [...value.seen, add.remote(value.seen.length, 0)] };
    });
    let last = grow.remote({ data: new Float64Array(5000), seen: [] });
    const first = last;
    for (let n = 1; n < 30; n++) last = grow.remote(last);
    const { data, seen } = await get(last);
    expect(data[0]).toBe(30);
    expect(await get(seen)).toEqual(Array.from({ length: 30 }, (_, n) => n));
    // A sealed object never changes.
    expect((await get(first)).data[0]).toBe(1);
  });
});
