/** ObjectRefGenerator: the items of a generator task, one by one, while the task runs. */
import { inspect } from "node:util";
import type { Backend } from "./backend.ts";
import { cancellable } from "./current.ts";
import { guarded } from "./host.ts";
import { taskIdText } from "./ids.ts";
import { borrowedRef, type ObjectRef, ownRef } from "./object-ref.ts";
import { pack } from "./serialization/tags.ts";

/**
 * The items of a generator task as refs, each usable while the task still runs. Leaving a loop over it early, `return()`
 * or the end of an `await using` block cancels the task. A failure comes as the last ref, whose `get` rejects. It stays
 * on its thread: pass its refs on, not itself. Semantics: Ray's ObjectRefGenerator.
 *
 * @example
 * const count = remote(function* (n: number) { for (let i = 0; i < n; i++) yield i; });
 * for await (const ref of count.remote(3)) console.log(await get(ref));
 */
export interface ObjectRefGenerator<T> extends AsyncIterableIterator<ObjectRef<T>>, AsyncDisposable {
  next(): Promise<IteratorResult<ObjectRef<T>, undefined>>;
  return(): Promise<IteratorResult<ObjectRef<T>, undefined>>;
  /** The items' values; rejects with the task's error when it fails. Each value is let go once it has been read. */
  values(): AsyncIterableIterator<T>;
  /** Ready when the task has ended; `get` of it gives undefined, or rejects with the task's error. */
  readonly completed: ObjectRef<void>;
}

const registry = new FinalizationRegistry<{ stream: number; backend: Backend }>(({ stream, backend }) =>
  guarded(() => backend.forgetStream(stream)),
);

class Stream implements ObjectRefGenerator<unknown> {
  readonly completed: ObjectRef<void>;
  readonly #number: number;
  readonly #backend: Backend;
  /** Calls of `next` follow each other. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(number: number, backend: Backend) {
    this.completed = ownRef(number, number, backend);
    this.#number = number;
    this.#backend = backend;
    registry.register(this, { stream: number, backend });
  }

  async next(): Promise<IteratorResult<ObjectRef<never>, undefined>> {
    const item = await this.#nextItem();
    if (item === undefined) return { done: true, value: undefined };
    return { done: false, value: guarded(() => this.#refOf(item)) };
  }

  #nextItem(): Promise<number | undefined> {
    const coming = this.#last.then(() => cancellable(this.#backend.nextItem(this.#number)));
    this.#last = coming.catch(() => {});
    return coming;
  }

  #refOf(item: number): ObjectRef<never> {
    if (item === this.#number) return borrowedRef(item, this.#backend);
    return ownRef(item, this.#number, this.#backend);
  }

  async return(): Promise<IteratorResult<ObjectRef<never>, undefined>> {
    guarded(() => this.#backend.closeStream(this.#number, true));
    return { done: true, value: undefined };
  }

  async *values(): AsyncGenerator<never> {
    try {
      for (;;) {
        const item = await this.#nextItem();
        if (item === undefined) return;
        yield (await this.#valueOf(item)) as never;
      }
    } finally {
      await this.return();
    }
  }

  async #valueOf(item: number): Promise<unknown> {
    const request = { timeout: undefined, signal: undefined, shared: false, settled: false, keep: this };
    try {
      const [value] = await cancellable(guarded(() => this.#backend.get([item], request)));
      return value;
    } finally {
      // Nobody else has a handle of an item.
      if (item !== this.#number) guarded(() => this.#backend.release(item));
    }
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  static number(value: object): number | undefined {
    return #number in value ? (value as Stream).#number : undefined;
  }

  static backend(value: object): Backend | undefined {
    return #number in value ? (value as Stream).#backend : undefined;
  }

  /** Why it cannot travel. */
  [pack](): string {
    return "a stream stays on the thread that called .remote(); pass its refs, or submit the generator where its items are needed";
  }

  [inspect.custom](): string {
    return `ObjectRefGenerator(task ${taskIdText(this.#number)}; for await (const ref of stream) gives its items)`;
  }
}

/** The stream of a generator task that this thread has just submitted. */
export function streamOf(number: number, backend: Backend): ObjectRefGenerator<never> {
  return new Stream(number, backend);
}

/** The number of the stream's task, which is that of `completed` too; undefined when the value is not a stream. */
export function streamNumber(value: unknown): number | undefined {
  return typeof value === "object" && value !== null ? Stream.number(value) : undefined;
}

/** The runtime that made the stream; undefined when the value is none. */
export function streamBackend(value: unknown): Backend | undefined {
  return typeof value === "object" && value !== null ? Stream.backend(value) : undefined;
}
