import {
  get,
  getRuntimeContext,
  listObjects,
  listTasks,
  listWorkers,
  profile,
  put,
  remote,
  timeline,
  wait,
} from "heddle";
import { describe, expect, it } from "vitest";
import { rejection, useRuntime } from "../support/runtime-measures.ts";
import { runProgram } from "../support/runtime-program.ts";
import { add, echo, fail, sleep, UserError } from "../support/runtime-tasks.ts";

useRuntime();

describe("async code", () => {
  it("aio-01 get gives values of tasks, puts and large results; failures reject", async () => {
    const large = remote(() => "x".repeat(200_000));
    expect(await get(add.remote(1, 2))).toBe(3);
    expect(await get(put("p"))).toBe("p");
    expect((await get(large.remote())).length).toBe(200_000);
    expect(await rejection(get(fail.remote("no")))).toBeInstanceOf(UserError);
  });

  it("aio-01 a ref is not thenable: it survives await, return and Promise.all", async () => {
    const r = put(1);
    const returned = async () => r;
    expect(await r).toBe(r);
    expect(await returned()).toBe(r);
    expect(await Promise.all([r, returned()])).toEqual([r, r]);
    expect("then" in r).toBe(false);
  });
});

describe("context and state", () => {
  it("obs-01 a task knows itself", async () => {
    const who = remote(function who() {
      const { signal, ...rest } = getRuntimeContext();
      return { ...rest, aborted: signal?.aborted };
    });
    const r = who.options({ name: "nm" }).remote();
    expect(await get(r)).toEqual({
      sessionId: getRuntimeContext().sessionId,
      taskId: r.taskId,
      taskName: "nm",
      functionName: "who",
      attempt: 0,
      workerId: expect.stringMatching(/^w\d+$/),
      nodeId: "local",
      assignedResources: { CPU: 1 },
      isDriver: false,
      aborted: false,
    });
  });

  it("obs-01 the driver has no task", () => {
    expect(getRuntimeContext()).toMatchObject({ taskId: undefined, taskName: undefined, isDriver: true, attempt: 0 });
  });

  it("obs-01 context survives awaits, and each of several tasks on a thread has its own", async () => {
    const who = remote(
      async (ms: number) => {
        await new Promise((resolve) => setTimeout(resolve, ms));
        return getRuntimeContext().taskId;
      },
      { numCpus: 0 },
    );
    const refs = [30, 10, 20, 5].map((ms) => who.remote(ms));
    expect(await get(refs)).toEqual(refs.map((ref) => ref.taskId));
  });

  it("obs-06 a span of the user is in the timeline with its data", async () => {
    const parsing = remote(function parsing() {
      using _ = profile("parse", { k: 1 });
      return 1;
    });
    const ref = parsing.remote();
    await get(ref);
    const { taskId } = ref;
    expect(timeline().events).toContainEqual(
      expect.objectContaining({ type: "span", name: "parse", data: { k: 1 }, taskId }),
    );
    const lane = timeline({ name: "parsing" }).data.spans[0]?.lane ?? -1;
    expect(timeline({ name: "parsing" }).data.lanes[lane]?.kind).toBe("worker");
  });

  it("places of the first submissions and calls, equal data given by value, and large captures are in the timeline", async () => {
    const { stdout } = await runProgram(`
      import { get, remote, shutdown, timeline } from "heddle";
      const table = new Float64Array(200_000);
      const size = remote(function size(data) { return data.length + table.length; });
      const data = new Float64Array(50_000);
      const shared = new Float64Array(new SharedArrayBuffer(400_000));
      await get([size.remote(data), size.remote(data), size.remote(shared), size.remote("x".repeat(200_000))]);
      const { events } = timeline();
      console.log(JSON.stringify({
        lines: events.filter(({ type }) => type === "place").map(({ id, place }) => id[0] + place.replace(/.*main.mjs:(\\d+):.*/, "$1")),
        large: events.filter(({ type }) => type === "largeArgument").map(({ bytes, hash }) => [bytes, hash]),
        captures: events.filter(({ type }) => type === "largeCapture").map(({ functionName, largest, bytes }) => [functionName, largest, bytes > 1_600_000]),
      }));
      await shutdown();
    `);
    const { captures, large, lines } = JSON.parse(stdout) as {
      lines: string[];
      large: [number, number][];
      captures: [string, string, boolean][];
    };
    expect(lines).toEqual(["t7", "t7", "t7", "t7", "c7"]);
    expect(large.map(([bytes]) => bytes)).toEqual([400_000, 400_000, 400_000, expect.any(Number)]);
    expect(new Set(large.slice(0, 3).map(([, hash]) => hash)).size).toBe(1);
    expect(captures).toEqual([["size", "table", true]]);
  });

  it("obs-10 tasks that end well are finished in the timeline", async () => {
    const r = echo.remote("ok");
    await get(r);
    const steps = timeline().events.flatMap((event) =>
      "taskId" in event && event.taskId === r.taskId ? [event.type] : [],
    );
    expect(steps).toEqual(["submitted", "ready", "started", "finished"]);
  });

  it("listTasks tells state, inputs and parent; listObjects size and state; listWorkers what runs", async () => {
    const slow = sleep.remote(400, 1);
    const needs = echo.remote(slow);
    expect(listTasks({ functionName: "echo" })).toMatchObject([{ state: "waiting", inputs: [slow.id], attempt: 0 }]);
    expect(listTasks({ functionName: "sleep" })).toHaveLength(1);
    const r = put(new Uint8Array(10_000));
    expect(listObjects().find((object) => object.objectId === r.id)).toMatchObject({
      state: "ready",
      inSharedMemory: true,
      taskId: undefined,
      holders: 1,
    });
    await wait([needs]);
    expect(listWorkers().map((worker) => worker.workerId)).toHaveLength(2);
    expect(listTasks()).toEqual([]);
  });
});

describe("output of tasks", () => {
  const printing = `
    import { get, init, remote } from "heddle";
    const say = remote((n) => { console.log("line " + n); console.error("warn " + n); });
  `;

  it("obs-08 all lines of all workers arrive, none is folded", async () => {
    const { stdout, stderr } = await runProgram(`${printing}
      await init({ numCpus: 3 });
      await get(Array.from({ length: 30 }, (_, n) => say.remote(n % 3)));
    `);
    expect(stdout.trim().split("\n").toSorted()).toEqual([0, 1, 2].flatMap((n) => Array(10).fill(`line ${n}`)));
    expect(stderr.trim().split("\n")).toHaveLength(30);
  });

  it("obs-09 logToDriver: false shows none", async () => {
    const { stdout, stderr } = await runProgram(`${printing}
      await init({ numCpus: 2, logToDriver: false });
      await get([say.remote(1), say.remote(2)]);
      console.log("the driver's own");
    `);
    expect(stdout).toBe("the driver's own\n");
    expect(stderr).toBe("");
  });
});
