/** The option `timeout`: milliseconds that one attempt may take. */
import { get, listTasks, remote, TaskTimeoutError, timeline } from "heddle";
import { describe, expect, it } from "vitest";
import { countingFile, countOf, rejection, until, useRuntime } from "../support/runtime-measures.ts";
import { countIn, opened } from "../support/runtime-tasks.ts";

// One thread, so that what goes on is on the thread of what is stopped.
useRuntime({ numCpus: 1 });

const exits = (): number => timeline().events.filter((event) => event.type === "workerExited").length;
const lasting = 60_000;

const spins = remote(function spins(path: string, ms: number) {
  countIn(path);
  const end = performance.now() + ms;
  while (performance.now() < end);
  return ms;
});

describe("timeout", () => {
  it("stops synchronous code, and its thread and what is suspended on it go on", async () => {
    const [path, gate] = [countingFile(), countingFile()];
    const before = exits();
    const waits = opened.remote(gate, 7);
    await until(() => listTasks({ functionName: "opened" }).some(({ state }) => state === "running"));
    const error = await rejection(get(spins.options({ timeout: 150 }).remote(path, lasting)));
    expect(error).toBeInstanceOf(TaskTimeoutError);
    expect(error.message).toMatch(/spins\(.*took longer than its timeout/);
    countIn(gate);
    expect(await get(waits)).toBe(7);
    expect(exits()).toBe(before);
  });

  it("is of each attempt, and one that is over it is the last", async () => {
    const path = countingFile();
    const error = await rejection(get(spins.options({ timeout: 100, maxRetries: 3 }).remote(path, lasting)));
    expect(error).toBeInstanceOf(TaskTimeoutError);
    // On a slow machine the time may be over before the code begins.
    expect(countOf(path)).toBeLessThanOrEqual(1);
  });

  it("a function that was quick before is stopped too", async () => {
    const limited = spins.options({ timeout: 1000 });
    const path = countingFile();
    for (let n = 0; n < 50; n++) await get(limited.remote(path, 0));
    expect(await rejection(get(limited.remote(path, lasting)))).toBeInstanceOf(TaskTimeoutError);
  });

  it("code that cannot be cut goes with its thread", async () => {
    const endless = remote(
      async function endless() {
        await new Promise((resolve) => setTimeout(resolve, 1));
        for (;;);
      },
      { timeout: 100 },
    );
    const before = exits();
    expect(await rejection(get(endless.remote()))).toBeInstanceOf(TaskTimeoutError);
    expect(exits()).toBe(before + 1);
    expect(await get(spins.remote(countingFile(), 1))).toBe(1);
  });

  it("a synchronous function that ends just after its time has failed", async () => {
    const error = await rejection(get(spins.options({ timeout: 100 }).remote(countingFile(), 102)));
    expect(error).toBeInstanceOf(TaskTimeoutError);
  });

  it("the rest of a task that has time left is not touched by another's timeout on its thread", async () => {
    const path = countingFile();
    const asleep = remote(
      async function asleep() {
        await new Promise((resolve) => setTimeout(resolve, 60_000));
      },
      { numCpus: 0, timeout: 300 },
    );
    const sleeping = asleep.remote();
    const waiting = rejection(get(sleeping));
    await until(() => listTasks({ functionName: "asleep" }).some(({ state }) => state === "running"));
    // Its thread cannot say that the time of the other is over; that is no reason to end it.
    expect(await get(spins.options({ maxRetries: 0 }).remote(path, 2000))).toBe(2000);
    expect(await waiting).toBeInstanceOf(TaskTimeoutError);
  });
});
