/** A growing piece of memory that numbers and texts are written to. */
import { TAG_LATIN1, TAG_UTF16 } from "./tags.ts";

const FIRST_BYTES = 1 << 16;
/** A scratch buffer that grew beyond this is given back before the next use. */
const KEPT_BYTES = 1 << 20;
const SHORT_TEXT = 48;

const WIDE = /[^\u0000-\u00ff]/;

export class Writer {
  at = 0;
  bytes = new Uint8Array(FIRST_BYTES);
  #data = new DataView(this.bytes.buffer);
  #buffer = Buffer.from(this.bytes.buffer);

  reset(): void {
    this.at = 0;
    if (this.bytes.length > KEPT_BYTES) this.#use(new Uint8Array(FIRST_BYTES));
  }

  /** What has been written; valid until the next `reset`. */
  written(): Uint8Array {
    return new Uint8Array(this.bytes.buffer, 0, this.at);
  }

  room(bytes: number): void {
    if (this.at + bytes > this.bytes.length) this.#grow(bytes);
  }

  #grow(bytes: number): void {
    let size = this.bytes.length * 2;
    while (size < this.at + bytes) size *= 2;
    const grown = new Uint8Array(size);
    grown.set(this.bytes.subarray(0, this.at));
    this.#use(grown);
  }

  #use(bytes: Uint8Array<ArrayBuffer>): void {
    this.bytes = bytes;
    this.#data = new DataView(bytes.buffer);
    this.#buffer = Buffer.from(bytes.buffer);
  }

  byte(value: number): void {
    if (this.at === this.bytes.length) this.#grow(1);
    this.bytes[this.at++] = value;
  }

  /** A whole number from 0 to 2^53, seven bits a byte. */
  count(value: number): void {
    this.room(8);
    while (value > 127) {
      this.bytes[this.at++] = (value % 128) | 128;
      value = value > 0x7fffffff ? Math.floor(value / 128) : value >>> 7;
    }
    this.bytes[this.at++] = value;
  }

  int32(value: number): void {
    this.room(4);
    this.#data.setInt32(this.at, value, true);
    this.at += 4;
  }

  double(value: number): void {
    this.room(8);
    this.#data.setFloat64(this.at, value, true);
    this.at += 8;
  }

  /** A text with its tag. */
  text(value: string): void {
    const { length } = value;
    if (length > SHORT_TEXT) {
      this.#longText(value);
      return;
    }
    this.room(length + 2);
    const { bytes } = this;
    let at = this.at;
    bytes[at++] = TAG_LATIN1;
    bytes[at++] = length;
    for (let index = 0; index < length; index++) {
      const unit = value.charCodeAt(index);
      if (unit > 255) {
        this.#longText(value);
        return;
      }
      bytes[at++] = unit;
    }
    this.at = at;
  }

  #longText(value: string): void {
    const wide = WIDE.test(value);
    this.byte(wide ? TAG_UTF16 : TAG_LATIN1);
    this.count(value.length);
    this.room(value.length * 2);
    this.at += this.#buffer.write(value, this.at, wide ? "utf16le" : "latin1");
  }

  raw(bytes: Uint8Array): void {
    this.room(bytes.length);
    this.bytes.set(bytes, this.at);
    this.at += bytes.length;
  }
}
