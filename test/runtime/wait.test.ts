import { asCompleted, cancel, get, type ObjectRef, put, remote, settled, TaskCancelledError, wait } from "heddle";
import { describe, expect, it } from "vitest";
import { countingFile, rejection, timed, useRuntime } from "../support/runtime-measures.ts";
import { countIn, echo, fail, opened, sleep } from "../support/runtime-tasks.ts";

useRuntime();

const done = (count: number): ObjectRef<number>[] => Array.from({ length: count }, (_, n) => put(n));

describe("put", () => {
  it("put-01 putting a ref is refused and says how; in a list it stays a ref", async () => {
    const r = put(1);
    expect(() => put(r)).toThrow(TypeError);
    expect(() => put(r)).toThrow(/an ObjectRef already.*put \[ref\]/);
    const [inner] = await get(put([r] as const));
    expect(inner.id).toBe(r.id);
    expect(await get(inner)).toBe(1);
  });

  it("put-03 numbers, texts and lists come back equal", async () => {
    const values = Array.from({ length: 100 }, (_, n) => [n, n / 7, "x".repeat(n), [n, [String(n)]]]).flat();
    expect(await get(values.map((value) => put(value)))).toEqual(values);
  });

  it("put-04 a cycle is kept", async () => {
    const ring: { self?: unknown; list: unknown[] } = { list: [] };
    ring.self = ring;
    ring.list.push(ring);
    const back = await get(put(ring));
    expect(back).not.toBe(ring);
    expect(back.self).toBe(back);
    expect(back.list[0]).toBe(back);
  });
});

describe("wait", () => {
  it("wait-01 gives the first that is ready, one by default and without a limit", async () => {
    const [a, b] = [sleep.remote(1200, "a"), sleep.remote(100, "b")];
    let result: unknown;
    expect(
      await timed(
        wait([a, b]).then((both) => {
          result = both;
        }),
      ),
    ).toBeLessThan(1000);
    expect(result).toEqual([[b], [a]]);
    await get(a);
  });

  it("wait-02 never more ready than asked for", async () => {
    const refs = done(4);
    expect(await wait(refs)).toEqual([[refs[0]], refs.slice(1)]);
  });

  it.each([1, 2, 3, 4, 5, 6])("wait-03 numReturns: %i of six done", async (numReturns) => {
    const refs = done(6);
    const [ready, pending] = await wait(refs, { numReturns });
    expect(ready).toHaveLength(numReturns);
    expect(new Set([...ready, ...pending])).toEqual(new Set(refs));
    expect(ready.length + pending.length).toBe(6);
  });

  it("of more that are done than asked for it gives those that finished earliest, in input order", async () => {
    const [a, b, c] = [sleep.remote(300, 1), sleep.remote(10, 2), sleep.remote(50, 3)];
    await get([a, b, c]);
    expect(await wait([a, b, c], { numReturns: 2 })).toEqual([[b, c], [a]]);
    expect(await wait([c, a, b], { numReturns: 1 })).toEqual([[b], [c, a]]);
  });

  it("wait-07 a timeout is no error", async () => {
    const r = sleep.remote(1000, 1);
    let result: unknown;
    const ms = await timed(
      wait([r], { timeout: 200 }).then((both) => {
        result = both;
      }),
    );
    expect(ms).toBeGreaterThan(195);
    expect(ms).toBeLessThan(600);
    expect(result).toEqual([[], [r]]);
    cancel(r, { force: true });
  });

  it("wait-08 a timeout of 0 polls", async () => {
    const [pending, ready] = [sleep.remote(500, 1), put(2)];
    expect(await timed(wait([pending], { timeout: 0 }))).toBeLessThan(80);
    expect(await wait([pending], { timeout: 0 })).toEqual([[], [pending]]);
    expect(await wait([ready], { timeout: 0 })).toEqual([[ready], []]);
    await get(pending);
  });

  it("wait-09 a poll finds all that finished", async () => {
    const refs = Array.from({ length: 10 }, (_, n) => echo.remote(n));
    await get(refs);
    expect(await wait(refs, { numReturns: 10, timeout: 0 })).toEqual([refs, []]);
  });

  it("wait-10 does not collect more than asked for until the timeout", async () => {
    const refs = done(3);
    expect(await timed(wait(refs, { numReturns: 1, timeout: 2000 }))).toBeLessThan(500);
    expect((await wait(refs, { numReturns: 1, timeout: 200 }))[0]).toHaveLength(1);
  });

  it("wait-11 nothing to wait for", async () => {
    expect(await wait([])).toEqual([[], []]);
    expect(await wait([], { timeout: 0 })).toEqual([[], []]);
  });

  it.each([3, 0, -1, 1.5, Number.NaN])("wait-13 numReturns: %d of two is refused", async (numReturns) => {
    const error = await rejection(wait(done(2), { numReturns }));
    expect(error).toBeInstanceOf(RangeError);
    expect(error.message).toMatch(/wait: .*numReturns/);
  });

  it("wait-14 anything but refs is refused", async () => {
    for (const value of [put(1), 1, [1], undefined, [put(1), "x"]]) {
      const error = await rejection(wait(value as never));
      expect(error).toBeInstanceOf(TypeError);
      expect(error.message).toMatch(/wait: expected an (array of ObjectRefs|ObjectRef)/);
    }
  });

  it("wait-14 duplicates are refused by place", async () => {
    const [a, b] = done(2) as [ObjectRef<number>, ObjectRef<number>];
    expect((await rejection(wait([a, b, a]))).message).toMatch(
      new RegExp(`${a.id} is given twice, at \\[0\\] and \\[2\\]`),
    );
  });

  it("wait-15 a negative timeout is refused", async () => {
    expect((await rejection(wait(done(1), { timeout: -1 }))).message).toMatch(/"timeout" must be .*at least 0, not -1/);
  });

  it("wait-17 a cancelled task is ready, and so is a failed one", async () => {
    const r = sleep.remote(60_000, 1);
    cancel(r, { force: true });
    expect(await wait([r], { timeout: 25_000 })).toEqual([[r], []]);
    expect(await rejection(get(r))).toBeInstanceOf(TaskCancelledError);
    const failed = fail.remote("x");
    expect(await wait([failed])).toEqual([[failed], []]);
  });

  it("wait-19 draining 1,000 done refs one by one sees each once", async () => {
    const refs = done(1000);
    await wait(refs, { numReturns: 1000 });
    const seen: ObjectRef<number>[] = [];
    const start = performance.now();
    for (let pending = refs; pending.length > 0; ) {
      const [ready, rest] = await wait(pending);
      seen.push(...ready);
      pending = rest;
    }
    expect(performance.now() - start).toBeLessThan(1000);
    expect(new Set(seen)).toEqual(new Set(refs));
    expect(seen).toHaveLength(1000);
  });

  it("wait-20 takes any iterable", async () => {
    const refs = done(3);
    expect(await wait(new Set(refs), { numReturns: 3 })).toEqual([refs, []]);
    expect(await wait(refs.values())).toEqual([[refs[0]], refs.slice(1)]);
  });

  it("a signal ends the call", async () => {
    const r = sleep.remote(300, 1);
    const controller = new AbortController();
    const waiting = rejection(wait([r], { signal: controller.signal }));
    controller.abort(new Error("enough"));
    expect((await waiting).message).toBe("enough");
    expect(await get(r)).toBe(1);
  });
});

describe("asCompleted", () => {
  it("gives the refs as they become ready", async () => {
    const quick = remote(async (n: number) => n, { numCpus: 0 });
    const paths = [countingFile(), countingFile(), countingFile()];
    const order = [1, 2, 0];
    const values: number[] = [];
    for await (const ref of asCompleted([...paths.map((path, n) => opened.remote(path, n)), quick.remote(3)])) {
      values.push(await get(ref));
      // Each of the others ends only now.
      const next = order.shift();
      if (next !== undefined) countIn(paths[next]!);
    }
    expect(values).toEqual([3, 1, 2, 0]);
  });

  it("2,000 done refs take time in proportion, and so does settled", async () => {
    const refs = done(2000);
    let count = 0;
    const start = performance.now();
    for await (const _ of asCompleted(refs)) count++;
    expect(performance.now() - start).toBeLessThan(1000);
    expect(count).toBe(2000);
    expect(await timed(settled(refs))).toBeLessThan(1000);
  });
});
