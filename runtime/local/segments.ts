/**
 * Segments of shared memory and files as the scheduler knows them, and how much that is remembered lies in each. A thread
 * reuses its own segments; those of a thread that has ended, and files, go when nothing lies in them any more.
 */
import { ownerOf, roundUp } from "./arena.ts";
import type { Block } from "./block.ts";
import { isOnDisk, type Locator, writerOf } from "./locator.ts";

export interface Segment {
  /** None for a file. */
  readonly memory: SharedArrayBuffer | undefined;
  /** Whoever takes it out of the pool has it. */
  readonly pooled: boolean;
  /** Pieces of remembered blocks that lie in it. */
  pieces: number;
  /** Whether anything has ever lain in it. */
  used: boolean;
}

export class Segments {
  readonly #known = new Map<number, Segment>();
  /** Bytes of shared memory that each thread took and told of, ever. */
  readonly #published = new Map<number, number>();

  add(id: number, memory: SharedArrayBuffer, pooled: boolean): void {
    this.#known.set(id, { memory, pooled, pieces: 0, used: false });
  }

  /** Whether the place is one that was told of; files need not be. */
  has({ bytes, segment }: Locator): boolean {
    return bytes === 0 || isOnDisk(segment) || this.#known.has(segment);
  }

  memory(id: number): SharedArrayBuffer {
    return this.#known.get(id)!.memory!;
  }

  isPooled(id: number): boolean {
    return this.#known.get(id)?.pooled === true;
  }

  *memories(): Generator<[id: number, memory: SharedArrayBuffer]> {
    for (const [id, { memory }] of this.#known) if (memory !== undefined) yield [id, memory];
  }

  /** A block is remembered from here on. */
  occupy(block: Block): void {
    for (const locator of block.locators) {
      const { bytes, segment } = locator;
      if (bytes === 0) continue;
      let known = this.#known.get(segment);
      if (known === undefined) {
        known = { memory: undefined, pooled: false, pieces: 0, used: true };
        this.#known.set(segment, known);
      }
      known.pieces++;
      known.used = true;
      const owner = ownerOf(locator);
      if (owner !== undefined) this.#published.set(owner, this.publishedBy(owner) + roundUp(bytes));
    }
  }

  publishedBy(thread: number): number {
    return this.#published.get(thread) ?? 0;
  }

  /** A piece is let go of; whether nothing lies in its segment any more. */
  vacate({ segment }: Locator): boolean {
    const known = this.#known.get(segment);
    return known !== undefined && --known.pieces === 0;
  }

  /** A thread has ended: those that it made and nobody else will use. */
  emptyOf(thread: number): number[] {
    this.#published.delete(thread);
    return [...this.#known]
      .filter(([, { pieces, pooled, used }]) => pieces === 0 && !(pooled && used))
      .filter(([id]) => ownerOf({ segment: id, offset: 0, bytes: 1 }) === thread)
      .map(([id]) => id);
  }

  /** Files that a thread wrote and something lies in. */
  filesOf(thread: number): number[] {
    return [...this.#known.keys()].filter((id) => isOnDisk(id) && writerOf(id) === thread);
  }

  delete(id: number): void {
    this.#known.delete(id);
  }
}
