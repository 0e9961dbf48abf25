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
  span: 14,
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
}

interface Chunk {
  rows: Float64Array;
  details: (RowDetail | undefined)[];
  length: number;
}

const newChunk = (): Chunk => ({ rows: new Float64Array(CHUNK_ROWS * COLUMNS), details: [], length: 0 });

export class EventLog {
  #chunks: Chunk[] = [newChunk()];
  #last: Chunk = this.#chunks[0]!;
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
    const { rows } = chunk;
    const at = chunk.length * COLUMNS;
    rows[at] = kind;
    rows[at + 1] = time;
    rows[at + 2] = id;
    rows[at + 3] = a;
    rows[at + 4] = b;
    rows[at + 5] = c;
    rows[at + 6] = d;
    rows[at + 7] = e;
    if (detail !== undefined) chunk.details[chunk.length] = detail;
    chunk.length++;
  }

  #grow(): Chunk {
    if (this.#chunks.length === MAX_CHUNKS) {
      this.#chunks.shift();
      this.#firstSequence += CHUNK_ROWS;
    }
    this.#last = newChunk();
    this.#chunks.push(this.#last);
    return this.#last;
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
      events.push(eventOf(chunk.rows.subarray(row * COLUMNS, (row + 1) * COLUMNS), chunk.details[row] ?? {}));
    }
    return { events, next: sequence };
  }
}

function eventOf(row: Float64Array, detail: RowDetail): TaskEvent {
  const time = row[1]!;
  const id = row[2]!;
  const [a, b, c, d] = [row[3]!, row[4]!, row[5]!, row[6]!];
  const taskId = taskIdText(id);
  const cell = detail.cell === undefined ? {} : { cell: detail.cell };
  const objectIds = (detail.objects ?? []).map(objectIdText);
  switch (row[0]) {
    case Row.submitted: {
      const returns = Array.from({ length: detail.returns ?? 1 }, (_, index) => objectIdText(id + index));
      const parent = a === 0 ? {} : { parentTaskId: taskIdText(a) };
      const functionName = detail.functionName ?? "";
      return {
        type: "submitted",
        time,
        taskId,
        name: detail.name ?? functionName,
        functionName,
        ...parent,
        ...cell,
        inputs: objectIds,
        returns,
        numCpus: detail.cpus ?? 1,
      };
    }
    case Row.ready:
      return { type: "ready", time, taskId };
    case Row.started:
      return { type: "started", time, taskId, attempt: b, workerId: workerIdText(a) };
    case Row.blocked:
      return { type: "blocked", time, taskId };
    case Row.resumed:
      return { type: "resumed", time, taskId };
    case Row.finished:
      return {
        type: "finished",
        time,
        taskId,
        workerId: workerIdText(a),
        attempt: b,
        startedAt: c,
        executedAt: d,
        size: row[7]!,
      };
    case Row.failed: {
      const where = a === 0 ? {} : { workerId: workerIdText(a), startedAt: c, executedAt: d };
      return {
        type: "failed",
        time,
        taskId,
        attempt: b,
        ...where,
        error: detail.error ?? { name: "Error", message: "" },
        willRetry: row[7] === 1,
      };
    }
    case Row.cancelled: {
      const where = a === 0 ? {} : { workerId: workerIdText(a), startedAt: c, executedAt: d };
      return { type: "cancelled", time, taskId, attempt: b, ...where };
    }
    case Row.workerStarted:
      return { type: "workerStarted", time, workerId: workerIdText(a) };
    case Row.workerExited:
      return { type: "workerExited", time, workerId: workerIdText(a), reason: detail.reason ?? "shutdown" };
    case Row.callStarted: {
      const caller = a === 0 ? {} : { taskId: taskIdText(a) };
      const limits = {
        ...(b === 1 ? { numReturns: d } : {}),
        ...(detail.timeout === undefined ? {} : { timeout: detail.timeout }),
      };
      return {
        type: "callStarted",
        time,
        callId: `c${id}`,
        kind: b === 1 ? "wait" : "get",
        ...caller,
        ...cell,
        objectIds,
        total: c,
        ...limits,
      };
    }
    case Row.callReturned:
      return {
        type: "callReturned",
        time,
        callId: `c${id}`,
        kind: b === 1 ? "wait" : "get",
        objectIds,
        total: c,
        pending: d,
        outcome: detail.outcome ?? "ok",
      };
    case Row.put: {
      const caller = a === 0 ? {} : { taskId: taskIdText(a) };
      return { type: "put", time, objectId: objectIdText(id), bytes: b, ...caller, ...cell };
    }
    default:
      return detail.event!;
  }
}
