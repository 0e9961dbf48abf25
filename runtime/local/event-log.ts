/**
 * The event log: every step of every task as one row of eight numbers, written by the scheduler and turned into
 * `TaskEvent`s only when somebody looks. Bounded: the oldest rows go first and are counted.
 */
import type { TaskEvent } from "../events.ts";
import { objectIdText, taskIdText, workerIdText } from "../ids.ts";

const COLUMNS = 8;
const CHUNK_ROWS = 4096;
const MAX_CHUNKS = 256;

export const Row = {
  submitted: 1,
  ready: 2,
  started: 3,
  blocked: 4,
  resumed: 5,
  finished: 6,
  failed: 7,
  cancelled: 8,
  workerStarted: 9,
  workerExited: 10,
  callStarted: 11,
  callReturned: 12,
  put: 13,
  told: 14,
  yielded: 15,
  spilled: 16,
  restored: 17,
  argumentsRead: 18,
} as const;

/** What a row cannot hold. */
export interface RowDetail {
  name?: string;
  functionName?: string;
  cell?: string | undefined;
  objects?: readonly number[];
  returns?: number;
  cpus?: number;
  error?: { name: string; message: string };
  reason?: "shutdown" | "crash" | "outOfMemory" | "recycled" | "cancelled";
  event?: TaskEvent;
  outcome?: "ok" | "failed" | "timeout" | "interrupted";
  timeout?: number | undefined;
  /** Why arrays were copied. */
  why?: string;
}

/** The first column is the kind and, in units of this, which of the chunk's details belongs to the row; 0 is none. */
const KINDS = 64;

/** Some rows as they lie. */
export interface LogChunk {
  rows: Float64Array<ArrayBuffer>;
  details: RowDetail[];
  length: number;
}

const NO_DETAIL: RowDetail = {};
const newChunk = (rows = new Float64Array(CHUNK_ROWS * COLUMNS)): LogChunk => ({
  rows,
  details: [NO_DETAIL],
  length: 0,
});

export class EventLog {
  #chunks: LogChunk[] = [newChunk()];
  #last: LogChunk = this.#chunks[0]!;
  #firstSequence = 0;

  /** Rows that were dropped to stay within bounds. */
  get dropped(): number {
    return this.#firstSequence;
  }

  /** The number of the row after the last. */
  get end(): number {
    return this.#firstSequence + (this.#chunks.length - 1) * CHUNK_ROWS + this.#last.length;
  }

  /** Adds a row: its kind, its time, the task or call it is about, and what the kind wants. */
  add(kind: number, time: number, id: number, a = 0, b = 0, c = 0, d = 0, e = 0, detail?: RowDetail): void {
    let chunk = this.#last;
    if (chunk.length === CHUNK_ROWS) chunk = this.#grow();
    const { details, rows } = chunk;
    const at = chunk.length * COLUMNS;
    if (detail !== undefined && details[details.length - 1] !== detail) details.push(detail);
    rows[at] = detail === undefined ? kind : kind + (details.length - 1) * KINDS;
    rows[at + 1] = time;
    rows[at + 2] = id;
    rows[at + 3] = a;
    rows[at + 4] = b;
    rows[at + 5] = c;
    rows[at + 6] = d;
    rows[at + 7] = e;
    chunk.length++;
  }

  #grow(): LogChunk {
    let rows: Float64Array<ArrayBuffer> | undefined;
    if (this.#chunks.length === MAX_CHUNKS) {
      rows = this.#chunks.shift()?.rows;
      this.#firstSequence += CHUNK_ROWS;
    }
    this.#last = newChunk(rows);
    this.#chunks.push(this.#last);
    return this.#last;
  }

  /** All rows, for another thread to make events of by `eventsOf`: making and copying them would hold up the scheduler. */
  get chunks(): readonly LogChunk[] {
    return this.#chunks;
  }

  /** The events from row number `from` on, at most `most`, and the number to go on from. */
  read(from: number, most = Number.POSITIVE_INFINITY): { events: TaskEvent[]; next: number } {
    const events: TaskEvent[] = [];
    let sequence = Math.max(from, this.#firstSequence);
    const end = Math.min(this.end, sequence + most);
    for (; sequence < end; sequence++) {
      const offset = sequence - this.#firstSequence;
      const chunk = this.#chunks[Math.floor(offset / CHUNK_ROWS)]!;
      const row = offset % CHUNK_ROWS;
      events.push(eventAt(chunk, row));
    }
    return { events, next: sequence };
  }
}

/** What the makers of events read: a row's columns under names, with its detail. */
interface RowView {
  time: number;
  id: number;
  taskId: string;
  a: number;
  b: number;
  c: number;
  d: number;
  e: number;
  detail: RowDetail;
}

const cellOf = ({ cell }: RowDetail): { cell?: string } => (cell === undefined ? {} : { cell });
const callerOf = (task: number): { taskId?: string } => (task === 0 ? {} : { taskId: taskIdText(task) });
const objectsOf = ({ objects = [] }: RowDetail): string[] => objects.map(objectIdText);

/** Where an attempt ran; nothing for a task that never reached a worker. */
const placeOf = ({ a, c, d }: RowView): { workerId?: string; startedAt?: number; executedAt?: number } =>
  a === 0 ? {} : { workerId: workerIdText(a), startedAt: c, executedAt: d };

const kindOf = (flag: number): "wait" | "get" => (flag === 1 ? "wait" : "get");

const movedEvent = (type: "spilled" | "restored", { a, b, id, taskId, time }: RowView): TaskEvent => ({
  type,
  time,
  bytes: a,
  ...(b === 1 ? { taskId } : { objectId: objectIdText(id) }),
});

const makers: Record<number, (row: RowView) => TaskEvent> = {
  [Row.submitted]: ({ a, detail, id, taskId, time }) => ({
    type: "submitted",
    time,
    taskId,
    name: detail.name ?? detail.functionName ?? "",
    functionName: detail.functionName ?? "",
    ...(a === 0 ? {} : { parentTaskId: taskIdText(a) }),
    ...cellOf(detail),
    inputs: objectsOf(detail),
    returns: Array.from({ length: detail.returns ?? 1 }, (_, index) => objectIdText(id + index)),
    numCpus: detail.cpus ?? 1,
  }),
  [Row.ready]: ({ taskId, time }) => ({ type: "ready", time, taskId }),
  [Row.started]: ({ a, b, taskId, time }) => ({ type: "started", time, taskId, attempt: b, workerId: workerIdText(a) }),
  [Row.argumentsRead]: ({ a, b, detail, taskId, time }) => ({
    type: "argumentsRead",
    time,
    taskId,
    viewed: a,
    copied: b,
    ...(detail.why === undefined ? {} : { why: detail.why }),
  }),
  [Row.blocked]: ({ taskId, time }) => ({ type: "blocked", time, taskId }),
  [Row.resumed]: ({ taskId, time }) => ({ type: "resumed", time, taskId }),
  [Row.finished]: ({ a, b, c, d, e, taskId, time }) => ({
    type: "finished",
    time,
    taskId,
    workerId: workerIdText(a),
    attempt: b,
    startedAt: c,
    executedAt: d,
    size: e,
  }),
  [Row.failed]: (row) => ({
    type: "failed",
    time: row.time,
    taskId: row.taskId,
    attempt: row.b,
    ...placeOf(row),
    error: row.detail.error ?? { name: "Error", message: "" },
    willRetry: row.e === 1,
  }),
  [Row.cancelled]: (row) => ({
    type: "cancelled",
    time: row.time,
    taskId: row.taskId,
    attempt: row.b,
    ...placeOf(row),
  }),
  [Row.workerStarted]: ({ a, time }) => ({ type: "workerStarted", time, workerId: workerIdText(a) }),
  [Row.workerExited]: ({ a, detail, time }) => ({
    type: "workerExited",
    time,
    workerId: workerIdText(a),
    reason: detail.reason ?? "shutdown",
  }),
  [Row.callStarted]: ({ a, b, c, d, detail, id, time }) => ({
    type: "callStarted",
    time,
    callId: `c${id}`,
    kind: kindOf(b),
    ...callerOf(a),
    ...cellOf(detail),
    objectIds: objectsOf(detail),
    total: c,
    ...(b === 1 ? { numReturns: d } : {}),
    ...(detail.timeout === undefined ? {} : { timeout: detail.timeout }),
  }),
  [Row.callReturned]: ({ b, c, d, detail, id, time }) => ({
    type: "callReturned",
    time,
    callId: `c${id}`,
    kind: kindOf(b),
    objectIds: objectsOf(detail),
    total: c,
    pending: d,
    outcome: detail.outcome ?? "ok",
  }),
  [Row.put]: ({ a, b, detail, id, time }) => ({
    type: "put",
    time,
    objectId: objectIdText(id),
    bytes: b,
    ...callerOf(a),
    ...cellOf(detail),
  }),
  [Row.yielded]: ({ a, b, taskId, time }) => ({ type: "yielded", time, taskId, index: a, objectId: objectIdText(b) }),
  [Row.spilled]: (row) => movedEvent("spilled", row),
  [Row.restored]: (row) => movedEvent("restored", row),
  [Row.told]: ({ detail }) => detail.event!,
};

/** The events of rows that another thread has sent. */
export function eventsOf(chunks: readonly LogChunk[]): TaskEvent[] {
  const events: TaskEvent[] = [];
  for (const chunk of chunks) for (let row = 0; row < chunk.length; row++) events.push(eventAt(chunk, row));
  return events;
}

function eventAt({ details, rows }: LogChunk, row: number): TaskEvent {
  const at = row * COLUMNS;
  const first = rows[at]!;
  const id = rows[at + 2]!;
  return makers[first % KINDS]!({
    time: rows[at + 1]!,
    id,
    taskId: taskIdText(id),
    a: rows[at + 3]!,
    b: rows[at + 4]!,
    c: rows[at + 5]!,
    d: rows[at + 6]!,
    e: rows[at + 7]!,
    detail: details[Math.floor(first / KINDS)]!,
  });
}
