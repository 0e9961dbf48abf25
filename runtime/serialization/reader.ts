/** Reads numbers and texts from encoded bytes. */
import { TAG_LATIN1 } from "./tags.ts";

const CACHED_TEXT = 24;
const CACHE_SIZE = 1024;
/** Short texts repeat (keys of objects above all): the string made last for a hash is tried before a new one is made. */
const recentTexts: string[] = new Array(CACHE_SIZE).fill("");

export class Reader {
  readonly bytes: Uint8Array;
  at = 0;
  #data: DataView | undefined;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  byte(): number {
    return this.bytes[this.at++]!;
  }

  count(): number {
    let byte = this.bytes[this.at++]!;
    if (byte < 128) return byte;
    let value = byte & 127;
    let scale = 128;
    do {
      byte = this.bytes[this.at++]!;
      value += (byte & 127) * scale;
      scale *= 128;
    } while (byte > 127);
    return value;
  }

  int32(): number {
    const { bytes, at } = this;
    this.at = at + 4;
    return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
  }

  double(): number {
    this.#data ??= new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.byteLength);
    this.at += 8;
    return this.#data.getFloat64(this.at - 8, true);
  }

  /** A text with its tag. */
  text(): string {
    return this.byte() === TAG_LATIN1 ? this.latin1() : this.utf16();
  }

  latin1(): string {
    const length = this.count();
    const { bytes, at } = this;
    this.at = at + length;
    if (length > CACHED_TEXT) return this.#buffer(at, length).toString("latin1");
    let hash = length;
    for (let index = at; index < at + length; index++) hash = (Math.imul(hash, 31) + bytes[index]!) | 0;
    const slot = hash & (CACHE_SIZE - 1);
    const recent = recentTexts[slot]!;
    if (recent.length === length) {
      let index = 0;
      while (index < length && recent.charCodeAt(index) === bytes[at + index]) index++;
      if (index === length) return recent;
    }
    const text = this.#buffer(at, length).toString("latin1");
    recentTexts[slot] = text;
    return text;
  }

  utf16(): string {
    const length = this.count() * 2;
    this.at += length;
    return this.#buffer(this.at - length, length).toString("utf16le");
  }

  #buffer(at: number, length: number): Buffer {
    return Buffer.from(this.bytes.buffer, this.bytes.byteOffset + at, length);
  }

  /** A private copy of the next bytes, at the start of a buffer of its own. */
  raw(length: number): Uint8Array {
    this.at += length;
    return new Uint8Array(this.bytes.subarray(this.at - length, this.at));
  }
}
