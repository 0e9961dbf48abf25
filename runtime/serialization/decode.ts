/** Bytes back to the value that `encode` made them of. */
import { decodeBinding, decodeBound, decodeBuiltin, decodeFunction, decodeImported, decodeInstance } from "../capture/decode-code.ts";
import { symbolKinds, Tag, viewKinds } from "./tags.ts";

export { loadModules, modulesLoaded } from "../capture/modules.ts";

export interface DecodeOptions {
  /** Out-of-band data number `index`, private or shared as this reader may have it, at an offset divisible by 8. */
  buffer(index: number): Uint8Array;
  makeRef(id: number): object;
}

/** What one decode is at. */
export class Decoding {
  readonly bytes: Uint8Array;
  readonly data: DataView;
  readonly options: DecodeOptions;
  at = 0;
  readonly objects: unknown[] = [];
  /** What code nodes remember during one decode. */
  readonly code: unknown[] = [];
  /** Runs when the whole graph is there. */
  readonly later: (() => void)[] = [];

  constructor(bytes: Uint8Array, options: DecodeOptions) {
    this.bytes = bytes;
    this.data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.options = options;
  }

  byte(): number {
    return this.bytes[this.at++]!;
  }

  int(): number {
    const value = this.data.getInt32(this.at, true);
    this.at += 4;
    return value;
  }

  double(): number {
    const value = this.data.getFloat64(this.at, true);
    this.at += 8;
    return value;
  }

  /** Reads a text with its tag. */
  text(): string {
    return read(this) as string;
  }

  /** Takes the next object number; set it before reading what is inside, so that cycles find it. */
  take(): number {
    return this.objects.push(undefined) - 1;
  }
}

/** Decodes a value; bytes after its end are ignored. */
export function decode(bytes: Uint8Array, options: DecodeOptions): unknown {
  const decoding = new Decoding(bytes, options);
  const value = read(decoding);
  for (const finish of decoding.later) finish();
  return value;
}

/** Reads one value of the graph. */
export function read(from: Decoding): unknown {
  const tag = from.byte();
  switch (tag) {
    case Tag.int:
      return from.int();
    case Tag.double:
      return from.double();
    case Tag.latin1:
      return readLatin1(from, from.int());
    case Tag.undefined:
      return undefined;
    case Tag.null:
      return null;
    case Tag.true:
      return true;
    case Tag.false:
      return false;
    case Tag.array:
      return readArray(from);
    case Tag.object:
      return readFields(from, keep(from, {}));
    case Tag.nullObject:
      return readFields(from, keep(from, Object.create(null) as Record<string, unknown>));
    case Tag.repeat:
      return from.objects[from.int()];
    case Tag.ref:
      return from.options.makeRef(from.double());
    default:
      return readRare(from, tag);
  }
}

function readRare(from: Decoding, tag: number): unknown {
  switch (tag) {
    case Tag.utf16: {
      const bytes = from.int() * 2;
      from.at += bytes;
      return Buffer.from(from.bytes.buffer, from.bytes.byteOffset + from.at - bytes, bytes).toString("utf16le");
    }
    case Tag.bigint: {
      const text = from.text();
      return text.startsWith("-") ? -BigInt(`0x${text.slice(1)}`) : BigInt(`0x${text}`);
    }
    case Tag.symbol:
      return readSymbol(from);
    case Tag.map: {
      const map = keep(from, new Map());
      for (let count = from.int(); count > 0; count--) {
        const key = read(from);
        map.set(key, read(from));
      }
      return map;
    }
    case Tag.set: {
      const set = keep(from, new Set());
      for (let count = from.int(); count > 0; count--) set.add(read(from));
      return set;
    }
    case Tag.date:
      return keep(from, new Date(from.double()));
    case Tag.regexp: {
      const index = from.take();
      const source = from.text();
      const value = new RegExp(source, from.text());
      from.objects[index] = value;
      return value;
    }
    case Tag.url: {
      const index = from.take();
      const value = new URL(from.text());
      from.objects[index] = value;
      return value;
    }
    case Tag.boxed: {
      const index = from.take();
      const value: unknown = Object(read(from));
      from.objects[index] = value;
      return value;
    }
    case Tag.error:
      return readError(from);
    case Tag.buffer: {
      const index = from.take();
      from.int();
      const data = readData(from);
      const buffer = data.byteOffset === 0 && data.byteLength === data.buffer.byteLength ? data.buffer : data.slice().buffer;
      from.objects[index] = buffer;
      return buffer;
    }
    case Tag.view:
      return readView(from);
    case Tag.function:
      return decodeFunction(from, read);
    case Tag.instance:
      return decodeInstance(from, read);
    case Tag.builtin:
      return decodeBuiltin(from);
    case Tag.imported:
      return decodeImported(from);
    case Tag.binding:
      return decodeBinding(from, read);
    case Tag.bound:
      return decodeBound(from, read);
    default:
      throw new Error(`encoded value is damaged: unknown tag ${tag} at byte ${from.at - 1}`);
  }
}

function keep<T>(from: Decoding, value: T): T {
  from.objects.push(value);
  return value;
}

function readLatin1(from: Decoding, length: number): string {
  const { bytes, at } = from;
  from.at = at + length;
  if (length > 24) return Buffer.from(bytes.buffer, bytes.byteOffset + at, length).latin1Slice();
  let text = "";
  for (let index = at; index < at + length; index++) text += String.fromCharCode(bytes[index]!);
  return text;
}

function readArray(from: Decoding): unknown[] {
  const length = from.int();
  const array: unknown[] = [];
  from.objects.push(array);
  for (let index = 0; index < length; index++) {
    if (from.bytes[from.at] === Tag.hole) {
      from.at++;
      array.length = index + 1;
    } else array[index] = read(from);
  }
  return array;
}

/** Reads a count and that many named fields into `target`. */
export function readFields<T extends Record<string, unknown>>(from: Decoding, target: T): T {
  for (let count = from.int(); count > 0; count--) {
    const key = from.text();
    const value = read(from);
    // `__proto__` as an own field must not become the prototype.
    if (key === "__proto__") Object.defineProperty(target, key, { value, configurable: true, enumerable: true, writable: true });
    else (target as Record<string, unknown>)[key] = value;
  }
  return target;
}

function readSymbol(from: Decoding): symbol {
  const kind = from.byte();
  const text = from.text();
  if (kind === symbolKinds.registered) return Symbol.for(text);
  return kind === symbolKinds.wellKnown ? (Symbol as unknown as Record<string, symbol>)[text]! : Symbol(text);
}

function readError(from: Decoding): Error {
  const error = keep(from, new Error());
  const builtin = from.text();
  const Class = builtin === "" ? (read(from) as { prototype: object }) : (globalThis as unknown as Record<string, { prototype: object }>)[builtin === "DOMException" ? "Error" : builtin]!;
  Object.setPrototypeOf(error, Class.prototype);
  for (let count = from.int(); count > 0; count--) {
    const key = from.text();
    const enumerable = from.byte() === 1;
    Object.defineProperty(error, key, { value: read(from), enumerable, configurable: true, writable: true });
  }
  return error;
}

/** Array data in its own memory, at an offset divisible by 8. */
function readData(from: Decoding): Uint8Array {
  const length = from.double();
  if (from.byte() === Tag.outOfBand) return from.options.buffer(from.int());
  const data = from.bytes.slice(from.at, from.at + length);
  from.at += length;
  return data;
}

type ViewClass = new (buffer: ArrayBufferLike, byteOffset: number, length: number) => ArrayBufferView;

function readView(from: Decoding): ArrayBufferView {
  const index = from.take();
  const name = viewKinds[from.byte()]!;
  const whole = from.byte() === 1;
  const byteOffset = whole ? from.double() : 0;
  const byteLength = whole ? from.double() : 0;
  // Memory of the store is shared by many objects: there the buffer's place is given by the data itself.
  const shared = whole ? readWhole(from) : readData(from);
  const value = whole ? makeView(name, shared.buffer, shared.byteOffset + byteOffset, byteLength) : makeView(name, shared.buffer, shared.byteOffset, shared.byteLength);
  from.objects[index] = value;
  return value;
}

const wholeBuffers = new WeakMap<object, Uint8Array>();

/** Reads the buffer under a view: written here, or a repeat. */
function readWhole(from: Decoding): Uint8Array {
  if (from.bytes[from.at] === Tag.repeat) {
    const buffer = read(from) as ArrayBuffer;
    return wholeBuffers.get(buffer) ?? new Uint8Array(buffer);
  }
  from.at++;
  const index = from.take();
  from.int();
  const data = readData(from);
  if (data.byteOffset === 0 && data.byteLength === data.buffer.byteLength) from.objects[index] = data.buffer;
  else {
    // Somebody else may refer to this buffer by its number: the marker leads to the data.
    from.objects[index] = data.buffer;
    wholeBuffers.set(data.buffer, data);
  }
  return data;
}

function makeView(name: string, buffer: ArrayBufferLike, byteOffset: number, byteLength: number): ArrayBufferView {
  if (name === "Buffer") return Buffer.from(buffer, byteOffset, byteLength);
  const Class = (globalThis as unknown as Record<string, (ViewClass & { BYTES_PER_ELEMENT?: number }) | undefined>)[name];
  if (Class === undefined) throw new Error(`this Node has no ${name}`);
  return new Class(buffer, byteOffset, byteLength / (Class.BYTES_PER_ELEMENT ?? 1));
}
