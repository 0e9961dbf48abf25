import { free, get, init, ObjectFreedError, type ObjectRef, remote, shutdown, wait } from "heddle";
import { afterAll, beforeAll, expect, it } from "vitest";
import { rejection } from "../support/runtime-measures.ts";

// One worker: it writes its next result where the freed one was.
beforeAll(() => init({ numCpus: 1 }));
afterAll(shutdown);

const filled = remote(function filled(value: number) {
  return new Float64Array(50_000).fill(value);
});

const more = (): ObjectRef<Float64Array>[] => Array.from({ length: 10 }, (_, n) => filled.remote(n + 2));

function compute(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

it("a value that is on its way when its object is freed arrives as it was", async () => {
  const ref = filled.remote(1);
  await wait([ref]);
  const value = get(ref);
  free(ref);
  const others = more();
  // The value lies unread while the worker goes on.
  compute(500);
  expect(new Set(await value)).toEqual(new Set([1]));
  expect(await rejection(get(ref))).toBeInstanceOf(ObjectFreedError);
  expect(await get(others)).toHaveLength(10);
});

it("views do not change when their object is freed", async () => {
  const ref = filled.remote(1);
  const view = await get(ref, { shared: true });
  free(ref);
  await get(more());
  expect(new Set(view)).toEqual(new Set([1]));
  expect(await rejection(get(ref))).toBeInstanceOf(ObjectFreedError);
});
