import { type CellContext, currentCell, resetCurrent } from "./cell-context.ts";

/** What an interrupted await rejects with. */
export class InterruptedError extends Error {
  override readonly name = "InterruptedError";
  constructor() {
    super("the cell was interrupted");
    this.stack = `${this.name}: ${this.message}`;
  }
}

/** JavaScript's own, whatever a cell makes of the global. */
const Settling = Promise;
const never = new Settling<never>(() => {});

/** `await` of a cell: settles as the value does, or rejects when the cell is interrupted meanwhile. */
export function interruptible<T>(value: T | PromiseLike<T>): Promise<Awaited<T>> {
  const cell = currentCell();
  if (cell.interrupted) {
    cell.interrupted = false;
    Settling.resolve(value).catch(() => {});
    return Settling.reject(new InterruptedError());
  }
  return new Settling<Awaited<T>>((resolve, reject) => {
    const { wakes } = cell;
    wakes.add(reject);
    // V8 finds who awaits whom, for the stack of an error, along promises and their own resolve functions only.
    Settling.resolve(value)
      .then(
        (result) => {
          wakes.delete(reject);
          return cell.frozen ? never : result;
        },
        (error) => {
          wakes.delete(reject);
          if (cell.frozen) return never;
          throw error;
        },
      )
      .then(resolve as (result: unknown) => void, reject);
  });
}

/** `for await` of a cell: an interrupt ends the wait for the next item, and the source is told that no more is wanted. */
export function interruptibleItems<T>(source: AsyncIterable<T> | Iterable<T>): AsyncIterable<T> {
  return {
    [Symbol.asyncIterator]() {
      const inner = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : awaitedItems(source);
      return {
        next: () =>
          interruptible(inner.next()).catch((error) => {
            if (error instanceof InterruptedError) inner.return?.()?.then(undefined, () => {});
            throw error;
          }) as Promise<IteratorResult<T>>,
        ...(inner.return && { return: () => interruptible(inner.return?.()) as Promise<IteratorResult<T>> }),
      };
    },
  };
}

function awaitedItems<T>(source: Iterable<T>): AsyncIterator<T> {
  const inner = source[Symbol.iterator]();
  return {
    async next() {
      const item = inner.next();
      return item.done ? item : { done: false, value: await item.value };
    },
    async return() {
      const end = inner.return?.();
      return { done: true, value: await end?.value };
    },
  };
}

const immediate = setImmediate;

/**
 * A fresh turn of the event loop, in which no inspector message is being handled and no earlier code is on the stack.
 * It comes, whatever was interrupted.
 */
export function nextTurn(): Promise<void> {
  return new Settling<void>((resolve) => {
    immediate(() => {
      resetCurrent();
      resolve();
    });
  });
}

/** Rejects the cell's pending awaits, or else its next one, so that its `finally` blocks run. */
export function interruptAwaits(cell: CellContext): void {
  const error = new InterruptedError();
  const pending = [...cell.wakes];
  cell.wakes.clear();
  cell.interrupted = pending.length === 0;
  for (const wake of pending) wake(error);
}
