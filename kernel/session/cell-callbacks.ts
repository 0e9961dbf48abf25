import crypto from "node:crypto";
import dns from "node:dns";
import { EventEmitter } from "node:events";
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import perfHooks from "node:perf_hooks";
import timers from "node:timers";
import { bound, boundTo, type CellContext, callingCell } from "./cell-context.ts";

type AnyFunction = (...args: unknown[]) => unknown;

/**
 * Makes whatever calls back later do so under the cell that asked for it: timers, callbacks of native functions,
 * listeners of emitters and event targets, observers. Once, before any cell runs.
 */
export function wrapCallbacks(): void {
  wrapTimers();
  wrapNativeCallbacks();
  wrapListeners();
  wrapEventTargets();
  wrapObservers();
  syncBuiltinESMExports();
}

function wrapTimers(): void {
  const module = timers as unknown as Record<string, AnyFunction>;
  const scope = globalThis as unknown as Record<string, AnyFunction>;
  for (const name of ["setTimeout", "setInterval", "setImmediate", "queueMicrotask"]) {
    const original = scope[name];
    if (original === undefined) continue;
    const wrapped = withBound(original);
    scope[name] = wrapped;
    if (name in module) module[name] = wrapped;
  }
  process.nextTick = withBound(process.nextTick as AnyFunction) as typeof process.nextTick;
}

/** Streams, sockets and child processes speak through emitters; these take functions and call them from native code. */
const callbackModules = [crypto, dns, fs] as unknown as Record<string, unknown>[];
/** Those of `fs` whose functions are listeners: a second wrapper would hide them from their removal. */
const listenerFunctions = /^(un)?watch/;

function wrapNativeCallbacks(): void {
  for (const module of callbackModules) {
    for (const [name, { value, writable }] of Object.entries(Object.getOwnPropertyDescriptors(module))) {
      const takesCallback = /^[a-z]/.test(name) && !name.endsWith("Sync") && !listenerFunctions.test(name);
      if (writable && takesCallback && typeof value === "function") module[name] = withBound(value as AnyFunction);
    }
  }
}

/** Arguments, the functions among them bound to the cell that is current now. */
function boundIn(args: unknown[]): unknown[] {
  return args.map((arg) => (typeof arg === "function" ? bound(arg as AnyFunction) : arg));
}

/** The function, with the functions among its arguments bound to the cell that calls it. */
function withBound(original: AnyFunction): AnyFunction {
  const wrapped = function (this: unknown, ...args: unknown[]) {
    return Reflect.apply(original, this, boundIn(args));
  };
  // Its name and length, and the symbols that `util.promisify` reads.
  Object.defineProperties(wrapped, Object.getOwnPropertyDescriptors(original));
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
      if (callingCell() === undefined || typeof listener !== "function") return original.call(this, event, listener);
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

interface EventTargetListener {
  /** What the target calls. */
  called: AnyFunction | { handleEvent: AnyFunction };
  cell: CellContext;
}

/**
 * A target knows a listener by identity, so each has one stand-in, whichever cells add it. It runs under the last of
 * them: a cell that is run again adds the same function again.
 */
const standIns = new WeakMap<object, EventTargetListener>();

function wrapEventTargets(): void {
  const prototype = EventTarget.prototype as unknown as Record<string, (...args: unknown[]) => void>;
  const { addEventListener, removeEventListener } = prototype;
  prototype.addEventListener = function (this: EventTarget, type, listener, ...options) {
    Reflect.apply(addEventListener!, this, [type, standInFor(listener), ...options]);
  };
  prototype.removeEventListener = function (this: EventTarget, type, listener, ...options) {
    Reflect.apply(removeEventListener!, this, [type, listener, ...options]);
    const standIn = isObject(listener) ? standIns.get(listener) : undefined;
    if (standIn !== undefined) Reflect.apply(removeEventListener!, this, [type, standIn.called, ...options]);
  };
}

function standInFor(listener: unknown): unknown {
  const cell = callingCell();
  if (cell === undefined || !isObject(listener)) return listener;
  const known = standIns.get(listener);
  if (known !== undefined) {
    known.cell = cell;
    return known.called;
  }
  const handle = function (this: unknown, ...args: unknown[]): unknown {
    if (typeof listener === "function") return Reflect.apply(boundTo(made.cell, listener as AnyFunction), this, args);
    const { handleEvent } = listener as { handleEvent: AnyFunction };
    return Reflect.apply(boundTo(made.cell, handleEvent), listener, args);
  };
  const made: EventTargetListener = { called: typeof listener === "function" ? handle : { handleEvent: handle }, cell };
  standIns.set(listener, made);
  return made.called;
}

function isObject(value: unknown): value is object {
  return typeof value === "function" || (typeof value === "object" && value !== null);
}

/** Classes that take a function to call later. */
function wrapObservers(): void {
  globalThis.FinalizationRegistry = withBoundConstructor(FinalizationRegistry);
  perfHooks.PerformanceObserver = withBoundConstructor(perfHooks.PerformanceObserver);
  globalThis.PerformanceObserver = perfHooks.PerformanceObserver;
}

function withBoundConstructor<C extends object>(original: C): C {
  const construct = (target: C, args: unknown[], newTarget: object): object =>
    Reflect.construct(target as never, boundIn(args), newTarget as never) as object;
  return new Proxy(original, { construct } as ProxyHandler<C>);
}
