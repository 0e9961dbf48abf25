/** What a function took along: how large each captured name is, and what it was. */
import type { Writer } from "../serialization/writer.ts";

export interface CapturedName {
  /** `helper → table`: the names that lead to the value. */
  name: string;
  /** Encoded size with array data and everything the value brings along. */
  bytes: number;
  /** Of the encoded content. */
  digest: number;
}

/** Array data is told apart by this many of its first bytes, and its length. */
const DIGEST_BYTES = 1 << 16;
/** A name that makes up this part of a larger one is the one to report. */
const MOST = 0.9;

/** The name that is to blame for the size: the innermost of those that hold nearly all of it. */
export function largestOf(names: Iterable<CapturedName>): CapturedName | undefined {
  const all = [...names].sort((first, second) => second.bytes - first.bytes);
  const [top] = all;
  return all.findLast((item) => item.bytes >= top!.bytes * MOST && item.name.startsWith(top!.name)) ?? top;
}

/** The name of a captured value that is not what it was, the innermost if several hold it. */
export function changedName(before: readonly CapturedName[], now: readonly CapturedName[]): string | undefined {
  const digests = new Map(before.map((item) => [item.name, item.digest]));
  const changed = now.filter(({ name, digest }) => digests.has(name) && digests.get(name) !== digest);
  return changed.sort((first, second) => first.bytes - second.bytes)[0]?.name;
}

/** Digest of what was written from `start` on and of the array data beside it (FNV-1a). */
export function digestOf({ bytes, at }: Writer, start: number, buffers: readonly ArrayBufferView[]): number {
  let digest = digestBytes(0x811c9dc5, bytes, start, at);
  for (const { buffer, byteOffset, byteLength } of buffers) {
    const data = new Uint8Array(buffer, byteOffset, byteLength);
    digest = digestBytes(digest ^ byteLength, data, 0, Math.min(byteLength, DIGEST_BYTES));
  }
  return digest;
}

function digestBytes(digest: number, bytes: Uint8Array, start: number, end: number): number {
  for (let index = start; index < end; index++) digest = Math.imul(digest ^ bytes[index]!, 0x01000193);
  return digest;
}
