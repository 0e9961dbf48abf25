/**
 * A story: what driver, tasks, threads and scheduler do, one act after the other. Everything that the simulation tries
 * is a story, so one that fails can be cut down, printed and played again. An act that has become impossible because
 * earlier ones were cut is passed over.
 *
 * Numbers name things: an act's `as` is the number of the task (and of its first object) or of the put object that it
 * makes, `call` that of the call. `by` is the task whose code acts, 0 for the driver.
 */

export interface Setting {
  threads: number;
  cpus: number;
  gpus: number;
  /** Tasks that may lie on a worker unstarted. */
  slots: number;
  /** Records that wait for a worker at most; more do not fit into its ring. */
  room: number;
  /** Pieces that the store has room for. */
  pieces: number;
  /** Whether there is a disk. */
  spills: boolean;
  /** Milliseconds that each act takes; decides how many tasks are sent ahead. */
  stepMs: number;
}

interface By {
  by: number;
}

export interface Submit extends By {
  do: "submit";
  as: number;
  /** Function that it calls; calls of one function are alike in duration. */
  fn: number;
  /** Objects given as arguments. */
  needs: number[];
  /** Objects whose refs lie inside an argument. */
  carries: number[];
  returns: number;
  cpus: number;
  gpus: number;
  maxRetries: number;
  cell?: string;
  /** It is a generator whose items go to the submitting thread; so many may be unread. */
  highWaterMark?: number;
  /** Its worker is replaced after so many calls of its function. */
  maxCalls?: number;
}

export interface Get extends By {
  do: "get";
  call: number;
  objects: number[];
  settled: boolean;
  poll: boolean;
  /** Keeps views on the values' memory. */
  shared: boolean;
}

export type Outcome = "ok" | "timeout" | "interrupted";

export type Act =
  | Submit
  | Get
  /** Stores a value, with refs inside. */
  | ({ do: "put"; as: number; carries: number[] } & By)
  | ({ do: "wait"; call: number; objects: number[] } & By)
  /** The thread's own counting ends a wait. */
  | { do: "endWait"; call: number; outcome: Outcome }
  | { do: "abandon"; call: number; outcome: Exclude<Outcome, "ok"> }
  /** The task returns; each value has the refs inside. */
  | ({ do: "finish"; carries: number[] } & By)
  | ({ do: "throw"; retryable: boolean; carries: number[] } & By)
  | ({ do: "timeOut" } & By)
  /** The task's awaits rejected because it was cancelled. */
  | ({ do: "obey" } & By)
  /** The code lets go of a ref; the thread's garbage collection tells later. */
  | ({ do: "forget"; object: number } & By)
  | ({ do: "free"; object: number } & By)
  | ({ do: "cancel"; object: number; force: boolean; recursive: boolean } & By)
  /** The task has read its arguments and inputs. */
  | ({ do: "decode" } & By)
  /** The generator produces an item. */
  | ({ do: "yield"; as: number; carries: number[] } & By)
  /** The reader takes the next item. */
  | { do: "take"; stream: number }
  | { do: "closeStream"; stream: number; cancel: boolean }
  | { do: "cancelCell"; cell: string }
  | { do: "collect"; thread: number }
  /** The thread handles records of the scheduler. */
  | { do: "read"; thread: number; records: number }
  /** The thread starts its next task. */
  | { do: "start"; thread: number }
  /** The thread ends; with `claiming`, between claiming a task and saying so. */
  | { do: "crash"; thread: number; claiming: boolean; reason: "crash" | "outOfMemory" }
  /** The pool notices that the thread has ended and starts another. */
  | { do: "replace"; thread: number }
  /** The scheduler handles records of the thread. */
  | { do: "hear"; thread: number; records: number }
  /** The code gives refs to other code of its thread, by what both can reach there. */
  | ({ do: "tell"; to: number; objects: number[] } & By)
  /** The scheduler does what is due by time. */
  | { do: "look" }
  /** The disk does what it was asked for first. */
  | { do: "disk"; fails: boolean }
  /** A thread finds the store full. */
  | { do: "askRoom"; thread: number; pieces: number }
  | { do: "run" };

export interface Story {
  setting: Setting;
  acts: Act[];
}

/** The story as one can read it, and paste into a test. */
export function storyText({ setting, acts }: Story): string {
  const plain = (value: object): string =>
    JSON.stringify(value)
      .replace(/"(\w+)":/g, "$1: ")
      .replace(/,(?=\S)/g, ", ");
  return [`setting: ${plain(setting)}`, "acts: [", ...acts.map((act) => `  ${plain(act)},`), "]"].join("\n");
}
