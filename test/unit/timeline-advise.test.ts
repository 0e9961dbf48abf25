import { expect, test } from "vitest";
import type { TaskEvent } from "../../runtime/events.ts";
import { adviceText, Timeline } from "../../runtime/timeline.ts";
import {
  callEvents,
  earlyReturns,
  everything,
  inOrder,
  manyTasks,
  objectOf,
  randomNumbers,
  taskEvents,
  workerEvents,
} from "../support/traces.ts";

function rules(events: readonly TaskEvent[]): string[] {
  return new Timeline(events).advise().map(({ rule }) => rule);
}

/** Work of `durations` on as many workers as are free, all submitted at once. */
function parallel(durations: readonly number[], workers: number, { fn = "work" } = {}): TaskEvent[][] {
  const free = new Array<number>(workers).fill(0);
  return durations.map((duration, i) => {
    const worker = free.indexOf(Math.min(...free));
    const start = free[worker]!;
    free[worker] = start + duration;
    return taskEvents({
      id: `${fn}${i}`,
      name: `${fn}(${i})`,
      fn,
      submit: 0,
      start,
      end: start + duration,
      worker: `worker-${worker}`,
    });
  });
}

test.each([
  ["early returns", earlyReturns()],
  ["everything", everything()],
  ["200 tasks", manyTasks(200, 8)],
  ["10,000 tasks", manyTasks(10_000, 16)],
  ["nothing", []],
])("a good trace gets no advice: %s", (_, events) => {
  expect(rules(events)).toEqual([]);
});

test("nothing is said while something runs", () => {
  const loop = getLoop(4);
  expect(rules(loop)).toContain("getInLoop");
  expect(rules([...loop, ...taskEvents({ id: "more", submit: 500, start: 500 })])).toEqual([]);
});

function getLoop(count: number): TaskEvent[] {
  const steps = Array.from({ length: count }, (_, i) => [
    taskEvents({
      id: `t${i}`,
      name: `load(${i})`,
      fn: "load",
      submit: i * 110,
      start: i * 110 + 1,
      end: i * 110 + 101,
    }),
    callEvents({ id: `g${i}`, kind: "get", of: [`t${i}`], start: i * 110 + 1, end: i * 110 + 102 }),
  ]);
  return inOrder(workerEvents(4), ...steps.flat());
}

test("get in a loop: each awaited before the next is submitted", () => {
  const [advice] = new Timeline(getLoop(4)).advise();
  expect(advice).toMatchObject({ rule: "getInLoop", cell: "1", taskIds: ["t0", "t1", "t2", "t3"] });
  expect(advice!.cost).toBeCloseTo(300, 0);
  expect(advice!.message).toContain("4 calls of load ran one after the other");
});

test("no get in a loop: where all are submitted first, or there is one worker, or each is given the one before", () => {
  const ids = ["work0", "work1", "work2", "work3"];
  const gets = ids.map((id, i) => callEvents({ id: `g${i}`, kind: "get", of: [id], start: 1 + i, end: 101 + i }));
  expect(rules(inOrder(workerEvents(4), ...parallel([100, 100, 100, 100], 4), ...gets))).toEqual([]);
  expect(rules(getLoop(4).filter((event) => event.type !== "workerStarted" || event.workerId === "worker-0"))).toEqual(
    [],
  );
  const chain = getLoop(4).map((event) =>
    event.type === "submitted" && event.taskId !== "t0"
      ? { ...event, inputs: [`object-of-t${Number(event.taskId.slice(1)) - 1}`] }
      : event,
  );
  expect(rules(chain)).toEqual([]);
});

test("no get in a loop: the items of one stream are read as they come", () => {
  const stream = taskEvents({ id: "t0", name: "rows(4)", fn: "rows", submit: 0, start: 1, end: 402 });
  const items = Array.from({ length: 4 }, (_, i): TaskEvent[] => [
    { type: "yielded", time: (i + 1) * 100, taskId: "t0", index: i, objectId: objectOf(`item${i}`) },
    ...callEvents({ id: `g${i}`, kind: "get", of: [`item${i}`], start: (i + 1) * 100, end: (i + 1) * 100 + 1 }),
  ]);
  expect(rules(inOrder(workerEvents(4), stream, ...items))).toEqual([]);
});

function orderedGets(durations: readonly number[]): TaskEvent[] {
  const tasks = parallel(durations, durations.length);
  let now = 1;
  const gets = durations.map((duration, i) => {
    const end = Math.max(now, duration) + 1;
    const call = callEvents({ id: `g${i}`, kind: "get", of: [`work${i}`], start: now, end });
    // 100 ms of work on each result.
    now = end + 100;
    return call;
  });
  const last = taskEvents({ id: "end", fn: "end", submit: now, start: now, end: now + 1 });
  return inOrder(workerEvents(durations.length), ...tasks, ...gets, last);
}

test("get in the order of submission: later results lie ready behind a slow one", () => {
  const [advice] = new Timeline(orderedGets([600, 50, 50, 50, 50])).advise();
  expect(advice?.rule).toBe("getInSubmissionOrder");
  expect(advice!.cost).toBeCloseTo(400, -1);
});

test("no complaint about the order where the first is the first to end", () => {
  expect(rules(orderedGets([50, 100, 150, 200, 250]))).toEqual([]);
});

function getAllThenWork(durations: readonly number[], work: number): TaskEvent[] {
  const end = Math.max(...durations) + 1;
  const ids = durations.map((_, i) => `work${i}`);
  const report = taskEvents({ id: "report", fn: "report", submit: end + work, start: end + work, end: end + work + 5 });
  return inOrder(
    workerEvents(durations.length),
    ...parallel(durations, durations.length),
    callEvents({ id: "g", kind: "get", of: ids, start: 1, end }),
    report,
  );
}

test("get of all before a long piece of work", () => {
  const [advice] = new Timeline(getAllThenWork([100, 200, 300, 400, 500], 400)).advise();
  expect(advice?.rule).toBe("getAllBeforeProcessing");
  expect(advice!.cost).toBe(400);
});

test("no complaint about a get of all where the results come together, or little is done with them", () => {
  expect(rules(getAllThenWork([490, 495, 500, 500, 500], 400))).toEqual([]);
  expect(rules(getAllThenWork([100, 200, 300, 400, 500], 20))).toEqual([]);
});

function smallTasks(run: number, overhead: number): TaskEvent[] {
  const tasks = Array.from({ length: 2_000 }, (_, i) => {
    const start = Math.floor(i / 2) * (run + overhead);
    return taskEvents({
      id: `t${i}`,
      fn: "add",
      submit: 0,
      start,
      exec: start + overhead / 2,
      end: start + overhead / 2 + run,
      worker: `worker-${i % 2}`,
    });
  });
  return inOrder(workerEvents(2), ...tasks);
}

/** A task after the other, each started at once by the next worker. */
function submittedEach(gap: number, run: number): TaskEvent[] {
  const tasks = Array.from({ length: 5000 }, (_, i) =>
    taskEvents({
      id: `t${i}`,
      fn: "tiny",
      submit: i * gap,
      start: i * gap,
      end: i * gap + run,
      worker: `worker-${i % 2}`,
    }),
  );
  return inOrder(workerEvents(2), ...tasks);
}

test("tasks that take hardly longer than starting them", () => {
  const [advice] = new Timeline(smallTasks(0.05, 0.1)).advise();
  expect(advice?.rule).toBe("tasksTooSmall");
  expect(advice!.message).toContain("about 200 items");
});

test("tasks that are submitted no faster than they run, so that the workers stand idle", () => {
  const [advice] = new Timeline(submittedEach(0.05, 0.01)).advise();
  expect(advice?.rule).toBe("tasksTooSmall");
  // Nobody knows what the driver did between two submissions, nor what a task waited for.
  expect(rules(submittedEach(0.5, 0.01))).toEqual([]);
  const chain = submittedEach(0.05, 0.01).map((event) =>
    event.type === "submitted" ? { ...event, inputs: [`object-of-t${Number(event.taskId.slice(1)) - 1}`] } : event,
  );
  expect(rules(chain)).toEqual([]);
});

test("no complaint about tasks of a good size, or about small ones that start at once", () => {
  expect(rules(smallTasks(20, 0.1))).toEqual([]);
  expect(rules(smallTasks(1, 0.01))).toEqual([]);
});

function nested(asked: string): TaskEvent[] {
  return inOrder(
    workerEvents(2),
    taskEvents({ id: "slow", fn: "slow", submit: 0, start: 0, end: 300 }),
    taskEvents({ id: "outer", fn: "outer", submit: 1, start: 1, end: 320, blocked: [[5, 301]], worker: "worker-1" }),
    taskEvents({ id: "own", fn: "own", parent: "outer", submit: 4, start: 300, end: 310 }),
    callEvents({ id: "n", kind: "get", task: "outer", of: [asked], start: 5, end: 301 }),
  );
}

test("a task that waits inside for a task it was handed", () => {
  expect(new Timeline(nested("slow")).advise()).toMatchObject([{ rule: "nestedGet", cost: 296, taskIds: ["outer"] }]);
});

test("no complaint about a task that waits for its own", () => {
  expect(rules(nested("own"))).toEqual([]);
});

function puts(usedBy: "driver" | "nobody"): TaskEvent[] {
  const use = usedBy === "driver" ? callEvents({ id: "g", kind: "get", of: ["part"], start: 120, end: 130 }) : [];
  return inOrder(
    workerEvents(1),
    taskEvents({ id: "make", fn: "make", submit: 0, start: 0, end: 110 }),
    [{ type: "put", time: 50, objectId: "object-of-part", bytes: 1e6, taskId: "make" }],
    use,
  );
}

test("a task that hands out the ref of what it put", () => {
  expect(new Timeline(puts("driver")).advise()).toMatchObject([{ rule: "returnedPut", taskIds: ["make"] }]);
});

test("no complaint about a task that keeps what it put", () => {
  expect(rules(puts("nobody"))).toEqual([]);
});

test("one task that all the others had to wait for", () => {
  const events = inOrder(workerEvents(4), ...parallel([100, 100, 110, 90, 105, 95, 100, 900], 4));
  const [advice] = new Timeline(events).advise();
  expect(advice).toMatchObject({ rule: "straggler", taskIds: ["work7"] });
  expect(advice!.message).toContain("work(7) on worker");
});

test("no straggler where the tasks differ evenly", () => {
  const random = randomNumbers(5);
  expect(
    rules(
      inOrder(
        workerEvents(4),
        ...parallel(
          Array.from({ length: 40 }, () => 50 + random() * 100),
          4,
        ),
      ),
    ),
  ).toEqual([]);
});

/** Ten runs alone, then forty beside three others that take `slowdown` times as long. */
function crowded(slowdown: number): TaskEvent[] {
  const alone = Array.from({ length: 10 }, (_, i) =>
    taskEvents({ id: `a${i}`, fn: "scan", submit: i * 100, start: i * 100, end: i * 100 + 100 }),
  );
  const together = Array.from({ length: 40 }, (_, i) => {
    const start = 1_000 + Math.floor(i / 4) * 100 * slowdown;
    return taskEvents({
      id: `b${i}`,
      fn: "scan",
      submit: 1_000,
      start,
      end: start + 100 * slowdown,
      worker: `worker-${i % 4}`,
    });
  });
  return inOrder(workerEvents(4), ...alone, ...together);
}

test("tasks that slow each other down as much as there are workers", () => {
  expect(rules(crowded(4))).toEqual(["tooMuchParallelism"]);
});

test("no complaint where more at a time is faster in the end", () => {
  expect(rules(crowded(1.3))).toEqual([]);
});

function actorCalls(count: number, queueing: boolean): TaskEvent[] {
  const calls = Array.from({ length: count }, (_, i) =>
    taskEvents({
      id: `c${i}`,
      fn: "Counter.add",
      actor: "Counter#1",
      numCpus: 0,
      submit: queueing ? 0 : i * 20,
      start: i * 20,
      end: i * 20 + 18,
    }),
  );
  return inOrder(workerEvents(2), ...calls);
}

test("an actor behind which calls queue up", () => {
  expect(rules(actorCalls(100, true))).toEqual(["hotActor"]);
});

test("no complaint about an actor that keeps up", () => {
  expect(rules(actorCalls(100, false))).toEqual([]);
});

function spilling(tasks: number): TaskEvent[] {
  return inOrder(workerEvents(2), ...parallel(new Array<number>(tasks).fill(100), 2), [
    { type: "spilled", time: 50, objectId: "x", bytes: 5e8 },
  ]);
}

test("spilling while many tasks are under way", () => {
  expect(new Timeline(spilling(100)).advise()).toMatchObject([{ rule: "tooMuchAtOnce" }]);
  expect(new Timeline(spilling(100)).advise()[0]?.message).toContain(
    "500 MB went to disk while 100 tasks were under way",
  );
});

test("no complaint about spilling with few tasks", () => {
  expect(rules(spilling(8))).toEqual([]);
});

/** Calls of `f` on two workers that were each given `bytes` with this hash. */
function givenByValue(hashes: readonly number[], bytes: number): TaskEvent[] {
  const large = hashes.map(
    (hash, i): TaskEvent => ({ type: "largeArgument", time: 0, taskId: `work${i}`, bytes, hash }),
  );
  const runs = new Array<number>(hashes.length).fill(50);
  return [...inOrder(workerEvents(2), ...parallel(runs, 2)), ...large];
}

test("the same data by value again and again", () => {
  const [advice] = new Timeline(givenByValue([7, 7, 7, 7], 8e6)).advise();
  expect(advice).toMatchObject({ rule: "largeArgument", taskIds: ["work0", "work1", "work2", "work3"] });
  expect(advice!.message).toContain("4 calls of work were given the same 8.0 MB by value");
  expect(advice!.message).toContain("24 MB for nothing");
});

test("no complaint about different data, about twice, or about little", () => {
  expect(rules(givenByValue([1, 2, 3, 4], 8e6))).toEqual([]);
  expect(rules(givenByValue([7, 7], 8e6))).toEqual([]);
  expect(rules(givenByValue([7, 7, 7, 7], 2e5))).toEqual([]);
});

function capturing(bytes: number, workers: number): TaskEvent[] {
  // It is shipped before its first task is there.
  const capture: TaskEvent = { type: "largeCapture", time: -5, functionName: "work", bytes, largest: "table" };
  return [capture, ...inOrder(workerEvents(2), ...parallel([50, 50, 50, 50], workers))];
}

test("a function that takes much along to several workers", () => {
  const [advice] = new Timeline(capturing(8e6, 2)).advise();
  expect(advice?.rule).toBe("largeCapture");
  expect(advice!.message).toContain("work captures 8.0 MB, most of it in table: each of 2 workers made a copy");
});

test("no complaint about a capture that one worker has, or a small one", () => {
  expect(rules(capturing(8e6, 1))).toEqual([]);
  expect(rules(capturing(2e6, 2))).toEqual([]);
});

/** The same events, each call and submission with its line. */
function placed(events: readonly TaskEvent[], lineOf: (index: number) => number): TaskEvent[] {
  let index = 0;
  return events.flatMap((event): TaskEvent[] => {
    if (event.type !== "callStarted") return [event];
    const place = `cell-1.ts:${lineOf(index++)}:7`;
    return [{ type: "place", time: event.time, id: event.callId, place }, event];
  });
}

test("an advice names the line where all of it stands", () => {
  const data = (events: readonly TaskEvent[]) => new Timeline(events, { cell: "1" });
  const loop = data(placed(getLoop(4), () => 12));
  expect(loop.advise()[0]).toMatchObject({ rule: "getInLoop", place: "cell-1.ts:12:7", line: 12 });
  expect(adviceText(loop.advise()[0]!, loop.data)).toMatch(/^Line 12: 4 calls of load/);
  const session = new Timeline(placed(getLoop(4), () => 12));
  expect(adviceText(session.advise()[0]!, session.data)).toMatch(/^\[1\] line 12: 4 calls of load/);
  expect(data(getLoop(4)).advise()[0]).not.toHaveProperty("line");
});

test("calls on several lines are no loop", () => {
  expect(rules(placed(getLoop(4), (index) => 12 + index))).toEqual([]);
  expect(rules(placed(getLoop(8), (index) => (index < 4 ? 12 : 20)))).toEqual(["getInLoop"]);
});
