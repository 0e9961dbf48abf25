import { get, getRuntimeContext, init, isInitialized, put, RuntimeExistsError, remote, shutdown } from "heddle";
import { afterEach, describe, expect, it } from "vitest";
import { rejection } from "../support/runtime-measures.ts";
import { add } from "../support/runtime-tasks.ts";

const square = remote((x: number) => x * x);

afterEach(() => shutdown());

describe("lifecycle", () => {
  it("life-01 isInitialized is false before init, true after, false after shutdown", async () => {
    const before = isInitialized();
    await init({ numCpus: 1 });
    const during = isInitialized();
    await shutdown();
    expect([before, during, isInitialized()]).toEqual([false, true, false]);
  });

  it("life-02 init with the same options gives the running runtime, with others it rejects and the first goes on", async () => {
    const first = await init({ numCpus: 1 });
    expect(await init({ numCpus: 1 })).toBe(first);
    const error = await rejection(init({ numCpus: 2 }));
    expect(error).toBeInstanceOf(RuntimeExistsError);
    expect(error.message).toMatch(/numCpus is 1, asked for 2.*onExisting: "replace".*onExisting: "reuse"/);
    expect(await get(add.remote(1, 2))).toBe(3);
  });

  it("life-03 init with onExisting: reuse gives the running runtime with its own resources", async () => {
    const first = await init({ numCpus: 1 });
    const second = await init({ numCpus: 2, onExisting: "reuse" });
    expect(second).toBe(first);
    expect(second.options.numCpus).toBe(1);
  });

  it("life-03 init with onExisting: replace ends the running runtime and starts another", async () => {
    const first = await init({ numCpus: 1 });
    const second = await init({ numCpus: 2, onExisting: "replace" });
    expect(second.sessionId).not.toBe(first.sessionId);
    expect(second.options.numCpus).toBe(2);
    expect(await get(add.remote(1, 2))).toBe(3);
  });

  it("life-04 shutdown again is harmless, also at the same time", async () => {
    await init({ numCpus: 1 });
    await Promise.all([shutdown(), shutdown()]);
    await shutdown();
    expect(isInitialized()).toBe(false);
  });

  it("life-05 the first put and get start a runtime with the defaults", async () => {
    expect(await get(put(1))).toBe(1);
    expect(isInitialized()).toBe(true);
  });

  it("life-05 the first .remote() starts a runtime", async () => {
    expect(await get(add.remote(2, 3))).toBe(5);
    expect(isInitialized()).toBe(true);
  });

  it("life-05 getRuntimeContext starts a runtime", () => {
    expect(getRuntimeContext()).toMatchObject({ isDriver: true, taskId: undefined });
    expect(isInitialized()).toBe(true);
  });

  it("life-06 a function declared before init works after it, and in the next runtime too", async () => {
    await init({ numCpus: 1 });
    expect(await get(square.remote(3))).toBe(9);
    await shutdown();
    await init({ numCpus: 2 });
    expect(await get(square.remote(4))).toBe(16);
  });

  it("await using ends the runtime at the end of its block", async () => {
    {
      await using runtime = await init({ numCpus: 1 });
      expect(runtime.backend).toBe("local");
    }
    expect(isInitialized()).toBe(false);
  });

  it("impossible options of init are refused in words", async () => {
    expect((await rejection(init({ numCpus: 0 }))).message).toMatch(/"numCpus" must be .* not 0/);
    expect((await rejection(init({ cpus: 2 } as never))).message).toMatch(
      /unknown option "cpus"; the options are .*numCpus/,
    );
    expect(isInitialized()).toBe(false);
  });

  it("a call that waits when the runtime ends rejects", async () => {
    await init({ numCpus: 1 });
    const forever = remote(() => new Promise(() => {}));
    const waiting = rejection(get(forever.remote()));
    await shutdown();
    expect((await waiting).message).toMatch(/shut down/);
  });
});
