/**
 * A list of objects of which some are waited for, taken away and the rest waited for again. Each object is looked at
 * when it becomes ready, not at each wait, so that draining a list one by one takes the same time for each of it.
 */

import type { Backend } from "../backend.ts";
import { LONGEST_TIMER_MS } from "../clock.ts";
import { sameRefs } from "../object-ref.ts";
import { CallInterrupted, CallOk, CallTimeout } from "./protocol.ts";
import type { Listener, Subscriptions } from "./subscriptions.ts";

/** What was taken from a list: its places there, ascending, and the objects' numbers. */
export interface Taken {
  places: number[];
  ids: number[];
}

export class Roster implements Listener {
  readonly #subscriptions: Subscriptions;
  /** What has not been taken, in the order of the list. */
  #ids: number[];
  /** Those that are ready and not taken, from `#head` on, the earliest first, and their orders. */
  #ready: number[] = [];
  #orders: number[] = [];
  #head = 0;
  #wanted = 0;
  #wake: ((outcome: number) => void) | undefined;

  /** Asks about the objects. Throws for duplicates. */
  constructor(ids: readonly number[], subscriptions: Subscriptions) {
    this.#subscriptions = subscriptions;
    this.#ids = [...ids];
    subscriptions.listen(ids, this);
  }

  arrived(id: number, order: number): void {
    let at = this.#ready.length;
    // The answers to a question about several objects come in the order of the question.
    while (at > this.#head && this.#orders[at - 1]! > order) at--;
    if (at === this.#ready.length) {
      this.#ready.push(id);
      this.#orders.push(order);
    } else {
      this.#ready.splice(at, 0, id);
      this.#orders.splice(at, 0, order);
    }
    if (this.ready >= this.#wanted) this.#wake?.(CallOk);
  }

  /** How many are ready. */
  get ready(): number {
    return this.#ready.length - this.#head;
  }

  /** How many have not been taken. */
  get length(): number {
    return this.#ids.length;
  }

  /** The first of those that have not been taken. */
  first(most: number): number[] {
    return this.#ids.slice(0, most);
  }

  /** Whether a list is just what has not been taken of this one. */
  is(refs: readonly unknown[], backend: Backend): boolean {
    return sameRefs(refs, this.#ids, backend);
  }

  /** The next one in the order in which they became ready; undefined when none is. The list stays as it is. */
  shift(): number | undefined {
    if (this.ready === 0) return undefined;
    const id = this.#ready[this.#head++];
    if (this.#head > 1024 && this.#head * 2 > this.#ready.length) {
      this.#ready = this.#ready.slice(this.#head);
      this.#orders = this.#orders.slice(this.#head);
      this.#head = 0;
    }
    return id;
  }

  /** Takes those that became ready first, at most `most`. */
  take(most: number): Taken {
    const count = Math.min(most, this.ready);
    if (count === 1) return this.#takeOne(this.shift()!);
    const taken = new Set<number>();
    while (taken.size < count) taken.add(this.shift()!);
    const places: number[] = [];
    const ids: number[] = [];
    const left: number[] = [];
    for (const [place, id] of this.#ids.entries()) {
      if (!taken.has(id)) left.push(id);
      else {
        places.push(place);
        ids.push(id);
      }
    }
    this.#ids = left;
    return { places, ids };
  }

  #takeOne(id: number): Taken {
    const place = this.#ids.indexOf(id);
    this.#ids.splice(place, 1);
    return { places: [place], ids: [id] };
  }

  /** Resolves with how it went when `count` are ready, the time is over, the signal aborts, or all waits end. */
  until(count: number, timeout: number | undefined, signal: AbortSignal | undefined): Promise<number> {
    const { ending } = this.#subscriptions;
    return new Promise((resolve) => {
      const finish = (outcome: number): void => {
        this.#wake = undefined;
        clearTimeout(timer);
        ending.delete(interrupt);
        signal?.removeEventListener("abort", interrupt);
        resolve(outcome);
      };
      const interrupt = (): void => finish(CallInterrupted);
      const limited = timeout !== undefined && timeout !== Number.POSITIVE_INFINITY;
      const timer = limited ? setTimeout(() => finish(CallTimeout), Math.min(timeout, LONGEST_TIMER_MS)) : undefined;
      if (signal?.aborted === true) return interrupt();
      this.#wanted = count;
      this.#wake = finish;
      ending.add(interrupt);
      signal?.addEventListener("abort", interrupt, { once: true });
    });
  }

  /** Nobody waits for it any more. */
  leave(): void {
    this.#subscriptions.leave(this.#ids, this);
  }
}
