/** Made-up event streams, as the scheduler would write them. Times in milliseconds. */
import type { TaskEvent } from "../../runtime/events.ts";

export interface MadeUpTask {
  id: string;
  name?: string;
  fn?: string;
  actor?: string;
  cell?: string;
  parent?: string;
  /** Tasks whose results it is given. */
  after?: string[];
  submit: number;
  ready?: number;
  start?: number;
  /** When the user's code began; default `start`. */
  exec?: number;
  /** Absent: it has not ended. */
  end?: number;
  worker?: string;
  attempt?: number;
  state?: "finished" | "failed" | "retried" | "cancelled";
  error?: { name: string; message: string };
  blocked?: [number, number][];
  numCpus?: number;
}

/** The events of one attempt of a task; a later attempt of the same id adds to it. */
export function taskEvents(task: MadeUpTask): TaskEvent[] {
  const { id: taskId, submit, start, end, attempt = 0, worker: workerId = "worker-0", state = "finished" } = task;
  const events: TaskEvent[] = [];
  if (attempt === 0) {
    events.push({
      type: "submitted",
      time: submit,
      taskId,
      name: task.name ?? taskId,
      functionName: task.fn ?? "f",
      ...(task.actor === undefined ? {} : { actor: task.actor }),
      ...(task.parent === undefined ? {} : { parentTaskId: task.parent }),
      cell: task.cell ?? "1",
      inputs: (task.after ?? []).map(objectOf),
      returns: [objectOf(taskId)],
      numCpus: task.numCpus ?? 1,
    });
    events.push({ type: "ready", time: task.ready ?? submit, taskId });
  }
  if (start !== undefined) events.push({ type: "started", time: start, taskId, attempt, workerId });
  for (const [from, to] of task.blocked ?? [])
    events.push({ type: "blocked", time: from, taskId }, { type: "resumed", time: to, taskId });
  if (end === undefined) return events;
  const ran = start === undefined ? {} : { workerId, startedAt: start, executedAt: task.exec ?? start };
  if (state === "finished")
    events.push({
      type: "finished",
      time: end,
      taskId,
      attempt,
      workerId,
      startedAt: start ?? end,
      executedAt: task.exec ?? start ?? end,
      size: 100,
    });
  else if (state === "cancelled") events.push({ type: "cancelled", time: end, taskId, attempt, ...ran });
  else
    events.push({
      type: "failed",
      time: end,
      taskId,
      attempt,
      ...ran,
      error: task.error ?? { name: "Error", message: "no" },
      willRetry: state === "retried",
    });
  return events;
}

export interface MadeUpCall {
  id: string;
  kind: "get" | "wait";
  cell?: string;
  /** The task that called. */
  task?: string;
  of: string[];
  start: number;
  end?: number;
  numReturns?: number;
  timeout?: number;
  returned?: string[];
  outcome?: "ok" | "failed" | "timeout" | "interrupted";
}

export function callEvents(call: MadeUpCall): TaskEvent[] {
  const { id: callId, kind, start, end, of } = call;
  const events: TaskEvent[] = [
    {
      type: "callStarted",
      time: start,
      callId,
      kind,
      ...(call.task === undefined ? { cell: call.cell ?? "1" } : { taskId: call.task }),
      objectIds: of.map(objectOf).slice(0, 64),
      total: of.length,
      ...(call.numReturns === undefined ? {} : { numReturns: call.numReturns }),
      ...(call.timeout === undefined ? {} : { timeout: call.timeout }),
    },
  ];
  if (end === undefined) return events;
  const returned = call.returned ?? of;
  const objectIds = returned.map(objectOf).slice(0, 64);
  events.push({
    type: "callReturned",
    time: end,
    callId,
    kind,
    objectIds,
    total: returned.length,
    pending: of.length - returned.length,
    outcome: call.outcome ?? "ok",
  });
  return events;
}

export function workerEvents(count: number, time = 0): TaskEvent[] {
  return Array.from({ length: count }, (_, number) => ({ type: "workerStarted", time, workerId: `worker-${number}` }));
}

export function objectOf(taskId: string): string {
  return `object-of-${taskId}`;
}

/** In the order in which things happened; where times are equal, in the order in which they are given. */
export function inOrder(...parts: TaskEvent[][]): TaskEvent[] {
  return parts.flat().sort((a, b) => a.time - b.time);
}

/** The example of the project: eight lookups of i/10 s on eight workers, and a loop of `wait` for two at a time. */
export function earlyReturns({ cell = "3", at = 1000 }: { cell?: string; at?: number } = {}): TaskEvent[] {
  const random = randomNumbers(3);
  const tasks = Array.from({ length: 8 }, (_, i) => {
    const submit = at + 2 + i * 0.35;
    const start = submit + 1.2 + random() * 2.4;
    const exec = start + 0.6 + random() * 0.8;
    return {
      id: `f${i}`,
      name: `retrieve(${i})`,
      fn: "retrieve",
      cell,
      submit,
      start,
      exec,
      end: exec + i * 100 + 0.6 + random() * 1.5,
      worker: `worker-${i}`,
    };
  });
  const calls: TaskEvent[][] = [];
  let begin = at + 6;
  for (let k = 0; k < 4; k++) {
    const of = tasks.slice(2 * k).map((task) => task.id);
    const returned = of.slice(0, 2);
    const end = Math.max(tasks[2 * k]!.end, tasks[2 * k + 1]!.end) + 0.8;
    calls.push(
      callEvents({
        id: `wait-${cell}-${k}`,
        kind: "wait",
        cell,
        of,
        start: begin,
        end,
        numReturns: 2,
        timeout: 7_000,
        returned,
      }),
    );
    calls.push(
      callEvents({ id: `get-${cell}-${k}`, kind: "get", cell, of: returned, start: end + 0.3, end: end + 1.2 }),
    );
    begin = end + 1.6;
  }
  return inOrder(workerEvents(8, at - 900), ...tasks.map(taskEvents), ...calls);
}

/** Everything once: DAG, nested tasks, an actor, a retry, failures, cancellations, a timeout, a crash, spilling. */
export function everything(): TaskEvent[] {
  const t = (
    id: string,
    fn: string,
    worker: number,
    submit: number,
    start: number,
    exec: number,
    end: number,
    rest: Partial<MadeUpTask> = {},
  ): TaskEvent[] => taskEvents({ id, name: id, fn, worker: `worker-${worker}`, submit, start, exec, end, ...rest });
  return inOrder(
    workerEvents(4, 1),
    t("load(a)", "load", 0, 4, 6, 8, 212),
    t("load(b)", "load", 1, 5, 7, 9, 318),
    t("load(c)", "load", 2, 6, 8, 10, 148),
    t("parse(a)", "parse", 0, 7, 216, 232, 402, { after: ["load(a)"], ready: 212 }),
    t("parse(b)", "parse", 1, 8, 322, 356, 566, { after: ["load(b)"], ready: 318 }),
    t("parse(c)", "parse", 2, 9, 152, 160, 300, { after: ["load(c)"], ready: 148 }),
    t("flaky(1)", "flaky", 3, 10, 12, 14, 96, {
      state: "retried",
      error: { name: "Error", message: "socket hang up" },
    }),
    t("flaky(1)", "flaky", 3, 10, 130, 132, 258, { attempt: 1 }),
    t("sweep", "sweep", 2, 260, 304, 308, 760, { after: ["parse(c)"], ready: 300, blocked: [[330, 700]] }),
    t("trial(0)", "trial", 0, 318, 406, 410, 520, { parent: "sweep" }),
    t("trial(1)", "trial", 3, 320, 324, 328, 470, { parent: "sweep" }),
    t("trial(2)", "trial", 0, 322, 524, 528, 650, { parent: "sweep" }),
    t("trial(3)", "trial", 3, 324, 474, 478, 690, { parent: "sweep" }),
    t("join", "join", 1, 12, 572, 604, 820, { after: ["parse(a)", "parse(b)"], ready: 566 }),
    t("report", "report", 1, 262, 826, 850, 960, { after: ["join", "sweep"], ready: 820 }),
    t("bad(9)", "bad", 3, 600, 696, 700, 742, {
      state: "failed",
      error: { name: "TypeError", message: "x is not iterable" },
    }),
    t("slow", "slow", 2, 610, 764, 766, 900, { state: "cancelled" }),
    taskEvents({ id: "spare", fn: "slow", submit: 640, end: 700, state: "cancelled" }),
    ...Array.from({ length: 6 }, (_, i) =>
      t(`inc(${i})`, "Counter.inc", 9, 240 + i * 3, 300 + i * 70, 301 + i * 70, 352 + i * 70, {
        actor: "Counter#1",
        name: "inc()",
        numCpus: 0,
      }),
    ),
    callEvents({ id: "get-a", kind: "get", of: ["load(c)", "parse(c)", "flaky(1)"], start: 16, end: 300.6 }),
    callEvents({
      id: "wait-a",
      kind: "wait",
      of: ["trial(0)", "join", "report", "sweep"],
      start: 330,
      end: 450,
      numReturns: 1,
      timeout: 120,
      returned: [],
      outcome: "timeout",
    }),
    callEvents({
      id: "wait-b",
      kind: "wait",
      of: ["trial(0)", "trial(1)", "trial(2)", "trial(3)"],
      start: 456,
      end: 650.6,
      numReturns: 2,
      returned: ["trial(0)", "trial(1)"],
    }),
    callEvents({ id: "get-b", kind: "get", of: ["report"], start: 905, end: 961 }),
    [
      { type: "spilled", time: 560, objectId: "object-of-load(b)", bytes: 80e6 },
      { type: "workerExited", time: 743, workerId: "worker-3", reason: "crash" },
    ],
  );
}

/** `count` tasks of five functions on `workers` workers, some failed or cancelled, with six waits. */
export function manyTasks(
  count: number,
  workers: number,
  { seed = 7, mean = 40, functions = ["fetch", "parse", "embed", "score", "reduce"] } = {},
): TaskEvent[] {
  const random = randomNumbers(seed);
  const free = Float64Array.from({ length: workers }, () => 5 + random() * 3);
  const parts: TaskEvent[][] = [workerEvents(workers)];
  const ends: { end: number; id: string }[] = [];
  for (let i = 0; i < count; i++) {
    let worker = 0;
    for (let j = 1; j < workers; j++) if (free[j]! < free[worker]!) worker = j;
    const kind = Math.min(functions.length - 1, Math.floor((i / count) * functions.length * 0.8 + random() * 1.2));
    const submit = 2 + i * 0.01;
    const start = Math.max(submit + 0.2, free[worker]! + 0.2 + random() * 0.6);
    const exec = start + 0.2 + random() * 2;
    const end = exec - Math.log(1 - random()) * mean * (0.4 + kind * 0.3) + 1;
    const chance = random();
    const state = chance < 0.004 ? "failed" : chance < 0.006 ? "cancelled" : "finished";
    const after = i > 200 && random() < 0.02 ? [`t${Math.floor(random() * (i - 200))}`] : [];
    free[worker] = end;
    const id = `t${i}`;
    parts.push(
      taskEvents({
        id,
        name: `${functions[kind]}(${i})`,
        fn: functions[kind]!,
        submit,
        start,
        exec,
        end,
        state,
        after,
        worker: `worker-${worker}`,
      }),
    );
    ends.push({ end, id });
  }
  ends.sort((a, b) => a.end - b.end);
  const portion = Math.max(2, Math.round(count / 6));
  let begin = 3 + Math.min(count * 0.01, ends[0]!.end);
  for (let k = 0; k * portion < count; k++) {
    const left = ends.slice(k * portion);
    const returned = left.slice(0, portion);
    const end = returned.at(-1)!.end + 0.5;
    const ids = (some: typeof left): string[] => some.map((one) => one.id);
    if (end > begin)
      parts.push(
        callEvents({
          id: `wait-${k}`,
          kind: "wait",
          of: ids(left),
          start: begin,
          end,
          numReturns: returned.length,
          returned: ids(returned),
        }),
      );
    begin = end + 4;
  }
  return inOrder(...parts);
}

/** The same numbers in 0…1 for the same seed. */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state * 1664525 + 1013904223) >>> 0;
    return state / 4294967296;
  };
}
