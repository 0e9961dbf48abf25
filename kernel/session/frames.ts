import { deserialize, serialize } from "node:v8";

const headerBytes = 4;

/** A message as one frame: 4 bytes of length, little-endian, then what `v8.serialize` gives. */
export function encodeFrame(message: unknown): Buffer {
  const body = serialize(message);
  const frame = Buffer.allocUnsafe(headerBytes + body.length);
  frame.writeUInt32LE(body.length, 0);
  body.copy(frame, headerBytes);
  return frame;
}

/** Puts frames together again from the pieces in which a stream delivers them. */
export class FrameReader {
  #pieces: Buffer[] = [];
  #held = 0;
  #wanted = headerBytes;
  #inBody = false;

  /** The messages that are complete with this piece, in order. */
  *read(piece: Buffer): Generator<unknown> {
    this.#pieces.push(piece);
    this.#held += piece.length;
    while (this.#held >= this.#wanted) {
      const bytes = this.#take(this.#wanted);
      if (this.#inBody) yield deserialize(bytes);
      this.#wanted = this.#inBody ? headerBytes : bytes.readUInt32LE(0);
      this.#inBody = !this.#inBody;
    }
  }

  // Pieces are joined only once a whole frame is there: joining at each arrival is quadratic for a frame of 100 MB.
  #take(length: number): Buffer {
    const first = this.#pieces[0];
    const all = this.#pieces.length === 1 && first !== undefined ? first : Buffer.concat(this.#pieces, this.#held);
    this.#held -= length;
    this.#pieces = this.#held === 0 ? [] : [all.subarray(length)];
    return all.subarray(0, length);
  }
}
