/** Array buffers and views back from encoded bytes, over the memory that the reader gave. */
import type { Decoder } from "./decode.ts";
import { DATA_OUT_OF_BAND, MEMORY_PART, MEMORY_WITH_BUFFER, VIEW_NAMES } from "./tags.ts";

type ViewClass = {
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): ArrayBufferView;
  BYTES_PER_ELEMENT?: number;
};

/** Bytes that several values see, and the `ArrayBuffer` among these once somebody asked for it. */
interface Memory {
  bytes: Uint8Array;
}

export function readView(decoder: Decoder): ArrayBufferView {
  const kind = decoder.from.byte();
  const { buffer, byteOffset, byteLength } = readData(decoder);
  return decoder.keep(makeView(kind, buffer, byteOffset, byteLength));
}

export function readSharingView(decoder: Decoder): ArrayBufferView {
  const number = decoder.reserve();
  const kind = decoder.from.byte();
  const { bytes } = decoder.read() as Memory;
  const offset = decoder.from.count();
  return decoder.finish(number, makeView(kind, bytes.buffer, bytes.byteOffset + offset, decoder.from.count()));
}

export function readMemory(decoder: Decoder): Memory {
  const memory: Memory = decoder.keep({ bytes: new Uint8Array() });
  const seen = decoder.from.byte();
  const bytes = readData(decoder);
  const isExact = bytes.byteLength === bytes.buffer.byteLength;
  // Where the whole buffer is seen, its views must have the very buffer that a reader of `.buffer` gets.
  if (seen === MEMORY_WITH_BUFFER && decoder.options.isShared === true)
    memory.bytes = isExact && !(bytes.buffer instanceof ArrayBuffer) ? bytes : sharedCopy(bytes);
  else if (seen !== MEMORY_PART && bytes.buffer instanceof ArrayBuffer && !isExact)
    memory.bytes = new Uint8Array(bytes);
  else memory.bytes = bytes;
  return memory;
}

/** An `ArrayBuffer`; over shared memory a `SharedArrayBuffer`. */
export function readBuffer(decoder: Decoder): ArrayBufferLike {
  const number = decoder.reserve();
  const memory = decoder.read() as Memory;
  return decoder.finish(number, memory.bytes.buffer);
}

function sharedCopy(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(new SharedArrayBuffer(bytes.byteLength));
  copy.set(bytes);
  return copy;
}

function readData(decoder: Decoder): Uint8Array {
  const { from } = decoder;
  if (from.byte() === DATA_OUT_OF_BAND) return decoder.options.buffer(from.count());
  return from.raw(from.count());
}

function makeView(kind: number, buffer: ArrayBufferLike, byteOffset: number, byteLength: number): ArrayBufferView {
  const name = VIEW_NAMES[kind]!;
  if (name === "Buffer") return Buffer.from(buffer, byteOffset, byteLength);
  const Class = (globalThis as unknown as Record<string, ViewClass | undefined>)[name];
  if (Class === undefined) throw new Error(`this version of Node has no ${name}`);
  return new Class(buffer, byteOffset, byteLength / (Class.BYTES_PER_ELEMENT ?? 1));
}
