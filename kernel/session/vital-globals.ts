/** Globals without which neither heddle nor Node's own modules run. */
const names =
  "AbortController AbortSignal AggregateError Array ArrayBuffer Atomics BigInt BigInt64Array BigUint64Array Boolean Buffer DataView Date Error Event EventTarget FinalizationRegistry Float32Array Float64Array Function Int8Array Int16Array Int32Array Iterator JSON Map Math MessageChannel MessagePort Number Object Promise Proxy RangeError Reflect RegExp Set SharedArrayBuffer String Symbol SyntaxError TextDecoder TextEncoder TypeError URL URLSearchParams Uint8Array Uint8ClampedArray Uint16Array Uint32Array WeakMap WeakRef WeakSet clearImmediate clearInterval clearTimeout console decodeURIComponent encodeURIComponent globalThis isNaN parseFloat parseInt performance process queueMicrotask setImmediate setInterval setTimeout structuredClone".split(
    " ",
  );
const scope = globalThis as unknown as Record<string, unknown>;
const originals: { name: string; value: unknown }[] = [];
const { defineProperty } = Reflect;

/** Takes the globals as they are now for the right ones. Once, before any cell runs. */
export function keepGlobals(): void {
  for (const name of names) if (scope[name] !== undefined) originals.push({ name, value: scope[name] });
}

/**
 * Puts back what a cell has taken away, such as by `globalThis.Promise = undefined`, and returns the names. What has been
 * replaced by something of its kind, as a polyfill does, stays.
 */
export function restoreGlobals(): string[] {
  const restored: string[] = [];
  // Whatever is missing may be what a more elegant loop would need.
  for (let index = 0; index < originals.length; index++) {
    const { name, value } = originals[index]!;
    if (typeof scope[name] === typeof value && scope[name] !== null) continue;
    defineProperty(scope, name, { value, writable: true, configurable: true, enumerable: false });
    restored[restored.length] = name;
  }
  return restored;
}
