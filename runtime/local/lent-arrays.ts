/**
 * Arrays in the store's memory that the program fills itself, so that putting one copies nothing. The room is used by the
 * array, until nobody can reach its memory, and by the object that was put.
 */
import { enterGuard, leaveGuard } from "../host.ts";
import type { Locator } from "./locator.ts";
import type { ObjectStore } from "./object-store.ts";

export class LentArrays {
  readonly #store: ObjectStore;
  /** Those that were not put yet, by the buffer that their array alone has. */
  readonly #fresh = new WeakMap<object, Locator>();
  readonly #registry = new FinalizationRegistry<Locator>((locator) => {
    const inside = enterGuard();
    try {
      this.#store.release(locator);
    } finally {
      if (inside) leaveGuard();
    }
  });

  constructor(store: ObjectStore) {
    this.#store = store;
  }

  /** Room for an array, all zero. */
  make(bytes: number): Uint8Array {
    if (bytes === 0) return new Uint8Array(new SharedArrayBuffer(0));
    const locator = this.#store.allocate(bytes);
    const own = structuredClone(this.#store.memory(locator.segment));
    this.#fresh.set(own, locator);
    this.#registry.register(own, locator);
    return new Uint8Array(own, locator.offset, bytes).fill(0);
  }

  /** The room of an array that is put for the first time, as a whole; from now on the object uses it too. */
  take(value: unknown): Locator | undefined {
    if (!ArrayBuffer.isView(value)) return undefined;
    const { buffer, byteLength, byteOffset } = value;
    const locator = this.#fresh.get(buffer);
    if (locator === undefined || locator.offset !== byteOffset || locator.bytes !== byteLength) return undefined;
    this.#fresh.delete(buffer);
    this.#store.share(locator);
    return locator;
  }
}
