import { get, getRuntimeContext, type ObjectRef, put, remote, SerializationError, timeline } from "heddle";
import { describe, expect, it } from "vitest";
import { timed, useRuntime } from "../support/runtime-measures.ts";
import { add, echo, fail, sleep, UserError } from "../support/runtime-tasks.ts";

useRuntime();

describe("declaring and submitting", () => {
  it("sub-01 calling a remote function directly throws and says to use .remote()", () => {
    const call = add as unknown as (a: number, b: number) => number;
    expect(() => call(1, 2)).toThrow(TypeError);
    expect(() => call(1, 2)).toThrow(/add is a task: call add\.remote\(…\)/);
  });

  it.each([1, undefined, null, {}, "f"])("sub-02 remote(%s) throws at once", (value) => {
    expect(() => remote(value as never)).toThrow(TypeError);
    expect(() => remote(value as never)).toThrow(/remote: expected a function/);
  });

  it("sub-03 an unknown option throws at once and names itself and the valid ones", () => {
    expect(() => remote(() => 1, { unknownOption: 1 } as never)).toThrow(
      /unknown option "unknownOption"; the options are .*numCpus.*maxRetries/,
    );
  });

  it.each([
    { numCpus: -1 },
    { numCpus: Number.NaN },
    { maxRetries: -2 },
    { maxRetries: 1.5 },
    { numReturns: -1 },
    { timeout: 0 },
    { resources: { gpu: -1 } },
    { retryExceptions: "yes" },
    { name: "" },
  ])("sub-04 options(%o) throws before anything is submitted", (options) => {
    const [name] = Object.keys(options);
    const before = timeline().events.length;
    expect(() => add.options(options as never)).toThrow(new RegExp(`add\\.options: option "${name}" must be `));
    expect(timeline().events.length).toBe(before);
  });

  it("sub-05 options() gives a copy that inherits what is not named and leaves the original alone", async () => {
    const names = remote((path: string) => `${getRuntimeContext().taskName} ${path}`, { name: "first", numCpus: 0.5 });
    const renamed = names.options({ name: "second" });
    expect(await get([names.remote("a"), renamed.remote("b"), names.remote("c")])).toEqual([
      "first a",
      "second b",
      "first c",
    ]);
    const resources = remote(() => getRuntimeContext().assignedResources, { numCpus: 0.5 });
    expect(await get(resources.options({ name: "n" }).remote())).toEqual({ CPU: 0.5 });
  });

  it("sub-06 optional and rest parameters", async () => {
    const f = remote((x: number, y: number, ...rest: string[]) => [x, y, rest]);
    expect(await get([f.remote(1, 2), f.remote(1, 2, "c"), f.remote(1, 2, "c", "d")])).toEqual([
      [1, 2, []],
      [1, 2, ["c"]],
      [1, 2, ["c", "d"]],
    ]);
  });

  it("sub-08 .remote() returns at once", async () => {
    const start = performance.now();
    const ref = sleep.remote(2000, 7);
    expect(performance.now() - start).toBeLessThan(50);
    expect(await get(ref)).toBe(7);
  });

  it("sub-10 a task that changes its argument changes its own copy", async () => {
    const grow = remote((list: number[]) => {
      list.push(9);
      return list;
    });
    const list = [1, 2];
    expect(await get(grow.remote(list))).toEqual([1, 2, 9]);
    expect(list).toEqual([1, 2]);
  });

  it("sub-12 a capture that cannot travel throws at the first .remote() and names the way to it", () => {
    const socket = new WeakMap<object, number>();
    const helper = () => socket;
    const retrieve = remote(function retrieve() {
      return helper();
    });
    expect(() => retrieve.remote()).toThrow(SerializationError);
    expect(() => retrieve.remote()).toThrow(/retrieve → helper → socket/);
  });

  it("sub-12 an argument that cannot travel names the function and the place", () => {
    expect(() => echo.remote({ deep: [new WeakMap()] })).toThrow(SerializationError);
    expect(() => echo.remote({ deep: [new WeakMap()] })).toThrow(/echo.*deep.*0/);
  });

  it("sub-13 a helper defined after the function but before its first call goes along", async () => {
    const useLater = remote(() => later());
    const later = () => "later";
    expect(await get(useLater.remote())).toBe("later");
  });

  it("sub-14 captures are frozen at the first call", async () => {
    let captured = 1;
    const read = remote(() => captured);
    expect(await get(read.remote())).toBe(1);
    captured = 2;
    expect(await get(read.remote())).toBe(1);
    expect(await get(remote(() => captured).remote())).toBe(2);
  });

  it("sub-18 code goes to a worker once, not with each call", async () => {
    const source = `"${"x".repeat(200_000)}".length`;
    const long = remote(new Function(`return ${source}`) as () => number);
    expect(await get(long.remote())).toBe(200_000);
    const ms = await timed(get(Array.from({ length: 1000 }, () => long.remote())));
    // Shipping 200 kB a thousand times and compiling it would take far longer.
    expect(ms).toBeLessThan(1000);
  });

  it("sub-20 functions as values", async () => {
    const increment = (await get(echo.remote((x: number) => x + 1))) as (x: number) => number;
    expect(increment(3)).toBe(4);
  });

  it("a class and its instances go along", async () => {
    class Point {
      readonly x: number;
      readonly y: number;
      constructor(x: number, y: number) {
        this.x = x;
        this.y = y;
      }
      get length() {
        return Math.hypot(this.x, this.y);
      }
    }
    const scale = remote((point: Point, by: number) => new Point(point.x * by, point.y * by));
    const scaled = await get(scale.remote(put(new Point(3, 4)), 2));
    expect(scaled).toBeInstanceOf(Point);
    expect(scaled.length).toBe(10);
  });

  it("a remote function that submits itself, and two that submit each other", async () => {
    type Sum = { remote(n: number): ObjectRef<number> };
    const down: Sum = remote(
      async (n: number): Promise<number> => (n === 0 ? 0 : n + (await get(down.remote(n - 1)))),
      {
        name: "down",
      },
    );
    expect(await get(down.remote(5))).toBe(15);
    const even: Sum = remote(async (n: number): Promise<number> => (n === 0 ? 1 : get(odd.remote(n - 1))), {
      name: "even",
    });
    const odd: Sum = remote(async (n: number): Promise<number> => (n === 0 ? 0 : get(even.remote(n - 1))), {
      name: "odd",
    });
    expect(await get([even.remote(6), even.remote(7), odd.remote(3)])).toEqual([1, 0, 1]);
  });

  it("a remote function that cannot travel is named with the way to it, each time", async () => {
    const socket = new (class Secret {
      #key = 1;
      key() {
        return this.#key;
      }
    })();
    const inner = remote(() => socket.key(), { name: "inner" });
    const outer = remote(() => get(inner.remote()), { name: "outer" });
    expect(() => outer.remote()).toThrow(SerializationError);
    expect(() => outer.remote()).toThrow(/inner.*socket/);
  });

  it("a remote function used by a task goes along with its options", async () => {
    const inner = fail.options({ name: "inner" });
    const outer = remote(async () => {
      try {
        return await get(inner.remote("boom"));
      } catch (error) {
        return [error instanceof UserError, (error as { taskName?: string }).taskName];
      }
    });
    expect(await get(outer.remote())).toEqual([true, "inner"]);
  });

  it("arguments, inputs and results that are longer than a thread's ring go through it all the same", async () => {
    const count = remote((...all: unknown[]) => all.length);
    const inputs = Array.from({ length: 80 }, (_, n) => put(`${n}`.repeat(4000)));
    const text = "y".repeat(8000);
    const many = remote(() => Array.from({ length: 80 }, (_, n) => `${n}`.repeat(4000)), { numReturns: 80 });
    const calls = Array.from({ length: 6 }, () => count.remote(...inputs));
    expect(await get(count.remote(...Array.from({ length: 80 }, () => text)))).toBe(80);
    expect(await get(calls)).toEqual([80, 80, 80, 80, 80, 80]);
    const results = many.remote() as ObjectRef<string>[];
    expect((await get(results)).map(({ length }) => length)).toEqual(inputs.map((_, n) => `${n}`.length * 4000));
  });
});
