/** The state of one encode, and how the kinds of values are written that everybody has. */
import type { CapturedName } from "../capture/capture-report.ts";
import type { Captures } from "../capture/captures.ts";
import { encodeFunctionNode, encodeKnown, encodeOfClass } from "../capture/encode-code.ts";
import { tokenOf } from "../capture/identity.ts";
import { SerializationError } from "../errors.ts";
import type { EncodeOptions } from "./encode.ts";
import { encodeBuiltin } from "./encode-builtin.ts";
import type { MemoryUse } from "./encode-memory.ts";
import { isGenuine, kindOf } from "./kinds.ts";
import * as tags from "./tags.ts";
import { Writer } from "./writer.ts";

const NO_BUFFERS: ArrayBufferView[] = [];
const NO_REFS: number[] = [];
const NO_MODULES: string[] = [];
/** Steps of a path that a message shows. */
const LONGEST_PATH = 14;
/** What lies this deep is written after the value, so that no list or tree is too long for the stack. */
const DEEPEST = 200;

/** How an object is reached from another one, or from the whole value. */
interface Way {
  from: Way | undefined;
  steps: readonly (string | number)[];
}

/** The state of one encode. */
export class Encoder {
  readonly to = new Writer();
  options!: EncodeOptions;
  buffers = NO_BUFFERS;
  modules = NO_MODULES;
  /** See `Encoded`. */
  plain = true;
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
  /** The way to the postponed object that is being written. */
  #start: Way | undefined;
  #postponed: { value: object; way: Way }[] | undefined;
  #first: object | symbol | undefined;
  #count = 0;
  #numbers: Map<object | symbol, number> | undefined;

  start(): void {
    this.to.reset();
    this.buffers = NO_BUFFERS;
    this.refs = NO_REFS;
    this.modules = NO_MODULES;
    this.plain = true;
    this.startAgain = false;
    if (this.captured !== undefined) this.captured = [];
    this.depth = 0;
    this.#start = undefined;
    this.#postponed = undefined;
    this.#count = 0;
    this.#numbers = undefined;
  }

  /** Lets go of the values. */
  end(): void {
    this.#first = undefined;
    this.#start = undefined;
    this.#postponed = undefined;
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

  /** Writes a whole value. */
  writeAll(value: unknown): void {
    this.write(value);
    if (this.#postponed === undefined) return;
    for (const { value: deep, way } of this.#postponed) {
      this.#start = way;
      this.depth = 0;
      if (Array.isArray(deep)) this.#writeItems(deep);
      else this.writeFields(deep);
    }
  }

  /** Whether the content of an object has to come after the whole value; then its place is marked. */
  #postpones(value: object): boolean {
    if (this.depth < DEEPEST) return false;
    this.to.byte(0);
    this.#postponed ??= [];
    this.#postponed.push({ value, way: this.#way() });
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
    if (known === undefined) to.text(tokenOf(value));
  }

  #writeObject(value: object): void {
    const prototype = Object.getPrototypeOf(value) as object | null;
    // What code uses may be a module's own object; data is data.
    if (this.captures !== undefined && encodeKnown(this, value)) {
      this.plain = false;
      return;
    }
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
      if (encodeKnown(this, value)) this.plain = false;
      else {
        this.to.byte(tags.TAG_NULL_OBJECT);
        this.writeFields(value);
      }
    } else encodeOfClass(this, value, { kind: "plain" });
  }

  writeArray(value: readonly unknown[]): void {
    this.to.byte(tags.TAG_ARRAY);
    this.#writeItems(value);
  }

  #writeItems(value: readonly unknown[]): void {
    if (this.#postpones(value)) return;
    const { to } = this;
    const { length } = value;
    to.count(length + 1);
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

  /** Writes how many enumerable own fields there are and one more, and these. */
  writeFields(value: object): void {
    if (this.#postpones(value)) return;
    const { to } = this;
    const keys = Object.keys(value);
    const symbols = Object.getOwnPropertySymbols(value);
    to.count(keys.length + symbols.length + 1);
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

  /** Writes a new object with one field, which a path calls `step`. */
  writeObjectOf(field: string, step: string, value: unknown): void {
    this.to.byte(tags.TAG_OBJECT);
    this.to.count(2);
    this.to.text(field);
    this.writeAt(step, value);
  }

  /** Writes an object that says itself how it is made again, or why it cannot be, if it does. */
  writePacked(value: object): boolean {
    const method = (value as { [tags.pack]?: () => tags.Packed | string })[tags.pack];
    if (typeof method !== "function") return false;
    this.plain = false;
    const packed = method.call(value);
    if (typeof packed === "string") this.refuse(packed);
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
    const parts: Way["steps"][] = [];
    for (let way: Way | undefined = this.#way(); way !== undefined; way = way.from) parts.unshift(way.steps);
    return parts.flat().map((step) => (typeof step === "number" ? `[${step}]` : step));
  }

  #way(): Way {
    return { from: this.#start, steps: this.path.slice(0, this.depth) };
  }

  /** Refuses the value being written. */
  refuse(reason: string, options?: ErrorOptions): never {
    const path = [this.options.label, ...this.steps()];
    throw new SerializationError(`${showPath(path)}: ${reason}`, path, options);
  }

  /** The way to the value that is being written, for a message. */
  place(): string {
    return showPath([this.options.label, ...this.steps()]);
  }
}

function showPath(path: readonly string[]): string {
  const shown = path.length > LONGEST_PATH ? [...path.slice(0, 6), "…", ...path.slice(-6)] : path;
  return shown.join(" → ");
}

const wellKnownSymbols = new Map<symbol, string>();
for (const name of Object.getOwnPropertyNames(Symbol)) {
  const value = (Symbol as unknown as Record<string, unknown>)[name];
  if (typeof value === "symbol") wellKnownSymbols.set(value, name);
}
