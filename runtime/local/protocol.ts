/**
 * What the driver, the workers and the scheduler's thread say to each other: binary records on rings for everything
 * that happens per task, structured messages on ports for everything that happens per definition.
 *
 * Order between the two: whoever posts something that a record refers to posts it first, and a reader that meets an
 * unknown number drains its port there and then; whoever handles a message from a port drains the ring first.
 */
import type { MessagePort } from "node:worker_threads";
import type { Question } from "../backend.ts";
import type { TaskHop } from "../errors.ts";
import type { TaskEvent } from "../events.ts";
import type { Reading } from "../reading/reading.ts";
import type { Helm } from "./cutter.ts";
import type { FailureKind } from "./records.ts";
import type { SpillPlace } from "./spill-folder.ts";

/** Records to the scheduler. Bodies in 8-byte words; `f` a float64, `i,j` two int32. */
export const Submit = 1; // f task, f time, i definition j options, f parent, i cell j returns, f preview number, i preview kind j preview bytes, i refs j 0, refs…, preview…, block
export const Put = 2; // f object, f time, f task, i cell j 0, block
export const Get = 3; // f call, f task, i cell j flags, f time, f timeout, i ids j 0, ids…
export const Hold = 4; // ids…
export const Release = 5; // ids…
export const Subscribe = 6; // ids…
export const View = 30; // ids…: as Hold, for views on the object's memory, which stays where it is as long as they do
export const Unview = 31; // ids…
export const Abandon = 7; // f call, f time, i outcome j 0
export const WaitBegin = 8; // f call, f task, i cell j numReturns, f time, f timeout, i total j ids, ids…
export const Waited = 18; // a wait that needed no waiting: as WaitBegin, then as WaitEnd from its outcome on
export const WaitEnd = 9; // f call, f time, i outcome j total, i pending j ids, ids…
export const Started = 10; // f task, f time
export const Finished = 11; // f task, f time, f startedAt, f executedAt, i outcome j blocks, blocks…
export const Dropped = 12; // f task, i slot j 0: a task is skipped that was taken back, or whose input is not there
export const TimeOver = 32; // f task: its thread has told it to stop because its time is over
export const Free = 14; // ids…
export const Yielded = 15; // f task, f item, f time, i attempt j index, i waits j 0, block
export const Taken = 16; // f task, i count j 0
export const CloseStream = 17; // f task, i cancel j 0, f time
export const Up = 19; // a worker has loaded, and takes tasks
export const Decoded = 35; // f task, i attempt j text bytes, f viewed bytes, f copied bytes, text why copied: it has read its arguments and inputs out of the store
export const AskRoom = 33; // f ticket, f bytes: the store is full
export const Output = 13; // f task, i stream (1 stdout, 2 stderr) j bytes, text

/** Records from the scheduler. */
export const Value = 20; // f call, i index j 0, block
export const CallDone = 21; // f call, i outcome j 0
export const Ready = 22; // f object, f order, negative where the object failed
export const Dispatch = 23; // f task, i lane j slot, i definition j options, i attempt j inputs, f taken, block(args), (f id, block)… or f -id for one that is made on the same lane
export const CancelTask = 24; // f task
export const FailedValue = 26; // f call, i index j 0; the failure is on the port
export const FreeBuffer = 25; // f segment, f offset, f bytes
export const Item = 27; // f task, f item, f order
export const StreamEnd = 28; // f task, f order, i failed j 0
export const GoOn = 29; // f task, f taken, i resume j 0
export const RoomAnswer = 34; // f ticket, i made j 0

/** Outcomes of a call. */
export const CallOk = 0;
export const CallFailed = 1;
export const CallTimeout = 2;
export const CallInterrupted = 3;

/** Outcomes of a task's attempt. */
export const TaskOk = 0;
export const TaskThrew = 1;
export const TaskThrewRetryable = 2;
export const TaskWasCancelled = 3;
export const TaskTimedOut = 4;

/** Flags of `Get`. */
export const GetMore = 1; // further ids follow in the next record
export const GetSettled = 2; // failures are values
export const GetPoll = 4; // answer at once
export const GetLimited = 8; // its time is limited, or a signal can end it

/** Kinds of preview of a task's arguments. */
export const PreviewNone = 0;
export const PreviewNumber = 1;
export const PreviewText = 2;

/** Code and captured values of one remote function, once a definition. */
export interface DefineMessage {
  type: "define";
  id: number;
  functionName: string;
  block: Int32Array;
  refs: number[];
  /** What is proven of it; undefined where it has no parameters. */
  reading: Reading | undefined;
}

/** One set of task options, once a remote function. */
export interface OptionsMessage {
  type: "options";
  id: number;
  name: string | undefined;
  shape: Record<string, number>;
  maxRetries: number;
  /** Calls on one worker before it is replaced; 0 without end. */
  maxCalls: number;
  timeout: number;
  shared: boolean;
  numReturns: number;
  /** Of a generator whose items are streamed: how many unread ones may exist; else undefined. */
  highWaterMark: number | undefined;
  /** Encoded `retryExceptions` where it is not false. */
  retry: Uint8Array | undefined;
}

export type ToScheduler =
  | DefineMessage
  | OptionsMessage
  | { type: "cell"; id: number; label: string }
  | { type: "segment"; id: number; memory: SharedArrayBuffer; pooled: boolean }
  | { type: "segmentDropped"; id: number }
  | { type: "segmentUnused"; id: number }
  | { type: "cancel"; id: number; force: boolean; recursive: boolean }
  | { type: "collect" }
  | { type: "helm"; helm: Helm }
  /** An event that the scheduler has no part in. */
  | { type: "told"; event: TaskEvent }
  | { type: "query"; id: number; question: Question; object: number | undefined; answered: Int32Array }
  | { type: "shutdown" }
  | null;

export type FromScheduler =
  | DefineMessage
  | OptionsMessage
  | { type: "cell"; id: number; label: string }
  | { type: "segment"; id: number; memory: SharedArrayBuffer }
  /** Nothing lies in it any more, and its maker is gone or has dropped it. */
  | { type: "dropSegment"; id: number }
  | { type: "answer"; id: number; answer: unknown }
  | { type: "failure"; call: number; index: number; failure: FailureMessage }
  | { type: "collect" }
  /** The code of a task was cut, because its time was over or it was cancelled. */
  | { type: "cut"; task: number; overTime: boolean }
  | { type: "down"; error?: string }
  | null;

/** A failure as it goes to whoever asked for the object. */
export interface FailureMessage {
  kind: FailureKind;
  message: string;
  hops: TaskHop[];
  cause: Int32Array | undefined;
  attempts: Int32Array[];
}

/** What a thread needs to speak with the scheduler. */
export interface Link {
  /** 0 is the driver; numbers are never used twice. */
  index: number;
  port: MessagePort;
  toScheduler: SharedArrayBuffer;
  fromScheduler: SharedArrayBuffer;
  /** Wakes the scheduler. */
  schedulerBell: SharedArrayBuffer;
  /** Wakes this thread. */
  ownBell: SharedArrayBuffer;
  /** The session's account of shared memory: see `StoreAccount`. */
  storeAccount: SharedArrayBuffer;
  /** One BigInt64: bytes that this thread has charged to it by itself, so that they are discharged when it ends. */
  storeCharged: SharedArrayBuffer;
  /** Segments that nothing lies in: see `Pool`. */
  storePool: SharedArrayBuffer;
  /** One Int32 that the session's threads count definitions and option sets with, so that numbers never meet. */
  definitions: SharedArrayBuffer;
  session: SessionFacts;
}

/** What every thread of a session knows. */
export interface SessionFacts {
  sessionId: string;
  namespace: string;
  totals: Record<string, number>;
  logToDriver: boolean;
  checkWrites: boolean;
  /** A module that lets the thread that imports it load TypeScript files; undefined where none is needed. */
  typescriptLoader: string | undefined;
  /** Where objects are spilled; the folder is made when it is needed. */
  spillPlace: SpillPlace | undefined;
}
