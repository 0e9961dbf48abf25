/** Functions, classes and their instances as nodes of an encoded graph. */
import type { Encoder } from "../serialization/encode.ts";
import type { Kind } from "../serialization/kinds.ts";
import type { Captures } from "./captures.ts";

export function newCaptures(): Captures {
  return new Map();
}

export function encodeFunctionNode(encoder: Encoder, fn: object): void {
  encoder.refuse(`the function ${(fn as { name?: string }).name || "(anonymous)"} cannot travel yet`);
}

export function encodeOfClass(encoder: Encoder, value: object, _kind: Kind): void {
  encoder.refuse(`an object of ${value.constructor?.name ?? "no class"} cannot travel yet`);
}
