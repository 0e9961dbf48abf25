import { asCompleted, init, ObjectLostError, OtherSessionError, put, remote, shutdown, wait } from "heddle";
import { afterEach, expect, it } from "vitest";
import { rejection } from "../support/runtime-measures.ts";
import { sleep } from "../support/runtime-tasks.ts";

afterEach(shutdown);

const slowly = remote(async function* slowly() {
  yield 1;
  await new Promise(() => {});
});

it("calls that wait when the runtime ends, and calls of what is left of it, reject with the same error", async () => {
  await init({ numCpus: 6 });
  const waited = slowly.remote();
  const later = slowly.remote();
  await later.next();
  await waited.next();
  const ref = sleep.remote(60_000, 0);
  const quick = sleep.remote(0, 0);
  const order = asCompleted([ref, quick]);
  expect((await order.next()).value).toBe(quick);
  const waiting = [rejection(wait([ref])), rejection(waited.next())];
  await shutdown();
  for (const error of [...(await Promise.all(waiting)), await rejection(later.next()), await rejection(order.next())]) {
    expect(error).toBeInstanceOf(ObjectLostError);
    expect((error as Error).message).toBe("the runtime was shut down");
  }
});

it("refs and streams of an ended runtime can be let go without end", async () => {
  await init({ numCpus: 1 });
  const ref = put(1);
  const stream = slowly.remote();
  await shutdown();
  // More than any queue to a thread that is gone has room for.
  for (let count = 0; count < 200_000; count++) ref[Symbol.dispose]();
  expect(await stream.return()).toEqual({ done: true, value: undefined });
});

it("a stream of an ended runtime is told from other mistakes", async () => {
  await init({ numCpus: 1 });
  const stream = slowly.remote();
  await shutdown();
  await init({ numCpus: 1 });
  const error = await rejection(wait([stream]));
  expect(error).toBeInstanceOf(OtherSessionError);
  expect((error as Error).message).toMatch(/^wait: \[0\] the stream o0+1 belongs to a runtime that was shut down/);
});

it("several calls that replace the runtime at a time leave one", async () => {
  await init({ numCpus: 2 });
  const replace = (numCpus: number) => init({ numCpus, onExisting: "replace" });
  await Promise.all([replace(1), replace(3), replace(4)]);
  await shutdown();
  const { workers } = process.report.getReport() as unknown as { workers: unknown[] };
  expect(workers).toHaveLength(0);
});
