/**
 * What happened, as the scheduler saw it. Every step of every task is one event, written by the scheduler's thread
 * in the order in which it happened. The timeline, the state calls and the chart are all drawn from these.
 *
 * Times are milliseconds on the session's monotonic clock, which all threads share; `sessionEpoch` (see `Timeline`)
 * turns them into wall-clock times. Ids are the strings that `ObjectRef.id` and `ObjectRef.taskId` show.
 */
export type TaskEvent =
  | TaskSubmitted
  | TaskReady
  | TaskStarted
  | ArgumentsRead
  | TaskBlocked
  | TaskResumed
  | TaskFinished
  | TaskFailed
  | TaskCancelled
  | ItemYielded
  | WorkerStarted
  | WorkerExited
  | CallStarted
  | CallReturned
  | ObjectPut
  | ObjectMoved
  | UserSpan
  | CallPlace
  | LargeArgument
  | LargeCapture;

/** A task was handed to the scheduler. */
export interface TaskSubmitted {
  type: "submitted";
  time: number;
  taskId: string;
  /** The task's name: `options({ name })`, else the function's name with a short form of its arguments, `retrieve(3)`. */
  name: string;
  functionName: string;
  /** The actor that runs it, `Counter#1`; absent for plain tasks. */
  actor?: string;
  /** The task that submitted it; absent when the driver did. */
  parentTaskId?: string;
  /** The cell that submitted it, as its execution count; absent outside notebooks. */
  cell?: string;
  /** Objects it was given as top-level arguments. */
  inputs: readonly string[];
  /** Objects it will produce. */
  returns: readonly string[];
  numCpus: number;
}

/** All inputs of the task are there; from now on it waits for a slot only. */
export interface TaskReady {
  type: "ready";
  time: number;
  taskId: string;
}

/** A worker took the task up and began to fetch its arguments. */
export interface TaskStarted {
  type: "started";
  time: number;
  taskId: string;
  /** 0 for the first attempt. */
  attempt: number;
  workerId: string;
}

/** Array data among the task's arguments was taken out of the object store, in bytes. */
export interface ArgumentsRead {
  type: "argumentsRead";
  time: number;
  taskId: string;
  /** Read in place, because the function is proven only to read it or has the option `shared`. */
  viewed: number;
  /** Copied for the task alone. */
  copied: number;
  /** Why the first of the copies had to be made: what the function does with which parameter. */
  why?: string;
}

/** The task gave its slot back because it awaits `get` or `wait`. */
export interface TaskBlocked {
  type: "blocked";
  time: number;
  taskId: string;
}

/** The task has a slot again. */
export interface TaskResumed {
  type: "resumed";
  time: number;
  taskId: string;
}

/** The task's result is sealed. */
export interface TaskFinished {
  type: "finished";
  time: number;
  taskId: string;
  attempt: number;
  workerId: string;
  startedAt: number;
  /** When the arguments were there and the user's code began. */
  executedAt: number;
  /** Encoded size of the results in bytes. */
  size: number;
}

/** An attempt failed: the function threw, its worker crashed, or an input failed (then there is no `workerId`). */
export interface TaskFailed {
  type: "failed";
  time: number;
  taskId: string;
  attempt: number;
  workerId?: string;
  startedAt?: number;
  executedAt?: number;
  error: { name: string; message: string };
  willRetry: boolean;
}

/** The task was cancelled, before it ran (no `workerId`) or while it ran. */
export interface TaskCancelled {
  type: "cancelled";
  time: number;
  taskId: string;
  attempt: number;
  workerId?: string;
  startedAt?: number;
  executedAt?: number;
}

/** A generator task produced one item. */
export interface ItemYielded {
  type: "yielded";
  time: number;
  taskId: string;
  index: number;
  objectId: string;
}

/** A worker thread is up and takes tasks. */
export interface WorkerStarted {
  type: "workerStarted";
  time: number;
  workerId: string;
}

/** A worker thread is gone. */
export interface WorkerExited {
  type: "workerExited";
  time: number;
  workerId: string;
  reason: "shutdown" | "crash" | "outOfMemory" | "recycled" | "cancelled";
}

/** `get`, `settled`, `wait` or the next of `asCompleted` began. */
export interface CallStarted {
  type: "callStarted";
  time: number;
  callId: string;
  kind: "get" | "wait";
  /** The task that called; absent when the driver did. */
  taskId?: string;
  cell?: string;
  /** The refs asked for; the list is cut after 64 entries, `total` is exact. */
  objectIds: readonly string[];
  total: number;
  /** `wait` only. */
  numReturns?: number;
  /** Milliseconds. */
  timeout?: number;
}

/** The call of the same `callId` returned. For `wait`, `objectIds` are the ready ones: an early return. */
export interface CallReturned {
  type: "callReturned";
  time: number;
  callId: string;
  kind: "get" | "wait";
  /** Cut after 64 entries, `total` is exact. */
  objectIds: readonly string[];
  total: number;
  pending: number;
  outcome: "ok" | "failed" | "timeout" | "interrupted";
}

/** A value was stored by `put`. */
export interface ObjectPut {
  type: "put";
  time: number;
  objectId: string;
  bytes: number;
  taskId?: string;
  cell?: string;
}

/** A value went to disk or came back into memory: an object's, or the arguments of a task. */
export interface ObjectMoved {
  type: "spilled" | "restored";
  time: number;
  /** Absent where it is the arguments of a task. */
  objectId?: string;
  taskId?: string;
  bytes: number;
}

/** `using span = profile("parse")` in a task or in the driver. */
export interface UserSpan {
  type: "span";
  time: number;
  end: number;
  name: string;
  data?: unknown;
  taskId?: string;
  cell?: string;
}

/**
 * Where in the user's code the driver submitted a task or made a call: `cell-3.ts:12:7`, or a file's URL with line and
 * column. Told of the first ones of each cell, since finding it costs more than the call.
 */
export interface CallPlace {
  type: "place";
  time: number;
  /** The task's or the call's. */
  id: string;
  place: string;
}

/** A task was handed 100 kB or more by value, in one array or as a whole. */
export interface LargeArgument {
  type: "largeArgument";
  time: number;
  taskId: string;
  bytes: number;
  /** Equal data have equal hashes. */
  hash: number;
}

/** A function was shipped whose captured variables take 1 MB or more. */
export interface LargeCapture {
  type: "largeCapture";
  time: number;
  functionName: string;
  bytes: number;
  /** The variable with most of it. */
  largest?: string;
  cell?: string;
}
