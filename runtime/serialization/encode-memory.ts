/** Array buffers and views on them: views that share memory keep sharing it. */
import type { Encoder } from "./encoder.ts";
import {
  DATA_INLINE,
  DATA_OUT_OF_BAND,
  MEMORY_PART,
  MEMORY_WHOLE,
  MEMORY_WITH_BUFFER,
  TAG_BUFFER,
  TAG_MEMORY,
  TAG_SHARING_VIEW,
  TAG_VIEW,
} from "./tags.ts";

/** What one encode found out about a piece of memory. */
export interface MemoryUse {
  /** Who looks at it: views and the buffer itself. */
  users: Set<object>;
  /** The part that anybody sees. */
  first: number;
  end: number;
  shared: boolean;
}

/** The node that stands for the bytes under a buffer. */
const memoryNodes = new WeakMap<ArrayBufferLike, object>();

export function encodeBuffer(encoder: Encoder, value: ArrayBuffer): void {
  const use = useOf(encoder, value, value, 0, value.byteLength);
  // An ArrayBuffer alone is written as shared memory too: one form for what is rare.
  if (!use.shared) {
    use.shared = true;
    use.first = 0;
    use.end = value.byteLength;
  }
  // One over shared memory is none to those who look at its class.
  encoder.plain = false;
  encoder.to.byte(TAG_BUFFER);
  writeMemory(encoder, value, use);
}

export function encodeView(encoder: Encoder, value: ArrayBufferView, kind: number): void {
  const { to } = encoder;
  const { buffer, byteOffset, byteLength } = value;
  // Small Buffers lie in one pool and have nothing to do with each other.
  const pooled = kind === 0 && buffer.byteLength === Buffer.poolSize && byteLength < buffer.byteLength;
  const use = pooled ? undefined : useOf(encoder, buffer, value, byteOffset, byteOffset + byteLength);
  if (use?.shared) {
    to.byte(TAG_SHARING_VIEW);
    to.byte(kind);
    writeMemory(encoder, buffer, use);
    to.count(byteOffset - use.first);
    to.count(byteLength);
    return;
  }
  to.byte(TAG_VIEW);
  to.byte(kind);
  writeData(encoder, buffer, byteOffset, byteLength);
}

function useOf(encoder: Encoder, buffer: ArrayBufferLike, user: object, first: number, end: number): MemoryUse {
  encoder.memory ??= new Map();
  let use = encoder.memory.get(buffer);
  if (use === undefined) {
    use = { users: new Set([user]), first: first - (first % 8), end, shared: false };
    encoder.memory.set(buffer, use);
    return use;
  }
  use.users.add(user);
  const wasEnough = use.shared && first >= use.first && end <= use.end;
  if (use.users.size > 1 && !wasEnough) {
    use.shared = true;
    use.first = Math.min(use.first, first - (first % 8));
    use.end = Math.max(use.end, end);
    encoder.startAgain = true;
  }
  return use;
}

function writeMemory(encoder: Encoder, buffer: ArrayBufferLike, use: MemoryUse): void {
  let node = memoryNodes.get(buffer);
  if (node === undefined) {
    node = {};
    memoryNodes.set(buffer, node);
  }
  if (encoder.repeats(node)) return;
  encoder.to.byte(TAG_MEMORY);
  encoder.to.byte(
    use.first === 0 && use.end === buffer.byteLength
      ? use.users.has(buffer)
        ? MEMORY_WITH_BUFFER
        : MEMORY_WHOLE
      : MEMORY_PART,
  );
  writeData(encoder, buffer, use.first, use.end - use.first);
}

function writeData(encoder: Encoder, buffer: ArrayBufferLike, byteOffset: number, byteLength: number): void {
  const { to } = encoder;
  const data = new Uint8Array(buffer, byteOffset, byteLength);
  if (byteLength >= encoder.options.outOfBandBytes && byteLength > 0) {
    to.byte(DATA_OUT_OF_BAND);
    to.count(encoder.addBuffer(data));
    return;
  }
  to.byte(DATA_INLINE);
  to.count(byteLength);
  to.raw(data);
}
