/** Streams that this thread reads: items as they come, and the reader that waits for the next one. */
import { now } from "../clock.ts";
import type { Line } from "./line.ts";
import * as protocol from "./protocol.ts";
import type { Subscriptions } from "./subscriptions.ts";

interface OpenStream {
  /** Objects that were not taken yet, each with its position in the order of readiness. */
  readonly items: { id: number; order: number }[];
  head: number;
  taken: number;
  /** Whether the producer may be held back, and so wants to know what was taken. */
  readonly bounded: boolean;
  /** `ended`: nothing more will come; `closed`: nobody wants it either. */
  state: "open" | "ended" | "closed";
}

/** The number under which `wait` knows a stream; that of its task is the object that tells how the task ended. */
export const waitNumber = (stream: number): number => stream + 1;

export class OpenStreams {
  readonly #open = new Map<number, OpenStream>();
  readonly #line: Line;
  readonly #subscriptions: Subscriptions;
  readonly #release: (id: number) => void;

  constructor(line: Line, subscriptions: Subscriptions, release: (id: number) => void) {
    this.#line = line;
    this.#subscriptions = subscriptions;
    this.#release = release;
  }

  /** A generator task is submitted; its items will come. */
  open(stream: number, highWaterMark: number): void {
    const bounded = highWaterMark !== Number.POSITIVE_INFINITY;
    this.#open.set(stream, { items: [], head: 0, taken: 0, bounded, state: "open" });
    this.#subscriptions.expect(waitNumber(stream), 0);
  }

  /** An item came; this thread holds it. */
  arrived(stream: number, id: number, order: number): void {
    const open = this.#open.get(stream);
    // It was closed while the item was on its way.
    if (open === undefined || open.state === "closed") return this.#release(id);
    open.items.push({ id, order });
    this.#subscriptions.ready(waitNumber(stream), order);
  }

  /** Nothing more will come; after a failure the task's own object is the last item. */
  ended(stream: number, order: number, failed: boolean): void {
    const open = this.#open.get(stream);
    if (open === undefined || open.state === "closed") return;
    open.state = "ended";
    if (failed) open.items.push({ id: stream, order });
    this.#subscriptions.ready(waitNumber(stream), order);
  }

  /** The next item, if it is there; undefined at the end; "pending" when it has yet to come. */
  take(stream: number): number | undefined | "pending" {
    const open = this.#open.get(stream);
    const item = open?.items[open.head];
    if (open === undefined || item === undefined) return open?.state === "open" ? "pending" : undefined;
    open.taken++;
    open.head++;
    if (open.head >= 64 && open.head * 2 >= open.items.length) {
      open.items.splice(0, open.head);
      open.head = 0;
    }
    const next = open.items[open.head];
    // A stream that has ended stays ready.
    if (next !== undefined || open.state === "open") this.#subscriptions.expect(waitNumber(stream), next?.order ?? 0);
    if (open.bounded && open.state === "open") this.#tellTaken(stream, open.taken);
    return item.id;
  }

  #tellTaken(stream: number, count: number): void {
    const to = this.#line.begin(2);
    to.f64[to.word] = stream;
    to.i32[to.word * 2 + 2] = count;
    this.#line.commit(protocol.Taken, 2);
  }

  /** Nobody reads the stream any more: what is unread is let go, and its task is cancelled or goes on for its effects. */
  close(stream: number, cancel: boolean): void {
    const open = this.#open.get(stream);
    if (open === undefined || open.state === "closed") return;
    const running = open.state === "open";
    open.state = "closed";
    for (const { id } of open.items.splice(open.head)) if (id !== stream) this.#release(id);
    this.#subscriptions.ready(waitNumber(stream), 1);
    if (running) this.#tellClosed(stream, cancel);
  }

  #tellClosed(stream: number, cancel: boolean): void {
    const to = this.#line.begin(3);
    to.f64[to.word] = stream;
    to.i32[to.word * 2 + 2] = cancel ? 1 : 0;
    to.f64[to.word + 2] = now();
    this.#line.commit(protocol.CloseStream, 3);
  }

  /** Nobody can reach the stream any more. */
  forget(stream: number): void {
    this.close(stream, false);
    this.#open.delete(stream);
    this.#subscriptions.forget(waitNumber(stream));
  }
}
