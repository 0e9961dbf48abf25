/**
 * Views on the store's memory that user code holds: the object stays where it is until nobody can reach its memory any
 * more, even when the ref is gone. Views of one object on one thread share what they are made from while any of them lives.
 */
import type { Locator } from "./locator.ts";
import { WatchedMemory } from "./watched-memory.ts";

interface Viewed {
  /** Number of the object; of arguments, that of their task below zero. */
  readonly id: number;
  readonly segment: number;
}

export class SharedViews {
  readonly #byObject = new Map<number, Viewed[]>();
  readonly #hold: (id: number) => void;
  readonly #release: (id: number) => void;
  readonly #watched = new WatchedMemory<Viewed>((viewed) => this.#gone(viewed));

  /** `hold` and `release` tell the scheduler of the first view and of the last one of an object. */
  constructor(hold: (id: number) => void, release: (id: number) => void) {
    this.#hold = hold;
    this.#release = release;
  }

  /** Makes a view that keeps object `id` alive. */
  make(memory: SharedArrayBuffer, { bytes, offset, segment }: Locator, id: number): Uint8Array {
    return new Uint8Array(this.#again(id, segment) ?? this.#first(memory, id, segment), offset, bytes);
  }

  /** See `WatchedMemory`. */
  get isEmpty(): boolean {
    return this.#watched.isEmpty;
  }

  /** See `WatchedMemory`. */
  sweep(): void {
    this.#watched.sweep();
  }

  #again(id: number, segment: number): SharedArrayBuffer | undefined {
    for (const viewed of this.#byObject.get(id) ?? []) {
      const own = viewed.segment === segment ? this.#watched.again(viewed) : undefined;
      if (own !== undefined) return own;
    }
    return undefined;
  }

  #first(memory: SharedArrayBuffer, id: number, segment: number): SharedArrayBuffer {
    const viewed = { id, segment };
    const others = this.#byObject.get(id);
    if (others === undefined) {
      this.#byObject.set(id, [viewed]);
      this.#hold(id);
    } else others.push(viewed);
    return this.#watched.hand(memory, viewed);
  }

  #gone(viewed: Viewed): void {
    const left = this.#byObject.get(viewed.id)!.filter((other) => other !== viewed);
    if (left.length > 0) this.#byObject.set(viewed.id, left);
    else {
      this.#byObject.delete(viewed.id);
      this.#release(viewed.id);
    }
  }
}
