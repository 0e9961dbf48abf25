/**
 * Which cell the running code belongs to. Cells are told apart by promise hooks (a promise is tagged when it is made
 * and its reactions run under that tag) and by wrapped callbacks (`cell-callbacks.ts`), so that what a timer or an async
 * function of an earlier cell prints lands under that cell. No AsyncLocalStorage and no async_hooks: an interrupt must
 * not disturb a user's.
 */
import { promiseHooks } from "node:v8";

/** A cell as the session's main thread knows it. */
export interface CellContext {
  /** The request that runs it. */
  readonly id: number;
  readonly label: string;
  readonly allowStdin: boolean;
  /** Rejects the awaits that are pending in this cell. */
  readonly wakes: Set<(reason: unknown) => void>;
  /** An interrupt found no await to reject: the next one rejects. */
  interrupted: boolean;
  /** While set, no await of the cell settles: a loop that catches the interrupt stands still at its next one. */
  frozen: boolean;
}

let current: CellContext | undefined;
let starting: CellContext | undefined;
/** Whose code the start of another cell has come in the middle of. */
let suspended: CellContext | undefined;
/** The cell of a callback that has thrown. */
let failing: CellContext | undefined;
let latest: CellContext = newCell(0, "0", false);

export function newCell(id: number, label: string, allowStdin: boolean): CellContext {
  return { id, label, allowStdin, wakes: new Set(), interrupted: false, frozen: false };
}

/** The cell whose code is running; where that is not known, the cell that started last. */
export function currentCell(): CellContext {
  return current ?? starting ?? latest;
}

/** The cell that started last. */
export function latestCell(): CellContext {
  return latest;
}

/** From now until `finishStart`, promises that are made belong to this cell: its script is about to begin. */
export function beginStart(cell: CellContext): void {
  // What an interrupted cell left behind, such as a server's handlers, may await again.
  if (latest !== cell) latest.frozen = false;
  suspended = current;
  current = undefined;
  starting = cell;
  latest = cell;
}

/** Between the two others may run, such as a timer of an earlier cell: they are under their own cells. */
export function finishStart(): void {
  starting = undefined;
  current ??= suspended;
  suspended = undefined;
}

/** Forgets the running cell: at the root of the event loop there is none. A cut leaves it set, since no `after` hook runs. */
export function resetCurrent(): void {
  current = undefined;
  suspended = undefined;
}

/** Runs a function under a cell. */
export function runInCell(cell: CellContext, body: () => void): void {
  const before = current;
  current = cell;
  try {
    body();
  } finally {
    current = before;
  }
}

/** The cell in which a promise was made. */
export function cellOfPromise(promise: object): CellContext | undefined {
  return Tag.of(promise);
}

/** Starts to tag promises. Once, before any cell runs. */
export function tagPromises(): void {
  promiseHooks.createHook({
    init: (promise) => {
      const cell = current ?? starting;
      if (cell !== undefined) new Tag(promise, cell);
    },
    before: (promise) => {
      current = Tag.of(promise);
    },
    after: resetCurrent,
  });
}

class Returned {
  constructor(object: object) {
    // biome-ignore lint/correctness/noConstructorReturn: the subclass puts its private field on the object returned here
    return object;
  }
}

/** A private field on a foreign object: no inspection and no proxy sees it, and it costs less than a WeakMap. */
class Tag extends Returned {
  #cell: CellContext;
  constructor(promise: object, cell: CellContext) {
    super(promise);
    this.#cell = cell;
  }
  static of(promise: object): CellContext | undefined {
    return #cell in promise ? promise.#cell : undefined;
  }
}

type AnyFunction = (...args: unknown[]) => unknown;

/** The function, run under the cell that is current now, unless some cell is current when it is called. */
export function bound<F extends AnyFunction>(body: F): F {
  const cell = current ?? starting;
  return cell === undefined || typeof body !== "function" ? body : boundTo(cell, body);
}

/** The function, run under that cell, unless some cell is current when it is called. */
export function boundTo<F extends AnyFunction>(cell: CellContext, body: F): F {
  return function (this: unknown, ...args: unknown[]) {
    if (current !== undefined) return Reflect.apply(body, this, args);
    current = cell;
    let hasReturned = false;
    try {
      const result = Reflect.apply(body, this, args);
      hasReturned = true;
      return result;
    } finally {
      resetCurrent();
      failing = hasReturned ? undefined : cell;
    }
  } as F;
}

/** The cell whose code has just thrown what nobody caught. */
export function failingCell(): CellContext {
  const cell = current ?? starting ?? failing ?? latest;
  failing = undefined;
  return cell;
}

/** The cell that code which is made now belongs to, where that is known. */
export function callingCell(): CellContext | undefined {
  return current ?? starting;
}
