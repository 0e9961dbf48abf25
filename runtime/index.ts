export {
  DeadlockError,
  GetTimeoutError,
  HeddleError,
  InfeasibleTaskError,
  NotInitializedError,
  ObjectFreedError,
  ObjectLostError,
  ObjectMutatedError,
  ObjectStoreFullError,
  OtherSessionError,
  OutOfMemoryError,
  RuntimeExistsError,
  SerializationError,
  TaskCancelledError,
  TaskError,
  type TaskHop,
  TaskTimeoutError,
  WorkerCrashedError,
} from "./errors.ts";
export type * from "./events.ts";
export type { ObjectRef } from "./object-ref.ts";
export type { ObjectRefGenerator } from "./object-stream.ts";
export { listObjects, listTasks, listWorkers, profile, timeline } from "./observe.ts";
export type { CancelOptions, ErrorClass, GetOptions, InitOptions, TaskOptions, WaitOptions } from "./options.ts";
export { type ProgressOptions, progress } from "./progress.ts";
export type { ParameterReading } from "./reading/reading.ts";
export {
  asCompleted,
  availableResources,
  cancel,
  clusterResources,
  free,
  get,
  getRuntimeContext,
  init,
  isInitialized,
  put,
  type Runtime,
  type RuntimeContext,
  settled,
  shutdown,
  type ValuesOf,
  wait,
} from "./runtime.ts";
export { createSharedArray, type TypedArrayClass } from "./shared-array.ts";
export type { ObjectRecord, TaskRecord, WorkerState } from "./state.ts";
export {
  type Argument,
  type Arguments,
  type ItemRefsOf,
  type RefEach,
  type RefsOf,
  type RemoteFunction,
  type RemoteGenerator,
  type RemoteOf,
  remote,
} from "./task.ts";
export type { Advice, Simulation, Timeline, TimelineFilter, TimelineStats } from "./timeline.ts";
