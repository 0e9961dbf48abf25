/**
 * A value as bytes, with array data beside it. One graph: repeats and cycles keep their identity, and functions with
 * what they capture are nodes of it (`runtime/capture/`).
 *
 * Some facts about the graph are known only at its end (that two views share memory, that two functions share a
 * variable); an encode that finds one late starts again knowing it.
 */
import type { CapturedName } from "../capture/capture-report.ts";
import type { Captures } from "../capture/captures.ts";
import { encodeFunctionNode, encodeKnown, encodeOfClass } from "../capture/encode-code.ts";
import { SerializationError } from "../errors.ts";
import { encodeBuiltin } from "./encode-builtin.ts";
import type { MemoryUse } from "./encode-memory.ts";
import { isGenuine, kindOf } from "./kinds.ts";
import * as tags from "./tags.ts";
import { Writer } from "./writer.ts";

export type { CapturedName } from "../capture/capture-report.ts";
export { changedName, largestOf } from "../capture/capture-report.ts";

export interface Encoded {
  /** May be a view on a scratch buffer: valid until the next encode on this thread. */
  bytes: Uint8Array;
  /** Array data that is not in `bytes`, in order. */
  buffers: ArrayBufferView[];
  /** Numbers of the ObjectRefs anywhere inside, each once. */
  refs: number[];
  /** What must be imported before decoding; see `loadModules`. */
  modules: string[];
}

/** An encoded function, with what it took along: see `largestOf` and `changedName`. */
export interface EncodedFunction extends Encoded {
  captured: readonly CapturedName[];
}

export interface EncodeOptions {
  /** Array data of at least this many bytes goes to `buffers`. */
  outOfBandBytes: number;
  /** The number of an ObjectRef; undefined for every other object. */
  refId(value: object): number | undefined;
  /** What is encoded, for the paths in errors: "argument 0 of retrieve". */
  label: string;
}

const NO_BUFFERS: ArrayBufferView[] = [];
const NO_REFS: number[] = [];
const NO_MODULES: string[] = [];
const NO_NAMES: readonly CapturedName[] = [];
/** Facts found late make an encode start again; each start knows at least one more, so this is never reached. */
const MAX_STARTS = 1000;
/** Steps of a path that a message shows. */
const LONGEST_PATH = 14;

/** The state of one encode. */
export class Encoder {
  readonly to = new Writer();
  options!: EncodeOptions;
  buffers = NO_BUFFERS;
  modules = NO_MODULES;
  /** Set when a fact was found that earlier bytes should have known. */
  startAgain = false;
  memory: Map<ArrayBufferLike, MemoryUse> | undefined;
  captures: Captures | undefined;
  /** Given by hand for one function. */
  given: { fn: object; values: Record<string, unknown> } | undefined;
  /** What captured names brought along, if somebody wants to know. */
  captured: CapturedName[] | undefined;
  refs = NO_REFS;
  readonly path: (string | number)[] = [];
  depth = 0;
  #first: object | symbol | undefined;
  #count = 0;
  #numbers: Map<object | symbol, number> | undefined;

  start(): void {
    this.to.reset();
    this.buffers = NO_BUFFERS;
    this.refs = NO_REFS;
    this.modules = NO_MODULES;
    this.startAgain = false;
    if (this.captured !== undefined) this.captured = [];
    this.depth = 0;
    this.#count = 0;
    this.#numbers = undefined;
  }

  /** Lets go of the values. */
  end(): void {
    this.#first = undefined;
    this.#numbers = undefined;
    this.memory = undefined;
    this.captures = undefined;
    this.given = undefined;
    this.captured = undefined;
    this.buffers = NO_BUFFERS;
    this.refs = NO_REFS;
    this.modules = NO_MODULES;
  }

  /** Writes a repeat of an object that was written before; otherwise gives it the next number. */
  repeats(value: object | symbol): boolean {
    if (this.#count === 0) {
      this.#first = value;
      this.#count = 1;
      return false;
    }
    // Most values hold one object, which needs no map to be found again.
    this.#numbers ??= new Map([[this.#first!, 0]]);
    const number = this.#numbers.get(value);
    if (number === undefined) {
      this.#numbers.set(value, this.#count++);
      return false;
    }
    this.to.byte(tags.TAG_REPEAT);
    this.to.count(number);
    return true;
  }

  wasWritten(value: object): boolean {
    return this.#numbers === undefined ? this.#count === 1 && this.#first === value : this.#numbers.has(value);
  }

  /** Writes a value that is found under `step` of the one being written. */
  writeAt(step: string, value: unknown): void {
    this.path[this.depth++] = step;
    this.write(value);
    this.depth--;
  }

  write(value: unknown): void {
    const { to } = this;
    switch (typeof value) {
      case "number":
        this.#writeNumber(value);
        return;
      case "string":
        to.text(value);
        return;
      case "object":
        if (value === null) to.byte(tags.TAG_NULL);
        else if (!this.repeats(value)) this.#writeObject(value);
        return;
      case "boolean":
        to.byte(value ? tags.TAG_TRUE : tags.TAG_FALSE);
        return;
      case "undefined":
        to.byte(tags.TAG_UNDEFINED);
        return;
      case "bigint":
        to.byte(tags.TAG_BIGINT);
        to.text(value.toString(16));
        return;
      case "symbol":
        if (!this.repeats(value)) this.#writeSymbol(value);
        return;
      case "function":
        if (!this.repeats(value) && !this.writePacked(value))
          encodeFunctionNode(this, value as (...args: never[]) => unknown);
    }
  }

  #writeNumber(value: number): void {
    const { to } = this;
    if ((value | 0) !== value || (value === 0 && 1 / value < 0)) {
      to.byte(tags.TAG_DOUBLE);
      to.double(value);
    } else if (value >= 0 && value < tags.SMALL_INT) to.byte(tags.SMALL_INT + value);
    else {
      to.byte(tags.TAG_INT);
      to.int32(value);
    }
  }

  #writeSymbol(value: symbol): void {
    const { to } = this;
    const key = Symbol.keyFor(value);
    const known = key ?? wellKnownSymbols.get(value);
    to.byte(tags.TAG_SYMBOL);
    to.byte(
      key !== undefined ? tags.SYMBOL_REGISTERED : known !== undefined ? tags.SYMBOL_WELL_KNOWN : tags.SYMBOL_UNIQUE,
    );
    this.write(known ?? value.description);
  }

  #writeObject(value: object): void {
    const prototype = Object.getPrototypeOf(value) as object | null;
    // What code uses may be a module's own object; data is data.
    if (this.captures !== undefined && encodeKnown(this, value)) return;
    if (prototype === Array.prototype && Array.isArray(value)) this.writeArray(value);
    else if (prototype === Object.prototype) {
      this.to.byte(tags.TAG_OBJECT);
      this.writeFields(value);
    } else this.#writeOther(value, prototype);
  }

  #writeOther(value: object, prototype: object | null): void {
    const ref = this.options.refId(value);
    if (ref !== undefined) {
      this.to.byte(tags.TAG_REF);
      this.to.double(ref);
      if (this.refs === NO_REFS) this.refs = [];
      if (!this.refs.includes(ref)) this.refs.push(ref);
      return;
    }
    if (this.writePacked(value)) return;
    let holder = prototype;
    while (holder !== null) {
      const kind = kindOf(holder);
      if (kind !== undefined && isGenuine(value, kind)) {
        if (kind.kind === "refused") this.refuse(kind.reason);
        if (holder === prototype && kind.kind !== "plain") encodeBuiltin(this, value, kind);
        else encodeOfClass(this, value, kind);
        return;
      }
      holder = Object.getPrototypeOf(holder) as object | null;
    }
    if (prototype === null) {
      if (encodeKnown(this, value)) return;
      this.to.byte(tags.TAG_NULL_OBJECT);
      this.writeFields(value);
    } else encodeOfClass(this, value, { kind: "plain" });
  }

  writeArray(value: readonly unknown[]): void {
    const { to } = this;
    const { length } = value;
    to.byte(tags.TAG_ARRAY);
    to.count(length);
    for (let index = 0; index < length; index++) {
      const item = value[index];
      if (typeof item === "number") this.#writeNumber(item);
      else if (typeof item === "string") to.text(item);
      else if (item === undefined && !(index in value)) to.byte(tags.TAG_HOLE);
      else {
        // Text for the path is made when it is needed.
        this.path[this.depth++] = index;
        this.write(item);
        this.depth--;
      }
    }
  }

  /** Writes how many enumerable own fields there are, and these. */
  writeFields(value: object): void {
    const { to } = this;
    const keys = Object.keys(value);
    const symbols = Object.getOwnPropertySymbols(value);
    to.count(keys.length + symbols.length);
    for (let index = 0; index < keys.length; index++) {
      const key = keys[index]!;
      to.text(key);
      this.path[this.depth++] = key;
      this.write((value as Record<string, unknown>)[key]);
      this.depth--;
    }
    for (const symbol of symbols) {
      this.write(symbol);
      this.writeAt(String(symbol), (value as Record<symbol, unknown>)[symbol]);
    }
  }

  /** Writes an object that says itself how it is made again, if it does. */
  writePacked(value: object): boolean {
    const method = (value as { [tags.pack]?: () => tags.Packed })[tags.pack];
    if (typeof method !== "function") return false;
    const packed = method.call(value);
    this.needsModule(packed.url);
    this.to.byte(tags.TAG_PACKED);
    this.to.text(packed.url);
    this.to.text(packed.name);
    this.to.count(packed.args.length);
    for (const [index, arg] of packed.args.entries()) this.writeAt(`[${index}]`, arg);
    return true;
  }

  needsModule(url: string): void {
    if (this.modules === NO_MODULES) this.modules = [];
    if (!this.modules.includes(url)) this.modules.push(url);
  }

  addBuffer(data: ArrayBufferView): number {
    if (this.buffers === NO_BUFFERS) this.buffers = [];
    return this.buffers.push(data) - 1;
  }

  /** The way to the value being written. */
  steps(): string[] {
    return this.path.slice(0, this.depth).map((step) => (typeof step === "number" ? `[${step}]` : step));
  }

  /** Refuses the value being written. */
  refuse(reason: string, options?: ErrorOptions): never {
    const path = [this.options.label, ...this.steps()];
    const shown = path.length > LONGEST_PATH ? [...path.slice(0, 6), "…", ...path.slice(-6)] : path;
    throw new SerializationError(`${shown.join(" → ")}: ${reason}`, path, options);
  }
}

const wellKnownSymbols = new Map<symbol, string>();
for (const name of Object.getOwnPropertyNames(Symbol)) {
  const value = (Symbol as unknown as Record<string, unknown>)[name];
  if (typeof value === "symbol") wellKnownSymbols.set(value, name);
}

const shared = new Encoder();
let sharedIsBusy = false;

/** Encodes a value. Throws `SerializationError` with the path to what cannot travel. */
export function encode(value: unknown, options: EncodeOptions): Encoded {
  return run(value, options, undefined);
}

/**
 * Encodes a function with what it uses; `captures` gives by hand what automatic capture cannot see. Throws
 * `SerializationError` with the path to what cannot travel.
 */
export function encodeFunction(
  fn: (...args: never[]) => unknown,
  options: EncodeOptions,
  captures?: Record<string, unknown>,
): EncodedFunction {
  return run(fn, options, { fn, values: captures ?? {} });
}

type Given = Encoder["given"];

function run(value: unknown, options: EncodeOptions, given: Given): EncodedFunction {
  // A getter of the user's may encode another value.
  if (sharedIsBusy) return runWith(new Encoder(), value, options, given);
  sharedIsBusy = true;
  try {
    return runWith(shared, value, options, given);
  } finally {
    sharedIsBusy = false;
  }
}

function runWith(encoder: Encoder, value: unknown, options: EncodeOptions, given: Given): EncodedFunction {
  encoder.options = options;
  encoder.given = given;
  if (given !== undefined) encoder.captured = [];
  try {
    for (let starts = 0; starts < MAX_STARTS; starts++) {
      encoder.start();
      encoder.write(value);
      if (!encoder.startAgain) break;
    }
    const { buffers, refs, modules, captured } = encoder;
    return { bytes: encoder.to.written(), buffers, refs, modules, captured: captured ?? NO_NAMES };
  } catch (cause) {
    if (cause instanceof SerializationError) throw cause;
    return encoder.refuse(describeFailure(cause), { cause });
  } finally {
    encoder.end();
  }
}

function describeFailure(cause: unknown): string {
  if (cause instanceof RangeError && /call stack/.test(cause.message)) return "it is nested too deeply to be encoded";
  return `reading it throws (${cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause)})`;
}
