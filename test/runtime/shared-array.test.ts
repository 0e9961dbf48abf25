import { createSharedArray, get, put, remote } from "heddle";
import { describe, expect, it } from "vitest";
import { collectGarbage } from "../support/garbage.ts";
import { until, useRuntime } from "../support/runtime-measures.ts";

useRuntime({ numCpus: 2, objectStoreMemory: 64 << 20 });

const sum = remote((array: Float64Array) => array.reduce((a, b) => a + b, 0));
const MB = 1 << 20;

/** Fills an array of the store and puts it; in a function of its own, so that nothing here keeps the array. */
function putFilled(value: number): ReturnType<typeof put<Float64Array>> {
  return put(createSharedArray(Float64Array, MB / 8).fill(value));
}

describe("createSharedArray", () => {
  it("is zero at first, of the class and length asked for", () => {
    const array = createSharedArray(Int16Array, 5000);
    expect(array).toBeInstanceOf(Int16Array);
    expect(array).toHaveLength(5000);
    expect(array.every((value) => value === 0)).toBe(true);
    expect(createSharedArray(Float64Array, 0)).toHaveLength(0);
  });

  it("put copies nothing: reading with shared: true sees the same memory", async () => {
    const array = createSharedArray(Float64Array, 1000).fill(3);
    const view = await get(put(array), { shared: true });
    // Only a test may do this: it is how it can tell.
    array[0] = 4;
    expect(view[0]).toBe(4);
  });

  it("the object outlives the array, and the array the object", async () => {
    const ref = putFilled(2);
    for (let round = 0; round < 5; round++) {
      collectGarbage();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await get(sum.remote(ref))).toBe((MB / 8) * 2);
    const array = createSharedArray(Float64Array, 1000).fill(5);
    put(array)[Symbol.dispose]();
    await get(sum.remote(put(new Float64Array(1000).fill(9))));
    expect(array.every((value) => value === 5)).toBe(true);
  });

  it("its room comes back: ten times the store's size goes through", async () => {
    for (let round = 0; round < 600; round++) {
      putFilled(round)[Symbol.dispose]();
      if (round % 10 === 0) await get(sum.remote(put(new Float64Array(1))));
    }
  });

  it("and within one turn of the event loop too, where no finalizer can run", () => {
    for (let round = 0; round < 600; round++) putFilled(round)[Symbol.dispose]();
  });

  it("a task may return one: it is sealed where it lies", async () => {
    const make = remote(() => {
      const array = createSharedArray(Float64Array, MB / 8).fill(4);
      const { buffer, byteOffset } = array;
      // Only a test may do this: it is how it can tell.
      setTimeout(() => new Float64Array(buffer, byteOffset, 1).fill(5), 50);
      return { deep: [array] };
    });
    const view = (await get(make.remote(), { shared: true })).deep[0]!;
    expect(view[1]).toBe(4);
    await until(() => view[0] === 5);
  });

  it("a second put, a part and an argument are copies", async () => {
    const array = createSharedArray(Float64Array, 2000).fill(1);
    put(array);
    const second = await get(put(array), { shared: true });
    const part = await get(put(array.subarray(0, 1000)), { shared: true });
    array.fill(7);
    expect([second[0], part[0]]).toEqual([1, 1]);
    const fresh = createSharedArray(Float64Array, 2000).fill(1);
    const summing = sum.remote(fresh);
    fresh.fill(7);
    expect(await get(summing)).toBe(2000);
  });

  it("refuses what is no class of typed arrays, and wrong lengths", () => {
    expect(() => createSharedArray(Array as never, 3)).toThrow(/expected a class of typed arrays such as Float64Array/);
    expect(() => createSharedArray(DataView as never, 3)).toThrow(TypeError);
    expect(() => createSharedArray(Float64Array, -1)).toThrow(/a whole number of at least 0, not -1/);
    expect(() => createSharedArray(Float64Array, 1 << 24)).toThrow(/does not fit into the object store/);
  });
});
