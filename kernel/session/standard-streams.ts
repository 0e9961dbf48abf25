import { Console } from "node:console";
import { Writable } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import { currentCell } from "./cell-context.ts";
import type { RingWriter } from "./output-ring.ts";

/**
 * Puts streams in the place of `process.stdout` and `process.stderr` whose text goes to the running cell, and makes
 * `console` write to them. The real ones are never opened: Node would make their descriptors non-blocking, which
 * breaks child processes that inherit them.
 */
export function captureStreams(ring: RingWriter): void {
  const stdout = cellStream(ring, "stdout", 1);
  const stderr = cellStream(ring, "stderr", 2);
  Object.defineProperty(process, "stdout", { get: () => stdout, configurable: true, enumerable: true });
  Object.defineProperty(process, "stderr", { get: () => stderr, configurable: true, enumerable: true });
  // V8's inspector wraps the global console and keeps what was logged, and with it each ObjectRef, from collection.
  const plain = new Console({ stdout, stderr }) as unknown as Record<string, unknown>;
  for (const name of Object.keys(plain)) {
    if (typeof plain[name] === "function") (console as unknown as Record<string, unknown>)[name] = plain[name];
  }
}

function cellStream(ring: RingWriter, name: "stdout" | "stderr", fd: number): Writable {
  const decoder = new StringDecoder("utf8");
  const put = (chunk: unknown, encoding: BufferEncoding | undefined) => {
    const text = typeof chunk === "string" ? asWritten(chunk, encoding) : decoder.write(asBuffer(chunk));
    if (text !== "") ring.write(name, currentCell().label, text);
  };
  const stream = new Writable({
    decodeStrings: false,
    write(chunk, encoding, done) {
      put(chunk, encoding);
      done();
    },
  });
  // Past the stream's own state: a cut in the middle of a write would leave it "writing" for ever.
  stream.write = ((chunk: unknown, encoding?: BufferEncoding | (() => void), done?: () => void) => {
    const callback = typeof encoding === "function" ? encoding : done;
    put(chunk, typeof encoding === "function" ? undefined : encoding);
    if (typeof callback === "function") process.nextTick(callback);
    return true;
  }) as typeof stream.write;
  // It goes on for later cells, as the descriptor of a terminal does.
  stream.end = ((...[chunk, ...rest]: [unknown?, ...Parameters<typeof stream.write>[]]) => {
    if (typeof chunk === "function") process.nextTick(chunk as () => void);
    else if (chunk !== undefined && chunk !== null) stream.write(chunk, ...(rest as []));
    return stream;
  }) as typeof stream.end;
  stream.destroy = () => stream;
  return Object.assign(stream, { fd, isTTY: false });
}

/** Text that was given with a binary encoding stands for bytes. */
function asWritten(text: string, encoding: BufferEncoding | undefined): string {
  if (encoding === undefined || /^utf-?8$/i.test(encoding) || !Buffer.isEncoding(encoding)) return text;
  return Buffer.from(text, encoding).toString("utf8");
}

function asBuffer(chunk: unknown): Buffer {
  if (Buffer.isBuffer(chunk)) return chunk;
  if (ArrayBuffer.isView(chunk)) return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  throw new TypeError(`write takes a string, a Buffer or a typed array, not ${chunk === null ? "null" : typeof chunk}`);
}
