/** Who waits until all threads have handled what they were told, as the scheduler's thread does it after each turn. */
import type { Thread, Told } from "./thread.ts";

interface Fence {
  unread: { thread: Thread; told: ReadonlySet<Told> }[];
  marks: { thread: Thread; isHeard: () => boolean }[] | undefined;
  passed: () => void;
}

export class SimulatedFences {
  readonly #threads: ReadonlyMap<number, Thread>;
  #fences: Fence[] = [];

  constructor(threads: ReadonlyMap<number, Thread>) {
    this.#threads = threads;
  }

  add(passed: () => void): void {
    const unread = [...this.#threads.values()].map((thread) => ({ thread, told: new Set(thread.told) }));
    this.#fences.push({ unread, marks: undefined, passed });
  }

  get size(): number {
    return this.#fences.length;
  }

  pass(): void {
    const isGone = (thread: Thread): boolean => this.#threads.get(thread.index) !== thread;
    const fences = this.#fences;
    this.#fences = [];
    for (const fence of fences) {
      if (fence.marks?.every(({ isHeard, thread }) => isGone(thread) || isHeard()) === true) {
        fence.passed();
        continue;
      }
      const isRead = fence.unread.every(
        ({ thread, told }) => isGone(thread) || thread.told.every((one) => !told.has(one)),
      );
      if (isRead) fence.marks ??= fence.unread.map(({ thread }) => ({ thread, isHeard: thread.mark() }));
      this.#fences.push(fence);
    }
  }
}
