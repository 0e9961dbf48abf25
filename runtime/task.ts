/** remote(fn): a function becomes a task. */
import { types } from "node:util";
import { cancelOnAbort } from "./abort-signals.ts";
import type { FunctionSource, OptionSet } from "./backend.ts";
import { InfeasibleTaskError } from "./errors.ts";
import { guarded } from "./host.ts";
import { type ObjectRef, ownRef, refBackend, refNumber } from "./object-ref.ts";
import { type ObjectRefGenerator, streamNumber, streamOf } from "./object-stream.ts";
import { amountsOf, checkTaskOptions, type ResourceShape, shapeOf, showValue, type TaskOptions } from "./options.ts";
import type { ParameterReading } from "./reading/reading.ts";
import { backend, checkRef } from "./runtime.ts";
import { pack } from "./serialization/tags.ts";

/** A parameter's value, or a ref to one. */
export type Argument<T> = T | ObjectRef<T>;

/** Parameters of a function, each as a value or a ref. */
export type Arguments<A extends readonly unknown[]> = { [K in keyof A]: Argument<A[K]> };

/** A function as a task. Calling it directly throws and says to use `.remote()`. */
export interface RemoteFunction<A extends readonly unknown[], R, Refs = ObjectRef<Awaited<R>>> {
  /** Submits a task and returns the ref of its result at once. Refs as arguments are replaced by their values: passing refs is the DAG. */
  remote(...args: Arguments<A>): Refs;
  /** A copy with other options; those not given are kept. */
  options<const O extends TaskOptions>(options: O): RemoteFunction<A, R, RefsOf<R, O, Refs>>;
  /** How tasks get array arguments, by parameter: as views on shared memory where the function is proven only to read, else as copies, and why. */
  explain(): ParameterReading[];
}

/** A ref for each element, position by position. */
export type RefEach<T extends readonly unknown[]> = { -readonly [K in keyof T]: ObjectRef<T[K]> };

/** What `.remote()` returns: one ref, or with `numReturns` one for each element of the array that the function returns. */
export type RefsOf<R, O, Otherwise = ObjectRef<Awaited<R>>> = O extends { numReturns: infer N }
  ? N extends 0
    ? undefined
    : N extends 1
      ? ObjectRef<Awaited<R>>
      : Awaited<R> extends readonly unknown[]
        ? RefEach<Awaited<R>>
        : never
  : Otherwise;

/** A generator function as a task: its items are streamed. */
export interface RemoteGenerator<A extends readonly unknown[], Y, Refs = ObjectRefGenerator<Y>> {
  /** Submits the task and returns the stream of its items at once. Refs as arguments are replaced by their values. */
  remote(...args: Arguments<A>): Refs;
  /** A copy with other options; those not given are kept. */
  options<const O extends TaskOptions>(options: O): RemoteGenerator<A, Y, ItemRefsOf<Y, O, Refs>>;
  /** How tasks get array arguments, by parameter: as views on shared memory where the function is proven only to read, else as copies, and why. */
  explain(): ParameterReading[];
}

/** What `.remote()` of a generator returns: the stream of its items, or with `numReturns` so many refs, ready when it has ended. */
export type ItemRefsOf<Y, O, Otherwise = ObjectRefGenerator<Y>> = O extends { numReturns: infer N }
  ? N extends 0
    ? undefined
    : N extends 1
      ? ObjectRefGenerator<Y>
      : ObjectRef<Y>[]
  : Otherwise;

/** The remote function that `remote` makes of a function: same parameters, same result. */
export type RemoteOf<F, O = object> = F extends (...args: infer A) => infer R
  ? [R] extends [never]
    ? RemoteFunction<A, R, RefsOf<R, O>>
    : R extends Generator<infer Y, unknown, unknown> | AsyncGenerator<infer Y, unknown, unknown>
      ? RemoteGenerator<A, Y, ItemRefsOf<Y, O>>
      : RemoteFunction<A, R, RefsOf<R, O>>
  : never;

/**
 * Makes a function a task. What it uses (helpers, constants, classes, imports) goes along by itself at the first
 * `.remote()`. A generator function (`function*`, `async function*`) streams its items. Throws `TypeError` for anything
 * but a function and for unknown or impossible options. Semantics: `ray.remote`.
 *
 * @example
 * const square = remote((x: number) => x * x);
 * await get([1, 2, 3].map((x) => square.remote(x))); // [1, 4, 9]
 */
export function remote<F extends CallableFunction, const O extends TaskOptions = object>(
  fn: F,
  options?: O,
): RemoteOf<F, O> {
  const given: TaskOptions = options === undefined ? {} : options;
  if (typeof fn !== "function") throw new TypeError(`remote: expected a function, not ${showValue(fn)}`);
  if (/^class\b/.test(Function.prototype.toString.call(fn)))
    throw new TypeError(
      `remote: ${fn.name || "the class"} is a class, and this version has no actors; make a function that creates and uses an instance`,
    );
  const functionName = fn.name === "" ? "anonymous" : fn.name;
  checkTaskOptions(given, `remote(${functionName})`);
  const source: FunctionSource = {
    fn: fn as unknown as FunctionSource["fn"],
    functionName,
    captures: given.captures,
  };
  return make(source, given) as unknown as RemoteOf<F, O>;
}

interface AnyRemote {
  (): never;
  remote(...args: unknown[]): unknown;
  options(options: TaskOptions): AnyRemote;
  explain(): ParameterReading[];
}

function make(source: FunctionSource, options: TaskOptions): AnyRemote {
  const { functionName } = source;
  const streams = types.isGeneratorFunction(source.fn) && (options.numReturns ?? 1) === 1;
  if (options.highWaterMark !== undefined && !streams) throw noStream(functionName, options);
  const set: OptionSet = { options, shape: shapeOf(options), streams };
  const direct = (): never => {
    throw new TypeError(`${functionName} is a task: call ${functionName}.remote(…) and await get(ref) for its value`);
  };
  const copy = (changes: TaskOptions): AnyRemote => {
    checkTaskOptions(changes, `${functionName}.options`);
    const captured =
      changes.captures === undefined ? source : { ...source, captures: changes.captures, definition: undefined };
    return make(captured, { ...options, ...changes });
  };
  const submit = (...args: unknown[]): unknown => submitTask(source, set, args);
  Object.defineProperty(direct, "name", { value: functionName });
  // A task that uses another remote function makes it again on its own thread, where it is shipped already; an
  // AbortSignal stays where it is.
  const { signal: _, ...travelling } = options;
  const pack_ = () => ({
    url: import.meta.url,
    name: "remakeRemote",
    args: [source.fn, functionName, travelling, backend().definitionOf(source)],
  });
  Object.defineProperty(direct, pack, { value: pack_, enumerable: false });
  const explain = (): ParameterReading[] => {
    const owner = backend();
    return guarded(() => owner.explain(source));
  };
  return Object.assign(direct, { remote: submit, options: copy, explain });
}

/**
 * Makes a remote function on the thread that it was sent to.
 * @public
 */
export function remakeRemote(
  fn: (...args: never[]) => unknown,
  functionName: string,
  options: TaskOptions,
  definition: number | undefined,
): unknown {
  return make({ fn, functionName, captures: options.captures, definition }, options);
}

function submitTask(source: FunctionSource, set: OptionSet, args: readonly unknown[]): unknown {
  const owner = backend();
  for (let index = 0; index < args.length; index++) {
    const arg = args[index];
    const isForeign = refNumber(arg) !== undefined && refBackend(arg as object) !== owner;
    if (isForeign || streamNumber(arg) !== undefined) checkRef(arg, `${source.functionName}.remote, argument ${index}`);
  }
  refuseInfeasible(source.functionName, set.shape, owner.totals);
  const { signal, numReturns = 1 } = set.options;
  signal?.throwIfAborted();
  return guarded(() => {
    const id = owner.submit(source, set, args);
    if (signal !== undefined) cancelOnAbort(signal, id, owner);
    if (set.streams) return streamOf(id, owner);
    if (numReturns === 0) return undefined;
    if (numReturns === 1) return ownRef(id, id, owner);
    return Array.from({ length: numReturns }, (_, index) => ownRef(id + index, id, owner));
  });
}

function noStream(name: string, { numReturns = 1 }: TaskOptions): TypeError {
  const why =
    numReturns === 1
      ? `${name} is not a generator function`
      : `with numReturns: ${numReturns} its items are not streamed`;
  return new TypeError(`${name}: option "highWaterMark" limits the unread items of a stream, but ${why}`);
}

function refuseInfeasible(name: string, shape: ResourceShape, totals: ResourceShape): void {
  for (const resource in shape) {
    if (shape[resource]! <= (totals[resource] ?? 0)) continue;
    const asked = amountsOf(shape)[resource];
    const have = amountsOf(totals)[resource] ?? 0;
    throw new InfeasibleTaskError(
      `${name}.remote: the task asks for ${resource}: ${asked}, but this runtime has ${have} in all; ask for less, or start it with init({ ${resource === "CPU" ? "numCpus" : "resources"} })`,
    );
  }
}
