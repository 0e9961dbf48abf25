import { inspect } from "node:util";
import {
  free,
  get,
  init,
  listObjects,
  listTasks,
  ObjectFreedError,
  OtherSessionError,
  put,
  remote,
  shutdown,
  TaskError,
} from "heddle";
import { describe, expect, it } from "vitest";
import { rejection, timed, until, useRuntime } from "../support/runtime-measures.ts";
import { add, echo, fail, sleep, typesOf } from "../support/runtime-tasks.ts";

useRuntime();

describe("refs as arguments", () => {
  it("ref-01 only top-level arguments are replaced by their values", async () => {
    const o = put(1);
    expect(await get(typesOf.remote(o, [o], { a: o }))).toEqual(["number", "list of ref", "map of ref"]);
  });

  it("ref-01 a ref given twice, and beside others, arrives at each place", async () => {
    const [a, b] = [put(1), put(2)];
    const list = remote((...values: number[]) => values);
    expect(await get(list.remote(a, 0, b, a))).toEqual([1, 0, 2, 1]);
  });

  it("ref-02 a ref inside an options-like object stays a ref", async () => {
    const o = put(1);
    expect(await get(typesOf.remote({ option: o, list: [o] }))).toEqual(["map of ref,list of ref"]);
  });

  it("ref-04 a task takes no slot before its inputs are there", async () => {
    const slow = sleep.remote(500, 1);
    const g = echo.remote(slow);
    expect(listTasks({ functionName: "echo" })).toMatchObject([{ state: "waiting", workerId: undefined }]);
    // The other slot runs three tasks while the input is made.
    const others = await timed(get([sleep.remote(50, 1), sleep.remote(50, 1), sleep.remote(50, 1)]));
    expect(others).toBeLessThan(450);
    expect(await get(g)).toBe(1);
  });

  it("ref-05 a task gets the value of a ref inside a list, made or still running", async () => {
    const first = remote(async (list: ReturnType<typeof add.remote>[]) => get(list[0]!));
    expect(await get(first.remote([put(5)]))).toBe(5);
    expect(await get(first.remote([sleep.remote(200, 6)]))).toBe(6);
  });

  it("ref-14 a ref serialised by hand is only its name, and no call takes that for the ref", async () => {
    const r = put(1);
    const text = JSON.parse(JSON.stringify(r)) as never;
    expect(text).toBe(`ObjectRef(${r.id})`);
    await expect(get(text)).rejects.toThrow(/get: expected an ObjectRef, not "ObjectRef\(/);
    expect(await get(echo.remote(text))).toBe(text);
    await expect(get(structuredClone(r))).rejects.toThrow(/get: expected an ObjectRef/);
  });

  it("util-06 passing refs is the DAG: a task runs when its inputs are there, each time anew", async () => {
    const sum = (input: number) => add.remote(add.remote(input, 1), 2);
    expect(await get([sum(10), sum(20)])).toEqual([13, 23]);
    expect(listTasks({ functionName: "add" })).toEqual([]);
  });

  it("ref-06 a captured ref stays alive for the task", async () => {
    let submitted = (() => {
      const r = put(42);
      const f = remote(async () => get(r));
      return f.remote();
    })();
    expect(await get(submitted)).toBe(42);
    const other = sleep.remote(100, 43);
    submitted = remote(async () => get(other)).remote();
    expect(await get(submitted)).toBe(43);
  });

  it("ref-08 the same object has the same id, also after a round trip through a task", async () => {
    const r = put("x");
    const [back] = (await get(echo.remote([r]))) as [typeof r];
    expect(back.id).toBe(r.id);
    expect(await get(back)).toBe("x");
    const id = remote((list: (typeof r)[]) => list[0]!.id);
    expect(await get(id.remote([r]))).toBe(r.id);
    expect(put("x").id).not.toBe(r.id);
  });

  it("a chain and a diamond of refs are the DAG", async () => {
    let at = add.remote(0, 0);
    for (let step = 0; step < 100; step++) at = add.remote(at, 1);
    const [left, right] = [add.remote(at, 1), add.remote(at, 2)];
    expect(await get(add.remote(left, right))).toBe(203);
  });

  it("a ref that a task returns is held by what it is in", async () => {
    const make = remote(() => [put("inner")]);
    const [inner] = await get(make.remote());
    expect(await get(inner!)).toBe("inner");
  });

  it("a failed input fails the task that needed it, by its own name", async () => {
    const bad = remote(function bad(): number {
      throw new RangeError("too far");
    });
    const error = await rejection<TaskError>(get(add.remote(bad.remote(), 1)));
    expect(error).toBeInstanceOf(TaskError);
    expect(error).toBeInstanceOf(RangeError);
    expect(error.hops.map((hop) => hop.functionName)).toEqual(["add", "bad"]);
  });

  it("mem-03 a freed object is gone for get and for tasks that need it", async () => {
    const r = put(new Float64Array(100_000));
    free(r);
    const error = await rejection(get(r));
    expect(error).toBeInstanceOf(ObjectFreedError);
    expect(error.message).toContain(r.id);
    const input = await rejection(get(echo.remote(r)));
    expect(input).toBeInstanceOf(ObjectFreedError);
    expect(input.message).toMatch(/echo/);
  });

  it("mem-03 disposing of a task's result lets it go", async () => {
    const large = remote(() => new Float64Array(100_000));
    const kept = large.remote();
    {
      using r = large.remote();
      expect((await get(r)).length).toBe(100_000);
    }
    expect(listObjects({ state: "freed" }).length).toBeGreaterThan(0);
    expect((await get(kept)).length).toBe(100_000);
  });

  it("shown, a ref tells its task, its state and how to get its value", async () => {
    const slow = sleep.remote(200, 1);
    expect(inspect(slow)).toBe(`ObjectRef(${slow.id}: task ${slow.taskId}, pending; await get(ref) gives the value)`);
    await get(slow);
    // Nobody waited for this one.
    const done = add.remote(1, 1);
    await until(() => listTasks().length === 0);
    expect(inspect(done)).toMatch(/: task t[0-9a-f]+, ready; /);
    expect(inspect(fail.remote("x"))).toMatch(/, (pending|failed); /);
    expect(inspect(put(1))).toMatch(/: put, ready; /);
    expect(`${slow}`).toBe(`ObjectRef(${slow.id})`);
  });

  it("a ref of a runtime that was shut down is refused by name", async () => {
    const r = put(1);
    await shutdown();
    await init({ numCpus: 2 });
    const error = await rejection(get(r));
    expect(error).toBeInstanceOf(OtherSessionError);
    expect(error.message).toContain(r.id);
    expect(() => add.remote(r, 1)).toThrow(OtherSessionError);
    // Deep inside a value the error names the way to the ref first.
    const inside = await rejection(Promise.resolve().then(() => echo.remote([r])));
    expect(inside.message).toMatch(/echo → \[0\] → \[0\]/);
    expect(inside.message).toContain(r.id);
    expect(inside).toBeInstanceOf(OtherSessionError);
  });
});
