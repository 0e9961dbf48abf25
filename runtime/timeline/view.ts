import type { TaskEvent } from "../events.ts";
import type { AttemptRecord, CallRecord, CellRecord, TaskRecord, TimelineBuilder, WorkerRecord } from "./builder.ts";
import type { TimelineAttempt, TimelineCall, TimelineData, TimelineLane, TimelineMark, TimelineTask } from "./data.ts";

/** A filter whose cell is a label. */
interface Part {
  cell?: string;
  name?: string;
  since?: number;
  until?: number;
}

/** What a view reads of the builder. */
type Source = Pick<
  TimelineBuilder,
  "tasks" | "cells" | "workers" | "puts" | "moves" | "captures" | "producerOf" | "placeOf" | "largeArgumentsOf"
>;

/** Cuts the tasks, calls and marks that `filter` lets through out of everything that was recorded. */
export function cutView(source: Source, filter: Part, now: number): TimelineData {
  const cells =
    filter.cell === undefined
      ? [...source.cells.values()]
      : [source.cells.get(filter.cell)].filter((cell) => cell !== undefined);
  const own = collectTasks(cells, filter, now);
  const calls = collectCalls(source, cells, filter, now);
  const window = windowOf(own, calls, cells, filter, now);
  const foreign = filter.cell === undefined ? [] : foreignTasks(source, calls, filter, now);
  const visible = foreign.filter((task) => task.endedAt === undefined || task.endedAt > window.start);
  const records = visible.length === 0 ? own : [...visible, ...own];
  const driverActs =
    calls.some((call) => call.started.taskId === undefined) ||
    cells.some((cell) => cell.spans.some((span) => span.taskId === undefined));
  const lanes = new LaneTable(records, driverActs);
  const tasks = records.map((task, index) => showTask(task, source, lanes, now, index < visible.length));
  const shown = calls.map((call) => showCall(call, source, now));
  const inWindow = (event: { time: number }): boolean => event.time >= window.start && event.time <= window.end;
  return {
    ...window,
    now,
    ...(filter.cell === undefined ? {} : { cell: filter.cell }),
    lanes: lanes.lanes,
    workers: countWorkers(source.workers, records, window.start, window.end),
    tasks,
    calls: shown.filter((call) => call.taskId === undefined),
    nestedCalls: shown.filter((call) => call.taskId !== undefined),
    marks: [...workerMarks(source.workers, lanes, window.start), ...moveMarks(source.moves)]
      .filter(inWindow)
      .sort((a, b) => a.time - b.time),
    spans: cells
      .flatMap((cell) => cell.spans)
      .filter((span) => span.end >= window.start && span.time <= window.end)
      .map((span) => showSpan(span, source, lanes))
      .filter((span) => span.lane >= 0),
    puts: source.puts.filter(inWindow).map(({ time, objectId, bytes, taskId }) => ({
      time,
      objectId,
      bytes,
      ...(taskId === undefined ? {} : { taskId }),
    })),
    captures: source.captures
      .filter((one) => isOf(one, filter) && one.time <= window.end)
      .map(({ bytes, functionName, largest }) => ({
        functionName,
        bytes,
        ...(largest === undefined ? {} : { largest }),
      })),
    submittedIn: [...new Set(foreign.map((task) => task.cell).filter((cell) => cell !== undefined))],
    live: records.some((task) => task.endedAt === undefined) || calls.some((call) => !call.returned),
  };
}

/** A function is shipped before its first task is there, so no window has it. */
function isOf(capture: { time: number; cell?: string }, { cell, since = -Infinity }: Part): boolean {
  return (cell === undefined || capture.cell === cell) && capture.time >= since;
}

function collectTasks(cells: readonly CellRecord[], filter: Part, now: number): TaskRecord[] {
  const [only] = cells;
  const all = cells.length === 1 && only ? only.tasks : cells.flatMap((cell) => cell.tasks);
  const { name, since = -Infinity, until = Infinity } = filter;
  if (name === undefined && since === -Infinity && until === Infinity) return all;
  return all.filter(
    (task) =>
      (name === undefined || isNamed(task, name)) && (task.endedAt ?? now) >= since && task.submitted.time <= until,
  );
}

/** With a name, only calls that asked for such a task. */
function collectCalls(source: Source, cells: readonly CellRecord[], filter: Part, now: number): CallRecord[] {
  const { name, since = -Infinity, until = Infinity } = filter;
  const asksFor = ({ started }: CallRecord): boolean =>
    started.objectIds.some((id) => isNamed(source.tasks.get(source.producerOf(id) ?? ""), name));
  const calls = cells
    .flatMap((cell) => cell.calls)
    .filter((call) => (call.returned?.time ?? now) >= since && call.started.time <= until)
    .filter((call) => name === undefined || asksFor(call));
  return calls.sort((a, b) => a.started.time - b.started.time);
}

function isNamed(task: TaskRecord | undefined, name: string | undefined): boolean {
  return task !== undefined && (task.submitted.name === name || task.submitted.functionName === name);
}

/** Tasks of other cells that this cell waited for. */
function foreignTasks(source: Source, calls: readonly CallRecord[], filter: Part, now: number): TaskRecord[] {
  const found = new Set<TaskRecord>();
  for (const call of calls)
    for (const id of call.started.objectIds) {
      const task = source.tasks.get(source.producerOf(id) ?? "");
      if (task && task.cell !== filter.cell) found.add(task);
    }
  return collectTasks([{ tasks: [...found], calls: [], spans: [] }], filter, now);
}

function windowOf(
  tasks: readonly TaskRecord[],
  calls: readonly CallRecord[],
  cells: readonly CellRecord[],
  filter: Part,
  now: number,
) {
  let start = Infinity;
  let end = -Infinity;
  const include = (from: number, to: number): void => {
    if (from < start) start = from;
    if (to > end) end = to;
  };
  for (const task of tasks) include(task.submitted.time, task.endedAt ?? now);
  for (const call of calls) include(call.started.time, call.returned?.time ?? now);
  if (filter.name === undefined) for (const cell of cells) for (const span of cell.spans) include(span.time, span.end);
  const { since = -Infinity, until = Infinity } = filter;
  if (start > end) start = end = Math.min(now, until);
  start = Math.max(start, since);
  return { start, end: Math.max(start, Math.min(end, until)) };
}

/** Rows in the order in which they are drawn: driver, workers by number, actors, tasks that never ran. */
class LaneTable {
  readonly lanes: TimelineLane[] = [];
  readonly #index = new Map<string, number>();

  constructor(tasks: readonly TaskRecord[], driverActs: boolean) {
    const workers = new Set<string>();
    const actors = new Set<string>();
    let notRun = false;
    for (const { submitted, attempts, state } of tasks) {
      if (attempts.length === 0) notRun ||= state === "failed" || state === "cancelled";
      else if (submitted.actor !== undefined) actors.add(submitted.actor);
      else for (const attempt of attempts) workers.add(attempt.workerId);
    }
    if (driverActs) this.#add({ id: "driver", label: "driver", kind: "driver" });
    for (const id of [...workers].sort(byNumber))
      this.#add({ id: `worker:${id}`, label: workerLabel(id), kind: "worker" });
    for (const name of actors) this.#add({ id: `actor:${name}`, label: name, kind: "actor" });
    if (notRun) this.#add({ id: "notRun", label: "did not run", kind: "notRun" });
  }

  ofAttempt(task: TaskRecord, attempt: AttemptRecord): number {
    const { actor } = task.submitted;
    return this.find(actor === undefined ? `worker:${attempt.workerId}` : `actor:${actor}`);
  }

  find(id: string): number {
    return this.#index.get(id) ?? -1;
  }

  #add(lane: TimelineLane): void {
    this.#index.set(lane.id, this.lanes.length);
    this.lanes.push(lane);
  }
}

function showTask(task: TaskRecord, source: Source, lanes: LaneTable, now: number, foreign: boolean): TimelineTask {
  const { taskId, name, functionName, actor, parentTaskId, numCpus, time, inputs, returns } = task.submitted;
  return {
    id: taskId,
    name,
    functionName,
    actor,
    parentId: parentTaskId,
    cell: task.cell,
    numCpus,
    submittedAt: time,
    readyAt: task.readyAt,
    endedAt: task.endedAt,
    state: task.state,
    size: task.size,
    argumentsRead: task.read,
    dependencies: task.dependencies,
    inputs,
    returns,
    attempts:
      task.attempts.length === 0
        ? NO_ATTEMPTS
        : task.attempts.map((attempt) => showAttempt(attempt, lanes.ofAttempt(task, attempt), now)),
    foreign,
    ...placeIn(source, taskId),
    ...largeIn(source, taskId),
  };
}

function placeIn(source: Source, id: string): { place?: string } {
  const place = source.placeOf(id);
  return place === undefined ? {} : { place };
}

function largeIn(source: Source, taskId: string): Pick<TimelineTask, "largeArguments"> {
  const large = source.largeArgumentsOf(taskId);
  return large === undefined ? {} : { largeArguments: large.map(({ bytes, hash }) => ({ bytes, hash })) };
}

function showAttempt(attempt: AttemptRecord, lane: number, now: number): TimelineAttempt {
  const end = attempt.end ?? now;
  return {
    number: attempt.number,
    lane,
    workerId: attempt.workerId,
    start: attempt.start,
    end,
    // A running attempt has not said yet when its code began, one that failed before its code began never will.
    executedAt: attempt.executedAt ?? (attempt.end === undefined ? attempt.start : end),
    state: attempt.state,
    error: attempt.error,
    blocked:
      attempt.blocked.length === 0
        ? NO_PAUSES
        : attempt.blocked.map((pause) => (Number.isNaN(pause.end) ? { start: pause.start, end: now } : pause)),
  };
}

const NO_PAUSES: TimelineAttempt["blocked"] = [];
const NO_ATTEMPTS: readonly TimelineAttempt[] = [];

function showCall({ started, cell, returned }: CallRecord, source: Source, now: number): TimelineCall {
  const producers = (ids: readonly string[]): string[] =>
    ids.map((id) => source.producerOf(id)).filter((id) => id !== undefined);
  return {
    id: started.callId,
    kind: started.kind,
    ...(started.taskId === undefined ? {} : { taskId: started.taskId }),
    ...(cell === undefined ? {} : { cell }),
    start: started.time,
    end: returned?.time ?? now,
    objectIds: started.objectIds,
    taskIds: producers(started.objectIds),
    total: started.total,
    ...(started.numReturns === undefined ? {} : { numReturns: started.numReturns }),
    ...(started.timeout === undefined ? {} : { timeout: started.timeout }),
    returned: returned ? producers(returned.objectIds) : [],
    returnedTotal: returned?.total ?? 0,
    pending: returned?.pending ?? started.total,
    outcome: returned?.outcome ?? "running",
    ...placeIn(source, started.callId),
  };
}

function showSpan(span: Extract<TaskEvent, { type: "span" }>, source: Source, lanes: LaneTable) {
  const task = span.taskId === undefined ? undefined : source.tasks.get(span.taskId);
  const attempt = task?.attempts.findLast((candidate) => candidate.start <= span.time);
  const lane = task ? (attempt ? lanes.ofAttempt(task, attempt) : -1) : lanes.find("driver");
  return {
    name: span.name,
    start: span.time,
    end: span.end,
    lane,
    ...(span.taskId === undefined ? {} : { taskId: span.taskId }),
  };
}

function countWorkers(
  workers: ReadonlyMap<string, WorkerRecord>,
  tasks: readonly TaskRecord[],
  start: number,
  end: number,
): number {
  const alive = new Set<string>();
  for (const [id, worker] of workers)
    if (worker.startedAt <= end && (worker.exitedAt ?? Infinity) >= start) alive.add(id);
  for (const task of tasks) for (const attempt of task.attempts) alive.add(attempt.workerId);
  return alive.size;
}

/** Workers that were there at the beginning are no news. */
function* workerMarks(
  workers: ReadonlyMap<string, WorkerRecord>,
  lanes: LaneTable,
  since: number,
): Iterable<TimelineMark> {
  for (const [id, worker] of workers) {
    const lane = lanes.find(`worker:${id}`);
    if (lane < 0) continue;
    if (worker.startedAt > since) yield { kind: "workerStarted", time: worker.startedAt, lane };
    if (worker.crashed && worker.exitedAt !== undefined) yield { kind: "workerCrashed", time: worker.exitedAt, lane };
  }
}

function moveMarks(moves: Source["moves"]): TimelineMark[] {
  return moves.map(({ type, time, bytes }) => ({ kind: type, time, bytes }));
}

function byNumber(a: string, b: string): number {
  return (numberOf(a) ?? Infinity) - (numberOf(b) ?? Infinity) || a.localeCompare(b);
}

function workerLabel(id: string): string {
  const number = numberOf(id);
  return number === undefined ? id : `worker ${number}`;
}

function numberOf(id: string): number | undefined {
  const digits = /(\d+)$/.exec(id)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
