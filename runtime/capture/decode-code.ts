/** Functions, classes and their instances back from an encoded graph. */
import type { Decoder } from "../serialization/decode.ts";
import { TAG_PACKED } from "../serialization/tags.ts";
import { importedValue } from "./modules.ts";

export function decodeCode(decoder: Decoder, tag: number): unknown {
  if (tag === TAG_PACKED) return readPacked(decoder);
  throw new Error(`the encoded value is damaged: there is no node ${tag}`);
}

function readPacked(decoder: Decoder): unknown {
  const number = decoder.reserve();
  const url = decoder.from.text();
  const make = importedValue(url, [decoder.from.text()]) as (...args: unknown[]) => unknown;
  const args: unknown[] = [];
  for (let count = decoder.from.count(); count > 0; count--) args.push(decoder.read());
  return decoder.finish(number, make(...args));
}
