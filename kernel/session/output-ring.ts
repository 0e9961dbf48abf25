/**
 * The way of output from the cells' thread to the watchdog: a ring of bytes in shared memory. The watchdog reads it
 * while the other thread computes, so the lines of a synchronous loop are seen as they are printed; a writer that is
 * too fast waits for room instead of growing memory; and since a record exists only once the write position has moved
 * past it, the writer may be cut at any point. There is one writer (the main thread) and one reader (the watchdog).
 *
 * Messages that are no text (displays, input requests) travel by a MessagePort; a mark in the ring says where in the
 * order of the output each one belongs.
 */
export type OutputRecord =
  | { kind: "stdout" | "stderr"; cell: string; text: string }
  /** The next message of the port belongs here. */
  | { kind: "message" };

const capacity = 1 << 22;
const writeIndex = 0;
const readIndex = 1;
const headerBytes = 6;
const chunkChars = 16_384;
const kinds = ["stdout", "stderr", "message"] as const;
type Kind = (typeof kinds)[number];

export type SharedRing = { positions: Int32Array<SharedArrayBuffer>; bytes: Uint8Array<SharedArrayBuffer> };

export function createRing(): SharedRing {
  return {
    positions: new Int32Array(new SharedArrayBuffer(8)),
    bytes: new Uint8Array(new SharedArrayBuffer(capacity)),
  };
}

export class RingWriter {
  readonly #ring: SharedRing;
  readonly #encoder = new TextEncoder();

  constructor(ring: SharedRing) {
    this.#ring = ring;
  }

  /** Blocks while the ring is full. */
  write(kind: "stdout" | "stderr", cell: string, text: string): void {
    for (let start = 0; start < text.length; ) {
      const end = chunkEnd(text, start);
      this.#put(kind, this.#encoder.encode(cell), this.#encoder.encode(text.slice(start, end)));
      start = end;
    }
  }

  /** Blocks until `putMark` finds room without blocking. */
  reserveMark(): void {
    this.#waitForRoom(headerBytes);
  }

  putMark(): void {
    this.#put("message", nothing, nothing);
  }

  #put(kind: Kind, cell: Uint8Array, text: Uint8Array): void {
    const length = headerBytes + cell.length + text.length;
    this.#waitForRoom(length);
    const record = new Uint8Array(length);
    new DataView(record.buffer).setUint32(0, text.length, true);
    record[4] = kinds.indexOf(kind);
    record[5] = cell.length;
    record.set(cell, headerBytes);
    record.set(text, headerBytes + cell.length);
    const { positions, bytes } = this.#ring;
    const position = Atomics.load(positions, writeIndex);
    const offset = position & (capacity - 1);
    const untilEnd = Math.min(length, capacity - offset);
    bytes.set(record.subarray(0, untilEnd), offset);
    bytes.set(record.subarray(untilEnd), 0);
    Atomics.store(positions, writeIndex, (position + length) | 0);
    Atomics.notify(positions, writeIndex);
  }

  #waitForRoom(length: number): void {
    const { positions } = this.#ring;
    for (;;) {
      const read = Atomics.load(positions, readIndex);
      const used = (Atomics.load(positions, writeIndex) - read) | 0;
      if (used + length <= capacity) return;
      Atomics.wait(positions, readIndex, read);
    }
  }
}

export class RingReader {
  readonly #ring: SharedRing;
  readonly #decoder = new TextDecoder();

  constructor(ring: SharedRing) {
    this.#ring = ring;
  }

  /** Where the writer is now; output up to here was written before this call. */
  get writePosition(): number {
    return Atomics.load(this.#ring.positions, writeIndex);
  }

  hasReached(position: number): boolean {
    return ((Atomics.load(this.#ring.positions, readIndex) - position) | 0) >= 0;
  }

  /** The next records, texts of the same cell and stream joined up to about `maxChars`; empty when all is read. */
  read(maxChars: number): OutputRecord[] {
    const records: OutputRecord[] = [];
    let chars = 0;
    for (let record = this.#next(); record !== undefined; record = this.#next()) {
      const last = records.at(-1);
      if (record.kind === "message") {
        records.push(record);
        // What the port holds decides what comes next: let the caller handle it first.
        return records;
      }
      if (last !== undefined && last.kind === record.kind && last.cell === record.cell) last.text += record.text;
      else records.push(record);
      chars += record.text.length;
      if (chars >= maxChars) return records;
    }
    return records;
  }

  /** Resolves when there is something to read. */
  async waitForOutput(): Promise<void> {
    const { positions } = this.#ring;
    const read = Atomics.load(positions, readIndex);
    const waiting = Atomics.waitAsync(positions, writeIndex, read);
    if (waiting.async) await waiting.value;
  }

  #next(): OutputRecord | undefined {
    const { positions } = this.#ring;
    const position = Atomics.load(positions, readIndex);
    if (position === Atomics.load(positions, writeIndex)) return undefined;
    const header = this.#copy(position, headerBytes);
    const textLength = new DataView(header.buffer).getUint32(0, true);
    const cellLength = header[5] ?? 0;
    const body = this.#copy(position + headerBytes, cellLength + textLength);
    Atomics.store(positions, readIndex, (position + headerBytes + body.length) | 0);
    Atomics.notify(positions, readIndex);
    const kind = kinds[header[4] ?? 0] ?? "stdout";
    if (kind === "message") return { kind };
    const cell = this.#decoder.decode(body.subarray(0, cellLength));
    return { kind, cell, text: this.#decoder.decode(body.subarray(cellLength)) };
  }

  #copy(position: number, length: number): Uint8Array<ArrayBuffer> {
    const offset = position & (capacity - 1);
    const copy = new Uint8Array(length);
    const untilEnd = Math.min(length, capacity - offset);
    copy.set(this.#ring.bytes.subarray(offset, offset + untilEnd));
    copy.set(this.#ring.bytes.subarray(0, length - untilEnd), untilEnd);
    return copy;
  }
}

const nothing = new Uint8Array(0);

/** Where a chunk that starts here ends; never between the two halves of an astral character. */
function chunkEnd(text: string, start: number): number {
  const end = Math.min(start + chunkChars, text.length);
  const isSplit = end < text.length && text.charCodeAt(end) >= 0xdc00 && text.charCodeAt(end) <= 0xdfff;
  return isSplit ? end - 1 : end;
}
