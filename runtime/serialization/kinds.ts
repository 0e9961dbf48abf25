/** What JavaScript's and Node's own classes of objects are to the encoding: a way to write them, or a reason why not. */
import { types } from "node:util";
import { ERROR_NAMES, VIEW_NAMES } from "./tags.ts";

export type Kind =
  | { kind: "plain" | "array" | "map" | "set" | "date" | "regexp" | "boxed" | "url" | "urlParameters" | "buffer" }
  | { kind: "view" | "error"; index: number }
  | { kind: "refused"; reason: string };

const kinds = new Map<object, Kind>();

function classOf(name: string): { prototype: object } | undefined {
  return (globalThis as unknown as Record<string, { prototype: object } | undefined>)[name];
}

function add(name: string, kind: Kind): void {
  const Class = classOf(name);
  if (Class !== undefined) kinds.set(Class.prototype, kind);
}

add("Object", { kind: "plain" });
add("Array", { kind: "array" });
add("Map", { kind: "map" });
add("Set", { kind: "set" });
add("Date", { kind: "date" });
add("RegExp", { kind: "regexp" });
add("URL", { kind: "url" });
add("URLSearchParams", { kind: "urlParameters" });
add("ArrayBuffer", { kind: "buffer" });
for (const name of ["Number", "String", "Boolean", "BigInt", "Symbol"]) add(name, { kind: "boxed" });
for (const [index, name] of ERROR_NAMES.entries()) add(name, { kind: "error", index });
for (const [index, name] of VIEW_NAMES.entries()) add(name, { kind: "view", index });

const reasons: Record<string, string> = {
  Promise: "a Promise cannot travel to another thread; await it and pass its value",
  WeakMap: "a WeakMap cannot travel to another thread; pass a Map",
  WeakSet: "a WeakSet cannot travel to another thread; pass a Set",
  WeakRef: "a WeakRef cannot travel to another thread; pass what it refers to",
  FinalizationRegistry: "a FinalizationRegistry belongs to its thread",
  SharedArrayBuffer:
    "a SharedArrayBuffer would be copied, not shared; pass a typed array of it, or put() one of createSharedArray()",
  MessagePort: "a MessagePort belongs to its thread",
  AbortSignal:
    "an AbortSignal belongs to its thread; use the option `signal`, and getRuntimeContext().signal in the task",
  AbortController:
    "an AbortController belongs to its thread; use the option `signal`, and getRuntimeContext().signal in the task",
};
for (const [name, reason] of Object.entries(reasons)) add(name, { kind: "refused", reason });

const generatorReason =
  "a running generator cannot travel to another thread; pass the generator function, or an array of its items";
for (const start of [function* () {}, async function* () {}]) {
  kinds.set(Object.getPrototypeOf(start.prototype) as object, { kind: "refused", reason: generatorReason });
}

/** The kind that belongs to exactly this prototype. */
export function kindOf(prototype: object): Kind | undefined {
  return kinds.get(prototype);
}

/** Whether the object has what its builtin class's methods work on; an `Object.create(Map.prototype)` has not. */
export function isGenuine(value: object, kind: Kind): boolean {
  switch (kind.kind) {
    case "array":
      return Array.isArray(value);
    case "map":
      return types.isMap(value);
    case "set":
      return types.isSet(value);
    case "date":
      return types.isDate(value);
    case "regexp":
      return types.isRegExp(value);
    case "boxed":
      return types.isBoxedPrimitive(value);
    case "buffer":
      return types.isArrayBuffer(value);
    case "view":
      return ArrayBuffer.isView(value);
    default:
      return true;
  }
}
