/** Objects in the order in which they become ready; each step costs the same, however many there are. */
import { CallInterrupted, CallOk } from "./protocol.ts";
import type { Watched } from "./subscriptions.ts";

export class Arrivals {
  readonly #pending = new Map<number, { watched: Watched; arrived: () => void }>();
  readonly #queue: number[] = [];
  #head = 0;
  #wake: ((outcome: number) => void) | undefined;

  /** Those that are ready come first, by the order in which they became so. */
  constructor(all: readonly Watched[]) {
    for (const [index, watched] of all.entries()) {
      if (watched.order > 0) this.#queue.push(index);
      else this.#await(index, watched);
    }
    this.#queue.sort((a, b) => all[a]!.order - all[b]!.order);
  }

  #await(index: number, watched: Watched): void {
    const arrived = (): void => {
      this.#pending.delete(index);
      this.#queue.push(index);
      this.#wake?.(CallOk);
    };
    this.#pending.set(index, { watched, arrived });
    watched.waiters ??= new Set();
    watched.waiters.add(arrived);
  }

  /** The next one, or undefined when none is ready. */
  take(): number | undefined {
    return this.#queue[this.#head++] ?? this.#missed();
  }

  #missed(): undefined {
    this.#head--;
  }

  /** Up to `most` of those that are not ready, for the record of a wait. */
  pending(most: number): number[] {
    const some: number[] = [];
    for (const index of this.#pending.keys()) {
      if (some.length === most) break;
      some.push(index);
    }
    return some;
  }

  /** Resolves with how it went when the next one is ready, the signal aborts, or all waits end. */
  next(signal: AbortSignal | undefined, ending: Set<() => void>): Promise<number> {
    return new Promise((resolve) => {
      const finish = (outcome: number): void => {
        this.#wake = undefined;
        ending.delete(interrupt);
        signal?.removeEventListener("abort", interrupt);
        resolve(outcome);
      };
      const interrupt = (): void => finish(CallInterrupted);
      if (signal?.aborted === true) return interrupt();
      this.#wake = finish;
      ending.add(interrupt);
      signal?.addEventListener("abort", interrupt, { once: true });
    });
  }

  /** Nobody takes any more. */
  stop(): void {
    for (const { watched, arrived } of this.#pending.values()) watched.waiters?.delete(arrived);
    this.#pending.clear();
  }
}
