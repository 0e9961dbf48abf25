import {
  get,
  HeddleError,
  remote,
  TaskCancelledError,
  TaskError,
  TaskTimeoutError,
  WorkerCrashedError,
  wait,
} from "heddle";
import { describe, expect, it } from "vitest";
import { countingFile, countOf, rejection, timed, until, useRuntime } from "../support/runtime-measures.ts";
import { runProgram } from "../support/runtime-program.ts";
import { add, countIn, exitWorker, fail, sleep, UserError } from "../support/runtime-tasks.ts";

useRuntime();

class MyError extends Error {
  override name = "MyError";
  readonly status = 418;
}

describe("multiple returns", () => {
  it("ret-01 numReturns: 2 gives two refs, each usable alone", async () => {
    const pair = remote((): [number, number] => [0, 1], { numReturns: 2 });
    const [a, b] = pair.remote();
    expect(await get([a, b])).toEqual([0, 1]);
    expect(await get(add.remote(b, b))).toBe(2);
    expect(a.id).not.toBe(b.id);
    expect(a.taskId).toBe(b.taskId);
  });

  it("ret-03 a task that throws fails all its refs alike", async () => {
    const three = remote(
      (): number[] => {
        throw new MyError("all three");
      },
      { numReturns: 3 },
    );
    const refs = three.remote();
    expect(refs).toHaveLength(3);
    for (const ref of refs) expect(await rejection(get(ref))).toMatchObject({ name: "MyError", message: "all three" });
  });

  it("ret-03 a result of another length is the task's error and says so", async () => {
    const wrong = remote(() => [1], { numReturns: 2 });
    const [first] = wrong.remote();
    expect((await rejection(get(first!))).message).toMatch(
      /numReturns: 2, so it must return an array of 2; .*array of 1/,
    );
  });

  // The option's rule says "at least 1": numReturns: 0 is refused in words instead.
  it("ret-04 numReturns: 0 gives no ref, and the task runs", async () => {
    const path = countingFile();
    const nothing = remote((file: string) => countIn(file), { numReturns: 0 });
    expect(nothing.remote(path)).toBeUndefined();
    await until(() => countOf(path) === 1);
  });

  it("ret-05 an array is one value by default", async () => {
    expect(await get(remote(() => [1, 2, 3]).remote())).toEqual([1, 2, 3]);
  });
});

describe("errors", () => {
  it("err-01 is an instance of the user's class and of TaskError, with message, fields and cause", async () => {
    const throwing = remote(function throwing(): number {
      throw new MyError("broken");
    });
    const error = await rejection<TaskError & MyError>(get(throwing.remote()));
    expect(error).toBeInstanceOf(MyError);
    expect(error).toBeInstanceOf(TaskError);
    expect(error).toBeInstanceOf(HeddleError);
    expect(error).not.toBeInstanceOf(TaskCancelledError);
    expect(error).toMatchObject({ message: "broken", status: 418, functionName: "throwing", attempt: 0 });
    expect(error.cause).toBeInstanceOf(MyError);
    expect((error.cause as Error).message).toBe("broken");
  });

  it("err-02 the text names task, worker and frames of the user's functions, none of the runtime's", async () => {
    const helper = function helper(): never {
      throw new MyError("deep");
    };
    const f = remote(function f() {
      return helper();
    });
    const { stack = "" } = await rejection(get(f.remote()));
    const [head, ...rest] = stack.split("\n");
    expect(head).toBe("MyError: deep");
    expect(rest[0]).toMatch(/at helper .*errors\.test\.ts:\d+:\d+/);
    expect(rest[1]).toMatch(/at f .*errors\.test\.ts:\d+:\d+/);
    expect(rest.at(-1)).toMatch(/^ +in task f\(\) \(attempt 1, worker w\d+\)$/);
    expect(stack).not.toMatch(/dist\/runtime|node:internal/);
  });

  it("err-03 an error got inside a task tells the story of both", async () => {
    const bar = remote(function bar(): number {
      throw new MyError("root");
    });
    const foo = remote(async function foo() {
      return get(bar.remote());
    });
    const error = await rejection<TaskError>(get(foo.remote()));
    expect(error).toBeInstanceOf(MyError);
    expect(error.message).toBe("root");
    expect(error.functionName).toBe("foo");
    const text = `${error.stack}\n${(error.cause as Error).stack}`;
    expect(text).toMatch(/bar/);
    expect(text).toMatch(/in task foo\(\)/);
  });

  it("err-06 a result that cannot travel is the task's error, and the worker goes on", async () => {
    const bad = remote(function bad() {
      return { deep: new WeakMap() };
    });
    const error = await rejection<TaskError>(get(bad.remote()));
    expect(error).toBeInstanceOf(TaskError);
    expect(error.message).toMatch(/the result of bad.* → deep/);
    expect(await get(add.remote(1, 1))).toBe(2);
  });

  it.each([["a text"], [42], [undefined], [{ code: 7 }]])(
    "err-01 what is thrown need not be an error: %o",
    async (thrown) => {
      const throwing = remote((value: unknown) => {
        throw value;
      });
      const error = await rejection<TaskError>(get(throwing.remote(thrown)));
      expect(error).toBeInstanceOf(TaskError);
      expect(error.cause).toEqual(thrown);
      expect(error.message).toMatch(/which is not an Error/);
    },
  );

  it("err-08 a task that ends its worker without retries: the error says so, the next task works", async () => {
    const error = await rejection(get(exitWorker.options({ maxRetries: 0 }).remote()));
    expect(error).toBeInstanceOf(WorkerCrashedError);
    expect(error.message).toMatch(/worker thread of task exitWorker\(\)/);
    expect(await get(add.remote(1, 2))).toBe(3);
  });

  it("an error that nothing caught ends the worker, and the tasks that it ends tell of it", async () => {
    const inTimer = remote(
      async () => {
        setTimeout(() => {
          throw new RangeError("thrown in a timer");
        }, 5);
        await new Promise(() => {});
      },
      { maxRetries: 0 },
    );
    const ref = inTimer.remote();
    const error = await rejection(get(ref));
    expect(error).toBeInstanceOf(WorkerCrashedError);
    expect(error.message).toMatch(
      /ended while the task ran, of an error that nothing on it caught.*thrown in a timer$/,
    );
    expect((await rejection(get(add.remote(ref as never, 1)))).message).toMatch(/thrown in a timer; needed by add/);
  });

  it("a task over its time fails with TaskTimeoutError", async () => {
    const slow = remote((ms: number) => new Promise((resolve) => setTimeout(resolve, ms)), { timeout: 100 });
    const waiting = rejection(get(slow.remote(3000)));
    expect(await timed(waiting)).toBeLessThan(2000);
    expect(await waiting).toBeInstanceOf(TaskTimeoutError);
  });
});

describe("retries", () => {
  const failing = remote(
    (path: string, failures: number) => {
      const attempt = countIn(path);
      if (attempt <= failures) throw new UserError(`attempt ${attempt}`);
      return attempt;
    },
    { name: "failing" },
  );
  const crashing = remote((path: string, crashes: number) => {
    const attempt = countIn(path);
    if (attempt <= crashes) process.exit(1);
    return attempt;
  });

  it("retry-01 an error of the function is not tried again by default", async () => {
    const path = countingFile();
    expect((await rejection(get(failing.remote(path, 1)))).message).toBe("attempt 1");
    expect(countOf(path)).toBe(1);
  });

  it("retry-02 with retryExceptions it is, three times by default", async () => {
    const path = countingFile();
    expect(await get(failing.options({ retryExceptions: true }).remote(path, 3))).toBe(4);
    expect(countOf(path)).toBe(4);
  });

  it("retry-03 maxRetries limits the attempts, and the last error is given with those before", async () => {
    const path = countingFile();
    const twice = failing.options({ retryExceptions: true, maxRetries: 2 });
    const error = await rejection<TaskError>(get(twice.remote(path, 99)));
    expect(error.message).toBe("attempt 3");
    expect(error.attempt).toBe(2);
    expect(error.attempts.map((earlier) => (earlier as Error).message)).toEqual(["attempt 1", "attempt 2"]);
    expect(countOf(path)).toBe(3);
  });

  it("retry-02 a list of classes and a predicate choose which errors are worth it", async () => {
    const [byClass, other, byRule] = [countingFile(), countingFile(), countingFile()];
    expect(await get(failing.options({ retryExceptions: [UserError] }).remote(byClass, 1))).toBe(2);
    await rejection(get(failing.options({ retryExceptions: [RangeError] }).remote(other, 1)));
    expect(countOf(other)).toBe(1);
    const rule = (error: unknown) => (error as Error).message === "attempt 1";
    await rejection(get(failing.options({ retryExceptions: rule }).remote(byRule, 5)));
    expect(countOf(byRule)).toBe(2);
  });

  it("retry-06 a task that always crashes fails after its retries", async () => {
    const path = countingFile();
    const error = await rejection(get(crashing.options({ maxRetries: 1 }).remote(path, 99)));
    expect(error).toBeInstanceOf(WorkerCrashedError);
    expect(countOf(path)).toBe(2);
  });

  it("retry-07 maxRetries: -1 goes on without end", async () => {
    const path = countingFile();
    expect(await get(crashing.options({ maxRetries: -1 }).remote(path, 10))).toBe(11);
    expect(countOf(path)).toBe(11);
  });

  it("a crash leaves what waits on other workers alone", async () => {
    const slow = sleep.remote(300, "kept");
    const crash = exitWorker.options({ maxRetries: 0 }).remote();
    await wait([crash]);
    expect(await get(slow)).toBe("kept");
    expect(await rejection(get(fail.remote("after")))).toBeInstanceOf(UserError);
  });

  it("an error with a very long message arrives whole, and the runtime goes on", async () => {
    const error = await rejection(get(fail.remote("long ".repeat(10_000))));
    expect(error).toBeInstanceOf(UserError);
    expect(error.message).toHaveLength(50_000);
    expect(await get(sleep.remote(0, "still there"))).toBe("still there");
  });

  it("what a failed attempt still does takes no slot from the next one", async () => {
    // With one worker both attempts are on the same thread.
    const { stdout, stderr } = await runProgram(`
      import { get, init, put, remote, timeline } from "heddle";
      await init({ numCpus: 1 });
      const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
      const task = remote(async (given) => {
        if (globalThis.first === undefined) {
          globalThis.first = true;
          globalThis.left = pause(50).then(() => get(given[0]));
          throw new Error("first attempt");
        }
        const left = await globalThis.left;
        await pause(50);
        return left;
      }, { retryExceptions: true });
      const value = await get(task.remote([put("left over")]));
      const count = (type) => timeline().events.filter((event) => event.type === type).length;
      console.log(value, count("started"), count("blocked"));
    `);
    expect({ stdout, stderr }).toEqual({ stdout: "left over 2 0\n", stderr: "" });
  });
});
