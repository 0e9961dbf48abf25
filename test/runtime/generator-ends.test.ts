import {
  cancel,
  get,
  listObjects,
  listTasks,
  type ObjectRef,
  remote,
  settled,
  TaskCancelledError,
  WorkerCrashedError,
} from "heddle";
import { describe, expect, it } from "vitest";
import { collectGarbage } from "../support/garbage.ts";
import { countingFile, countOf, rejection, timed, until, useRuntime } from "../support/runtime-measures.ts";
import { collect, counting, gen, plain, valuesOf } from "../support/runtime-streams.ts";
import { countIn, UserError } from "../support/runtime-tasks.ts";

useRuntime();

const over = (functionName: string): Promise<void> => until(() => listTasks({ functionName }).length === 0);

describe("streams that end early", () => {
  it("an error comes as the last ref, after the items before it", async () => {
    const refs = await collect(gen.remote(5, 2));
    const results = await settled(refs);
    expect(results.map((result) => result.status)).toEqual(["fulfilled", "fulfilled", "rejected"]);
    expect((results[2] as PromiseRejectedResult).reason).toBeInstanceOf(UserError);
    expect((results[2] as PromiseRejectedResult).reason.message).toBe("before item 2");
  });

  it("values rejects with the error", async () => {
    const seen: number[] = [];
    const reading = (async () => {
      for await (const value of gen.remote(5, 2).values()) seen.push(value);
    })();
    expect(await rejection(reading)).toBeInstanceOf(UserError);
    expect(seen).toEqual([0, 1]);
  });

  it("an item that cannot travel is the task's error, and names the item", async () => {
    const odd = remote(function* odd() {
      yield 1;
      yield { socket: new WeakMap() };
    });
    const results = await settled(await collect(odd.remote()));
    expect(results[0]).toMatchObject({ status: "fulfilled", value: 1 });
    expect((results[1] as PromiseRejectedResult).reason.message).toMatch(/item 1 of odd → socket: a WeakMap cannot/);
  });

  it("cancel-19 after a cancel the next ref rejects, then the stream is done", async () => {
    const stream = gen.remote(100, -1, 100);
    await stream.next();
    cancel(stream);
    const results = await settled(await collect(stream));
    const last = results.at(-1) as PromiseRejectedResult;
    expect(last.status).toBe("rejected");
    expect(last.reason).toBeInstanceOf(TaskCancelledError);
    expect(last.reason.message).toMatch(/gen.* was cancelled/);
    expect(results.slice(0, -1).every((result) => result.status === "fulfilled")).toBe(true);
    expect((await stream.next()).done).toBe(true);
  });

  async function firstThree(stream: AsyncIterable<ObjectRef<number>>): Promise<number[]> {
    const seen: number[] = [];
    for await (const ref of stream) if (seen.push(await get(ref)) === 3) break;
    return seen;
  }

  const endless = remote(function* endless(path: string) {
    try {
      for (let i = 0; ; i++) yield i;
    } finally {
      countIn(path);
    }
  });

  it.each([undefined, 2])(
    "leaving the loop ends an endless producer, whose finally runs (highWaterMark %s)",
    async (highWaterMark) => {
      const path = countingFile();
      const stream = endless.options(highWaterMark === undefined ? {} : { highWaterMark }).remote(path);
      expect(await firstThree(stream)).toEqual([0, 1, 2]);
      expect(await rejection(get(stream.completed))).toBeInstanceOf(TaskCancelledError);
      await until(() => countOf(path) === 1);
      expect((await stream.next()).done).toBe(true);
      await until(() => {
        collectGarbage();
        return !listObjects({ taskId: stream.completed.taskId }).some((object) => object.state === "ready");
      });
    },
  );

  it("a dropped stream lets its producer go on, for its effects", async () => {
    const path = countingFile();
    // A function of its own, so that no variable of this one keeps the stream.
    const { completed } = await firstMade(path);
    await until(() => {
      collectGarbage();
      return countOf(path) === 5;
    });
    await get(completed);
  });

  it("a timeout ends a generator between two items", async () => {
    const path = countingFile();
    const stream = endless.options({ timeout: 200 }).remote(path);
    expect((await rejection(get(stream.completed))).name).toBe("TaskTimeoutError");
    await until(() => countOf(path) === 1);
    await stream.return();
  });

  it("a failed input fails the stream", async () => {
    const failing = gen.remote(1, 0).completed;
    const stream = plain.remote(failing as never);
    const results = await settled(await collect(stream));
    expect((results[0] as PromiseRejectedResult).reason).toBeInstanceOf(UserError);
  });
});

async function firstMade(path: string): Promise<{ completed: ObjectRef<void> }> {
  const { completed } = counting.options({ highWaterMark: 1 }).remote(path, 5);
  await until(() => countOf(path) === 1);
  return { completed };
}

describe("streams and retries", () => {
  it("an attempt that repeats items adds nothing to the stream until it is past them", async () => {
    const path = countingFile();
    const stumbling = remote(
      function* stumbling(file: string) {
        for (let i = 0; i < 5; i++) {
          if (i === 3 && countIn(file) < 3) throw new UserError("again");
          yield i;
        }
      },
      { retryExceptions: true },
    );
    expect(await valuesOf(stumbling.remote(path))).toEqual([0, 1, 2, 3, 4]);
    expect(countOf(path)).toBe(3);
  });

  it.each([undefined, 1])(
    "a worker that crashes mid-stream is replaced, and the reader notices nothing (highWaterMark %s)",
    async (highWaterMark) => {
      const path = countingFile();
      const crashing = remote(async function* crashing(file: string) {
        for (let i = 0; i < 5; i++) {
          if (i === 3 && countIn(file) === 1) {
            await new Promise((resolve) => setTimeout(resolve, 50));
            process.exit(3);
          }
          yield i;
        }
      });
      const stream = crashing.options(highWaterMark === undefined ? {} : { highWaterMark }).remote(path);
      expect(await valuesOf(stream)).toEqual([0, 1, 2, 3, 4]);
      expect(countOf(path)).toBe(2);
    },
  );

  it("without a retry left the crash is the last ref", async () => {
    const crashing = remote(
      async function* crashing() {
        yield 1;
        await new Promise((resolve) => setTimeout(resolve, 50));
        process.exit(3);
      },
      { maxRetries: 0 },
    );
    const results = await settled(await collect(crashing.remote()));
    expect(results[0]).toMatchObject({ status: "fulfilled", value: 1 });
    expect((results[1] as PromiseRejectedResult).reason).toBeInstanceOf(WorkerCrashedError);
  });
});

describe("streams whose reader ends", () => {
  it("a producer whose reader's thread has ended is cancelled", async () => {
    const path = countingFile();
    const orphaning = remote(
      async function orphaning(file: string) {
        const ticking = remote(async function* ticking(f: string) {
          for (;;) {
            countIn(f);
            yield await new Promise((resolve) => setTimeout(resolve, 10));
          }
        });
        const stream = ticking.remote(file);
        await stream.next();
        process.exit(3);
      },
      { maxRetries: 0 },
    );
    expect(await rejection(get(orphaning.remote(path)))).toBeInstanceOf(WorkerCrashedError);
    await over("ticking");
  });

  it("cancelling the reader cancels what it reads", async () => {
    const reader = remote(async function reader() {
      for await (const _ of gen.remote(1000, -1, 20).values());
    });
    const r = reader.remote();
    await until(() => listTasks({ functionName: "gen" }).length === 1);
    cancel(r);
    expect(await timed(rejection(get(r)))).toBeLessThan(4000);
    await over("gen");
  });
});
