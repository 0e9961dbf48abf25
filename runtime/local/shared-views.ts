/**
 * Views on the store's memory that user code holds. Each gets a SharedArrayBuffer object of its own over the same
 * memory, and everything made from it (`subarray`, `.buffer`) keeps that object alive; so the store's object is held
 * until nobody can reach its memory any more, even when the ref is gone.
 */
import { enterGuard, leaveGuard } from "../host.ts";
import type { Locator } from "./locator.ts";

export class SharedViews {
  readonly #counts = new Map<number, number>();
  readonly #release: (ids: readonly number[]) => void;
  readonly #registry = new FinalizationRegistry<number>((id) => {
    const inside = enterGuard();
    try {
      this.#gone(id);
    } finally {
      if (inside) leaveGuard();
    }
  });

  constructor(release: (ids: readonly number[]) => void) {
    this.#release = release;
  }

  /** Makes a view that keeps object `id` alive; `hold` tells the scheduler about the first one. */
  make(memory: SharedArrayBuffer, locator: Locator, id: number, hold: () => void): Uint8Array {
    const own = structuredClone(memory);
    const count = this.#counts.get(id) ?? 0;
    if (count === 0) hold();
    this.#counts.set(id, count + 1);
    this.#registry.register(own, id);
    return new Uint8Array(own, locator.offset, locator.bytes);
  }

  #gone(id: number): void {
    const count = this.#counts.get(id)! - 1;
    if (count > 0) this.#counts.set(id, count);
    else {
      this.#counts.delete(id);
      this.#release([id]);
    }
  }
}
