import { get, ObjectMutatedError, put, remote } from "heddle";
import { describe, expect, it } from "vitest";
import { rejection, useRuntime } from "../support/runtime-measures.ts";

useRuntime({ numCpus: 2, checkWrites: true });

const original = (): Float64Array => new Float64Array(1001).fill(1);

describe("checkWrites", () => {
  it("a task that writes into a shared view fails and is named; nobody sees what it wrote", async () => {
    const scribble = remote(
      function scribble(array: Float64Array) {
        array[1000] = 9;
        return array[1000];
      },
      { shared: true },
    );
    const peek = remote((array: Float64Array) => array[1000], { shared: true });
    const ref = put(original());
    const [error, values] = await Promise.all([
      rejection(get(scribble.remote(ref))),
      get(Array.from({ length: 8 }, () => peek.remote(ref))),
    ]);
    expect(error).toBeInstanceOf(ObjectMutatedError);
    expect(error.message).toMatch(/task scribble.* wrote into object .*copy the array/);
    expect(new Set(values)).toEqual(new Set([1]));
    expect(await get(ref)).toEqual(original());
    expect((await rejection(get(scribble.remote(original())))).message).toMatch(/wrote into an argument/);
  });

  it("get-14 what the driver wrote into its view is told at the next use of the object, once", async () => {
    const ref = put(original());
    const view = await get(ref, { shared: true });
    view[3] = 9;
    const error = await rejection(get(ref));
    expect(error).toBeInstanceOf(ObjectMutatedError);
    expect(error.message).toMatch(/^the driver wrote into object/);
    expect(await get(ref)).toEqual(original());
    view[4] = 9;
    expect(() => remote((array: Float64Array) => array.length).remote(ref)).toThrow(ObjectMutatedError);
  });

  it("readers and owners of private copies are left alone", async () => {
    const ref = put({ deep: [original()] });
    const own = await get(ref);
    own.deep[0]!.fill(9);
    const sum = remote((box: { deep: Float64Array[] }) => box.deep[0]!.reduce((a, b) => a + b, 0));
    expect(await get([sum.remote(ref), sum.options({ shared: true }).remote(ref)])).toEqual([1001, 1001]);
  });
});
