/** What the scheduler remembers of tasks, objects, workers and calls. */
import type { TaskHop } from "../errors.ts";
import type { ResourceShape } from "../options.ts";
import type { Block } from "./block.ts";
import type { RowDetail } from "./event-log.ts";
import type { Fifo } from "./fifo.ts";

/** What the options of a remote function come to. */
export interface Policy {
  id: number;
  name: string | undefined;
  shape: ResourceShape;
  /** Tasks with equal shapes may follow each other on one lane. */
  shapeKey: string;
  maxRetries: number;
  /** A worker is replaced after so many calls; 0 never. */
  maxCalls: number;
  /** Milliseconds that an attempt may take; 0 without limit. */
  timeout: number;
  /** Of a generator whose items are streamed: how many unread ones may exist. */
  highWaterMark: number | undefined;
}

/** One remote function as the scheduler knows it. */
export interface Definition {
  id: number;
  functionName: string;
  /** What the log last said of a submission. */
  last: { policy: Policy; cell: string | undefined; detail: RowDetail } | undefined;
  /** Mean milliseconds a call holds its slot; undefined before the first has finished. */
  meanMs: number | undefined;
}

export type TaskState = "waiting" | "ready" | "running" | "retrying" | "finished" | "failed" | "cancelled";

export interface Task {
  readonly id: number;
  readonly definition: Definition;
  readonly policy: Policy;
  args: Block;
  /** Where the arguments lie, if in the store. */
  home: Home | undefined;
  /** Objects given as top-level arguments. */
  readonly inputs: readonly number[];
  readonly returns: number;
  readonly parent: number;
  /** The top-level task that it descends from; 0 for those that the driver submitted. */
  readonly job: number;
  readonly cell: string | undefined;
  /** What its name shows of its arguments. */
  readonly preview: string | number | undefined;
  /** Name of the submitting thread. */
  readonly client: number;
  readonly submittedAt: number;
  state: TaskState;
  /** When it last took a step, by the events. */
  steppedAt: number;
  /** Its place among all tasks that became ready: the queues' order. */
  readyOrder: number;
  /** Inputs not there yet. */
  missing: number;
  attempt: number;
  retriesLeft: number;
  lane: Lane | undefined;
  worker: WorkerRecord | undefined;
  /** The worker that made its last input: its thread is awake, so among equals the task runs there. */
  near: WorkerRecord | undefined;
  /** Index of its claim word while it is on a worker and has not started. */
  slot: number;
  startedAt: number;
  /** `get` and `wait` calls of the task that have not returned; while there are any it holds no slot. */
  openCalls: number;
  cancelRequested: boolean;
  /** Its code is being stopped because its time is over. */
  overTime: boolean;
  /** Whether the cancelling reaches the tasks that it submits. */
  cancelChildren: boolean;
  /** What earlier attempts threw. */
  attempts: readonly Block[];
  children: Set<number> | undefined;
  /** What its attempt was sent and may not have read yet. */
  reading: Home[] | undefined;
  /** Of a generator whose items go to a reader one by one. */
  readonly stream: Stream | undefined;
}

/** The items of a generator task on their way to the one thread that reads them. */
export interface Stream {
  /** How many unread items may exist. */
  readonly highWaterMark: number;
  /** Items of all attempts; an attempt that repeats them adds none. */
  items: number;
  /** Items that the reader has taken. */
  taken: number;
  /** Items of the present attempt. */
  reached: number;
  /** `waits`: it may not produce more; `resumes`: it may, once it has a slot. */
  producer: "runs" | "waits" | "resumes";
  /** Nobody reads it. */
  closed: boolean;
}

/** A slot on a worker: tasks on it run one after the other, with the lane's resources. */
export interface Lane {
  readonly id: number;
  readonly worker: WorkerRecord;
  readonly policy: Policy;
  /** The first is running or next to run, the others wait on the worker. */
  readonly tasks: Fifo<Task>;
  /** Made for a task that came back from a call; its worker does not know it, so nothing is sent ahead to it. */
  readonly solo: boolean;
}

export interface WorkerRecord {
  readonly index: number;
  up: boolean;
  readonly lanes: Set<Lane>;
  /** Tasks on this thread that hold no slot because they await a call. */
  readonly suspended: Set<Task>;
  /** Objects this thread has handles of, or views on, with the number of its holds. */
  readonly held: Map<number, number>;
  /** Those of them that it has views on. */
  readonly viewed: Set<number>;
  readonly freeSlots: number[];
  /** When it was last given a task, as a count of such occasions. */
  lastUsed: number;
  /** Calls of functions that limit them, and how many are allowed. */
  calls: Map<Definition, { count: number; most: number }> | undefined;
  /** It has run one of them as often as it may: it gets nothing new. */
  retiring: boolean;
}

export type FailureKind =
  | "thrown"
  | "cancelled"
  | "crashed"
  | "outOfMemory"
  | "timeout"
  | "freed"
  | "lost"
  | "deadlock";

/** Why an object will never have a value. */
export interface Failure {
  kind: FailureKind;
  message: string;
  /** The failing task last. */
  hops: TaskHop[];
  cause: Cause | undefined;
}

/** What the attempts of a failed task threw; all failures that come of it share it. */
export interface Cause {
  /** What the last attempt threw; undefined when it ended in another way. */
  readonly thrown: Block | undefined;
  /** What earlier attempts threw. */
  readonly attempts: readonly Block[];
  /** Failed objects that tell of it. */
  holds: number;
}

/** Where a value lies that is too big for a record: in shared memory, on disk, or both. */
export interface Home {
  /** What it is the value of, or the arguments of. */
  readonly owner: StoredObject | Task;
  readonly bytes: number;
  memory: Block | undefined;
  disk: Block | undefined;
  /** Attempts that were sent it and may not have read it yet. */
  readers: number;
  /** Threads that have views on its memory. */
  views: number;
  /** Whether a thread was ever sent it as the value of a `get`. */
  sent: boolean;
  /** It is being written, or is to be read back. */
  moving: "out" | "in" | undefined;
  /** Used since its writing began. */
  used: boolean;
  /** Nobody can be sent it any more. */
  gone: boolean;
  /** What goes back when nobody reads it any more. */
  leaving: Block[] | undefined;
}

export interface StoredObject {
  readonly id: number;
  /** Handles in threads, arguments of unfinished tasks, objects that contain it, definitions that captured it. */
  holds: number;
  block: Block | undefined;
  failure: Failure | undefined;
  /** Position in the order in which objects became ready. */
  order: number;
  freed: boolean;
  /** Where its value lies, if in the store; also after it was freed. */
  home: Home | undefined;
  /** Whether somebody asked for it, so that its failure is not news. */
  looked: boolean;
  /** Task that makes it; 0 for put objects. */
  task: number;
  dependents: Task[] | undefined;
  subscribers: number[] | undefined;
  /** The call that asked first, and for which of its objects; others that ask are in `calls`. */
  call: Call | undefined;
  callIndex: number;
  calls: { call: Call; index: number }[] | undefined;
}

/** A `get` or `wait` that has not returned. */
export interface Call {
  readonly id: number;
  readonly client: number;
  readonly kind: "get" | "wait";
  /** The task that waits for its slot with it. */
  task: Task | undefined;
  readonly objects: number[];
  readonly settled: boolean;
  readonly askedAt: number;
  /** It ends by itself at some time, or by a signal. */
  readonly limited: boolean;
  remaining: number;
  outcome: number;
  /** Waiting for a slot to return to its task, or returned. */
  done: boolean;
}

/** A task as it arrives. */
export interface Submission {
  id: number;
  definition: Definition;
  policy: Policy;
  args: Block;
  inputs: readonly number[];
  returns: number;
  /** Set for a generator whose items go to the submitting thread. */
  stream?: Stream | undefined;
  parent: number;
  cell: string | undefined;
  preview: string | number | undefined;
  client: number;
  time: number;
}

export const NO_ATTEMPTS: readonly Block[] = [];

/** The task's name for users: the one given, or its function's with a preview of its arguments. */
export function taskName({ definition, policy, preview }: Task): string {
  return policy.name ?? `${definition.functionName}(${preview ?? ""})`;
}

/** A task as it begins its life. */
export function newTask(submission: Submission, job: number): Task {
  const { args, cell, client, definition, id, inputs, parent, policy, preview, returns, stream, time } = submission;
  return {
    id,
    definition,
    policy,
    args,
    home: undefined,
    inputs,
    returns,
    parent,
    job,
    cell,
    preview,
    client,
    submittedAt: time,
    state: "waiting",
    steppedAt: time,
    readyOrder: 0,
    missing: 0,
    attempt: 0,
    retriesLeft: policy.maxRetries < 0 ? Number.POSITIVE_INFINITY : policy.maxRetries,
    lane: undefined,
    worker: undefined,
    near: undefined,
    slot: -1,
    startedAt: 0,
    openCalls: 0,
    cancelRequested: false,
    overTime: false,
    cancelChildren: false,
    attempts: NO_ATTEMPTS,
    children: undefined,
    reading: undefined,
    stream,
  };
}

/** The time of the task's next step by the events: that of the record, unless it overtook an earlier step on its way. */
export function stepTime(task: Task, time: number): number {
  if (time > task.steppedAt) task.steppedAt = time;
  return task.steppedAt;
}

/** Learns how long calls of a function hold their slot. Recent calls count most. */
export function learnDuration(definition: Definition, ms: number): void {
  definition.meanMs = definition.meanMs === undefined ? ms : definition.meanMs * 0.8 + ms * 0.2;
}
