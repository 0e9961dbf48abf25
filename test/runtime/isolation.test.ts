/** A sealed object never changes: whatever a task does with its arguments, no other reader ever sees it. */
import { get, listObjects, type ObjectRef, put, remote, timeline } from "heddle";
import { describe, expect, it } from "vitest";
import { reads } from "../support/reading-functions.ts";
import { useRuntime } from "../support/runtime-measures.ts";
import { writes } from "../support/tricky-functions.ts";

useRuntime({ numCpus: 2 });

/** Large enough that it lies in shared memory. */
const original = (): Float64Array => Float64Array.from({ length: 1000 }, (_, index) => (index * 7) % 5);

/** What the task came to, or how it failed. */
const outcome = (value: Promise<unknown>): Promise<unknown> =>
  value.then(
    (result) => ({ result }),
    (error: Error) => ({ error: error.name }),
  );

/** How the last task with that function got its array. */
function readingOf(functionName: string): { viewed: number; copied: number; why?: string } | undefined {
  const { events } = timeline();
  const task = events.findLast((event) => event.type === "submitted" && event.functionName === functionName);
  const read = events.find(
    (event) => event.type === "argumentsRead" && task?.type === "submitted" && event.taskId === task.taskId,
  );
  return read?.type === "argumentsRead" ? read : undefined;
}

describe("functions that write get copies", () => {
  it.each(Object.entries(writes))("%s", async (_, fn) => {
    const ref = put(original());
    const task = remote(fn as (array: Float64Array) => unknown);
    const first = await outcome(get(task.remote(ref)));
    // A later reader, and the same task again, see what was put.
    expect(await get(ref)).toEqual(original());
    expect(await outcome(get(task.remote(ref)))).toEqual(first);
    expect(await get(ref, { shared: true })).toEqual(original());
  });
});

describe("functions that read get views, and no other results for it", () => {
  it.each(Object.entries(reads))("%s", async (name, fn) => {
    const local = await fn(original());
    const task = remote(fn as (array: Float64Array) => unknown, { name });
    const ref = put(original());
    expect(await get(task.remote(ref))).toEqual(local);
    expect(await get(task.remote(original()))).toEqual(local);
    expect(readingOf(fn.name)).toMatchObject({ viewed: 8000, copied: 0 });
    expect(await get(ref)).toEqual(original());
  });
});

describe("a view is the store's memory", () => {
  const first = remote(function first(array: Float64Array) {
    return array[0];
  });
  const second = remote(function second(box: { deep: { array: Float64Array }[] }) {
    return (box.deep[0] as { array: Float64Array }).array[0]! + 0;
  });
  const patched = remote(function patched(array: Float64Array) {
    array[1] = 1;
    return array[0];
  });

  it("one write through a view is seen by a proven reader, and not by one that copied before", async () => {
    const ref = put(original());
    const writer = await get(ref, { shared: true });
    const before = await get(ref);
    // Only a test may do this: it is how it can tell.
    writer[0] = 77;
    expect(await get(first.remote(ref))).toBe(77);
    expect(await get(patched.remote(ref))).toBe(77);
    expect(writer[1]).toBe(original()[1]);
    expect(before[0]).toBe(0);
  });

  it("deep inside plain objects too", async () => {
    const ref = put({ deep: [{ array: original() }] });
    const writer = await get(ref, { shared: true });
    writer.deep[0]!.array[0] = 78;
    expect(await get(second.remote(ref))).toBe(78);
    expect(readingOf("second")).toMatchObject({ viewed: 8000, copied: 0 });
  });

  it("the timeline says why something was copied", async () => {
    await get(patched.remote(put(original())));
    expect(readingOf("patched")).toMatchObject({
      viewed: 0,
      copied: 8000,
      why: "array: array[1] (line 2): it is written",
    });
  });
});

describe("the proof depends on what comes with the array", () => {
  const at = remote(function at(array: Float64Array, index: unknown) {
    return (array as unknown as Record<string, unknown>)[index as string];
  });
  const apply = remote(function apply(array: Float64Array, box: { map(array: Float64Array): unknown }) {
    return box.map(array);
  });

  it("a key that is no number", async () => {
    const ref = put(original());
    expect(await get(at.remote(ref, 3))).toBe(1);
    expect(readingOf("at")).toMatchObject({ copied: 0 });
    expect(await get(at.remote(ref, "byteOffset"))).toBe(0);
    expect(readingOf("at")?.why).toMatch(/index is used as a key and is no number/);
  });

  it("code among the arguments", async () => {
    const ref = put(original());
    expect(await get(apply.remote(ref, { map: (array: Float64Array) => array.fill(9)[0] }))).toBe(9);
    expect(await get(ref)).toEqual(original());
    expect(readingOf("apply")).toMatchObject({ viewed: 0 });
  });
});

describe("shared: true", () => {
  it("views on by-value arguments stay what they are when the task is over", async () => {
    const keep = remote(
      function keep(array: Float64Array) {
        const thread = globalThis as { kept?: Float64Array[] };
        thread.kept ??= [];
        thread.kept.push(array);
        return thread.kept.map((one) => one[0]! + one[999]!);
      },
      { shared: true },
    );
    const sums: number[][] = [];
    for (let round = 0; round < 30; round++) sums.push(await get(keep.remote(new Float64Array(1000).fill(round))));
    for (const list of sums) for (const sum of list) expect(sum % 2).toBe(0);
    const last = sums.toSorted((a, b) => b.length - a.length)[0]!;
    expect(new Set(last).size).toBe(last.length);
  });

  it("gives an ArrayBuffer as a SharedArrayBuffer", async () => {
    const view = new Uint8Array(1 << 20).fill(7);
    const ref = put({ view, buffer: view.buffer, small: new ArrayBuffer(8) });
    const shared = await get(ref, { shared: true });
    expect(shared.buffer).toBeInstanceOf(SharedArrayBuffer);
    expect(shared.small).toBeInstanceOf(SharedArrayBuffer);
    expect(shared.view.buffer).toBe(shared.buffer);
    const again = await get(ref, { shared: true });
    again.view[5] = 8;
    expect(new Uint8Array(shared.buffer)[5]).toBe(8);
    const own = await get(ref);
    expect(own.buffer).toBeInstanceOf(ArrayBuffer);
    expect(own.view.buffer).toBe(own.buffer);
  });
});

describe("get-14 what get gives is private", () => {
  it.each([
    ["put", () => put(new Float64Array(100_000).fill(1))],
    ["a result", () => remote(() => new Float64Array(100_000).fill(1)).remote()],
    ["a small result", () => remote(() => new Float64Array(10).fill(1)).remote()],
  ] as [string, () => ObjectRef<Float64Array>][])("%s", async (_, make) => {
    const ref = make();
    const own = await get(ref);
    own.fill(9);
    expect((await get(ref))[0]).toBe(1);
    expect(listObjects().length).toBeGreaterThan(0);
  });
});
