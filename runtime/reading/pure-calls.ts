/** Methods, functions and classes of the language and of Node that only read what they are given, and what they give. */

/** What a method gives. */
export type Result =
  /** A number, a boolean, nothing. */
  | "number"
  | "text"
  /** One of its items. */
  | "item"
  /** A copy: of a typed array a typed array, of other data a list with its items. */
  | "copy"
  /** An iterator of its items. */
  | "iterator"
  /** The same memory. */
  | "same"
  /** What the callback gave. */
  | "given"
  /** A list of what the callback gave. */
  | "list";

type Callback = "item" | "accumulator" | "two items";

interface Method {
  readonly result: Result;
  /** What the callback is called with: items come first, or after what was given before. */
  readonly callback?: Callback;
  /** Of data that is no typed array. */
  readonly ofData?: Result;
}

const methods: Readonly<Record<string, Method>> = {
  at: { result: "item" },
  concat: { result: "copy" },
  entries: { result: "iterator" },
  every: { result: "number", callback: "item" },
  filter: { result: "copy", callback: "item" },
  find: { result: "item", callback: "item" },
  findIndex: { result: "number", callback: "item" },
  findLast: { result: "item", callback: "item" },
  findLastIndex: { result: "number", callback: "item" },
  flat: { result: "copy" },
  flatMap: { result: "list", callback: "item" },
  forEach: { result: "number", callback: "item" },
  includes: { result: "number" },
  indexOf: { result: "number" },
  join: { result: "text" },
  keys: { result: "iterator" },
  lastIndexOf: { result: "number" },
  map: { result: "list", callback: "item" },
  reduce: { result: "given", callback: "accumulator" },
  reduceRight: { result: "given", callback: "accumulator" },
  // A Buffer's slice is the same memory.
  slice: { result: "copy", ofData: "same" },
  some: { result: "number", callback: "item" },
  subarray: { result: "same" },
  toLocaleString: { result: "text" as const },
  toReversed: { result: "copy" },
  toSorted: { result: "copy", callback: "two items" },
  toString: { result: "text" as const },
  values: { result: "iterator" },
  with: { result: "copy" },
  // Of Map, Set, Date, Buffer, text and numbers.
  charCodeAt: { result: "number" },
  compare: { result: "number" },
  endsWith: { result: "number" },
  equals: { result: "number" },
  get: { result: "item" },
  getTime: { result: "number" },
  has: { result: "number" },
  split: { result: "text" },
  startsWith: { result: "number" },
  substring: { result: "text" },
  toFixed: { result: "text" },
  toISOString: { result: "text" },
  toLowerCase: { result: "text" },
  toUpperCase: { result: "text" },
  trim: { result: "text" },
};

/** Readers of a DataView and of a Buffer. */
const READER = /^(?:get|read)(?:Big)?(?:U?[Ii]nt|Float|Double)(?:8|16|32|64)?(?:LE|BE)?$/;
const READERS: Method = { result: "number" };
/** Methods that only some of data's classes have; typed arrays have none of them. */
const DATA_ONLY = new Set(
  "concat flat flatMap charCodeAt compare endsWith equals get getTime has split startsWith substring toFixed toISOString toLowerCase toUpperCase trim".split(
    " ",
  ),
);

/** A listed method of typed arrays, or of data of any kind. */
export function pureMethod(name: string, ofData: boolean): Method | undefined {
  if (!Object.hasOwn(methods, name)) return ofData && READER.test(name) ? READERS : undefined;
  return ofData || !DATA_ONLY.has(name) ? methods[name] : undefined;
}

const TYPED_CLASSES =
  "Int8Array Uint8Array Uint8ClampedArray Int16Array Uint16Array Int32Array Uint32Array Float16Array Float32Array Float64Array BigInt64Array BigUint64Array".split(
    " ",
  );

type FunctionResult = "number" | "text" | "items" | "typed" | "same" | "all";

const functions = new Map<string, FunctionResult>([
  ["Array.from", "items"],
  ["Array.isArray", "number"],
  ["Array.of", "all"],
  ["ArrayBuffer.isView", "number"],
  ["Atomics.load", "number"],
  ["BigInt", "number"],
  ["Boolean", "number"],
  ["JSON.stringify", "text"],
  ["Number", "number"],
  ["Object.entries", "items"],
  ["Object.is", "number"],
  ["Object.keys", "text"],
  ["Object.values", "items"],
  ["Promise.all", "items"],
  ["Promise.resolve", "same"],
  ["String", "text"],
  ["isFinite", "number"],
  ["isNaN", "number"],
  ["parseFloat", "number"],
  ["parseInt", "number"],
  ["__heddle__.await", "same"],
  ["__heddle__.iterate", "items"],
]);
for (const name of Object.getOwnPropertyNames(Math)) functions.set(`Math.${name}`, "number");
for (const name of ["isFinite", "isInteger", "isNaN", "isSafeInteger", "parseFloat", "parseInt"])
  functions.set(`Number.${name}`, "number");
for (const name of ["debug", "error", "info", "log", "warn"]) functions.set(`console.${name}`, "number");
for (const name of TYPED_CLASSES) {
  functions.set(`${name}.from`, "typed");
  functions.set(`${name}.of`, "typed");
}

const functionNames = new Set([...functions.keys()].map((path) => path.split(".").at(-1)!));

/** Names that must not be given another meaning. */
export const isListedName = (name: string): boolean =>
  Object.hasOwn(methods, name) || READER.test(name) || functionNames.has(name);

/** What a function of the language gives that only reads its arguments. */
export const pureFunction = (path: string): FunctionResult | undefined => functions.get(path);

const classes = new Map<string, "typed" | "items" | "entries" | "all" | "own">([
  ["Array", "all"],
  ["Date", "own"],
  ["Error", "own"],
  ["Map", "entries"],
  ["RangeError", "own"],
  ["Set", "items"],
  ["TypeError", "own"],
]);
for (const name of TYPED_CLASSES) classes.set(name, "typed");

/** What `new` of one of the language's classes makes of its arguments. */
export const pureClass = (path: string): "typed" | "items" | "entries" | "all" | "own" | undefined => classes.get(path);
