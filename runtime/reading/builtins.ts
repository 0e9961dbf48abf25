/** Whether methods and functions of the language are what they were, or were replaced by a program. */

const TypedArray = Object.getPrototypeOf(Uint8Array) as { prototype: object };
const ListIterator = Object.getPrototypeOf([][Symbol.iterator]()) as object;
/** Node's own are no native code. */
const ofBuffer = new Map(Object.entries(Buffer.prototype as unknown as Record<string, unknown>));
const plain = [Array, Map, Set, String, Date, Number, DataView].map(({ prototype }) => prototype as object);
const typed = (
  [Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array, Float32Array] as {
    prototype: object;
  }[]
)
  .concat([Float64Array, BigInt64Array, BigUint64Array])
  .map(({ prototype }) => prototype);

interface Place {
  holder: object;
  key: PropertyKey;
  value: unknown;
}

const places = new Map<string, readonly Place[]>();

/** Looks at methods (`.reduce`), functions and classes (`Math.max`), and at what an iteration calls. */
export function builtinsAreGenuine(names: readonly string[]): boolean {
  return names.every((name) => {
    const known = places.get(name);
    if (known !== undefined) return known.every(({ holder, key, value }) => Reflect.get(holder, key) === value);
    const found = placesOf(name);
    if (!found.every(isGenuine)) return false;
    places.set(name, found);
    return true;
  });
}

function placesOf(name: string): Place[] {
  if (name === "iteration") {
    const iterables = [TypedArray.prototype, ...typed, Array.prototype].map((holder) => at(holder, Symbol.iterator));
    return [at(ListIterator, "next"), ...iterables];
  }
  if (name.startsWith(".")) {
    const key = name.slice(1);
    const holders = [...plain, ...typed, Buffer.prototype].filter((holder) => key in holder);
    return holders.map((holder) => at(holder, key));
  }
  const path = name.split(".");
  // Where the kernel's compiler put it.
  if (path[0] === "__heddle__") return [];
  return path.map((key, index) => {
    const holder = path.slice(0, index).reduce<object>((value, step) => Reflect.get(value, step) as object, globalThis);
    return at(holder, key);
  });
}

const at = (holder: object, key: PropertyKey): Place => ({ holder, key, value: Reflect.get(holder, key) });

function isGenuine({ holder, key, value }: Place): boolean {
  if (typeof value !== "function") return typeof value === "object";
  if (holder === Buffer.prototype && ofBuffer.has(String(key))) return ofBuffer.get(String(key)) === value;
  const isNative = /\{\s*\[native code\]\s*\}\s*$/.test(Function.prototype.toString.call(value));
  // An iterator's method is named for what it gives.
  return isNative && (typeof key === "symbol" || value.name === key);
}
