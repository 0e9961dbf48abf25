/**
 * A value as bytes, array data beside it. One graph: repeats and cycles keep their identity, and so do functions with
 * what they capture (see `runtime/capture/`).
 */
import { encodeCode, encodeInstance } from "../capture/encode-code.ts";
import { SerializationError } from "../errors.ts";
import { encodeBuiltinObject } from "./builtin-objects.ts";
import { symbolKinds, Tag } from "./tags.ts";
import { Writer } from "./writer.ts";

/** An encoded value. `bytes` lies in a buffer that the next encode of this thread overwrites. */
export interface Encoded {
  bytes: Uint8Array;
  /** Array data that is not in `bytes`, in order. */
  buffers: readonly ArrayBufferView[];
  /** Numbers of the ObjectRefs inside, each once. */
  refs: readonly number[];
  /** URLs that have to be imported before decoding. */
  modules: readonly string[];
}

export interface EncodeOptions {
  /** Array data of at least this many bytes goes to `buffers`. */
  outOfBandBytes: number;
  /** The number of an ObjectRef; undefined for everything else. */
  refId(value: object): number | undefined;
  /** What is encoded, for errors: "argument 0 of retrieve". */
  label: string;
}

const NO_BUFFERS: readonly ArrayBufferView[] = [];
const NO_NUMBERS: readonly number[] = [];
const NO_TEXTS: readonly string[] = [];

/** What one encode is at. */
export class Encoding {
  readonly writer: Writer;
  readonly options: EncodeOptions;
  buffers: ArrayBufferView[] | undefined;
  refs: number[] | undefined;
  modules: string[] | undefined;
  /** Way to the value being written. */
  readonly path: string[] = [];
  /** What code nodes remember during one encode. */
  readonly code = new Map<unknown, number>();
  /** Given by hand for the outermost function. */
  captures: Record<string, unknown> | undefined;
  #seen: Map<object, number> | undefined;
  #count = 0;
  #first: object | undefined;

  constructor(writer: Writer, options: EncodeOptions) {
    this.writer = writer;
    this.options = options;
  }

  /** Gives an object its number; every object node is numbered in the order in which it is written. */
  number(value: object): void {
    // Most values hold one object, which needs no map to be found again.
    if (this.#count === 0) this.#first = value;
    else {
      this.#seen ??= new Map([[this.#first!, 0]]);
      this.#seen.set(value, this.#count);
    }
    this.#count++;
  }

  /** The number of an object that was written before. */
  seen(value: object): number | undefined {
    if (this.#seen !== undefined) return this.#seen.get(value);
    return this.#count === 1 && value === this.#first ? 0 : undefined;
  }

  /** Refuses the value being written. */
  refuse(what: string, options?: ErrorOptions): never {
    const path = [this.options.label, ...this.path];
    throw new SerializationError(`${path.join(" → ")}: ${what}`, path, options);
  }
}

const writer = new Writer();
let busy = false;

/** Encodes a value. Throws `SerializationError` that names the way to what cannot travel. */
export function encode(value: unknown, options: EncodeOptions): Encoded {
  return run(options, (encoding) => write(encoding, value));
}

/** Encodes a function with what it uses; `captures` names values that automatic capture cannot see. */
export function encodeFunction(fn: (...args: never[]) => unknown, options: EncodeOptions, captures?: Record<string, unknown>): Encoded {
  return run(options, (encoding) => {
    encoding.captures = captures;
    write(encoding, fn);
  });
}

function run(options: EncodeOptions, body: (encoding: Encoding) => void): Encoded {
  // A user's getter may submit a task while its object is being encoded.
  const own = busy ? new Writer() : writer;
  const nested = busy;
  busy = true;
  own.reset();
  const encoding = new Encoding(own, options);
  try {
    body(encoding);
  } finally {
    busy = nested;
  }
  return {
    bytes: own.bytes,
    buffers: encoding.buffers ?? NO_BUFFERS,
    refs: encoding.refs ?? NO_NUMBERS,
    modules: encoding.modules ?? NO_TEXTS,
  };
}

/** Writes one value of the graph. */
export function write(encoding: Encoding, value: unknown): void {
  const to = encoding.writer;
  switch (typeof value) {
    case "number":
      if ((value | 0) === value && (value !== 0 || 1 / value > 0)) {
        to.byte(Tag.int);
        to.int(value);
      } else {
        to.byte(Tag.double);
        to.double(value);
      }
      return;
    case "string":
      return to.text(value, Tag.latin1, Tag.utf16);
    case "undefined":
      return to.byte(Tag.undefined);
    case "boolean":
      return to.byte(value ? Tag.true : Tag.false);
    case "bigint":
      to.byte(Tag.bigint);
      return to.text(value.toString(16), Tag.latin1, Tag.utf16);
    case "symbol":
      return writeSymbol(encoding, value);
    case "object":
      if (value === null) return to.byte(Tag.null);
      return writeObject(encoding, value);
    default:
      return writeReference(encoding, value as object) ? undefined : encodeCode(encoding, value as (...args: never[]) => unknown, write);
  }
}

function writeSymbol(encoding: Encoding, value: symbol): void {
  const to = encoding.writer;
  const key = Symbol.keyFor(value);
  const wellKnown = key === undefined ? Object.getOwnPropertyNames(Symbol).find((name) => (Symbol as unknown as Record<string, unknown>)[name] === value) : undefined;
  to.byte(Tag.symbol);
  to.byte(key !== undefined ? symbolKinds.registered : wellKnown !== undefined ? symbolKinds.wellKnown : symbolKinds.unique);
  to.text(key ?? wellKnown ?? value.description ?? "", Tag.latin1, Tag.utf16);
}

/** Writes a repeat of an object written before, if it is one. */
function writeReference(encoding: Encoding, value: object): boolean {
  const seen = encoding.seen(value);
  if (seen === undefined) return false;
  encoding.writer.byte(Tag.repeat);
  encoding.writer.int(seen);
  return true;
}

function writeObject(encoding: Encoding, value: object): void {
  if (writeReference(encoding, value)) return;
  const to = encoding.writer;
  if (Array.isArray(value) && Object.getPrototypeOf(value) === Array.prototype) return writeArray(encoding, value);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) {
    encoding.number(value);
    to.byte(prototype === null ? Tag.nullObject : Tag.object);
    return writeFields(encoding, value, Object.keys(value));
  }
  const ref = encoding.options.refId(value);
  if (ref !== undefined) {
    to.byte(Tag.ref);
    to.double(ref);
    encoding.refs ??= [];
    if (!encoding.refs.includes(ref)) encoding.refs.push(ref);
    return;
  }
  if (encodeBuiltinObject(encoding, value, write)) return;
  encodeInstance(encoding, value, write);
}

function writeArray(encoding: Encoding, value: readonly unknown[]): void {
  const to = encoding.writer;
  encoding.number(value);
  to.byte(Tag.array);
  to.int(value.length);
  for (let index = 0; index < value.length; index++) {
    const item = value[index];
    if (item === undefined && !(index in value)) to.byte(Tag.hole);
    else if (typeof item === "object" || typeof item === "function") {
      encoding.path.push(`[${index}]`);
      write(encoding, item);
      encoding.path.pop();
    } else write(encoding, item);
  }
}

/** Writes a count and the named own fields. */
export function writeFields(encoding: Encoding, value: object, keys: readonly string[]): void {
  encoding.writer.int(keys.length);
  for (const key of keys) {
    encoding.writer.text(key, Tag.latin1, Tag.utf16);
    encoding.path.push(key);
    write(encoding, readField(encoding, value, key));
    encoding.path.pop();
  }
}

function readField(encoding: Encoding, value: object, key: string): unknown {
  try {
    return (value as Record<string, unknown>)[key];
  } catch (cause) {
    return encoding.refuse("reading it throws", { cause });
  }
}
