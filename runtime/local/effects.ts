/** What the scheduler makes happen: the one way out of the state machine. */
import type { Block } from "./block.ts";
import type { Failure, Lane, StoredObject, Task } from "./records.ts";
import type { StoreEffects } from "./store-desk.ts";
import type { StreamEffects } from "./stream-desk.ts";

/** What the scheduler makes happen. */
export interface Effects extends StreamEffects, StoreEffects {
  /** Sends the task and its inputs to the lane's worker; false when there is no room at present. */
  dispatch(task: Task, lane: Lane, inputs: readonly StoredObject[]): boolean;
  /** Takes a task back that its worker has not started; false when it has. */
  revoke(task: Task): boolean;
  /** Asks the task's worker to cancel it: its awaits reject and its signal aborts. */
  cancelOnWorker(task: Task): void;
  /** Stops a task whatever it does, because it was cancelled or its time is over: its code alone, or its thread when that does not help. */
  stopTask(task: Task): void;
  /** Ends a worker's thread and has it replaced; `workerDown` follows. */
  retireWorker(worker: number): void;
  value(client: number, call: number, index: number, object: StoredObject): void;
  /** A call fails at one of its objects, though that has no failure. */
  refuse(client: number, call: number, index: number, failure: Failure): void;
  callDone(client: number, call: number, outcome: number): void;
  ready(client: number, object: StoredObject): void;
  /** A task failed and nobody has looked at it. */
  unlooked(failure: Failure): void;
  /** Name and message out of the second block of a failed attempt, for the event log. */
  describe(summary: Block): { name: string; message: string };
}
