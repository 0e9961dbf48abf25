/** Objects of JavaScript's and Node's own classes. */

import { encodeBuffer, encodeView } from "./encode-memory.ts";
import type { Encoder } from "./encoder.ts";
import type { Kind } from "./kinds.ts";
import * as tags from "./tags.ts";

/** Writes an object as what its builtin class makes of it, whatever its prototype is. */
export function encodeBuiltin(encoder: Encoder, value: object, kind: Kind): void {
  switch (kind.kind) {
    case "plain":
      encoder.to.byte(tags.TAG_OBJECT);
      encoder.writeFields(value);
      break;
    case "array":
      encoder.writeArray(value as unknown[]);
      break;
    case "error":
      encodeError(encoder, value as Error, kind.index);
      break;
    case "buffer":
      encodeBuffer(encoder, value as ArrayBuffer);
      break;
    case "view":
      encodeView(encoder, value as ArrayBufferView, kind.index);
      break;
    case "map":
      encodeMap(encoder, value as Map<unknown, unknown>);
      break;
    case "set":
      encodeSet(encoder, value as Set<unknown>);
      break;
    case "refused":
      encoder.refuse(kind.reason);
      break;
    default:
      encodeOpaque(encoder, value, kind.kind);
  }
}

/** Objects without objects inside. */
function encodeOpaque(
  encoder: Encoder,
  value: object,
  kind: "date" | "regexp" | "boxed" | "url" | "urlParameters",
): void {
  const { to } = encoder;
  if (kind === "date") {
    to.byte(tags.TAG_DATE);
    to.double((value as Date).getTime());
  } else if (kind === "regexp") {
    to.byte(tags.TAG_REGEXP);
    to.text((value as RegExp).source);
    to.text((value as RegExp).flags);
    to.count((value as RegExp).lastIndex);
  } else if (kind === "url") {
    to.byte(tags.TAG_URL);
    to.text((value as URL).href);
  } else if (kind === "urlParameters") {
    to.byte(tags.TAG_URL_PARAMETERS);
    to.text(String(value as URLSearchParams));
  } else {
    to.byte(tags.TAG_BOXED);
    encoder.write(value.valueOf());
  }
}

function encodeMap(encoder: Encoder, value: Map<unknown, unknown>): void {
  encoder.to.byte(tags.TAG_MAP);
  encoder.to.count(value.size);
  for (const [key, item] of value) {
    encoder.writeAt("(a key of the Map)", key);
    encoder.writeAt(typeof key === "string" ? `get(${JSON.stringify(key)})` : "(a value of the Map)", item);
  }
}

function encodeSet(encoder: Encoder, value: Set<unknown>): void {
  encoder.to.byte(tags.TAG_SET);
  encoder.to.count(value.size);
  for (const item of value) encoder.writeAt("(an item of the Set)", item);
}

/** An error keeps each own property and whether it is enumerable, the stack as text. */
function encodeError(encoder: Encoder, value: Error, index: number): void {
  const { to } = encoder;
  const keys = Reflect.ownKeys(value).filter((key) => key !== "stack");
  to.byte(tags.TAG_ERROR);
  to.byte(index);
  to.text(String(value.message));
  to.text(String(value.name));
  encoder.write(typeof value.stack === "string" ? value.stack : undefined);
  to.count(keys.length);
  for (const key of keys) {
    encoder.write(key);
    to.byte(Object.prototype.propertyIsEnumerable.call(value, key) ? 1 : 0);
    encoder.writeAt(String(key), (value as unknown as Record<PropertyKey, unknown>)[key]);
  }
}
