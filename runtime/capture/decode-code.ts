/** Functions, classes and their instances back from an encoded graph. */
import type { Decoder } from "../serialization/decode.ts";
import * as tags from "../serialization/tags.ts";
import { BINDING_EARLY, FLAG_THIS } from "./code-format.ts";
import { known as knownFor, remember } from "./identity.ts";
import { importedValue } from "./modules.ts";
import { makeFunction, type Plan, type Rebuilt } from "./rebuild.ts";

export function decodeCode(decoder: Decoder, tag: number): unknown {
  switch (tag) {
    case tags.TAG_FUNCTION:
      return readFunction(decoder);
    case tags.TAG_WITH_CLASS:
      return readWithClass(decoder);
    case tags.TAG_INSTANCE:
      return readInstance(decoder);
    case tags.TAG_WITH_PROTOTYPE: {
      const value = decoder.read() as object;
      return Object.setPrototypeOf(value, decoder.read() as object) as object;
    }
    case tags.TAG_BOUND:
      return readBound(decoder);
    case tags.TAG_GLOBAL: {
      let value: unknown = globalThis;
      for (const name of readNames(decoder)) value = (value as Record<string, unknown>)[name];
      return decoder.keep(value);
    }
    case tags.TAG_IMPORT:
      return decoder.keep(importedValue(decoder.from.text(), readNames(decoder)));
    case tags.TAG_IMPORTED_NAME:
      return importedValue(decoder.from.text(), readNames(decoder));
    case tags.TAG_PACKED:
      return readPacked(decoder);
    default:
      throw new Error(`the encoded value is damaged: there is no node ${tag}`);
  }
}

function readNames({ from }: Decoder): string[] {
  return Array.from({ length: from.count() }, () => from.text());
}

function readFunction(decoder: Decoder): unknown {
  const { from } = decoder;
  const number = decoder.reserve();
  const flags = from.byte();
  const token = from.text();
  const known = token === "" ? undefined : (knownFor(token) as object | undefined);
  if (known !== undefined) decoder.finish(number, known);
  const place = { text: from.text(), file: from.text(), line: from.count(), column: from.count() };
  const name = from.text();
  const late: string[] = [];
  const early: [string, unknown][] = [];
  for (let count = from.count(); count > 0; count--) {
    const variable = from.text();
    if (from.byte() === BINDING_EARLY) early.push([variable, decoder.read()]);
    else late.push(variable);
  }
  const self = (flags & FLAG_THIS) !== 0 ? decoder.read() : undefined;
  const plan: Plan = { flags, ...place, late, early: early.map(first) };
  const { fn, set }: Partial<Rebuilt> & { fn: object } =
    known === undefined ? makeFunction(plan, early.map(second), self) : { fn: known };
  if (known === undefined) {
    if ((fn as { name: unknown }).name !== name) define(fn, "name", name, false);
    if (token !== "") remember(fn, token);
    decoder.finish(number, fn);
  }
  // What a class that is here already uses is read all the same: the rest of the graph may refer to it.
  for (let index = 0; index < late.length; index++) decoder.readFor((value) => set?.(index, value));
  readOwnFields(decoder, fn, known === undefined, true);
  readOwnFields(decoder, (fn as { prototype: object }).prototype, known === undefined, false);
  return fn;
}

const first = <A>([value]: readonly [A, unknown]): A => value;
const second = <B>([, value]: readonly [unknown, B]): B => value;

function readOwnFields(decoder: Decoder, target: object, isNew: boolean, enumerable: boolean): void {
  for (let count = decoder.from.count(); count > 0; count--) {
    const key = decoder.from.text();
    decoder.readFor((value) => {
      if (isNew) define(target, key, value, enumerable);
    });
  }
}

function define(target: object, key: PropertyKey, value: unknown, enumerable: boolean): void {
  Object.defineProperty(target, key, { value, enumerable, configurable: true, writable: true });
}

function readWithClass(decoder: Decoder): unknown {
  const value = decoder.read() as object;
  readClassOf(decoder, value);
  return readOtherFields(decoder, value);
}

/** Gives the object its class's prototype; the constructor is not called. */
function readClassOf(decoder: Decoder, value: object): void {
  decoder.readFor((Class) => Object.setPrototypeOf(value, (Class as { prototype: object }).prototype));
}

function readInstance(decoder: Decoder): unknown {
  const value = decoder.keep({});
  readClassOf(decoder, value);
  return readOtherFields(decoder, decoder.readFields(value));
}

function readOtherFields(decoder: Decoder, target: object): object {
  for (let count = decoder.from.count(); count > 0; count--) {
    const key = decoder.read() as PropertyKey;
    const enumerable = decoder.from.byte() === 1;
    decoder.readFor((value) => define(target, key, value, enumerable));
  }
  return target;
}

function readBound(decoder: Decoder): unknown {
  const number = decoder.reserve();
  const target = decoder.read() as (...args: unknown[]) => unknown;
  const self = decoder.read();
  const args: unknown[] = [];
  for (let count = decoder.from.count(); count > 0; count--) args.push(decoder.read());
  return decoder.finish(number, target.bind(self, ...args));
}

function readPacked(decoder: Decoder): unknown {
  const number = decoder.reserve();
  const url = decoder.from.text();
  const make = importedValue(url, [decoder.from.text()]) as (...args: unknown[]) => unknown;
  const args: unknown[] = [];
  for (let count = decoder.from.count(); count > 0; count--) args.push(decoder.read());
  return decoder.finish(number, make(...args));
}
