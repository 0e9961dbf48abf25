/**
 * Which objects this thread knows to be ready, and in which order they became so. Each object is asked for once; a
 * `wait` then only counts, and never looks at a ref again that has not changed.
 */
import { objectIdText } from "../ids.ts";
import { CallInterrupted, CallOk, CallTimeout } from "./protocol.ts";

export interface Watched {
  /** Position in the order of readiness; 0 while pending. */
  order: number;
  waiters: Set<() => void> | undefined;
  /** The last call that watched it; finds what a call names twice. */
  call: number;
}

export interface WaitOutcome {
  /** Indexes of the ready ones, ascending. */
  ready: number[];
  outcome: number;
}

export class Subscriptions {
  readonly #watched = new Map<number, Watched>();
  readonly #subscribe: (ids: readonly number[]) => void;
  readonly #synchronize: () => void;
  /** Ends each wait that is open. */
  readonly ending = new Set<() => void>();
  #calls = 0;

  /**
   * @param subscribe asks the scheduler about objects
   * @param synchronize returns when the answers to what was asked so far have been read
   */
  constructor(subscribe: (ids: readonly number[]) => void, synchronize: () => void) {
    this.#subscribe = subscribe;
    this.#synchronize = synchronize;
  }

  /** Something that the scheduler tells of by itself: ready at `order`, or with 0 when `ready` is called. */
  expect(id: number, order: number): void {
    this.#watched.set(id, { order, waiters: undefined, call: 0 });
  }

  forget(id: number): void {
    this.#watched.delete(id);
  }

  /** The scheduler said that an object is ready. */
  ready(id: number, order: number): void {
    const watched = this.#watched.get(id);
    if (watched === undefined || watched.order > 0) return;
    watched.order = order;
    const { waiters } = watched;
    watched.waiters = undefined;
    if (waiters !== undefined) for (const waiter of waiters) waiter();
  }

  /** Watches the objects from now on. With `poll`, what is ready already is known on return. Throws for duplicates. */
  watch(ids: readonly number[], poll: boolean): Watched[] {
    const fresh: number[] = [];
    const call = ++this.#calls;
    const all: Watched[] = new Array(ids.length);
    for (let index = 0; index < ids.length; index++) {
      const id = ids[index]!;
      let watched = this.#watched.get(id);
      if (watched === undefined) {
        watched = { order: 0, waiters: undefined, call: 0 };
        this.#watched.set(id, watched);
        fresh.push(id);
      }
      if (watched.call === call) throw duplicateError(ids, index);
      watched.call = call;
      all[index] = watched;
    }
    if (fresh.length > 0) this.#subscribe(fresh);
    // A poll must not say "pending" of what is ready only because nobody has asked before.
    if (poll) this.#synchronize();
    return all;
  }

  /** Waits until `most` of the watched objects are ready, the time is over, or the signal aborts. */
  wait(
    all: readonly Watched[],
    most: number,
    timeout: number | undefined,
    signal: AbortSignal | undefined,
  ): Promise<WaitOutcome> {
    let missing = most;
    for (const watched of all) if (watched.order > 0) missing--;
    if (missing <= 0) return Promise.resolve({ ready: earliest(all, most), outcome: CallOk });
    return new Promise((resolve) => {
      const finish = (outcome: number): void => {
        clearTimeout(timer);
        this.ending.delete(interrupt);
        signal?.removeEventListener("abort", interrupt);
        for (const watched of all) watched.waiters?.delete(arrived);
        resolve({ ready: outcome === CallInterrupted ? [] : earliest(all, most), outcome });
      };
      const arrived = (): void => {
        if (--missing === 0) finish(CallOk);
      };
      const interrupt = (): void => finish(CallInterrupted);
      const timer =
        timeout === undefined || timeout === Number.POSITIVE_INFINITY
          ? undefined
          : setTimeout(() => finish(CallTimeout), Math.min(timeout, 2 ** 31 - 1));
      if (signal?.aborted === true) return interrupt();
      signal?.addEventListener("abort", interrupt, { once: true });
      this.ending.add(interrupt);
      for (const watched of all) {
        if (watched.order > 0) continue;
        watched.waiters ??= new Set();
        watched.waiters.add(arrived);
      }
    });
  }

  /** Ends all waits: the runtime is gone. */
  end(): void {
    for (const finish of [...this.ending]) finish();
  }
}

/** Indexes of those that became ready first, at most `most`, in the order of the input. */
function earliest(all: readonly Watched[], most: number): number[] {
  const last = most === 1 ? firstOrder(all) : orderAt(all, most);
  const ready: number[] = [];
  for (let index = 0; index < all.length; index++) {
    const { order } = all[index]!;
    if (order > 0 && order <= last) ready.push(index);
  }
  return ready;
}

function firstOrder(all: readonly Watched[]): number {
  let first = Number.POSITIVE_INFINITY;
  for (const { order } of all) if (order > 0 && order < first) first = order;
  return first;
}

/** The order of the `nth` that became ready; no limit where there are not so many. */
function orderAt(all: readonly Watched[], nth: number): number {
  const orders: number[] = [];
  for (const { order } of all) if (order > 0) orders.push(order);
  return orders.length <= nth ? Number.POSITIVE_INFINITY : Float64Array.from(orders).sort()[nth - 1]!;
}

function duplicateError(ids: readonly number[], at: number): TypeError {
  const id = ids[at]!;
  return new TypeError(`${objectIdText(id)} is given twice, at [${ids.indexOf(id)}] and [${at}]`);
}
