/**
 * The options of a task, one table: each row gives the default, the check and the words for the error.
 * The idea is Ray's `ray_option_utils`; names and units are this project's (`numCpus`, milliseconds).
 */

/** A class of errors, as in `retryExceptions: [NetworkError]`. */
export type ErrorClass = abstract new (...args: never[]) => Error;

/** Options of a remote function. */
export interface TaskOptions {
  /** The name shown in the timeline and in errors; default: the function's name with its arguments. */
  name?: string;
  /** CPU slots the task takes while it runs: default 1; fractions and 0 are allowed. Admission only, nothing is enforced. */
  numCpus?: number;
  /** Amounts of custom resources, as named in `init({ resources })`. */
  resources?: Record<string, number>;
  /** How many refs `.remote()` returns: with more than one the function returns an array of that length, with 0 nothing comes back. Default 1. */
  numReturns?: number;
  /** How often the task runs again after its worker crashed: default 3, -1 without end. */
  maxRetries?: number;
  /** Which of the function's own errors are worth another attempt (out of the same `maxRetries`): default none. */
  retryExceptions?: boolean | readonly ErrorClass[] | ((error: unknown) => boolean);
  /** A worker thread is replaced after this many calls of the function: default 0, never. */
  maxCalls?: number;
  /** Milliseconds one attempt may take before it fails with `TaskTimeoutError`. */
  timeout?: number;
  /** Cancels the task when aborted. */
  signal?: AbortSignal;
  /** Generators: how many unread items may exist; default unbounded. */
  highWaterMark?: number;
  /**
   * Array arguments as views on shared memory, without proof that the function only reads them (`explain()` says what is
   * proven, and such arguments are views anyway). Writing into one is a fault, which `init({ checkWrites: true })`
   * finds. An `ArrayBuffer` comes as a `SharedArrayBuffer`. Default false.
   */
  shared?: boolean;
  /** What the function uses, by name, where automatic capture cannot see it. */
  captures?: Record<string, unknown>;
}

interface OptionRule {
  expected: string;
  accepts(value: unknown): boolean;
}

const number = (expected: string, test: (value: number) => boolean): OptionRule => ({
  expected,
  accepts: (value) => typeof value === "number" && test(value),
});

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const taskOptionRules: Record<keyof TaskOptions, OptionRule> = {
  name: { expected: "a non-empty string", accepts: (value) => typeof value === "string" && value !== "" },
  numCpus: number("a number of at least 0", (value) => value >= 0 && Number.isFinite(value)),
  resources: {
    expected: 'an object of resource names (not "CPU": that is numCpus) and amounts of at least 0',
    accepts: (value) =>
      isRecord(value) &&
      !("CPU" in value) &&
      Object.values(value).every((amount) => typeof amount === "number" && amount >= 0 && Number.isFinite(amount)),
  },
  numReturns: number(
    "a whole number from 0 to 1000000",
    (value) => Number.isInteger(value) && value >= 0 && value <= 1_000_000,
  ),
  maxRetries: number(
    "a whole number of at least -1 (-1: without end)",
    (value) => Number.isInteger(value) && value >= -1,
  ),
  retryExceptions: {
    expected: "true, false, an array of error classes, or a function from the error to true or false",
    accepts: (value) =>
      typeof value === "boolean" ||
      typeof value === "function" ||
      (Array.isArray(value) && value.every((entry) => typeof entry === "function")),
  },
  maxCalls: number("a whole number of at least 0", (value) => Number.isInteger(value) && value >= 0),
  timeout: number("milliseconds greater than 0", (value) => value > 0),
  signal: { expected: "an AbortSignal", accepts: (value) => value instanceof AbortSignal },
  highWaterMark: number("a whole number of at least 1", (value) => Number.isInteger(value) && value >= 1),
  shared: { expected: "true or false", accepts: (value) => typeof value === "boolean" },
  captures: { expected: "an object of names and values", accepts: isRecord },
};

/** Checks task options; throws a `TypeError` or `RangeError` that names the option, what was expected and what came. */
export function checkTaskOptions(options: TaskOptions, owner: string): TaskOptions {
  return checkOptions(options, taskOptionRules, owner);
}

/** Checks any options object against its table of rules. */
export function checkOptions<T extends object>(
  options: T,
  rules: Record<keyof T & string, OptionRule>,
  owner: string,
): T {
  if (!isRecord(options)) throw new TypeError(`${owner}: options must be an object, not ${showValue(options)}`);
  for (const [key, value] of Object.entries(options)) {
    const rule = (rules as Record<string, OptionRule | undefined>)[key];
    if (rule === undefined) {
      throw new TypeError(`${owner}: unknown option "${key}"; the options are ${Object.keys(rules).join(", ")}`);
    }
    if (value !== undefined && !rule.accepts(value)) {
      const Kind = typeof value === "number" ? RangeError : TypeError;
      throw new Kind(`${owner}: option "${key}" must be ${rule.expected}, not ${showValue(value)}`);
    }
  }
  return options;
}

/** A short form of a value for an error message. */
export function showValue(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 40 ? `${value.slice(0, 39)}…` : value);
  if (typeof value === "function") return `the function ${value.name || "(anonymous)"}`;
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === "object" && value !== null) return `an object of ${value.constructor?.name ?? "no class"}`;
  return typeof value === "bigint" ? `${value}n` : String(value);
}

/** Options of `init`. */
export interface InitOptions {
  /** Where tasks run: `"local"` (default) on worker threads of this process, else the address of a Ray cluster. */
  address?: "local" | "local-ray" | "auto" | `ray://${string}` | (string & {});
  /** Task slots and worker threads; default: the machine's available parallelism. */
  numCpus?: number;
  /** Custom resources of this machine, name → amount. */
  resources?: Record<string, number>;
  /** Bytes of shared memory that objects may take; default 30 % of the memory this process may use. */
  objectStoreMemory?: number;
  /** Folder for objects that do not fit, or `false` for none. */
  spillDirectory?: string | false;
  /** Namespace of named actors; default `"default"`. */
  namespace?: string;
  /** Whether output of tasks is shown; default true. */
  logToDriver?: boolean;
  /**
   * Finds writes into shared views: each reader gets a copy and a checksum, a task that wrote fails with
   * `ObjectMutatedError`, and so does the next use of an object into which this thread wrote. Default false.
   */
  checkWrites?: boolean;
  /** What to do when a runtime with other options is running; default `"error"`. */
  onExisting?: "error" | "reuse" | "replace";
}

const initOptionRules: Record<keyof InitOptions, OptionRule> = {
  address: {
    expected: '"local", "local-ray", "auto" or an address like "ray://host:10001"',
    accepts: (value) => typeof value === "string" && value !== "",
  },
  numCpus: number("a whole number from 1 to 1024", (value) => Number.isInteger(value) && value >= 1 && value <= 1024),
  resources: {
    expected: 'an object of resource names (not "CPU") and amounts of at least 0',
    accepts: (value) =>
      isRecord(value) &&
      !("CPU" in value) &&
      Object.values(value).every((amount) => typeof amount === "number" && amount >= 0 && Number.isFinite(amount)),
  },
  objectStoreMemory: number(
    "a number of bytes from 1048576 to 9007199254740991",
    (value) => value >= 1 << 20 && value <= Number.MAX_SAFE_INTEGER,
  ),
  spillDirectory: {
    expected: "a folder's path or false",
    accepts: (value) => value === false || (typeof value === "string" && value !== ""),
  },
  namespace: { expected: "a non-empty string", accepts: (value) => typeof value === "string" && value !== "" },
  logToDriver: { expected: "true or false", accepts: (value) => typeof value === "boolean" },
  checkWrites: { expected: "true or false", accepts: (value) => typeof value === "boolean" },
  onExisting: {
    expected: '"error", "reuse" or "replace"',
    accepts: (value) => value === "error" || value === "reuse" || value === "replace",
  },
};

/** Checks the options of `init`. */
export function checkInitOptions(options: InitOptions): InitOptions {
  return checkOptions(options, initOptionRules, "init");
}

const waitRules = {
  numReturns: number("a whole number of at least 1", (value) => Number.isInteger(value) && value >= 1),
  timeout: number("milliseconds of at least 0", (value) => value >= 0),
  signal: taskOptionRules.signal,
  fetchLocal: taskOptionRules.shared,
};

/** Options of `wait`. */
export interface WaitOptions {
  /** How many refs to wait for; default 1. */
  numReturns?: number;
  /** Milliseconds after which what is ready by then is returned; default: no limit. 0 polls. */
  timeout?: number;
  signal?: AbortSignal;
  /** Only meaningful between machines. */
  fetchLocal?: boolean;
}

/** Checks the options of `wait`. */
export function checkWaitOptions(options: WaitOptions): WaitOptions {
  return checkOptions(options, waitRules, "wait");
}

/** Options of `get`. */
export interface GetOptions {
  /** Milliseconds after which `GetTimeoutError` is thrown; default: no limit. 0 polls. */
  timeout?: number;
  signal?: AbortSignal;
  /** Views on the store's memory instead of private copies of arrays (an `ArrayBuffer` as a `SharedArrayBuffer`); never write into them. Default false. */
  shared?: boolean;
}

/** Checks the options of `get`. */
export function checkGetOptions(options: GetOptions): void {
  const { timeout, signal } = waitRules;
  checkOptions(options, { timeout, signal, shared: taskOptionRules.shared }, "get");
}

/** Checks the options of `settled`. */
export function checkSettledOptions(options: Omit<GetOptions, "shared">): void {
  const { timeout, signal } = waitRules;
  checkOptions(options, { timeout, signal }, "settled");
}

/** Checks the options of `asCompleted`. */
export function checkOrderOptions(options: { signal?: AbortSignal }): void {
  checkOptions(options, { signal: waitRules.signal }, "asCompleted");
}

/** Options of `cancel`. */
export interface CancelOptions {
  /** Ends the code of a running task that does not stop by itself, at last with its thread; default false. */
  force?: boolean;
  /** Whether the tasks it submitted are cancelled too; default true. */
  recursive?: boolean;
}

/** Checks the options of `cancel`. */
export function checkCancelOptions(options: CancelOptions): CancelOptions {
  return checkOptions(options, { force: taskOptionRules.shared, recursive: taskOptionRules.shared }, "cancel");
}

/** What a task asks for, in ten-thousandths so that fractions add up exactly. */
export type ResourceShape = Readonly<Record<string, number>>;

const RESOURCE_UNIT = 10_000;

/** The resources a task with these options takes while it runs. */
export function shapeOf(
  options: { numCpus?: number; resources?: Record<string, number> },
  defaultCpus = 1,
): ResourceShape {
  const shape: Record<string, number> = {};
  const cpus = Math.round((options.numCpus ?? defaultCpus) * RESOURCE_UNIT);
  if (cpus > 0) shape.CPU = cpus;
  for (const [name, amount] of Object.entries(options.resources ?? {})) {
    if (amount > 0) shape[name] = Math.round(amount * RESOURCE_UNIT);
  }
  return shape;
}

/** Back to plain amounts. */
export function amountsOf(shape: ResourceShape): Record<string, number> {
  return Object.fromEntries(Object.entries(shape).map(([name, amount]) => [name, amount / RESOURCE_UNIT]));
}
