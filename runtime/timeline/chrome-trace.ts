import type { TimelineCall, TimelineData, TimelineTask } from "./data.ts";
import { isEarlyReturn } from "./data.ts";

/** The JSON object format of the Trace Event Format, which Perfetto and chrome://tracing open. */
export interface ChromeTrace {
  displayTimeUnit: "ms";
  traceEvents: ChromeTraceEvent[];
}

/** Times in microseconds from the start of the timeline. */
export interface ChromeTraceEvent {
  ph: "M" | "X" | "s" | "f" | "i";
  name: string;
  cat?: string;
  pid: number;
  tid: number;
  ts?: number;
  dur?: number;
  id?: number;
  bp?: "e";
  s?: "t" | "p" | "g";
  args?: Record<string, unknown>;
}

const PROCESS = 1;
/** Overlapping tasks of one worker get rows of their own, since slices of one row must nest. */
const ROWS_PER_LANE = 1_000;

/** Turns a snapshot into a trace: tasks with their phases inside, flows along dependencies, instants at early returns. */
export function toChromeTrace(data: TimelineData): ChromeTrace {
  const rows = new Rows(data);
  const events: ChromeTraceEvent[] = [
    {
      ph: "M",
      name: "process_name",
      pid: PROCESS,
      tid: 0,
      args: { name: data.cell === undefined ? "heddle" : `heddle, cell ${data.cell}` },
    },
  ];
  const slices = data.tasks.flatMap((task) => taskSlices(task, data, rows));
  const flows = flowEvents(data, rows);
  const calls = data.calls.flatMap((call) => callEvents(call, data, rows.ofCall(call)));
  for (const [tid, name] of rows.names) {
    events.push({ ph: "M", name: "thread_name", pid: PROCESS, tid, args: { name } });
    events.push({ ph: "M", name: "thread_sort_index", pid: PROCESS, tid, args: { sort_index: tid } });
  }
  const marks = data.marks.map(
    (mark): ChromeTraceEvent => ({
      ph: "i",
      s: mark.lane === undefined ? "p" : "t",
      cat: "runtime",
      name: mark.kind,
      pid: PROCESS,
      tid: mark.lane === undefined ? 0 : mark.lane * ROWS_PER_LANE,
      ts: micros(mark.time, data),
      ...(mark.bytes === undefined ? {} : { args: { bytes: mark.bytes } }),
    }),
  );
  const more = [...spanSlices(data, rows), ...putEvents(data, rows)];
  return { displayTimeUnit: "ms", traceEvents: [...events, ...calls, ...slices, ...more, ...flows, ...marks] };
}

/** Assigns each attempt a row (a `tid`) of its lane in which it overlaps nothing. */
class Rows {
  readonly names: Map<number, string>;
  readonly #rowOf = new Map<string, number>();

  constructor(data: TimelineData) {
    this.names = new Map(data.lanes.map((lane, index) => [index * ROWS_PER_LANE, lane.label]));
    const slices = [
      ...data.calls.map((call) => ({ key: call.id, lane: 0, start: call.start, end: call.end })),
      ...data.tasks.flatMap((task) =>
        task.attempts.map(({ number, lane, start, end }) => ({ key: keyOf(task, number), lane, start, end })),
      ),
      // Beside the tasks, not in them: async code has spans that cross.
      ...data.spans.map(({ lane, start, end }, index) => ({ key: `span ${index}`, lane, start, end })),
    ];
    const ends = new Map<number, number[]>();
    for (const { key, lane, start, end } of slices.sort((a, b) => a.start - b.start)) {
      const rows = ends.get(lane) ?? [];
      ends.set(lane, rows);
      const free = rows.findIndex((busyUntil) => busyUntil <= start);
      const row = free < 0 ? Math.min(rows.length, ROWS_PER_LANE - 1) : free;
      rows[row] = end;
      const tid = lane * ROWS_PER_LANE + row;
      this.#rowOf.set(key, tid);
      if (!this.names.has(tid)) this.names.set(tid, `${data.lanes[lane]?.label ?? "worker"} +${row}`);
    }
  }

  ofCall(call: TimelineCall): number {
    return this.#rowOf.get(call.id) ?? 0;
  }

  ofSpan(index: number): number {
    return this.#rowOf.get(`span ${index}`) ?? 0;
  }

  of(task: TimelineTask, attempt: number): number {
    return this.#rowOf.get(keyOf(task, attempt)) ?? 0;
  }
}

function keyOf(task: TimelineTask, attempt: number): string {
  return `${task.id}/${attempt}`;
}

function taskSlices(task: TimelineTask, data: TimelineData, rows: Rows): ChromeTraceEvent[] {
  return task.attempts.flatMap((attempt) => {
    const tid = rows.of(task, attempt.number);
    const slice = (
      name: string,
      cat: string,
      start: number,
      end: number,
      args?: Record<string, unknown>,
    ): ChromeTraceEvent => {
      const ts = micros(start, data);
      return {
        ph: "X",
        name,
        cat,
        pid: PROCESS,
        tid,
        ts,
        dur: Math.max(0, micros(end, data) - ts),
        ...(args ? { args } : {}),
      };
    };
    const args = {
      task_id: task.id,
      function: task.functionName,
      state: attempt.state,
      attempt: attempt.number,
      queued_ms: attempt.start - (task.readyAt ?? task.submittedAt),
      ...(task.cell === undefined ? {} : { cell: task.cell }),
      ...(task.parentId === undefined ? {} : { parent: task.parentId }),
      ...(task.dependencies.length === 0 ? {} : { after: task.dependencies }),
      ...(task.size === undefined ? {} : { result_bytes: task.size }),
      ...argumentsOf(task),
      ...(attempt.error === undefined ? {} : { error: `${attempt.error.name}: ${attempt.error.message}` }),
    };
    const slices = [slice(task.name, "task", attempt.start, attempt.end, args)];
    if (attempt.executedAt > attempt.start)
      slices.push(slice("fetch arguments", "phase", attempt.start, attempt.executedAt));
    for (const pause of attempt.blocked) slices.push(slice("waiting for tasks", "phase", pause.start, pause.end));
    return slices;
  });
}

function spanSlices(data: TimelineData, rows: Rows): ChromeTraceEvent[] {
  return data.spans.map(({ end, name, start, taskId }, index) => {
    const ts = micros(start, data);
    return {
      ph: "X",
      name,
      cat: "span",
      pid: PROCESS,
      tid: rows.ofSpan(index),
      ts,
      dur: Math.max(0, micros(end, data) - ts),
      ...(taskId === undefined ? {} : { args: { task_id: taskId } }),
    };
  });
}

function putEvents(data: TimelineData, rows: Rows): ChromeTraceEvent[] {
  const byId = new Map(data.tasks.map((task) => [task.id, task]));
  return data.puts.map(({ bytes, objectId, taskId, time }) => {
    const task = byId.get(taskId ?? "");
    const attempt = task?.attempts.findLast(({ start }) => start <= time);
    return {
      ph: "i",
      s: "t",
      name: "put",
      cat: "store",
      pid: PROCESS,
      tid: task && attempt ? rows.of(task, attempt.number) : 0,
      ts: micros(time, data),
      args: { object_id: objectId, bytes },
    };
  });
}

/** How it got array data that was among its arguments. */
function argumentsOf({ argumentsRead }: TimelineTask): Record<string, unknown> {
  if (argumentsRead === undefined) return {};
  const { copied, viewed, why } = argumentsRead;
  return { viewed_bytes: viewed, copied_bytes: copied, ...(why === undefined ? {} : { copied_because: why }) };
}

function flowEvents(data: TimelineData, rows: Rows): ChromeTraceEvent[] {
  const byId = new Map(data.tasks.map((task) => [task.id, task]));
  const events: ChromeTraceEvent[] = [];
  let id = 0;
  for (const task of data.tasks) {
    const to = task.attempts[0];
    for (const dependency of to ? task.dependencies : []) {
      const input = byId.get(dependency);
      const from = input?.attempts.at(-1);
      if (!input || !from || !to) continue;
      id++;
      const flow = { name: "result", cat: "dependency", pid: PROCESS, id };
      // A flow starts inside the slice it comes from: one microsecond before its end, never before its start.
      const ts = Math.max(micros(from.start, data), micros(from.end, data) - 1);
      events.push({ ph: "s", ...flow, tid: rows.of(input, from.number), ts });
      events.push({
        ph: "f",
        bp: "e",
        ...flow,
        tid: rows.of(task, to.number),
        ts: Math.max(ts, micros(to.start, data)),
      });
    }
  }
  return events;
}

function callEvents(call: TimelineCall, data: TimelineData, tid: number): ChromeTraceEvent[] {
  const ts = micros(call.start, data);
  const end = micros(call.end, data);
  const name =
    call.numReturns === undefined
      ? `${call.kind} (${call.total})`
      : `${call.kind} (${call.numReturns} of ${call.total})`;
  const args = {
    outcome: call.outcome,
    returned: call.returned,
    returned_total: call.returnedTotal,
    pending: call.pending,
  };
  const events: ChromeTraceEvent[] = [{ ph: "X", name, cat: "driver", pid: PROCESS, tid, ts, dur: end - ts, args }];
  if (isEarlyReturn(call))
    events.push({
      ph: "i",
      s: "p",
      cat: "driver",
      name: call.outcome === "timeout" ? "wait timed out" : `early return of ${call.returnedTotal}`,
      pid: PROCESS,
      tid,
      ts: end,
    });
  return events;
}

function micros(time: number, data: TimelineData): number {
  return Math.round((time - data.start) * 1_000);
}
