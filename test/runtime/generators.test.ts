import { cancel, get, listObjects, listTasks, type ObjectRef, put, remote, settled, timeline, wait } from "heddle";
import { describe, expect, it } from "vitest";
import { countingFile, countOf, rejection, until, useRuntime } from "../support/runtime-measures.ts";
import { collect, counting, gen, plain, valuesOf } from "../support/runtime-streams.ts";
import { add, sleep, UserError } from "../support/runtime-tasks.ts";

useRuntime();

describe("streams", () => {
  it.each([
    ["async", gen],
    ["synchronous", plain],
  ] as const)("gen-01 a generator task streams its items in order: %s", async (_, task) => {
    const refs = await collect(task.remote(5));
    expect(refs).toHaveLength(5);
    expect(new Set(refs.map((ref) => ref.id)).size).toBe(5);
    expect(await get(refs)).toEqual([0, 1, 2, 3, 4]);
  });

  it("gen-02 items are usable before the task has ended", async () => {
    const stream = gen.remote(3, -1, 400);
    const first = await stream.next();
    expect(await get(first.value as ObjectRef<number>)).toBe(0);
    expect(listTasks({ functionName: "gen" })).toHaveLength(1);
    expect(await valuesOf(stream)).toEqual([1, 2]);
  });

  it("gen-04 without a limit all items are made, also when nobody reads them", async () => {
    const path = countingFile();
    const stream = counting.remote(path, 10);
    await get(stream.completed);
    expect(countOf(path)).toBe(10);
    expect(await collect(stream.values())).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it.each([1, 2, 3])(
    "gen-05 highWaterMark %i: so many unread items exist, and one more for each that is taken",
    async (mark) => {
      const path = countingFile();
      const stream = counting.options({ highWaterMark: mark }).remote(path, 10);
      for (let taken = 0; taken < 5; taken++) {
        await until(() => countOf(path) === mark + taken);
        await get(add.remote(1, 1));
        expect(countOf(path)).toBe(mark + taken);
        await stream.next();
      }
      await stream.return();
      expect(countOf(path)).toBeLessThan(10);
    },
  );

  it("gen-05 a producer that is held back gives its slot to others", async () => {
    const streams = Array.from({ length: 4 }, () => plain.options({ highWaterMark: 1 }).remote(3));
    await until(() => listTasks({ functionName: "plain", state: "blocked" }).length === 4);
    expect(await get([add.remote(1, 1), add.remote(2, 2)])).toEqual([2, 4]);
    for (const stream of streams) expect(await valuesOf(stream)).toEqual([0, 1, 2]);
  });

  it("gen-08 a stream is no ref: get, arguments and put refuse it in words", async () => {
    const stream = plain.remote(2);
    expect((await rejection(get(stream as never))).message).toMatch(/not a generator's stream.*for await/);
    expect(await rejection(get([stream] as never))).toBeInstanceOf(TypeError);
    expect(() => add.remote(stream as never, 1)).toThrow(/add\.remote, argument 0: .*not a generator's stream/);
    expect(() => put({ inside: stream })).toThrow(/the value put → inside: a stream stays on the thread/);
    expect(await valuesOf(stream)).toEqual([0, 1]);
  });

  it("gen-09 completed settles when the task ends, with nothing or with its error", async () => {
    expect(await get(plain.remote(2).completed)).toBeUndefined();
    const failing = gen.remote(3, 2);
    expect(await rejection(get(failing.completed))).toBeInstanceOf(UserError);
  });

  it("gen-14 a highWaterMark of 0, or without a stream, is refused", () => {
    expect(() => remote(function* () {}, { highWaterMark: 0 })).toThrow(
      /"highWaterMark" must be a whole number of at least 1/,
    );
    expect(() => remote(() => 1, { highWaterMark: 1 })).toThrow(/highWaterMark.*is not a generator function/);
    expect(() => plain.options({ numReturns: 2, highWaterMark: 1 })).toThrow(/highWaterMark.*numReturns: 2/);
  });

  it("gen-15 an empty generator ends at once", async () => {
    expect(await valuesOf(plain.remote(0))).toEqual([]);
  });

  it("gen-15 after its end a stream stays at its end", async () => {
    const stream = plain.remote(1);
    await valuesOf(stream);
    expect(await stream.next()).toEqual({ done: true, value: undefined });
    expect(await stream.next()).toEqual({ done: true, value: undefined });
    expect(await wait([stream], { timeout: 0 })).toEqual([[stream], []]);
  });

  it("ret-06 numReturns collects the items of a generator", async () => {
    expect(await get(plain.options({ numReturns: 3 }).remote(3))).toEqual([0, 1, 2]);
    const short = plain.options({ numReturns: 3 }).remote(2);
    expect((await rejection(get(short))).message).toMatch(/numReturns: 3.*array of 2/);
  });

  it("next calls that overlap give the items in their order", async () => {
    const stream = gen.remote(3, -1, 20);
    const steps = await Promise.all([stream.next(), stream.next(), stream.next(), stream.next()]);
    expect(await get(steps.slice(0, 3).map((step) => step.value as ObjectRef<number>))).toEqual([0, 1, 2]);
    expect(steps[3]?.done).toBe(true);
  });

  it("values gives the values and lets each go once it is read", async () => {
    const big = remote(function* big() {
      for (let i = 0; i < 5; i++) yield new Float64Array(1000).fill(i);
    });
    const sums: number[] = [];
    for await (const array of big.remote().values()) sums.push(array.reduce((a, b) => a + b, 0));
    expect(sums).toEqual([0, 1000, 2000, 3000, 4000]);
    await until(() => !listObjects().some((object) => object.bytes > 8000));
  });

  it("the timeline has each item", async () => {
    const stream = plain.remote(2);
    const refs = await collect(stream);
    const events = timeline().events.filter(
      (event) => event.type === "yielded" && event.taskId === stream.completed.taskId,
    );
    expect(events).toMatchObject(refs.map((ref, index) => ({ index, objectId: ref.id })));
    expect(refs.map((ref) => ref.taskId)).toEqual([stream.completed.taskId, stream.completed.taskId]);
  });
});

describe("streams and wait", () => {
  it("a stream is ready when its next item is", async () => {
    const [slow, quick] = [gen.remote(2, -1, 2000), gen.remote(2, -1, 50)];
    const [ready, pending] = await wait([slow, quick]);
    expect([ready, pending]).toEqual([[quick], [slow]]);
    const { value } = await quick.next();
    expect(await get(value as ObjectRef<number>)).toBe(0);
    await Promise.all([slow.return(), quick.return()]);
  });

  it("a stream that fails or ends is ready, beside refs", async () => {
    const [failing, empty, never] = [gen.remote(1, 0), plain.remote(0), sleep.remote(9000, 0)];
    const [ready, pending] = await wait([never, failing, empty], { numReturns: 2 });
    expect(ready).toEqual([failing, empty]);
    expect(pending).toEqual([never]);
    cancel(never);
    expect(await settled(await collect(failing))).toMatchObject([{ status: "rejected" }]);
  });

  it("the same stream twice is refused", async () => {
    const stream = plain.remote(1);
    expect(await rejection(wait([stream, stream]))).toBeInstanceOf(TypeError);
  });
});

describe("streams in tasks", () => {
  it("a task reads the stream of its child, and its slot is free meanwhile", async () => {
    const reader = remote(async function reader(n: number) {
      let sum = 0;
      for await (const value of gen.remote(n, -1, 10).values()) sum += value;
      return sum;
    });
    expect(await get(Array.from({ length: 4 }, () => reader.remote(5)))).toEqual([10, 10, 10, 10]);
  });

  it("a generator gets refs between its items, and yields refs", async () => {
    const doubling = remote(async function* doubling(refs: ObjectRef<number>[]) {
      for (const ref of refs) {
        const value = await get(ref);
        yield add.remote(value, value);
      }
    });
    const inner = await collect(doubling.remote([sleep.remote(20, 1), put(2), sleep.remote(10, 3)]).values());
    expect(await get(inner)).toEqual([2, 4, 6]);
  });
});
