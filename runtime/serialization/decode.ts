/** Bytes back to the value that `encode` made them of. */

import { decodeCode } from "../capture/decode-code.ts";
import { known, remember } from "../capture/identity.ts";
import { importModule, loadModules, loadTypeScriptBy, modulesLoaded } from "../capture/modules.ts";
import { withoutFrames } from "../errors.ts";
import { readBuffer, readMemory, readSharingView, readView } from "./decode-memory.ts";
import { Reader } from "./reader.ts";
import * as tags from "./tags.ts";

export { importModule, loadModules, loadTypeScriptBy, modulesLoaded };

export interface DecodeOptions {
  /**
   * Out-of-band data number `index`: a private copy or a shared view, as the reader may have it, at an offset divisible
   * by 8. Arrays are made over this very memory.
   */
  buffer(index: number): Uint8Array;
  /** Whether what `buffer` gives is shared: an `ArrayBuffer` becomes a `SharedArrayBuffer` then. */
  isShared?: boolean;
  makeRef(id: number): object;
}

/** Stands for an object that is being made while somebody refers to it already. */
export const unfinished: unique symbol = Symbol("unfinished");

/** The state of one decode. */
export class Decoder {
  readonly from: Reader;
  readonly options: DecodeOptions;
  /** Every object by its number. */
  readonly objects: unknown[] = [];
  #waiting: Map<number, ((value: unknown) => void)[]> | undefined;
  #unfinished = 0;
  /** Objects whose content comes after the value, because it lies deep. */
  #postponed: object[] | undefined;

  constructor(bytes: Uint8Array, options: DecodeOptions) {
    this.from = new Reader(bytes);
    this.options = options;
  }

  /** Gives a new object its number. */
  keep<T>(value: T): T {
    this.objects.push(value);
    return value;
  }

  /** Takes a number for an object that has to be read before it can be made. */
  reserve(): number {
    this.#unfinished++;
    return this.objects.push(unfinished) - 1;
  }

  finish<T>(number: number, value: T): T {
    this.#unfinished--;
    this.objects[number] = value;
    const waiting = this.#waiting?.get(number);
    if (waiting !== undefined) for (const use of waiting) use(value);
    return value;
  }

  /** Reads a value and hands it to `use`, at once, or when it is made if it is being made just now. */
  readFor(use: (value: unknown) => void): void {
    if (this.from.bytes[this.from.at] !== tags.TAG_REPEAT) {
      use(this.read());
      return;
    }
    this.from.at++;
    const number = this.from.count();
    const value = this.objects[number];
    if (value !== unfinished) {
      use(value);
      return;
    }
    this.#waiting ??= new Map();
    const waiting = this.#waiting.get(number);
    if (waiting === undefined) this.#waiting.set(number, [use]);
    else waiting.push(use);
  }

  /** Whether the next value may be an object that is not made yet, so that only `readFor` can read it. */
  #mayWait(): boolean {
    return this.#unfinished > 0 && this.from.bytes[this.from.at] === tags.TAG_REPEAT;
  }

  /** Reads a whole encoded value. */
  readAll(): unknown {
    const value = this.read();
    const postponed = this.#postponed;
    if (postponed !== undefined) {
      for (const target of postponed) {
        if (Array.isArray(target)) this.#readItems(target);
        else this.readFields(target);
      }
    }
    return value;
  }

  #postpone(target: object): void {
    this.#postponed ??= [];
    this.#postponed.push(target);
  }

  read(): unknown {
    const tag = this.from.byte();
    if (tag >= tags.SMALL_INT) return tag - tags.SMALL_INT;
    switch (tag) {
      case tags.TAG_INT:
        return this.from.int32();
      case tags.TAG_DOUBLE:
        return this.from.double();
      case tags.TAG_LATIN1:
        return this.from.latin1();
      case tags.TAG_UTF16:
        return this.from.utf16();
      case tags.TAG_UNDEFINED:
        return undefined;
      case tags.TAG_NULL:
        return null;
      case tags.TAG_TRUE:
        return true;
      case tags.TAG_FALSE:
        return false;
      case tags.TAG_ARRAY:
        return this.#readArray();
      case tags.TAG_OBJECT:
        return this.readFields(this.keep({}));
      case tags.TAG_REPEAT:
        return this.#readRepeat();
      default:
        return this.#readOther(tag);
    }
  }

  #readRepeat(): unknown {
    const value = this.objects[this.from.count()];
    if (value === unfinished) throw new Error("the value contains itself where it must be complete to be made");
    return value;
  }

  #readOther(tag: number): unknown {
    switch (tag) {
      case tags.TAG_NULL_OBJECT:
        return this.readFields(this.keep(Object.create(null) as object));
      case tags.TAG_REF:
        return this.keep(this.options.makeRef(this.from.double()));
      case tags.TAG_BIGINT:
        return parseBigInt(this.from.text());
      case tags.TAG_SYMBOL:
        return this.#readSymbol();
      case tags.TAG_MAP:
        return this.#readMap();
      case tags.TAG_SET: {
        const set = this.keep(new Set());
        for (let count = this.from.count(); count > 0; count--) this.readFor((item) => set.add(item));
        return set;
      }
      case tags.TAG_DATE:
        return this.keep(new Date(this.from.double()));
      case tags.TAG_REGEXP: {
        const source = this.from.text();
        const value = this.keep(new RegExp(source, this.from.text()));
        value.lastIndex = this.from.count();
        return value;
      }
      case tags.TAG_BOXED: {
        const number = this.reserve();
        return this.finish(number, Object(this.read()) as object);
      }
      case tags.TAG_URL:
        return this.keep(new URL(this.from.text()));
      case tags.TAG_URL_PARAMETERS:
        return this.keep(new URLSearchParams(this.from.text()));
      case tags.TAG_ERROR:
        return this.#readError();
      case tags.TAG_VIEW:
        return readView(this);
      case tags.TAG_MEMORY:
        return readMemory(this);
      case tags.TAG_BUFFER:
        return readBuffer(this);
      case tags.TAG_SHARING_VIEW:
        return readSharingView(this);
      default:
        return decodeCode(this, tag);
    }
  }

  #readArray(): unknown[] {
    const array: unknown[] = this.keep([]);
    this.#readItems(array);
    return array;
  }

  #readItems(array: unknown[]): void {
    const { from } = this;
    const length = from.count() - 1;
    if (length < 0) this.#postpone(array);
    for (let index = 0; index < length; index++) {
      if (from.bytes[from.at] === tags.TAG_HOLE) {
        from.at++;
        array.length = index + 1;
      } else if (this.#mayWait()) {
        array.length = index + 1;
        this.readFor((value) => {
          array[index] = value;
        });
      } else array.push(this.read());
    }
  }

  /** Reads the fields of an object into it. */
  readFields<T extends object>(target: T): T {
    const { from } = this;
    const fields = from.count() - 1;
    if (fields < 0) this.#postpone(target);
    for (let count = fields; count > 0; count--) {
      const key = this.read() as PropertyKey;
      // An own field of this name must not become the prototype.
      if (key === "__proto__" || this.#mayWait()) {
        // The field has its place among the others before it has its value.
        define(target, key, undefined, true);
        this.readFor((value) => define(target, key, value, true));
      } else (target as Record<PropertyKey, unknown>)[key] = this.read();
    }
    return target;
  }

  #readSymbol(): symbol {
    const number = this.reserve();
    const kind = this.from.byte();
    const text = this.read() as string | undefined;
    if (kind === tags.SYMBOL_REGISTERED) return this.finish(number, Symbol.for(text!));
    if (kind === tags.SYMBOL_UNIQUE) {
      const token = this.from.text();
      const symbol = (known(token) as symbol | undefined) ?? Symbol(text);
      remember(symbol, token);
      return this.finish(number, symbol);
    }
    return this.finish(number, (Symbol as unknown as Record<string, symbol>)[text!]!);
  }

  #readMap(): Map<unknown, unknown> {
    const map = this.keep(new Map());
    for (let count = this.from.count(); count > 0; count--) {
      if (this.#unfinished > 0) this.#readWaitingEntry(map);
      else {
        const key = this.read();
        map.set(key, this.read());
      }
    }
    return map;
  }

  /** An entry whose key or value may be an object that is not made yet. */
  #readWaitingEntry(map: Map<unknown, unknown>): void {
    let entry: { key: unknown } | undefined;
    let value: unknown;
    this.readFor((key) => {
      entry = { key };
      map.set(key, value);
    });
    this.readFor((item) => {
      value = item;
      if (entry !== undefined) map.set(entry.key, item);
    });
  }

  #readError(): Error {
    const kind = tags.ERROR_NAMES[this.from.byte()]!;
    const message = this.from.text();
    const error = this.keep(makeError(kind, message, this.from.text()));
    define(error, "stack", this.read(), false);
    for (let count = this.from.count(); count > 0; count--) {
      const key = this.read() as PropertyKey;
      const enumerable = this.from.byte() === 1;
      this.readFor((value) => define(error, key, value, enumerable));
    }
    return error;
  }
}

function define(target: object, key: PropertyKey, value: unknown, enumerable: boolean): void {
  Object.defineProperty(target, key, { value, enumerable, configurable: true, writable: true });
}

type ErrorClass = new (message: string) => Error;

/** An error of a builtin class; its frames come with it. */
function makeError(kind: (typeof tags.ERROR_NAMES)[number], message: string, name: string): Error {
  return withoutFrames(() => {
    if (kind === "DOMException") return new DOMException(message, name);
    if (kind === "AggregateError") return new AggregateError([], message);
    const error = new (globalThis as unknown as Record<string, ErrorClass>)[kind]!(message);
    delete (error as { message?: string }).message;
    return error;
  });
}

function parseBigInt(text: string): bigint {
  return text.startsWith("-") ? -BigInt(`0x${text.slice(1)}`) : BigInt(`0x${text}`);
}

/** Decodes a value; bytes after its end are ignored. Its modules must be loaded. */
export function decode(bytes: Uint8Array, options: DecodeOptions): unknown {
  return new Decoder(bytes, options).readAll();
}
