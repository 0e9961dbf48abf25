/** createSharedArray: an array that lies in the object store from its beginning. */
import { guarded } from "./host.ts";
import { showValue } from "./options.ts";
import { backend } from "./runtime.ts";

/** A class of typed arrays, as in `createSharedArray(Float64Array, 1000)`. */
export interface TypedArrayClass<T> {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: SharedArrayBuffer, byteOffset: number, length: number): T;
}

const TypedArray = Object.getPrototypeOf(Uint8Array) as abstract new () => unknown;

/**
 * A typed array in the object store, all zero: fill it in place, then `put` it, which copies nothing. What was put is sealed:
 * writing into the array afterwards is a fault that nothing finds. Arrays below 4 kB, parts of one and a second `put` are
 * copied as always. Its room comes back when neither the array nor the object can be reached. Throws `TypeError` or `RangeError` for a wrong class or length, `ObjectStoreFullError` when there is no room.
 *
 * @example
 * const samples = createSharedArray(Float64Array, 1_000_000);
 * for (let i = 0; i < samples.length; i++) samples[i] = Math.sin(i);
 * const ref = put(samples);
 */
export function createSharedArray<T>(Class: TypedArrayClass<T>, length: number): T {
  if (typeof Class !== "function" || !(Class.prototype instanceof TypedArray))
    throw new TypeError(
      `createSharedArray: expected a class of typed arrays such as Float64Array, not ${showValue(Class)}`,
    );
  if (!Number.isSafeInteger(length) || length < 0)
    throw new RangeError(
      `createSharedArray: the length must be a whole number of at least 0, not ${showValue(length)}`,
    );
  const owner = backend();
  const { buffer, byteOffset } = guarded(() => owner.lend(length * Class.BYTES_PER_ELEMENT));
  return new Class(buffer as SharedArrayBuffer, byteOffset, length);
}
