import {
  availableResources,
  clusterResources,
  get,
  getRuntimeContext,
  InfeasibleTaskError,
  listTasks,
  listWorkers,
  type ObjectRef,
  remote,
  timeline,
  wait,
} from "heddle";
import { describe, expect, it } from "vitest";
import { countingFile, countOf, until, useRuntime } from "../support/runtime-measures.ts";
import { add, compute, countIn, echo, sleep } from "../support/runtime-tasks.ts";

useRuntime({ numCpus: 2, resources: { gpu: 1 } });

/** The largest number of attempts of a function that ran at the same moment, as the events tell. */
function mostAtOnce(functionName: string): number {
  const { events } = timeline();
  const ids = new Set(
    events.flatMap((event) =>
      event.type === "submitted" && event.functionName === functionName ? [event.taskId] : [],
    ),
  );
  const steps = events.flatMap((event) => {
    if (!("taskId" in event) || !ids.has(event.taskId as string)) return [];
    if (event.type === "started") return [{ at: event.time, by: 1 }];
    return event.type === "finished" || event.type === "failed" ? [{ at: event.time, by: -1 }] : [];
  });
  steps.sort((a, b) => a.at - b.at || a.by - b.by);
  let [now, most] = [0, 0];
  for (const { by } of steps) {
    now += by;
    most = Math.max(most, now);
  }
  return most;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe("scheduling", () => {
  it("sched-01 two slots run two of six at a time", async () => {
    const nap = remote(async function nap(ms: number) {
      await pause(ms);
    });
    const start = performance.now();
    await get(Array.from({ length: 6 }, () => nap.remote(300)));
    const ms = performance.now() - start;
    expect(ms).toBeGreaterThan(895);
    expect(ms).toBeLessThan(1500);
    expect(mostAtOnce("nap")).toBe(2);
  });

  it("sched-01 numCpus: 0.5 lets four run, 2 lets one run, 0 takes no slot", async () => {
    const half = remote(
      async function half() {
        await pause(100);
      },
      { numCpus: 0.5 },
    );
    const whole = remote(
      async function whole() {
        await pause(50);
      },
      { numCpus: 2 },
    );
    const free = remote(
      async function free() {
        await pause(100);
      },
      { numCpus: 0 },
    );
    await get([...Array(8).keys()].map(() => half.remote()));
    await get([...Array(3).keys()].map(() => whole.remote()));
    await get([...Array(10).keys()].map(() => free.remote()));
    expect([mostAtOnce("half"), mostAtOnce("whole"), mostAtOnce("free")]).toEqual([4, 1, 10]);
  });

  it("sched-01 a custom resource limits how many run", async () => {
    const onGpu = remote(
      async function onGpu() {
        await pause(50);
        return getRuntimeContext().assignedResources;
      },
      { resources: { gpu: 0.5 } },
    );
    const [first] = await get([onGpu.remote(), onGpu.remote(), onGpu.remote()]);
    expect(first).toEqual({ CPU: 1, gpu: 0.5 });
    expect(mostAtOnce("onGpu")).toBe(2);
    expect(clusterResources()).toEqual({ CPU: 2, gpu: 1, objectStoreMemory: expect.any(Number) });
    await until(() => listTasks().length === 0);
    expect(availableResources()).toEqual({ CPU: 2, gpu: 1, objectStoreMemory: expect.any(Number) });
  });

  it("sched-06 what can never run throws at .remote() and names the resource; the rest goes on", async () => {
    const huge = remote(() => 1, { numCpus: 99, name: "huge" });
    expect(() => huge.remote()).toThrow(InfeasibleTaskError);
    expect(() => huge.remote()).toThrow(/CPU: 99, but this runtime has 2 in all/);
    expect(() => add.options({ resources: { tpu: 1 } }).remote(1, 1)).toThrow(/add\.remote: .*tpu: 1.* has 0 in all/);
    expect(await get(add.remote(1, 1))).toBe(2);
  });

  it("tasks of one function start in the order of their submission", async () => {
    const refs = Array.from({ length: 40 }, (_, n) => compute.options({ name: `c${n}` }).remote(5));
    await get(refs);
    const order = timeline().events.flatMap((event) => {
      const n = event.type === "started" ? refs.findIndex((ref) => ref.taskId === event.taskId) : -1;
      return n < 0 ? [] : [n];
    });
    expect(order).toHaveLength(40);
    // Two lanes: neighbours may change places; more only where a thread stands still between claiming a task and saying so.
    for (const [at, n] of order.entries()) expect(Math.abs(at - n)).toBeLessThanOrEqual(8);
  });

  it("no task queues behind a long one while a worker idles", async () => {
    const uneven = remote(function uneven(ms: number) {
      const end = performance.now() + ms;
      while (performance.now() < end);
      return ms;
    });
    await get(Array.from({ length: 50 }, () => uneven.remote(0)));
    const long = uneven.remote(1000);
    const short = Array.from({ length: 50 }, () => uneven.remote(0));
    const start = performance.now();
    await get(short);
    expect(performance.now() - start).toBeLessThan(600);
    await get(long);
  });

  it("a turn that submits and then computes delays none of its tasks", async () => {
    const stamp = remote(function stamp(_before: number) {
      return performance.timeOrigin + performance.now();
    });
    const chain = [stamp.remote(0)];
    for (let n = 1; n < 100; n++) chain.push(stamp.remote(chain[n - 1]!));
    const end = performance.now() + 2000;
    while (performance.now() < end);
    const computed = performance.timeOrigin + performance.now();
    const times = await get(chain);
    expect(times.filter((time) => time < computed - 800)).toHaveLength(100);
  });
});

describe("nesting", () => {
  it("sched-09 chains of nested gets on two slots end, without more threads than planned", async () => {
    const leaf = remote(async (n: number) => {
      await pause(10);
      return n;
    });
    const middle = remote(async (n: number) => get(leaf.remote(n)));
    const top = remote(async (n: number) => get(middle.remote(n)));
    expect(await get(Array.from({ length: 8 }, (_, n) => top.remote(n)))).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(listWorkers().length).toBeLessThanOrEqual(4);
  });

  it("recursion much deeper than the slots ends", async () => {
    const fib = remote(async function fib(n: number): Promise<number> {
      if (n < 2) return n;
      const self = remote(fib);
      const [a, b] = await get([self.remote(n - 1), self.remote(n - 2)]);
      return (a as number) + (b as number);
    });
    expect(await get(fib.remote(9))).toBe(34);
  });

  it("a task may await many nested ones, and wait for some", async () => {
    const outer = remote(async () => {
      const refs = Array.from({ length: 20 }, (_, n) => echo.remote(n));
      const [ready, pending] = await wait(refs, { numReturns: 5 });
      return [ready.length, pending.length, (await get(refs)).length];
    });
    expect(await get([outer.remote(), outer.remote(), outer.remote()])).toEqual(Array(3).fill([5, 15, 20]));
  });

  it("more tasks than slots may wait at once without holding a slot", async () => {
    const gate = sleep.remote(400, "open");
    const waiting = remote(async (list: ObjectRef<string>[]) => get(list[0]!));
    const refs = Array.from({ length: 50 }, () => waiting.remote([gate]));
    await until(() => listTasks({ state: "blocked" }).length === 50);
    expect(await get(add.remote(1, 2))).toBe(3);
    expect(new Set(await get(refs))).toEqual(new Set(["open"]));
  });

  it("sched-10 a task that declares a remote function many times goes on working", async () => {
    const declaring = remote(async () => {
      let sum = 0;
      for (let n = 0; n < 100; n++) sum += await get(remote((x: number) => x + 1).remote(n));
      return sum;
    });
    expect(await get(declaring.remote())).toBe(5050);
  });
});

describe("fairness", () => {
  it("a small job of nested tasks does not wait until a large one that began before is done", async () => {
    const job = remote(async function job(children: number) {
      const leaf = remote(function leaf() {
        const until = performance.now() + 3;
        while (performance.now() < until);
      });
      await get(Array.from({ length: children }, () => leaf.remote()));
      return performance.now();
    });
    const large = job.remote(400);
    await until(() => listTasks({ functionName: "leaf" }).length > 300);
    const small = job.remote(4);
    await get(small);
    expect(listTasks({ functionName: "leaf" }).length).toBeGreaterThan(100);
    await get(large);
  });
});

describe("workers", () => {
  it("sched-07 maxCalls: 1 gives each call a worker of its own", async () => {
    const once = remote(() => getRuntimeContext().workerId, { maxCalls: 1 });
    const ids = [await get(once.remote()), await get(once.remote()), await get(once.remote())];
    expect(new Set(ids).size).toBe(3);
  });

  it("sched-07 calls that come at once are given no worker that has had its share", async () => {
    const once = remote((_: number) => getRuntimeContext().workerId, { maxCalls: 2 });
    const ids = await get([1, 2, 3, 4, 5, 6].map((n) => once.remote(n)));
    for (const worker of ids) expect(ids.filter((id) => id === worker).length).toBeLessThanOrEqual(2);
    const recycled = timeline().events.filter((event) => event.type === "workerExited" && event.reason === "recycled");
    expect(recycled.length).toBeGreaterThanOrEqual(2);
  });

  it("sched-07 a worker with a suspended task is replaced only when that has ended", async () => {
    const path = countingFile();
    const waiting = remote(
      async function waiting(file: string) {
        await get(sleep.remote(300, 0));
        return countIn(file);
      },
      { maxCalls: 1 },
    );
    expect(await get([waiting.remote(path), waiting.remote(path), waiting.remote(path)])).toHaveLength(3);
    expect(countOf(path)).toBe(3);
  });

  it("sched-08 a task's child goes on after its parent ended", async () => {
    const parent = remote(() => [sleep.remote(300, "child")], { maxCalls: 1 });
    const [child] = await get(parent.remote());
    expect(await get(child!)).toBe("child");
  });
});
