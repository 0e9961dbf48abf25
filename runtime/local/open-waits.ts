/** `wait` and `asCompleted` of one thread: it counts by itself; the scheduler only hears when a wait begins and ends. */
import type { WaitRequest } from "../backend.ts";
import { now } from "../clock.ts";
import { guarded } from "../host.ts";
import { Arrivals } from "./arrivals.ts";
import type { Line } from "./line.ts";
import { abortReason } from "./pending-gets.ts";
import * as protocol from "./protocol.ts";
import type { Subscriptions } from "./subscriptions.ts";

const NEVER = -1;

/** Who asks: numbers for the call's record, and the slot that it gives back. */
export interface WaitCaller {
  nextCall(): number;
  task(): number;
  cell(): number;
  suspend(): void;
}

export class OpenWaits {
  readonly #line: Line;
  readonly #caller: WaitCaller;
  readonly #subscriptions: Subscriptions;
  /** Waits whose task has to have its slot back before they return. */
  readonly #ending = new Map<number, () => void>();

  constructor(line: Line, caller: WaitCaller, subscriptions: Subscriptions) {
    this.#line = line;
    this.#caller = caller;
    this.#subscriptions = subscriptions;
  }

  /** The scheduler has heard of the end of a call; whether it was a wait. */
  done(call: number): boolean {
    const over = this.#ending.get(call);
    this.#ending.delete(call);
    over?.();
    return over !== undefined;
  }

  /** Indexes of the ready ones, ascending; at most `numReturns`, those that became ready first. */
  async wait(ids: readonly number[], request: WaitRequest): Promise<number[]> {
    const { numReturns, timeout, signal } = request;
    const watched = this.#subscriptions.watch(ids, timeout === 0);
    const call = this.#beginWait(ids, ids.length, numReturns, timeout);
    this.#line.keepAlive(1);
    const { ready, outcome } = await this.#subscriptions.wait(watched, numReturns, timeout, signal);
    this.#line.keepAlive(-1);
    const over = guarded(() => this.#endWait(call, ids, ready, ids.length - ready.length, outcome));
    if (this.#caller.task() !== 0) await over;
    if (outcome === protocol.CallInterrupted) throw abortReason(request.signal);
    return ready;
  }

  #beginWait(ids: readonly number[], total: number, numReturns: number, timeout: number | undefined): number {
    const call = this.#caller.nextCall();
    const cell = this.#caller.cell();
    const shown = Math.min(64, ids.length);
    const to = this.#line.begin(6 + shown);
    to.f64[to.word] = call;
    to.f64[to.word + 1] = this.#caller.task();
    to.i32[to.word * 2 + 4] = cell;
    to.i32[to.word * 2 + 5] = numReturns;
    to.f64[to.word + 3] = now();
    to.f64[to.word + 4] = timeout ?? NEVER;
    to.i32[to.word * 2 + 10] = total;
    to.i32[to.word * 2 + 11] = shown;
    for (let index = 0; index < shown; index++) to.f64[to.word + 6 + index] = ids[index]!;
    this.#line.commit(protocol.WaitBegin, 6 + shown);
    this.#caller.suspend();
    return call;
  }

  #endWait(
    call: number,
    ids: readonly number[],
    ready: readonly number[],
    pending: number,
    outcome: number,
  ): Promise<void> {
    const shown = Math.min(64, ready.length);
    const done = new Promise<void>((resolve) => this.#ending.set(call, resolve));
    const to = this.#line.begin(4 + shown);
    to.f64[to.word] = call;
    to.f64[to.word + 1] = now();
    to.i32[to.word * 2 + 4] = outcome;
    to.i32[to.word * 2 + 5] = ready.length;
    to.i32[to.word * 2 + 6] = pending;
    to.i32[to.word * 2 + 7] = shown;
    for (let index = 0; index < shown; index++) to.f64[to.word + 4 + index] = ids[ready[index]!]!;
    this.#line.commit(protocol.WaitEnd, 4 + shown);
    return done;
  }

  /** Index by index as objects become ready; it asks for a wait only when there is nothing to give. */
  async *inOrder(ids: readonly number[], signal: AbortSignal | undefined): AsyncIterableIterator<number> {
    const arrivals = guarded(() => new Arrivals(this.#subscriptions.watch(ids, true)));
    try {
      for (let left = ids.length; left > 0; left--) {
        signal?.throwIfAborted();
        yield arrivals.take() ?? (await this.#nextArrival(arrivals, ids, left, signal));
      }
    } finally {
      arrivals.stop();
    }
  }

  async #nextArrival(
    arrivals: Arrivals,
    ids: readonly number[],
    left: number,
    signal: AbortSignal | undefined,
  ): Promise<number> {
    const shown = arrivals.pending(64).map((index) => ids[index]!);
    const call = guarded(() => this.#beginWait(shown, left, 1, undefined));
    this.#line.keepAlive(1);
    const outcome = await arrivals.next(signal, this.#subscriptions.ending);
    this.#line.keepAlive(-1);
    const index = arrivals.take();
    const ready = index === undefined ? [] : [index];
    const over = guarded(() => this.#endWait(call, ids, ready, left - ready.length, outcome));
    if (this.#caller.task() !== 0) await over;
    if (index === undefined) throw abortReason(signal);
    return index;
  }
}
