/** What the state calls return: typed records of what is there now. */

/** An unfinished task. Finished ones are in `timeline().events`. */
export interface TaskRecord {
  taskId: string;
  name: string;
  functionName: string;
  /** `blocked`: it awaits `get` or `wait` and holds no slot. */
  state: "waiting" | "ready" | "running" | "blocked" | "retrying" | "finished" | "failed" | "cancelled";
  /** 0 for the first attempt. */
  attempt: number;
  parentTaskId: string | undefined;
  workerId: string | undefined;
  cell: string | undefined;
  inputs: readonly string[];
}

/** An object somebody can still reach. */
export interface ObjectRecord {
  objectId: string;
  taskId: string | undefined;
  state: "pending" | "ready" | "failed" | "freed";
  /** Encoded size with array data. */
  bytes: number;
  inSharedMemory: boolean;
  /** Whether it lies on disk, because the store was full; it comes back into memory when it is used. */
  spilled: boolean;
  /** Threads with a handle, unfinished tasks it was given to, objects that contain it. */
  holders: number;
  /** Who they are: `"driver"`, ids of workers, tasks and objects, `"function f"` for a remote function that captured it. */
  heldBy: readonly string[];
}

/** A worker thread. */
export interface WorkerState {
  workerId: string;
  runningTasks: readonly string[];
  suspendedTasks: readonly string[];
}
