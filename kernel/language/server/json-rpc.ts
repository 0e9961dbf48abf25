import type { Writable } from "node:stream";

const HEADER_END = "\r\n\r\n";
/** A header line is short; more than this without an end is no header. */
const MAX_HEADER_BYTES = 4096;

/**
 * Writes one message with the header of the Language Server Protocol's base protocol. What is written in one go, a change
 * and a question about it, leaves in one piece.
 */
export function writeMessage(stream: Writable, message: object): void {
  if (stream.writableCorked === 0) {
    stream.cork();
    queueMicrotask(() => stream.uncork());
  }
  const body = JSON.stringify(message);
  stream.write(`Content-Length: ${Buffer.byteLength(body)}${HEADER_END}${body}`);
}

/** Cuts a byte stream into messages. `push` throws on bytes that are no message. */
export class MessageReader<Message extends object = object> {
  readonly #receive: (message: Message) => void;
  readonly #chunks: Buffer[] = [];
  #length = 0;
  /** Bytes still wanted before there is something to read; 0 while a header is read. */
  #wanted = 0;

  constructor(receive: (message: Message) => void) {
    this.#receive = receive;
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    // A long body arrives in many chunks: join them once, when it is whole.
    while (this.#length >= Math.max(this.#wanted, 1) && this.#readOne());
  }

  #readOne(): boolean {
    const bytes = this.#joined();
    const headerEnd = bytes.indexOf(HEADER_END);
    if (headerEnd < 0) {
      if (bytes.length > MAX_HEADER_BYTES) throw new Error("a header without an end");
      return false;
    }
    const length = /^Content-Length: *(\d+)/im.exec(bytes.toString("latin1", 0, headerEnd))?.[1];
    if (length === undefined) throw new Error("a header without Content-Length");
    const start = headerEnd + HEADER_END.length;
    const end = start + Number(length);
    if (bytes.length < end) {
      this.#wanted = end;
      return false;
    }
    this.#chunks.splice(0, this.#chunks.length, bytes.subarray(end));
    this.#length = bytes.length - end;
    this.#wanted = 0;
    this.#receive(JSON.parse(bytes.toString("utf8", start, end)) as Message);
    return true;
  }

  #joined(): Buffer {
    const only = this.#chunks[0];
    if (this.#chunks.length === 1 && only !== undefined) return only;
    const joined = Buffer.concat(this.#chunks);
    this.#chunks.splice(0, this.#chunks.length, joined);
    return joined;
  }
}
