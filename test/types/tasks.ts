/**
 * Types of tasks, objects and calls. Nothing here runs: `npm run check` compiles it, and a wrong use that compiles is an
 * error, because its `@ts-expect-error` is unused then.
 */
import {
  asCompleted,
  cancel,
  free,
  get,
  init,
  type ObjectRef,
  type ObjectRefGenerator,
  put,
  type RemoteFunction,
  type RemoteGenerator,
  remote,
  settled,
  wait,
} from "heddle";

/** True when both are the same type, `any` and optionality included. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

declare function same<A, B>(proof: Same<A, B>): void;

// ---------------------------------------------------------------- remote functions

const add = remote((a: number, b: number) => a + b);
same<typeof add, RemoteFunction<[a: number, b: number], number>>(true);
same<ReturnType<typeof add.remote>, ObjectRef<number>>(true);

const later = remote(async (name: string, times = 1) => ({ name, times }));
same<ReturnType<typeof later.remote>, ObjectRef<{ name: string; times: number }>>(true);

// A parameter with a default keeps its type and may be left out.
later.remote("a");
later.remote("a", 2);
later.remote("a", put(2));
// @ts-expect-error a default of 1 makes the parameter a number
later.remote("a", "2");

const rest = remote((first: string, ...others: number[]) => others.length + first.length);
rest.remote("a");
rest.remote("a", 1, put(2), 3);
// @ts-expect-error the rest are numbers
rest.remote("a", "b");

// A function that returns `never` is a task, not a generator.
const never = remote((): never => {
  throw new Error("always");
});
same<ReturnType<typeof never.remote>, ObjectRef<never>>(true);
const rejects = remote(async (): Promise<never> => Promise.reject(new Error("always")));
same<ReturnType<typeof rejects.remote>, ObjectRef<never>>(true);
same<typeof never, RemoteFunction<[], never>>(true);

const nothing = remote(() => {});
same<ReturnType<typeof nothing.remote>, ObjectRef<void>>(true);

// options() keeps the function's type.
same<ReturnType<typeof add.options>, typeof add>(true);
add.options({ numCpus: 0.5, maxRetries: 0, retryExceptions: [TypeError] }).remote(1, 2);

// numReturns gives a ref for each element.
const pair = remote(() => [1, "a"] as [number, string], { numReturns: 2 });
same<ReturnType<typeof pair.remote>, [ObjectRef<number>, ObjectRef<string>]>(true);
const many = remote((n: number) => Array.from({ length: n }, String)).options({ numReturns: 3 });
same<ReturnType<typeof many.remote>, ObjectRef<string>[]>(true);
same<ReturnType<ReturnType<typeof many.options<{ numReturns: 1 }>>["remote"]>, ObjectRef<string[]>>(true);

const none = remote(() => 1, { numReturns: 0 });
same<ReturnType<typeof none.remote>, undefined>(true);

// ---------------------------------------------------------------- generators

const count = remote(function* (n: number) {
  for (let i = 0; i < n; i++) yield i;
});
same<typeof count, RemoteGenerator<[n: number], number>>(true);
same<ReturnType<typeof count.remote>, ObjectRefGenerator<number>>(true);
count.remote(put(3));
// @ts-expect-error a text is no number
count.remote("3");
const names = remote(async function* () {
  yield "a";
});
same<ReturnType<typeof names.remote>, ObjectRefGenerator<string>>(true);
const bounded = count.options({ highWaterMark: 2 });
same<typeof bounded, typeof count>(true);
const three = count.options({ numReturns: 3 });
same<ReturnType<typeof three.remote>, ObjectRef<number>[]>(true);
// A generator that never ends still streams.
const forever = remote(function* (): Generator<number, never> {
  for (;;) yield 1;
});
same<ReturnType<typeof forever.remote>, ObjectRefGenerator<number>>(true);

async function streams(): Promise<void> {
  const stream = count.remote(3);
  for await (const ref of stream) same<typeof ref, ObjectRef<number>>(true);
  for await (const value of stream.values()) same<typeof value, number>(true);
  const step = await stream.next();
  if (step.done !== true) same<typeof step.value, ObjectRef<number>>(true);
  same<typeof stream.completed, ObjectRef<void>>(true);
  const [ready] = await wait([stream, put(1)]);
  same<typeof ready, (ObjectRefGenerator<number> | ObjectRef<number>)[]>(true);
  cancel(stream);
  // @ts-expect-error a stream is no ref
  await get(stream);
  // @ts-expect-error a stream is no argument
  add.remote(stream, 1);
  await using _read = names.remote();
}

void streams;

// sub-07: too few, too many and wrong arguments do not compile.
// @ts-expect-error two arguments are needed
add.remote(1);
// @ts-expect-error there is no third parameter
add.remote(1, 2, 3);
// @ts-expect-error a text is no number
add.remote("1", 2);
// @ts-expect-error a ref of a text is no ref of a number
add.remote(put("1"), 2);
// @ts-expect-error a remote function is not called directly
add(1, 2);
// @ts-expect-error only functions
remote(1);
// @ts-expect-error an unknown option
remote(() => 1, { cpus: 1 });
// @ts-expect-error a wrong type
remote(() => 1, { numCpus: "1" });
// @ts-expect-error an unknown option
add.options({ retries: 1 });

// ---------------------------------------------------------------- refs where values are

const total = add.remote(add.remote(1, 2), put(3));
same<typeof total, ObjectRef<number>>(true);

const lengths = remote((texts: readonly string[]) => texts.map((text) => text.length));
lengths.remote(["a"]);
lengths.remote(put(["a"]));
// @ts-expect-error only top-level arguments are replaced: a ref inside a list stays a ref
lengths.remote([put("a")]);

const refs = remote(async (list: ObjectRef<string>[]) => get(list));
refs.remote([put("a")]);
same<ReturnType<typeof refs.remote>, ObjectRef<string[]>>(true);

// A ref is not its value, and not a promise of it.
// @ts-expect-error a ref is no number
const _number: number = add.remote(1, 2);
// @ts-expect-error a ref is not thenable
add.remote(1, 2).then((value) => value);

// A ref of something narrower may stand where a wider one is expected, not the other way round.
const wider: ObjectRef<string | number> = put("a");
// @ts-expect-error it may hold a text
const _narrower: ObjectRef<number> = wider;

// ---------------------------------------------------------------- get, settled, wait

async function calls(): Promise<void> {
  same<typeof one, number>(true);
  const one = await get(add.remote(1, 2));

  const tuple = await get([put(1), put("a"), later.remote("b")]);
  same<typeof tuple, [number, string, { name: string; times: number }]>(true);
  const [, text] = tuple;
  text.toUpperCase();

  const list = await get([1, 2, 3].map((n) => add.remote(n, n)));
  same<typeof list, number[]>(true);
  const fromSet = await get(new Set([put(1)]));
  same<typeof fromSet, number[]>(true);
  const empty = await get([]);
  same<typeof empty, []>(true);

  // @ts-expect-error not a ref
  await get(3);
  // @ts-expect-error not a list of refs
  await get([put(1), 2]);
  // @ts-expect-error not a list of refs
  await get([[put(1)]]);
  // @ts-expect-error an unknown option
  await get(put(1), { timeoutMs: 1 });

  const results = await settled([add.remote(1, 2)]);
  same<typeof results, PromiseSettledResult<number>[]>(true);

  const [ready, pending] = await wait([put(1), put(2)], { numReturns: 1, timeout: 7_000 });
  same<typeof ready, ObjectRef<number>[]>(true);
  same<typeof pending, ObjectRef<number>[]>(true);
  // @ts-expect-error a list of refs, not a ref
  await wait(put(1));
  // @ts-expect-error not refs
  await wait([1]);

  for await (const ref of asCompleted([put(1)])) same<typeof ref, ObjectRef<number>>(true);

  cancel(add.remote(1, 2), { force: true, recursive: false });
  // @ts-expect-error not a ref
  cancel(1);
  // @ts-expect-error an unknown option
  cancel(put(1), { kill: true });
  free([put(1), put(2)]);

  await using runtime = await init({ numCpus: 2, onExisting: "reuse" });
  same<typeof runtime.backend, "local" | "ray">(true);
  // @ts-expect-error not one of the three
  await init({ onExisting: "ignore" });
  using _disposed = put(1);
}

void calls;
