/** The scheduler's end of one thread: its rings, its port, and what it has been told already. */
import type { MessagePort } from "node:worker_threads";
import { BellPush } from "./bell.ts";
import type { Link } from "./protocol.ts";
import { RingReader, RingWriter } from "./ring.ts";

type WriteRecord = (writer: RingWriter) => number;

export class Peer {
  readonly index: number;
  readonly port: MessagePort;
  readonly reader: RingReader;
  readonly writer: RingWriter;
  /** Definitions and option sets the thread knows. */
  readonly known = new Set<number>();
  /** Labels of its cells. */
  readonly cells = new Map<number, string>();
  readonly #bell: BellPush;
  readonly #charged: BigInt64Array;
  #backlog: { type: number; words: number; write: WriteRecord }[] = [];
  #rang = true;
  /** Where the last record ends that has a part in shared memory; undefined while it waits for room. */
  #sharedUntil: number | undefined = 0;

  constructor(link: Link, port: MessagePort) {
    this.index = link.index;
    this.port = port;
    this.#charged = new BigInt64Array(link.storeCharged);
    this.reader = new RingReader(link.toScheduler);
    this.writer = new RingWriter(link.fromScheduler);
    this.#bell = new BellPush(link.ownBell, () => port.postMessage(null));
  }

  /** Bytes of the store that the thread has charged by itself. */
  get charged(): number {
    return Number(Atomics.load(this.#charged, 0));
  }

  /** Whether a record of this size would go out at once. */
  hasRoom(words: number): boolean {
    return this.#backlog.length === 0 && !this.writer.unfinished && this.writer.begin(words);
  }

  /** Sends a record, now or when the thread has made room; `write` fills the body and returns its length. */
  send(type: number, words: number, write: WriteRecord): void {
    this.#rang = false;
    this.#put(type, words, write);
  }

  /** The same for what only means something together with a later record: it wakes nobody by itself. */
  sendAhead(type: number, words: number, write: WriteRecord): void {
    this.#put(type, words, write);
    if (this.#rang && (this.#behind || this.writer.crowded)) this.#rang = false;
  }

  #put(type: number, words: number, write: WriteRecord): void {
    if (this.hasRoom(words)) this.writer.commit(type, write(this.writer));
    else this.#backlog.push({ type, words, write });
    if (this.#behind) this.writer.wantRoom();
  }

  /** What was sent last lies partly in shared memory. */
  noteShared(): void {
    this.#sharedUntil = this.#behind ? undefined : this.writer.end;
  }

  /** Tells from now on whether the thread has handled all that lies in shared memory and has been sent to it so far. */
  fence(): () => boolean {
    let until = this.#sharedUntil;
    return () => {
      // What waits for room has no place in the ring yet.
      if (until === undefined && !this.#behind) until = this.writer.end;
      return until !== undefined && this.writer.isRead(until);
    };
  }

  /** Finishes the turn: what waits for room goes out as far as it fits, and the thread is woken. */
  flush(): void {
    if (this.#behind) this.#sendBacklog();
    if (!this.#rang) {
      this.#rang = true;
      this.#bell.ring();
    }
  }

  /** Whether something waits for room. */
  get #behind(): boolean {
    return this.#backlog.length > 0 || this.writer.unfinished;
  }

  #sendBacklog(): void {
    let sent = 0;
    if (this.writer.unfinished) this.#rang = false;
    this.writer.writeRest();
    for (const { type, words, write } of this.#backlog) {
      if (this.writer.unfinished || !this.writer.begin(words)) break;
      this.writer.commit(type, write(this.writer));
      sent++;
    }
    if (sent > 0) {
      this.#backlog = this.#backlog.slice(sent);
      this.#rang = false;
    }
    if (this.#behind) this.writer.wantRoom();
  }
}
