import {
  asCompleted,
  get,
  init,
  listObjects,
  listTasks,
  type ObjectRef,
  profile,
  put,
  remote,
  settled,
  timeline,
  wait,
} from "heddle";
import { describe, expect, it } from "vitest";
import { rejection, useRuntime } from "../support/runtime-measures.ts";
import { echo, sleep } from "../support/runtime-tasks.ts";

useRuntime();

const pause = remote(async function pause(ms: number) {
  await new Promise((resolve) => setTimeout(resolve, ms));
  return ms;
});

const refs = (value: unknown) => value as ObjectRef<unknown>[];

describe("bad input", () => {
  it("refs that were given twice once can be waited for all the same", async () => {
    const r = sleep.remote(30, 0);
    const s = sleep.remote(30, 0);
    await expect(wait([r, s, r])).rejects.toThrow(/given twice, at \[0\] and \[2\]/);
    expect(await wait([r])).toEqual([[r], []]);
    expect(await wait([s, r], { numReturns: 2 })).toEqual([[s, r], []]);
  });

  it("one ref in place of a list is told by settled and asCompleted", async () => {
    await expect(settled(refs(put(1)))).rejects.toThrow(
      /settled: expected an array of ObjectRefs, not an object of Ref/,
    );
    const order = asCompleted(refs(put(1)));
    await expect(order.next()).rejects.toThrow(/asCompleted: expected an array of ObjectRefs/);
  });

  it("settled and asCompleted refuse options that only others have", async () => {
    await expect(settled([put(1)], { shared: true } as object)).rejects.toThrow(/settled: unknown option "shared"/);
    const order = asCompleted([put(1)], { timeout: 5 } as object);
    await expect(order.next()).rejects.toThrow(/asCompleted: unknown option "timeout"/);
  });

  it("a timeout without end, or longer than any timer, does not end a task at once", async () => {
    for (const timeout of [Number.POSITIVE_INFINITY, 1e12])
      expect(await get(pause.options({ timeout }).remote(30))).toBe(30);
  });

  it("a store or a number of returns beyond what numbers can count is refused", async () => {
    for (const objectStoreMemory of [Number.POSITIVE_INFINITY, 1e300]) {
      const error = await rejection(init({ objectStoreMemory }));
      expect(error).toBeInstanceOf(RangeError);
      expect((error as Error).message).toMatch(/option "objectStoreMemory" must be a number of bytes from 1048576/);
    }
    expect(() => echo.options({ numReturns: 5e9 })).toThrow(/"numReturns" must be a whole number from 0 to 1000000/);
  });

  it("CPU is no custom resource, and a class is no task", () => {
    expect(() => echo.options({ resources: { CPU: 2 } })).toThrow(/not "CPU": that is numCpus/);
    class Counter {}
    expect(() => remote(Counter as never)).toThrow(/Counter is a class, and this version has no actors/);
  });

  it("filters and spans are checked", () => {
    expect(() => timeline({ nam: "x" } as object)).toThrow(
      /timeline: unknown option "nam"; the options are cell, name/,
    );
    expect(() => timeline(null as never)).toThrow(/timeline: options must be an object, not null/);
    expect(() => listTasks({ stat: "ready" } as object)).toThrow(/listTasks: unknown option "stat"/);
    expect(() => listObjects(5 as never)).toThrow(/listObjects: options must be an object, not 5/);
    expect(() => profile("parse", { parse() {} })).toThrow(/profile: data must be something that can be copied/);
  });

  it("one signal for very many tasks has one listener, and cancels those that have not ended", async () => {
    const controller = new AbortController();
    let listeners = 0;
    const { signal } = controller;
    const add = signal.addEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<AbortSignal["addEventListener"]>) => {
      listeners++;
      add(...args);
    };
    const quick = echo.options({ signal });
    for (let round = 0; round < 3; round++) await get(Array.from({ length: 1000 }, (_, n) => quick.remote(n)));
    const long = pause.options({ signal }).remote(60_000);
    controller.abort();
    await expect(get(long)).rejects.toThrow(/cancelled/);
    expect(listeners).toBe(1);
  });
});
