/**
 * One tree of errors. Each carries a stable `code`; messages say what happened, to what, and what to do.
 * Semantics from Ray Core's exceptions; names follow what happened, not where.
 */
import { fileURLToPath } from "node:url";

const KINDS = Symbol.for("heddle.errorKinds");

/** The root of everything the runtime throws besides `TypeError` and `RangeError` for wrong arguments. */
export class HeddleError extends Error {
  /** Stable and safe to compare. */
  readonly code: string = "HEDDLE";

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    Object.defineProperty(this, "name", { value: new.target.name, configurable: true, writable: true });
  }

  /** A `TaskError` inherits from the user's class, so membership of this tree is a mark, not the prototype chain alone. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    if (typeof value !== "object" || value === null) return false;
    // `this`, since subclasses inherit the test, each for itself.
    if (Object.prototype.isPrototypeOf.call(this.prototype, value)) return true;
    const kinds = (value as { [KINDS]?: readonly unknown[] })[KINDS];
    return kinds?.includes(this) ?? false;
  }
}

/** Where a failure passed through on its way to whoever looked at it: one entry a task, the nearest first. */
export interface TaskHop {
  taskId: string;
  taskName: string;
  functionName: string;
  /** 0 for the first attempt. */
  attempt: number;
  workerId?: string;
  /** The cell that submitted the task. */
  cell?: string;
}

/** What the runtime adds to an error that came out of a task. */
export interface TaskErrorDetails {
  readonly taskId: string;
  readonly taskName: string;
  readonly functionName: string;
  readonly attempt: number;
  readonly workerId: string | undefined;
  /** The failing task last, tasks that failed because of it before. */
  readonly hops: readonly TaskHop[];
  /** The errors of earlier attempts, oldest first. */
  readonly attempts: readonly unknown[];
}

/**
 * A task's function threw, or one of its inputs failed. `cause` is the original value with its message, stack, class
 * and fields; the error is also an instance of the original's class, so `error instanceof UserError` holds.
 */
export class TaskError extends HeddleError implements TaskErrorDetails {
  override readonly code: string = "TASK_FAILED";
  readonly taskId: string = "";
  readonly taskName: string = "";
  readonly functionName: string = "";
  readonly attempt: number = 0;
  readonly workerId: string | undefined;
  readonly hops: readonly TaskHop[] = [];
  readonly attempts: readonly unknown[] = [];
}

/** Makes the error that `get` throws for a task that failed with `cause`. */
export function taskErrorOf(cause: unknown, hops: readonly TaskHop[], attempts: readonly unknown[] = []): Error {
  const origin = hops.at(-1);
  const isError = cause instanceof Error;
  const prototype = isError ? (Object.getPrototypeOf(cause) as object) : TaskError.prototype;
  const message = isError ? cause.message : `the task threw ${describeThrown(cause)}, which is not an Error`;
  const error = withoutFrames(() => new Error(message, { cause }));
  Object.setPrototypeOf(error, prototype);
  // Own fields of the original (a `code`, a `status`) stay readable on the error that is caught.
  if (isError) copyFields(cause, error);
  const define = (name: string, value: unknown) =>
    Object.defineProperty(error, name, { value, configurable: true, writable: true, enumerable: false });
  define(KINDS as unknown as string, [TaskError, HeddleError]);
  define("name", isError ? cause.name : "TaskError");
  if (!Object.hasOwn(error, "code")) define("code", "TASK_FAILED");
  define("taskId", origin?.taskId ?? "");
  define("taskName", origin?.taskName ?? "");
  define("functionName", origin?.functionName ?? "");
  define("attempt", origin?.attempt ?? 0);
  define("workerId", origin?.workerId);
  define("hops", hops);
  define("attempts", attempts);
  define("stack", storyOf(error, cause, hops));
  return error;
}

/** Makes an error without the frames of where it is made, when others or none will be shown. */
export function withoutFrames<E>(make: () => E): E {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    return make();
  } finally {
    Error.stackTraceLimit = limit;
  }
}

function copyFields(from: Error, to: Error): void {
  for (const key of Object.keys(from)) {
    if (key !== "stack" && key !== "message" && key !== "cause") {
      Object.defineProperty(to, key, {
        value: (from as unknown as Record<string, unknown>)[key],
        configurable: true,
        writable: true,
        enumerable: true,
      });
    }
  }
}

function storyOf(error: Error, cause: unknown, hops: readonly TaskHop[]): string {
  const head = error.message === "" ? error.name : `${error.name}: ${error.message}`;
  const frames = cause instanceof Error && cause.stack !== undefined ? framesOf(cause.stack) : "";
  const lines = hops
    .toReversed()
    .map((hop, index) => `    ${index === 0 ? "in" : "needed by"} task ${describeHop(hop)}`);
  return [head, ...(frames === "" ? [] : [frames]), ...lines].join("\n");
}

function framesOf(stack: string): string {
  return stack
    .split("\n")
    .filter((line) => /^\s+at /.test(line) && !isOwnFrame(line))
    .join("\n");
}

const ownFolder = new URL("./", import.meta.url);
/** Frames of ES modules name a URL, those of CommonJS a path. */
const ownPlaces = [ownFolder.href, fileURLToPath(ownFolder)];

/** Frames of the runtime itself say nothing to the user. */
const isOwnFrame = (line: string): boolean =>
  ownPlaces.some((place) => line.includes(place)) || /AsyncLocalStorage\.run|\(node:internal\//.test(line);

/** `retrieve(3) (attempt 2, worker w4, cell [5])` */
export function describeHop(hop: TaskHop): string {
  const facts = [`attempt ${hop.attempt + 1}`];
  if (hop.workerId !== undefined) facts.push(`worker ${hop.workerId}`);
  if (hop.cell !== undefined) facts.push(`cell [${hop.cell}]`);
  return `${hop.taskName} (${facts.join(", ")})`;
}

function describeThrown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 80 ? `${value.slice(0, 79)}…` : value);
  return typeof value === "object" && value !== null
    ? `an object of ${value.constructor?.name ?? "no class"}`
    : String(value);
}

/** The task was cancelled by `cancel`, its signal, or the interrupt of its cell. */
export class TaskCancelledError extends HeddleError {
  override readonly code = "TASK_CANCELLED";
}

/** One attempt of the task took longer than its `timeout` option. */
export class TaskTimeoutError extends HeddleError {
  override readonly code = "TASK_TIMEOUT";
}

/** The worker thread ended while the task ran and no retry was left. */
export class WorkerCrashedError extends HeddleError {
  override readonly code: string = "WORKER_CRASHED";
}

/** The worker thread went over its memory limit while the task ran. */
export class OutOfMemoryError extends WorkerCrashedError {
  override readonly code = "OUT_OF_MEMORY";
}

/** `get` did not get its value within `timeout` milliseconds; the task goes on. */
export class GetTimeoutError extends HeddleError {
  override readonly code = "GET_TIMEOUT";
}

/** The object's value is gone: the runtime that held it was shut down or its memory was lost. */
export class ObjectLostError extends HeddleError {
  override readonly code: string = "OBJECT_LOST";
}

/** The object was let go by `free` or by disposing of its ref. */
export class ObjectFreedError extends ObjectLostError {
  override readonly code = "OBJECT_FREED";
}

/** A task wrote into a shared view of a sealed object. */
export class ObjectMutatedError extends HeddleError {
  override readonly code = "OBJECT_MUTATED";
}

/** The object does not fit into the object store and nothing can be spilled. */
export class ObjectStoreFullError extends HeddleError {
  override readonly code = "OBJECT_STORE_FULL";
}

/** A ref or handle of a runtime that was shut down was used with another one. */
export class OtherSessionError extends HeddleError {
  override readonly code = "OTHER_SESSION";
}

/** A value or a captured variable cannot travel to another thread; `path` leads to it. */
export class SerializationError extends HeddleError {
  override readonly code = "SERIALIZATION";
  /** The way from what was sent to the culprit, `["argument 0 of retrieve", "options", "socket"]`. */
  readonly path: readonly string[];

  constructor(message: string, path: readonly string[] = [], options?: ErrorOptions) {
    super(message, options);
    this.path = path;
  }
}

/** The task asks for more than this runtime has in all. */
export class InfeasibleTaskError extends HeddleError {
  override readonly code = "INFEASIBLE_TASK";
}

/** Tasks wait for each other in a circle. */
export class DeadlockError extends HeddleError {
  override readonly code = "DEADLOCK";
}

/** `init` was called while a runtime with other options is running. */
export class RuntimeExistsError extends HeddleError {
  override readonly code = "RUNTIME_EXISTS";
}

/** A call needs a running runtime and there is none. */
export class NotInitializedError extends HeddleError {
  override readonly code = "NOT_INITIALIZED";
}
