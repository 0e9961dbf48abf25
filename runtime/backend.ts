/** What a backend does for the public calls; `local/` implements it on worker threads. */

import type { Handles } from "./object-ref.ts";
import type { ResourceShape, TaskOptions } from "./options.ts";
import type { ParameterReading } from "./reading/reading.ts";
import type { ObjectRecord } from "./state.ts";

/** A remote function as the public half made it; the backend remembers what it has shipped of it under this object. */
export interface FunctionSource {
  readonly fn: (...args: never[]) => unknown;
  readonly functionName: string;
  readonly captures: Record<string, unknown> | undefined;
  /** Its number, where another thread has shipped it already. */
  readonly definition?: number | undefined;
}

/** One set of options, checked and with its defaults. */
export interface OptionSet {
  readonly options: TaskOptions;
  readonly shape: ResourceShape;
  /** Whether the function's items are streamed to the caller. */
  readonly streams: boolean;
}

export interface GetRequest {
  timeout: number | undefined;
  signal: AbortSignal | undefined;
  shared: boolean;
  /** Failures come as values of `settled`'s shape instead of rejecting. */
  settled: boolean;
  /** The refs: what is on its way to a reader must not be let go before it is there. */
  keep: unknown;
}

export interface WaitRequest {
  numReturns: number;
  timeout: number | undefined;
  signal: AbortSignal | undefined;
}

/** What `query` can be asked; `sync` only makes sure that everything said before has been heard. */
export type Question = "events" | "tasks" | "objects" | "workers" | "resources" | "state" | "sync";

/** The runtime as one thread of user code sees it: the driver's, or a worker's. */
export interface Backend {
  readonly sessionId: string;
  /** Amounts the whole runtime has, as a shape. */
  readonly totals: ResourceShape;
  /** Bytes of shared memory that objects may take. */
  readonly objectStoreMemory: number;
  /** Handles of this thread. */
  readonly handles: Handles;
  /**
   * Submits a task and returns the number of its first return object; the others follow. The caller owns one handle of
   * each. The object of a task that streams tells how it ended; `wait` knows the stream by the number after it.
   */
  submit(source: FunctionSource, options: OptionSet, args: readonly unknown[]): number;
  /** The function's number, under which other threads can submit it too; undefined when it cannot be shipped. */
  definitionOf(source: FunctionSource): number | undefined;
  /** What is proven of what the function does with its parameters. Ships it; throws `SerializationError`. */
  explain(source: FunctionSource): ParameterReading[];
  /** The next item of a stream, undefined at its end; a stream that failed gives the task's own object last. The caller owns a handle of any other. */
  nextItem(stream: number): Promise<number | undefined>;
  /** Stops reading a stream; with `cancel` its task is to stop too, else it goes on for its effects. */
  closeStream(stream: number, cancel: boolean): void;
  /** Nobody can reach the stream any more. */
  forgetStream(stream: number): void;
  put(value: unknown): number;
  /** Room in the store that the caller fills and puts without a copy. */
  lend(bytes: number): Uint8Array;
  get(ids: readonly number[], request: GetRequest): Promise<unknown[]>;
  /**
   * Places of the ready ones, ascending; at most `numReturns`, those that became ready first. At once where nothing has
   * to be waited for. `ids` gives the refs' numbers; it is not asked for a list that an earlier call has left over.
   */
  wait(refs: readonly unknown[], ids: () => readonly number[], request: WaitRequest): number[] | Promise<number[]>;
  /** Objects one by one as they become ready, the earliest first. */
  readyOrder(ids: readonly number[], signal: AbortSignal | undefined): AsyncIterableIterator<number>;
  /** Whether an object that `readyOrder` gave has failed; asking does not count as looking at the failure. */
  hasFailed(id: number): boolean;
  /** How it stands with an object now; asking does not count as looking at a failure. */
  stateOf(id: number): ObjectRecord["state"] | "gone";
  cancel(id: number, force: boolean, recursive: boolean): void;
  free(ids: readonly number[]): void;
  /** This thread made its first handle of an object that came from elsewhere. */
  hold(id: number): void;
  /** This thread's last handle of an object is gone. */
  release(id: number): void;
  /** Asks the scheduler and waits for the answer; never long. */
  query(question: Question): unknown;
  recordSpan(name: string, data: unknown, start: number, end: number): void;
  shutdown(): Promise<void>;
}
