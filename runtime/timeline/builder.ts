import type {
  ArgumentsRead,
  CallReturned,
  CallStarted,
  ItemYielded,
  LargeArgument,
  LargeCapture,
  TaskEvent,
  TaskSubmitted,
  UserSpan,
} from "../events.ts";
import type { Interval, TimelineAttempt, TimelineData, TimelineFilter } from "./data.ts";
import { cutView } from "./view.ts";

/** What is known of one attempt; `end` is missing while it runs. */
export interface AttemptRecord {
  number: number;
  workerId: string;
  start: number;
  executedAt: number | undefined;
  end: number | undefined;
  state: TimelineAttempt["state"];
  error: { name: string; message: string } | undefined;
  /** The last entry is open (`end` is NaN) while the task waits. */
  blocked: Interval[];
}

export interface TaskRecord {
  submitted: TaskSubmitted;
  cell: string | undefined;
  dependencies: readonly string[];
  readyAt: number | undefined;
  endedAt: number | undefined;
  state: "waiting" | "running" | "finished" | "failed" | "cancelled";
  size: number | undefined;
  /** How its last attempt got array arguments. */
  read: ArgumentsRead | undefined;
  error: { name: string; message: string } | undefined;
  attempts: AttemptRecord[];
  /** Objects that a generator has yielded. */
  items: string[] | undefined;
}

export interface CallRecord {
  started: CallStarted;
  cell: string | undefined;
  returned: CallReturned | undefined;
}

export interface WorkerRecord {
  startedAt: number;
  exitedAt: number | undefined;
  crashed: boolean;
}

/** Everything one cell did, or, under no label, everything outside cells. */
export interface CellRecord {
  tasks: TaskRecord[];
  calls: CallRecord[];
  spans: UserSpan[];
}

const DEFAULT_LIMIT = 200_000;
/** Of calls in a cell, and of puts and moves in a session, the newest so many are kept. */
const MOST_OTHERS = 20_000;

/**
 * Turns task events into a timeline, event by event: adding costs the new events alone, however long the session is.
 *
 * It keeps the newest `limit` tasks (default 200,000): when there are more, the oldest cells that are over are forgotten.
 */
export class TimelineBuilder {
  readonly tasks: Map<string, TaskRecord> = new Map();
  readonly cells: Map<string | undefined, CellRecord> = new Map();
  readonly workers: Map<string, WorkerRecord> = new Map();
  readonly puts: Extract<TaskEvent, { type: "put" }>[] = [];
  readonly moves: Extract<TaskEvent, { type: "spilled" | "restored" }>[] = [];
  readonly captures: LargeCapture[] = [];
  /** The time of the newest event. */
  lastTime = 0;

  readonly #producers = new Map<string, string>();
  /** Where in the user's code tasks were submitted and calls made, by their ids; of the first of each cell. */
  readonly #places = new Map<string, string>();
  readonly #largeArguments = new Map<string, LargeArgument[]>();
  readonly #openCalls = new Map<string, CallRecord>();
  readonly #limit: number;

  constructor({ limit = DEFAULT_LIMIT }: { limit?: number } = {}) {
    this.#limit = limit;
  }

  /** Takes in what happened since the last call; events come in the order in which they happened. */
  add(events: readonly TaskEvent[]): void {
    for (const event of events) {
      if (event.time > this.lastTime) this.lastTime = event.time;
      this.#take(event);
    }
    if (this.tasks.size > this.#limit) this.#forget();
  }

  /** What `filter` lets through; unfinished work ends at `now` (default: the time of the newest event). */
  view({ cell, ...filter }: TimelineFilter = {}, now = this.lastTime): TimelineData {
    const part = cell === undefined ? filter : { ...filter, cell: String(cell) };
    return cutView(this, part, Math.max(now, this.lastTime));
  }

  /** The id of the task that makes this object; undefined for objects that were put. */
  producerOf(objectId: string): string | undefined {
    return this.#producers.get(objectId);
  }

  /** Where in the user's code the task was submitted or the call made, if that is known. */
  placeOf(id: string): string | undefined {
    return this.#places.get(id);
  }

  largeArgumentsOf(taskId: string): readonly LargeArgument[] | undefined {
    return this.#largeArguments.get(taskId);
  }

  /** The label of the cell that this event belongs to, if it belongs to one. */
  cellOf(event: TaskEvent): string | undefined {
    if ("taskId" in event && event.taskId !== undefined) return this.tasks.get(event.taskId)?.cell;
    return "cell" in event ? event.cell : undefined;
  }

  #take(event: TaskEvent): void {
    switch (event.type) {
      case "submitted":
        this.#submit(event);
        return;
      case "callStarted":
        this.#startCall(event);
        return;
      case "callReturned": {
        const call = this.#openCalls.get(event.callId);
        if (call) call.returned = event;
        this.#openCalls.delete(event.callId);
        return;
      }
      case "workerStarted":
        this.workers.set(event.workerId, { startedAt: event.time, exitedAt: undefined, crashed: false });
        return;
      case "workerExited": {
        const worker = this.workers.get(event.workerId);
        const crashed = event.reason === "crash" || event.reason === "outOfMemory";
        this.workers.set(event.workerId, { startedAt: worker?.startedAt ?? -Infinity, exitedAt: event.time, crashed });
        return;
      }
      case "put":
        pushBounded(this.puts, event);
        return;
      case "spilled":
      case "restored":
        pushBounded(this.moves, event);
        return;
      case "span":
        pushBounded(this.#cell(this.cellOf(event)).spans, event);
        return;
      case "yielded":
        this.#yielded(event);
        return;
      case "place":
        this.#places.set(event.id, event.place);
        return;
      case "largeArgument":
        this.#noteLargeArgument(event);
        return;
      case "largeCapture":
        pushBounded(this.captures, event);
        return;
      default: {
        const task = this.tasks.get(event.taskId);
        if (task) advance(task, event);
      }
    }
  }

  #submit(event: TaskSubmitted): void {
    const parent = event.parentTaskId === undefined ? undefined : this.tasks.get(event.parentTaskId);
    const dependencies = event.inputs.map((id) => this.#producers.get(id)).filter((id) => id !== undefined);
    const task: TaskRecord = {
      submitted: event,
      cell: event.cell ?? parent?.cell,
      dependencies: dependencies.length > 1 ? [...new Set(dependencies)] : dependencies,
      readyAt: undefined,
      endedAt: undefined,
      state: "waiting",
      size: undefined,
      read: undefined,
      error: undefined,
      attempts: [],
      items: undefined,
    };
    this.tasks.set(event.taskId, task);
    for (const id of event.returns) this.#producers.set(id, event.taskId);
    this.#cell(task.cell).tasks.push(task);
  }

  #yielded({ objectId, taskId }: ItemYielded): void {
    const task = this.tasks.get(taskId);
    if (!task) return;
    task.items ??= [];
    task.items.push(objectId);
    this.#producers.set(objectId, taskId);
  }

  #noteLargeArgument(event: LargeArgument): void {
    const known = this.#largeArguments.get(event.taskId);
    if (known) known.push(event);
    else this.#largeArguments.set(event.taskId, [event]);
  }

  #startCall(event: CallStarted): void {
    const call = { started: event, cell: event.cell ?? this.cellOf(event), returned: undefined };
    this.#openCalls.set(event.callId, call);
    pushBounded(this.#cell(call.cell).calls, call);
  }

  #cell(label: string | undefined): CellRecord {
    const cell = this.cells.get(label) ?? { tasks: [], calls: [], spans: [] };
    this.cells.set(label, cell);
    return cell;
  }

  /** Down to nine tenths of the limit, so that this is seldom done. */
  #forget(): void {
    let surplus = this.tasks.size - Math.floor(this.#limit * 0.9);
    for (const [label, cell] of this.cells) {
      if (surplus <= 0) return;
      const forgotten = new Set(cell.tasks.filter((task) => task.endedAt !== undefined).slice(0, surplus));
      for (const task of forgotten) this.#drop(task);
      surplus -= forgotten.size;
      cell.tasks = cell.tasks.filter((task) => !forgotten.has(task));
      if (cell.tasks.length === 0 && cell.calls.every((call) => call.returned)) this.cells.delete(label);
    }
  }

  #drop(task: TaskRecord): void {
    const { taskId } = task.submitted;
    this.tasks.delete(taskId);
    this.#places.delete(taskId);
    this.#largeArguments.delete(taskId);
    for (const id of [...task.submitted.returns, ...(task.items ?? [])]) this.#producers.delete(id);
  }
}

/** Drops a tenth at once, so that it is seldom done. */
function pushBounded<T>(list: T[], item: T): void {
  list.push(item);
  if (list.length > MOST_OTHERS) list.splice(0, MOST_OTHERS / 10);
}

type StepOfTask = Extract<
  TaskEvent,
  { type: "ready" | "started" | "argumentsRead" | "blocked" | "resumed" | "finished" | "failed" | "cancelled" }
>;

function advance(task: TaskRecord, event: StepOfTask): void {
  const last = task.attempts.at(-1);
  switch (event.type) {
    case "ready":
      task.readyAt = event.time;
      return;
    case "started":
      task.state = "running";
      task.attempts.push(newAttempt(event.attempt, event.workerId, event.time));
      return;
    case "argumentsRead":
      task.read = event;
      return;
    case "blocked":
      last?.blocked.push({ start: event.time, end: Number.NaN });
      return;
    case "resumed":
      endPause(last, event.time);
      return;
    default:
      endAttempt(task, event);
  }
}

function endAttempt(task: TaskRecord, event: Extract<StepOfTask, { type: "finished" | "failed" | "cancelled" }>): void {
  const retried = event.type === "failed" && event.willRetry;
  task.state = retried ? "waiting" : event.type;
  task.endedAt = retried ? undefined : event.time;
  if (event.type === "finished") task.size = event.size;
  if (event.type === "failed") task.error = event.error;
  const attempt = attemptOf(task, event);
  if (!attempt) return;
  attempt.end = event.time;
  attempt.state = event.type;
  if (event.startedAt !== undefined) attempt.start = event.startedAt;
  attempt.executedAt = event.executedAt;
  if (event.type === "failed") attempt.error = event.error;
  endPause(attempt, event.time);
}

/** The running attempt that the event ends; made from the event where the start was not seen. */
function attemptOf(
  task: TaskRecord,
  event: Extract<StepOfTask, { type: "finished" | "failed" | "cancelled" }>,
): AttemptRecord | undefined {
  const last = task.attempts.at(-1);
  if (last && last.end === undefined) return last;
  if (event.workerId === undefined || event.startedAt === undefined) return undefined;
  const attempt = newAttempt(event.attempt, event.workerId, event.startedAt);
  task.attempts.push(attempt);
  return attempt;
}

function newAttempt(number: number, workerId: string, start: number): AttemptRecord {
  return {
    number,
    workerId,
    start,
    executedAt: undefined,
    end: undefined,
    state: "running",
    error: undefined,
    blocked: [],
  };
}

function endPause(attempt: AttemptRecord | undefined, time: number): void {
  const pause = attempt?.blocked.at(-1);
  if (pause && Number.isNaN(pause.end)) pause.end = time;
}
