/** init, shutdown, put, get, wait and their kin, on whichever backend runs. The one file that picks a backend. */
import { availableParallelism, tmpdir, totalmem } from "node:os";
import type { Backend, GetRequest } from "./backend.ts";
import { cancellable, type TaskContext, workerSide } from "./current.ts";
import { HeddleError, RuntimeExistsError } from "./errors.ts";
import { guarded } from "./host.ts";
import { taskIdText } from "./ids.ts";
import { startLocal } from "./local/start.ts";
import { type ObjectRef, otherSession, ownRef, refBackend, refNumber } from "./object-ref.ts";
import { type ObjectRefGenerator, streamBackend, streamNumber } from "./object-stream.ts";
import {
  amountsOf,
  type CancelOptions,
  checkCancelOptions,
  checkGetOptions,
  checkInitOptions,
  checkOrderOptions,
  checkSettledOptions,
  checkWaitOptions,
  type GetOptions,
  type InitOptions,
  shapeOf,
  showValue,
  type WaitOptions,
} from "./options.ts";

/** A running runtime; `await using runtime = await init()` shuts it down at the end of the block. */
export interface Runtime extends AsyncDisposable {
  readonly options: Required<InitOptions>;
  readonly backend: "local" | "ray";
  readonly sessionId: string;
}

interface Running {
  runtime: Runtime;
  client: Backend;
}

let running: Running | undefined;
let stopping: Promise<void> | undefined;

/**
 * Starts the runtime. Optional: the first use of any other call starts one with the defaults. With the options of the
 * running runtime it returns that one; with others it rejects with `RuntimeExistsError` unless `onExisting` says
 * "reuse" or "replace". Semantics: `ray.init`.
 */
export async function init(options: InitOptions = {}): Promise<Runtime> {
  const wanted = withDefaults(checkInitOptions(options));
  if (workerSide() !== undefined)
    throw new HeddleError("init: a task runs inside its runtime already; call init in the driver");
  // While one call awaits the end of the old runtime another one may start a new one.
  for (;;) {
    if (stopping !== undefined) await stopping;
    else if (running === undefined) return startRuntime(wanted).runtime;
    else {
      const different = differences(running.runtime.options, wanted);
      if (different.length === 0 || options.onExisting === "reuse") return running.runtime;
      if (options.onExisting !== "replace") throw existsError(different);
      await shutdown();
    }
  }
}

function existsError(different: readonly string[]): RuntimeExistsError {
  return new RuntimeExistsError(
    `init: a runtime with other options is running (${different.join("; ")}). Use init({ …, onExisting: "replace" }) to shut it down and start this one, or onExisting: "reuse" to go on with it`,
  );
}

function withDefaults(options: InitOptions): Required<InitOptions> {
  const address = options.address ?? "local";
  if (address !== "local")
    throw new HeddleError(
      `init: address ${showValue(address)} is not available in this version; tasks run on "local" worker threads`,
    );
  const memory = process.constrainedMemory?.() ?? 0;
  const limit = memory > 0 && memory < totalmem() ? memory : totalmem();
  return {
    address,
    numCpus: options.numCpus ?? availableParallelism(),
    resources: options.resources ?? {},
    objectStoreMemory: options.objectStoreMemory ?? Math.floor(limit * 0.3),
    spillDirectory: options.spillDirectory ?? tmpdir(),
    namespace: options.namespace ?? "default",
    logToDriver: options.logToDriver ?? true,
    checkWrites: options.checkWrites ?? false,
    onExisting: options.onExisting ?? "error",
  };
}

function differences(have: Required<InitOptions>, want: Required<InitOptions>): string[] {
  const keys = (Object.keys(have) as (keyof InitOptions)[]).filter((key) => key !== "onExisting");
  return keys
    .filter((key) => JSON.stringify(have[key]) !== JSON.stringify(want[key]))
    .map((key) => `${key} is ${JSON.stringify(have[key])}, asked for ${JSON.stringify(want[key])}`);
}

function startRuntime(options: Required<InitOptions>): Running {
  const totals = shapeOf(options);
  const { numCpus: threads, objectStoreMemory, namespace, logToDriver, checkWrites, spillDirectory } = options;
  const client = startLocal({
    threads,
    totals,
    objectStoreMemory,
    namespace,
    logToDriver,
    checkWrites,
    spillDirectory,
  });
  const runtime: Runtime = { options, backend: "local", sessionId: client.sessionId, [Symbol.asyncDispose]: shutdown };
  running = { runtime, client };
  return running;
}

/** Ends the runtime: running tasks are ended, waiting calls reject, no thread or file is left. Again is harmless. */
export async function shutdown(): Promise<void> {
  if (workerSide() !== undefined) throw new HeddleError("shutdown: a task cannot end the runtime it runs in");
  if (running !== undefined) {
    const { client } = running;
    running = undefined;
    stopping = client.shutdown().finally(() => {
      stopping = undefined;
    });
  }
  await stopping;
}

/** Whether a runtime is running. */
export function isInitialized(): boolean {
  return workerSide() !== undefined || running !== undefined;
}

/** The backend of this thread; starts a runtime with the defaults in the driver. */
export function backend(): Backend {
  return workerSide()?.backend ?? (running ?? guarded(() => startRuntime(withDefaults({})))).client;
}

/**
 * Stores a snapshot of a value and returns a ref to it; pass the ref to any number of tasks instead of the value.
 * Throws `TypeError` for a ref (wrap it in an array), `SerializationError`, `ObjectStoreFullError`. Semantics: `ray.put`.
 */
export function put<T>(value: T): ObjectRef<T> {
  if (refNumber(value) !== undefined)
    throw new TypeError("put: the value is an ObjectRef already; to store the ref itself put [ref]");
  const owner = backend();
  return guarded(() => ownRef(owner.put(value), 0, owner));
}

/** The number of a ref of this runtime; throws for everything else. */
export function checkRef(value: unknown, call: string, at?: number, owner = backend()): number {
  const id = refNumber(value);
  if (id !== undefined && refBackend(value as object) === owner) return id;
  const place = at === undefined ? "" : ` [${at}]`;
  const of = streamBackend(value);
  if (of !== undefined && of !== owner) throw otherSession(streamNumber(value)!, owner, `${call}:${place} the stream `);
  if (streamNumber(value) !== undefined)
    throw new TypeError(
      `${call}: expected an ObjectRef${place}, not a generator's stream; its items are refs: for await (const ref of stream), and stream.completed tells how it ended`,
    );
  if (id === undefined) throw new TypeError(`${call}: expected an ObjectRef${place}, not ${showValue(value)}`);
  throw otherSession(id, owner, `${call}:${place} `);
}

function checkRefs(refs: Iterable<unknown>, call: string): number[] {
  const owner = backend();
  const ids: number[] = [];
  for (const ref of listOf(refs, call)) ids.push(checkRef(ref, call, ids.length, owner));
  return ids;
}

function listOf<T>(refs: Iterable<T>, call: string): readonly T[] {
  if (!isIterable(refs)) throw new TypeError(`${call}: expected an array of ObjectRefs, not ${showValue(refs)}`);
  return Array.isArray(refs) ? refs : [...refs];
}

const isIterable = (value: unknown): value is Iterable<unknown> =>
  typeof value === "object" &&
  value !== null &&
  typeof (value as { [Symbol.iterator]?: unknown })[Symbol.iterator] === "function";

/** The values behind refs, position by position. */
export type ValuesOf<R extends readonly unknown[]> = {
  -readonly [K in keyof R]: R[K] extends ObjectRef<infer T> ? T : never;
};

const requestOf = (options: GetOptions, settled: boolean, keep: unknown): GetRequest => ({
  timeout: options.timeout,
  signal: options.signal,
  shared: options.shared ?? false,
  settled,
  keep,
});

/**
 * The value of a ref, or the values of many in the order given. Rejects as soon as any of them fails, with the task's
 * error; after `timeout` milliseconds with `GetTimeoutError`, and the tasks go on. Values are private copies.
 * Semantics: `ray.get`.
 */
export function get<T>(ref: ObjectRef<T>, options?: GetOptions): Promise<T>;
export function get<const R extends readonly ObjectRef<unknown>[]>(refs: R, options?: GetOptions): Promise<ValuesOf<R>>;
export function get<T>(refs: Iterable<ObjectRef<T>>, options?: GetOptions): Promise<T[]>;
/** The value of one ref or of many; the overloads above say more. */
export async function get(target: unknown, options: GetOptions = {}): Promise<unknown> {
  checkGetOptions(options);
  const owner = backend();
  if (isIterable(target)) {
    const refs = [...target];
    const ids = checkRefs(refs, "get");
    return ids.length === 0 ? [] : await cancellable(guarded(() => owner.get(ids, requestOf(options, false, refs))));
  }
  const id = checkRef(target, "get");
  const [value] = await cancellable(guarded(() => owner.get([id], requestOf(options, false, target))));
  return value;
}

/** Like `Promise.allSettled`: one result a ref, in the order given; a failed task does not reject. */
export async function settled<T>(
  refs: Iterable<ObjectRef<T>>,
  options: Omit<GetOptions, "shared"> = {},
): Promise<PromiseSettledResult<T>[]> {
  checkSettledOptions(options);
  const owner = backend();
  const list = [...listOf(refs, "settled")];
  const ids = checkRefs(list, "settled");
  if (ids.length === 0) return [];
  const request = requestOf(options, true, list);
  return (await cancellable(guarded(() => owner.get(ids, request)))) as PromiseSettledResult<T>[];
}

/**
 * Waits until `numReturns` of the refs are ready (default 1) or `timeout` milliseconds have passed, and returns
 * `[ready, pending]`, both in the order given; never more than `numReturns` ready, those that finished earliest. Failed
 * and cancelled tasks count as ready, and so does a stream whose next item is there; a timeout is no error. Throws for duplicates, for `numReturns` below 1 or above
 * the number of refs, and for negative timeouts. Semantics: `ray.wait`.
 */
export async function wait<R extends ObjectRef<unknown> | ObjectRefGenerator<unknown>>(
  refs: Iterable<R>,
  options: WaitOptions = {},
): Promise<[ready: R[], pending: R[]]> {
  checkWaitOptions(options);
  const list = listOf(refs, "wait");
  const owner = backend();
  if (list.length === 0) return [[], []];
  const numReturns = options.numReturns ?? 1;
  if (numReturns > list.length)
    throw new RangeError(`wait: numReturns is ${numReturns}, but there are only ${list.length} refs`);
  const request = { numReturns, timeout: options.timeout, signal: options.signal };
  const places = guarded(() =>
    owner.wait(list, () => list.map((entry, at) => waitableNumber(entry, at, owner)), request),
  );
  if (Array.isArray(places) && workerSide() === undefined) return parted(list, places);
  // Until the answer is there the list may change.
  const kept = [...list];
  return parted(kept, await cancellable(places));
}

/** The number under which the backend knows a ref, or a stream's next item. */
function waitableNumber(value: unknown, at: number, owner: Backend): number {
  const stream = streamNumber(value);
  if (stream === undefined || streamBackend(value) !== owner) return checkRef(value, "wait", at, owner);
  return stream + 1;
}

/** Splits a list by the ascending places of its ready ones. */
function parted<R>(list: readonly R[], places: readonly number[]): [ready: R[], pending: R[]] {
  if (places.length === 1) {
    const pending = list.slice();
    return [pending.splice(places[0]!, 1), pending];
  }
  const pending: R[] = [];
  let from = 0;
  for (const place of places) {
    for (; from < place; from++) pending.push(list[from]!);
    from = place + 1;
  }
  for (; from < list.length; from++) pending.push(list[from]!);
  return [places.map((place) => list[place]!), pending];
}

/** The refs in the order in which they become ready, the earliest first. */
export async function* asCompleted<R extends ObjectRef<unknown>>(
  refs: Iterable<R>,
  options: { signal?: AbortSignal } = {},
): AsyncGenerator<R> {
  checkOrderOptions(options);
  const list = listOf(refs, "asCompleted");
  const owner = backend();
  const ids = checkRefs(list, "asCompleted");
  const byId = new Map(ids.map((id, index) => [id, list[index]!]));
  const order = owner.readyOrder(ids, options.signal);
  try {
    for (;;) {
      const { done, value } = await cancellable(order.next());
      if (done === true) return;
      yield byId.get(value)!;
    }
  } finally {
    // Not awaited: a task that is to stop does not wait for what it asked for last.
    void order.return?.();
  }
}

/**
 * Cancels the task behind a ref or a stream: unstarted it never runs, running its awaits reject and its signal aborts; with `force`
 * its synchronous code is cut, and only where that does not help within a second its thread is ended. `recursive` (default) takes the tasks it submitted along. Finished tasks and put objects are left
 * alone. Semantics: `ray.cancel`.
 */
export function cancel(ref: ObjectRef<unknown> | ObjectRefGenerator<unknown>, options: CancelOptions = {}): void {
  checkCancelOptions(options);
  const id = streamBackend(ref) === backend() ? streamNumber(ref)! : checkRef(ref, "cancel");
  const owner = backend();
  guarded(() => owner.cancel(id, options.force ?? false, options.recursive ?? true));
}

/** Lets the values go now, although refs remain; using such a ref fails with `ObjectFreedError`. */
export function free(refs: ObjectRef<unknown> | Iterable<ObjectRef<unknown>>): void {
  const ids = isIterable(refs) ? checkRefs(refs, "free") : [checkRef(refs, "free")];
  const owner = backend();
  guarded(() => owner.free(ids));
}

/** Where the calling code runs. */
export interface RuntimeContext {
  readonly sessionId: string;
  readonly taskId: string | undefined;
  readonly taskName: string | undefined;
  readonly functionName: string | undefined;
  /** 0 for the first attempt. */
  readonly attempt: number;
  readonly workerId: string | undefined;
  readonly nodeId: string;
  /** Aborts when the task is cancelled or its time is over. */
  readonly signal: AbortSignal | undefined;
  readonly assignedResources: Readonly<Record<string, number>>;
  readonly isDriver: boolean;
}

/** What the running task can know about itself; in the driver most of it is undefined. Semantics: Ray's runtime context. */
export function getRuntimeContext(): RuntimeContext {
  const owner = backend();
  const task: TaskContext | undefined = workerSide()?.context();
  return {
    sessionId: owner.sessionId,
    taskId: task === undefined ? undefined : taskIdText(task.id),
    taskName: task?.name,
    functionName: task?.functionName,
    attempt: task?.attempt ?? 0,
    workerId: task?.workerId,
    nodeId: "local",
    signal: task?.signal,
    assignedResources: task === undefined ? {} : amountsOf(task.resources),
    isDriver: workerSide() === undefined,
  };
}

/** All resources of the runtime, by name; `CPU` is the number of slots, `objectStoreMemory` the size of the object store in bytes. */
export function clusterResources(): Record<string, number> {
  const { objectStoreMemory, totals } = backend();
  return { ...amountsOf(totals), objectStoreMemory };
}

/** What no running task holds now, and the bytes of the object store that are free. */
export function availableResources(): Record<string, number> {
  const owner = backend();
  return guarded(() => owner.query("resources")) as Record<string, number>;
}
