/** `wait` and `asCompleted` of one thread: it counts by itself; the scheduler only hears of each wait. */
import type { WaitRequest } from "../backend.ts";
import { now } from "../clock.ts";
import { guarded } from "../host.ts";
import type { Views } from "./block.ts";
import type { Client } from "./client.ts";
import { abortReason } from "./pending-gets.ts";
import * as protocol from "./protocol.ts";
import type { RingWriter } from "./ring.ts";
import { Roster, type Taken } from "./roster.ts";
import type { Subscriptions } from "./subscriptions.ts";

const NEVER = -1;
/** Ids that a record shows of a list; the totals are exact. */
const SHOWN = 64;
/** Lists that are remembered for the next wait. */
const LEFT = 4;

/** Who asks: numbers for the call's record, and the slot that it gives back. */
export interface WaitCaller {
  nextCall(): number;
  task(): number;
  cell(): number;
  suspend(): void;
}

/** What the record of a wait says. */
interface Asked {
  shown: readonly number[];
  total: number;
  numReturns: number;
  timeout: number | undefined;
}

export class OpenWaits {
  readonly #client: Client;
  readonly #caller: WaitCaller;
  readonly #subscriptions: Subscriptions;
  /** What recent waits have left over, the latest first. */
  readonly #left: Roster[] = [];
  /** Waits whose task has to have its slot back before they return. */
  readonly #ending = new Map<number, () => void>();

  constructor(client: Client, caller: WaitCaller, subscriptions: Subscriptions) {
    this.#client = client;
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

  /** Places of the ready ones, ascending; at most `numReturns`, those that became ready first. */
  wait(refs: readonly unknown[], ids: () => readonly number[], request: WaitRequest): number[] | Promise<number[]> {
    const { numReturns, signal, timeout } = request;
    const known = this.#left.findIndex((left) => left.is(refs, this.#client));
    const roster = known < 0 ? new Roster(ids(), this.#subscriptions) : this.#left.splice(known, 1)[0]!;
    // A poll must not say "pending" of what is ready only because nobody has asked before.
    if (timeout === 0 && roster.ready < numReturns) this.#subscriptions.synchronize();
    const enough = roster.ready >= numReturns;
    if (!enough && timeout !== 0) return this.#waitFor(roster, request);
    if (!enough && signal?.aborted === true) throw abortReason(signal);
    const asked = { shown: roster.first(SHOWN), total: roster.length, numReturns, timeout };
    const taken = this.#take(roster, numReturns);
    this.#recordWaited(asked, taken, enough ? protocol.CallOk : protocol.CallTimeout);
    return taken.places;
  }

  async #waitFor(roster: Roster, { numReturns, signal, timeout }: WaitRequest): Promise<number[]> {
    const total = roster.length;
    const call = this.#beginWait({ shown: roster.first(SHOWN), total, numReturns, timeout });
    const outcome = await this.#awake(roster.until(numReturns, timeout, signal));
    const stopped = outcome === protocol.CallInterrupted;
    const taken = guarded(() => this.#take(roster, stopped ? 0 : numReturns));
    await this.#endWait(call, taken, total, outcome);
    if (stopped) throw abortReason(signal);
    return taken.places;
  }

  #take(roster: Roster, most: number): Taken {
    const taken = roster.take(most);
    if (roster.length > 0) this.#left.unshift(roster);
    if (this.#left.length > LEFT) this.#left.pop()!.leave();
    return taken;
  }

  /** The process lives on while somebody waits. */
  async #awake<T>(promise: Promise<T>): Promise<T> {
    this.#client.line.keepAlive(1);
    const value = await promise;
    this.#client.line.keepAlive(-1);
    return value;
  }

  #beginWait(asked: Asked): number {
    const call = this.#caller.nextCall();
    this.#client.line.commit(protocol.WaitBegin, this.#writeAsked(call, asked, 0).words);
    this.#caller.suspend();
    return call;
  }

  /** Begins a record with what a wait asks for and room for `more` words; `words` is how many are written. */
  #writeAsked(
    call: number,
    { numReturns, shown, timeout, total }: Asked,
    more: number,
  ): { to: RingWriter; words: number } {
    const cell = this.#caller.cell();
    const words = 6 + shown.length;
    const to = this.#client.line.begin(words + more);
    const { i32, f64, word } = to;
    f64[word] = call;
    f64[word + 1] = this.#caller.task();
    i32[word * 2 + 4] = cell;
    i32[word * 2 + 5] = numReturns;
    f64[word + 3] = now();
    f64[word + 4] = timeout ?? NEVER;
    i32[word * 2 + 10] = total;
    i32[word * 2 + 11] = shown.length;
    for (let index = 0; index < shown.length; index++) f64[word + 6 + index] = shown[index]!;
    return { to, words };
  }

  #recordWaited(asked: Asked, { ids }: Taken, outcome: number): void {
    const more = 2 + Math.min(SHOWN, ids.length);
    const { to, words } = this.#writeAsked(this.#caller.nextCall(), asked, more);
    writeTaken(to, to.word + words, ids, asked.total, outcome);
    this.#client.line.commitQuietly(protocol.Waited, words + more);
  }

  /** Tells of a wait's end. In a task it resolves when the task has its slot again. */
  async #endWait(call: number, { ids }: Taken, total: number, outcome: number): Promise<void> {
    const done = new Promise<void>((resolve) => this.#ending.set(call, resolve));
    guarded(() => {
      const words = 4 + Math.min(SHOWN, ids.length);
      const to = this.#client.line.begin(words);
      to.f64[to.word] = call;
      to.f64[to.word + 1] = now();
      writeTaken(to, to.word + 2, ids, total, outcome);
      this.#client.line.commit(protocol.WaitEnd, words);
    });
    if (this.#caller.task() !== 0) await done;
  }

  /** One by one as objects become ready; it asks for a wait only when there is nothing to give. */
  async *inOrder(ids: readonly number[], signal: AbortSignal | undefined): AsyncIterableIterator<number> {
    const roster = guarded(() => {
      const made = new Roster(ids, this.#subscriptions);
      // What is ready already comes first, by the order in which it became so.
      this.#subscriptions.synchronize();
      return made;
    });
    const left = new Set(ids);
    try {
      while (left.size > 0) {
        signal?.throwIfAborted();
        const id = roster.shift() ?? (await this.#nextArrival(roster, left, signal));
        left.delete(id);
        yield id;
      }
    } finally {
      roster.leave();
    }
  }

  async #nextArrival(roster: Roster, left: ReadonlySet<number>, signal: AbortSignal | undefined): Promise<number> {
    const shown: number[] = [];
    for (const id of left) if (shown.push(id) === SHOWN) break;
    const call = guarded(() => this.#beginWait({ shown, total: left.size, numReturns: 1, timeout: undefined }));
    const outcome = await this.#awake(roster.until(1, undefined, signal));
    const id = roster.shift();
    const ids = id === undefined ? [] : [id];
    await this.#endWait(call, { places: [], ids }, left.size, outcome);
    if (id === undefined) throw abortReason(signal);
    return id;
  }
}

/** How a wait ended: its outcome, how many it took and left, and some of what it took. */
function writeTaken({ i32, f64 }: Views, word: number, ids: readonly number[], total: number, outcome: number): void {
  const shown = Math.min(SHOWN, ids.length);
  i32[word * 2] = outcome;
  i32[word * 2 + 1] = ids.length;
  i32[word * 2 + 2] = total - ids.length;
  i32[word * 2 + 3] = shown;
  for (let index = 0; index < shown; index++) f64[word + 2 + index] = ids[index]!;
}
