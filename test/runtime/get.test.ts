import { GetTimeoutError, get, listTasks, put, remote, settled, wait } from "heddle";
import { describe, expect, it } from "vitest";
import { rejection, timed, useRuntime } from "../support/runtime-measures.ts";
import { echo, fail, sleep, UserError } from "../support/runtime-tasks.ts";

useRuntime();

describe("get", () => {
  it("get-01 values come in the order given, whatever order they finished in", async () => {
    const digits = Array.from({ length: 10 }, (_, n) => put(n));
    expect(await get(digits)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(await get([sleep.remote(200, "slow"), sleep.remote(10, "quick")])).toEqual(["slow", "quick"]);
  });

  it("get-02 duplicates give the value at each position", async () => {
    const refs = Array.from({ length: 10 }, (_, n) => put(n));
    expect(await get([...refs, refs[3]!, refs[3]!])).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 3, 3]);
    const slow = sleep.remote(50, "s");
    expect(await get([slow, slow])).toEqual(["s", "s"]);
  });

  it("get-03 an empty list", async () => {
    expect(await get([])).toEqual([]);
    expect(await get(new Set<never>())).toEqual([]);
  });

  it.each([3, undefined, null, {}, "ref", Promise.resolve(1)])("get-04 get(%s) is refused", async (value) => {
    const error = await rejection(get(value as never));
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toMatch(/get: expected an ObjectRef/);
  });

  it("get-05 a list with anything else names the place", async () => {
    const r = put(1);
    expect((await rejection(get([r, 2] as never))).message).toMatch(/expected an ObjectRef \[1\], not 2/);
    expect((await rejection(get([[r]] as never))).message).toMatch(/expected an ObjectRef \[0\], not an array of 1/);
  });

  it("get-06 a timeout rejects, and the task goes on", async () => {
    const r = sleep.remote(500, "late");
    const waiting = rejection(get(r, { timeout: 100 }));
    const ms = await timed(waiting);
    expect(await waiting).toBeInstanceOf(GetTimeoutError);
    expect(ms).toBeGreaterThan(95);
    expect(ms).toBeLessThan(300);
    expect(await get(r)).toBe("late");
  });

  it("get-07 a timeout gives no partial values", async () => {
    const error = await rejection(get([put(1), sleep.remote(600, 2)], { timeout: 100 }));
    expect(error).toBeInstanceOf(GetTimeoutError);
    expect(error.message).toMatch(/2 objects not ready after 100 ms/);
  });

  it("get-08 a timeout of 0 polls", async () => {
    const pending = sleep.remote(300, 2);
    expect(await get(put(1), { timeout: 0 })).toBe(1);
    expect(await rejection(get(pending, { timeout: 0 }))).toBeInstanceOf(GetTimeoutError);
    await wait([pending]);
    expect(await get(pending, { timeout: 0 })).toBe(2);
  });

  it("get-09 a negative timeout is refused", async () => {
    const error = await rejection(get(put(1), { timeout: -1 }));
    expect(error).toBeInstanceOf(RangeError);
    expect(error.message).toMatch(/get: option "timeout" must be milliseconds of at least 0, not -1/);
  });

  it("get-10 a list rejects as soon as any of it fails, and the rest go on", async () => {
    const slow = sleep.remote(2000, "kept");
    const waiting = rejection(get([slow, fail.remote("x", 100)]));
    const first = await Promise.race([waiting, get(slow)]);
    expect(first).toBeInstanceOf(UserError);
    expect((await waiting).message).toBe("x");
    expect(await get(slow)).toBe("kept");
  });

  it("get-13 each get gives its own value", async () => {
    const r = put({ a: 1 });
    const [x, y] = [await get(r), await get(r)];
    expect(x).toEqual(y);
    expect(x).not.toBe(y);
    x.a = 2;
    expect(y.a).toBe(1);
    expect(await get(r)).toEqual({ a: 1 });
  });

  it.each([
    ["put", () => put(new Float64Array(100_000).fill(7))],
    ["a task's result", () => remote(() => new Float64Array(100_000).fill(7)).remote()],
    ["a small result", () => remote(() => new Float64Array(4).fill(7)).remote()],
  ])("get-14 writing into an array got back changes nobody else's: %s", async (_, make) => {
    const r = make();
    const mine = await get(r);
    mine.fill(1);
    expect((await get(r)).every((value) => value === 7)).toBe(true);
  });

  it("get-14 the caller may go on writing into an array that was put", async () => {
    const array = new Float64Array(100_000);
    const r = put(array);
    array.fill(1);
    expect((await get(r))[50]).toBe(0);
  });

  it("get-14 shared: true gives views on one memory", async () => {
    const r = put(new Float64Array(100_000));
    const [a, b] = [await get(r, { shared: true }), await get(r, { shared: true })];
    expect(a.buffer).toBeInstanceOf(SharedArrayBuffer);
    // Writing into a view is the user's fault; here it shows that both lie in one place.
    a[3] = 5;
    expect(b[3]).toBe(5);
  });

  it("get-15 several tasks get and wait on one object at once", async () => {
    const x = sleep.remote(300, "x");
    const getter = remote(async (list: (typeof x)[]) => get(list[0]!));
    const waiter = remote(async (list: (typeof x)[]) => (await wait(list))[0].length);
    const all = [getter.remote([x]), getter.remote([x]), waiter.remote([x]), waiter.remote([x])] as const;
    expect(await get(all)).toEqual(["x", "x", 1, 1]);
  });

  it("get-16 an Error that a task returns is a value", async () => {
    const value = await get(remote(() => new UserError("as a value")).remote());
    expect(value).toBeInstanceOf(Error);
    expect(value.message).toBe("as a value");
  });

  it("settled gives one result for each, in order", async () => {
    const results = await settled([echo.remote(1), fail.remote("no"), put(3)]);
    expect(results.map((result) => result.status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect((results[1] as PromiseRejectedResult).reason).toBeInstanceOf(UserError);
  });

  it("a signal ends the call and leaves the task alone", async () => {
    const r = sleep.remote(300, "kept");
    const controller = new AbortController();
    const waiting = rejection(get(r, { signal: controller.signal }));
    controller.abort(new Error("enough"));
    expect((await waiting).message).toBe("enough");
    expect((await rejection(get(r, { signal: AbortSignal.abort(new Error("before")) }))).message).toBe("before");
    expect(await get(r)).toBe("kept");
    expect(listTasks()).toEqual([]);
  });
});
