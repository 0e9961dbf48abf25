/**
 * Arrays in the store's memory that the program fills itself, so that putting one copies nothing. The room is used by the
 * array, until nobody can reach its memory, and by the object that was put.
 */
import type { Locator } from "./locator.ts";
import type { ObjectStore } from "./object-store.ts";
import { WatchedMemory } from "./watched-memory.ts";

export class LentArrays {
  readonly #store: ObjectStore;
  /** Those that were not put yet, by the buffer that their array alone has. */
  readonly #fresh = new WeakMap<object, Locator>();
  readonly #watched: WatchedMemory<Locator>;

  constructor(store: ObjectStore) {
    this.#store = store;
    this.#watched = new WatchedMemory((locator) => store.release(locator));
  }

  /** Room for an array, all zero. */
  make(bytes: number): Uint8Array {
    if (bytes === 0) return new Uint8Array(new SharedArrayBuffer(0));
    const locator = this.#store.allocate(bytes);
    const own = this.#watched.hand(this.#store.memory(locator.segment), locator);
    this.#fresh.set(own, locator);
    return new Uint8Array(own, locator.offset, bytes).fill(0);
  }

  /** The room of an array that is sealed for the first time, as a whole; from now on the object uses it too. */
  readonly take = ({ buffer, byteLength, byteOffset }: ArrayBufferView): Locator | undefined => {
    const locator = this.#fresh.get(buffer);
    if (locator === undefined || locator.offset !== byteOffset || locator.bytes !== byteLength) return undefined;
    this.#fresh.delete(buffer);
    this.#store.share(locator);
    return locator;
  };

  /** See `WatchedMemory`. */
  get isEmpty(): boolean {
    return this.#watched.isEmpty;
  }

  /** See `WatchedMemory`. */
  sweep(): void {
    this.#watched.sweep();
  }
}
