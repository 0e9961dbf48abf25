/**
 * Which cell the running code belongs to. Cells are told apart by promise hooks (a promise is tagged when it is made
 * and its reactions run under that tag), by wrapped timers and by wrapped listeners, so that what a timer or an async
 * function of an earlier cell prints lands under that cell. No AsyncLocalStorage: an interrupt must not disturb a user's.
 */
import { EventEmitter } from "node:events";
import { syncBuiltinESMExports } from "node:module";
import timers from "node:timers";
import { promiseHooks } from "node:v8";

/** A cell as the session's main thread knows it. */
export interface CellContext {
  /** The request that runs it. */
  readonly id: number;
  readonly label: string;
  readonly allowStdin: boolean;
  /** Rejects the awaits that are pending in this cell. */
  readonly wakes: Set<(reason: unknown) => void>;
  /** While set, no await of the cell settles: a loop that catches the interrupt stands still at its next one. */
  frozen: boolean;
}

let current: CellContext | undefined;
let starting: CellContext | undefined;
let latest: CellContext = newCell(0, "0", false);

export function newCell(id: number, label: string, allowStdin: boolean): CellContext {
  return { id, label, allowStdin, wakes: new Set(), frozen: false };
}

/** The cell whose code is running; where that is not known, the cell that started last. */
export function currentCell(): CellContext {
  return starting ?? current ?? latest;
}

/** The cell that started last. */
export function latestCell(): CellContext {
  return latest;
}

/** From now until `finishStart`, promises that are made belong to this cell: its script is about to begin. */
export function beginStart(cell: CellContext): void {
  // What an interrupted cell left behind, such as a server's handlers, may await again.
  if (latest !== cell) latest.frozen = false;
  starting = cell;
  latest = cell;
}

export function finishStart(): void {
  starting = undefined;
}

/** Forgets the running cell: at the root of the event loop there is none. A cut leaves it set, since no `after` hook runs. */
export function resetCurrent(): void {
  current = undefined;
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

/** Starts to tag promises, and wraps timers and listeners. Once, before any cell runs. */
export function trackCells(): void {
  promiseHooks.createHook({
    init: (promise) => {
      const cell = starting ?? current;
      if (cell !== undefined) new Tag(promise, cell);
    },
    before: (promise) => {
      current = Tag.of(promise);
    },
    after: resetCurrent,
  });
  wrapTimers();
  wrapListeners();
}

type AnyFunction = (...args: unknown[]) => unknown;

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

/** The function, run under the cell that is current now, unless some cell is current when it is called. */
function bound<F extends AnyFunction>(body: F): F {
  const cell = starting ?? current;
  if (cell === undefined || typeof body !== "function") return body;
  return function (this: unknown, ...args: unknown[]) {
    if (current !== undefined) return Reflect.apply(body, this, args);
    current = cell;
    try {
      return Reflect.apply(body, this, args);
    } finally {
      current = undefined;
    }
  } as F;
}

function wrapTimers(): void {
  const module = timers as unknown as Record<string, AnyFunction>;
  const scope = globalThis as unknown as Record<string, AnyFunction>;
  for (const name of ["setTimeout", "setInterval", "setImmediate", "queueMicrotask"]) {
    const original = scope[name];
    if (original === undefined) continue;
    const wrapped = withFirstBound(original, name);
    scope[name] = wrapped;
    if (name in module) module[name] = wrapped;
  }
  process.nextTick = withFirstBound(process.nextTick as AnyFunction, "nextTick") as typeof process.nextTick;
  syncBuiltinESMExports();
}

function withFirstBound(original: AnyFunction, name: string): AnyFunction {
  const wrapped = function (this: unknown, body: AnyFunction, ...rest: unknown[]) {
    return Reflect.apply(original, this, [bound(body), ...rest]);
  };
  // `util.promisify(setTimeout)` and the like read symbols of the function.
  Object.defineProperties(wrapped, {
    ...Object.getOwnPropertyDescriptors(original),
    name: { value: name, configurable: true },
  });
  return wrapped as AnyFunction;
}

type Listen = (this: EventEmitter, event: string | symbol, listener: AnyFunction) => EventEmitter;
type Wrapper = AnyFunction & { listener?: AnyFunction };

function wrapListeners(): void {
  const emitter = EventEmitter.prototype as unknown as Record<string, Listen>;
  for (const name of ["on", "addListener", "prependListener"]) {
    const original = emitter[name];
    if (original === undefined) continue;
    emitter[name] = function (event, listener) {
      return original.call(this, event, boundListener(listener));
    };
  }
  for (const [name, add] of [
    ["once", "on"],
    ["prependOnceListener", "prependListener"],
  ] as const) {
    const original = emitter[name];
    if (original === undefined) continue;
    emitter[name] = function (event, listener) {
      if ((starting ?? current) === undefined || typeof listener !== "function")
        return original.call(this, event, listener);
      const inCell = bound(listener);
      const once: Wrapper = (...args) => {
        this.removeListener(event, once);
        return Reflect.apply(inCell, this, args);
      };
      once.listener = listener;
      wrappers.add(once);
      return (
        (this as unknown as Record<string, (event: string | symbol, listener: AnyFunction) => EventEmitter>)[add]?.(
          event,
          once,
        ) ?? this
      );
    };
  }
}

const wrappers = new WeakSet<AnyFunction>();

/** `removeListener` and `listeners` look through a wrapper by its property `listener`. */
function boundListener(listener: AnyFunction): AnyFunction {
  if (typeof listener !== "function" || wrappers.has(listener) || (listener as Wrapper).listener !== undefined)
    return listener;
  const inCell: Wrapper = bound(listener);
  if (inCell === listener) return listener;
  inCell.listener = listener;
  wrappers.add(inCell);
  return inCell;
}
