/**
 * Segments of shared memory as the scheduler knows them. A thread reuses its own for ever; those of a thread that has
 * ended go when nothing that is remembered lies in them.
 */
import type { Block } from "./block.ts";
import { ObjectStore } from "./object-store.ts";
import type { Locator } from "./protocol.ts";

interface Segment {
  readonly memory: SharedArrayBuffer;
  /** Pieces of remembered blocks that lie in it. */
  pieces: number;
}

export class Segments {
  readonly #known = new Map<number, Segment>();

  add(id: number, memory: SharedArrayBuffer): void {
    this.#known.set(id, { memory, pieces: 0 });
  }

  has(id: number): boolean {
    return this.#known.has(id);
  }

  *memories(): Generator<[id: number, memory: SharedArrayBuffer]> {
    for (const [id, { memory }] of this.#known) yield [id, memory];
  }

  /** A block is remembered from here on. */
  occupy(block: Block): void {
    for (const { bytes, segment } of block.locators) {
      const known = bytes === 0 ? undefined : this.#known.get(segment);
      if (known !== undefined) known.pieces++;
    }
  }

  /** A piece is let go of; whether nothing lies in its segment any more. */
  vacate({ segment }: Locator): boolean {
    const known = this.#known.get(segment);
    return known !== undefined && --known.pieces === 0;
  }

  /** A thread has ended: its segments in which nothing lies. */
  emptyOf(thread: number): number[] {
    return [...this.#known]
      .filter(([id, { pieces }]) => pieces === 0 && ObjectStore.ownerOf(id) === thread)
      .map(([id]) => id);
  }

  delete(id: number): void {
    this.#known.delete(id);
  }
}
