import { StringDecoder } from "node:string_decoder";

const markBytes = 64;
/** Node's own word when a process ends under an inspector session, as cells run in one. */
const inspectorNotice = "Waiting for the debugger to disconnect...\n";

/** What the watchdog writes to file descriptors 1 and 2 at a cell's end: whatever was written before comes before it. */
export function markText(nonce: string, id: number): string {
  return `\0heddle:${nonce}:${id}\0`;
}

/**
 * One of the session's file descriptors 1 and 2, to which only native code and child processes write. Takes the marks
 * out of the text and tells when one has come.
 */
export class NativeOutput {
  readonly #start: string;
  readonly #decoder = new StringDecoder("utf8");
  readonly #text: (text: string) => void;
  readonly #waiting = new Map<number, () => void>();
  #held = "";
  #lastMark = -1;
  #isClosed = false;
  /** The last characters that came, in which the reason of a crash is found. */
  tail = "";

  constructor(nonce: string, onText: (text: string) => void) {
    this.#start = `\0heddle:${nonce}:`;
    this.#text = onText;
  }

  write(bytes: Buffer): void {
    let text = this.#held + this.#decoder.write(bytes);
    this.#held = "";
    for (;;) {
      const at = text.indexOf(this.#start);
      const end = at < 0 ? -1 : text.indexOf("\0", at + this.#start.length);
      if (end < 0) break;
      this.#emit(text.slice(0, at));
      this.#reach(Number(text.slice(at + this.#start.length, end)));
      text = text.slice(end + 1);
    }
    const split = this.#startOfPartialMark(text);
    this.#held = text.slice(split);
    this.#emit(text.slice(0, split));
  }

  close(): void {
    this.#isClosed = true;
    this.#emit(this.#held + this.#decoder.end());
    this.#held = "";
    for (const done of this.#waiting.values()) done();
  }

  /** Resolves when the mark of this id has come, or the stream has ended. */
  reached(id: number): Promise<void> {
    if (this.#isClosed || this.#lastMark >= id) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.set(id, resolve));
  }

  #emit(text: string): void {
    if (text === "") return;
    this.tail = (this.tail + text).slice(-8_192);
    const shown = text.replaceAll(inspectorNotice, "");
    if (shown !== "") this.#text(shown);
  }

  #reach(id: number): void {
    this.#lastMark = id;
    for (const [waitedFor, done] of this.#waiting) {
      if (waitedFor > id) continue;
      this.#waiting.delete(waitedFor);
      done();
    }
  }

  /** Where a mark begins that has not come whole yet; the text's length if there is none. */
  #startOfPartialMark(text: string): number {
    const at = text.lastIndexOf("\0");
    if (at < 0 || text.length - at > markBytes) return text.length;
    const tail = text.slice(at);
    return tail.startsWith(this.#start) || this.#start.startsWith(tail) ? at : text.length;
  }
}
