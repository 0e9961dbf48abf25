/** The first byte of each encoded value, one table for both directions. Bytes from 128 on are the integers 0 to 127. */

export const SMALL_INT = 128;

export const TAG_UNDEFINED = 0;
export const TAG_NULL = 1;
export const TAG_TRUE = 2;
export const TAG_FALSE = 3;
export const TAG_INT = 4;
export const TAG_DOUBLE = 5;
export const TAG_BIGINT = 6;
export const TAG_LATIN1 = 7;
export const TAG_UTF16 = 8;
export const TAG_SYMBOL = 9;
/** An object written before: its number in the order of writing. */
export const TAG_REPEAT = 10;
export const TAG_ARRAY = 11;
export const TAG_HOLE = 12;
export const TAG_OBJECT = 13;
export const TAG_NULL_OBJECT = 14;
export const TAG_MAP = 15;
export const TAG_SET = 16;
export const TAG_DATE = 17;
export const TAG_REGEXP = 18;
export const TAG_BOXED = 19;
export const TAG_ERROR = 20;
export const TAG_URL = 21;
export const TAG_URL_PARAMETERS = 37;
/** An `ObjectRef`. */
export const TAG_REF = 22;
/** The bytes under several views, or under an `ArrayBuffer` met as a value. */
export const TAG_MEMORY = 23;
/** An `ArrayBuffer` over such bytes. */
export const TAG_BUFFER = 24;
/** A view with bytes of its own. */
export const TAG_VIEW = 25;
/** A view on bytes that others see too. */
export const TAG_SHARING_VIEW = 26;
/** An object of one of the kinds above, then the prototype that it gets. */
export const TAG_WITH_PROTOTYPE = 27;
/** An object of a user's class. */
export const TAG_WITH_CLASS = 28;
/** A plain instance of a class that was written before. */
export const TAG_INSTANCE = 29;
export const TAG_FUNCTION = 30;
export const TAG_BOUND = 32;
/** A value that is reachable from the global object. */
export const TAG_GLOBAL = 33;
/** An export of a module. */
export const TAG_IMPORT = 34;
/** The same for a name whose value may be a primitive, so it has no number among the objects. */
export const TAG_IMPORTED_NAME = 36;
/** An object that says itself how it is made again. */
export const TAG_PACKED = 35;

export const SYMBOL_REGISTERED = 0;
export const SYMBOL_WELL_KNOWN = 1;
export const SYMBOL_UNIQUE = 2;

/** Where the bytes of an array are. */
export const DATA_INLINE = 0;
export const DATA_OUT_OF_BAND = 1;

/** How much of the memory under several views is seen; in the last case its buffer is a value too. */
export const MEMORY_PART = 0;
export const MEMORY_WHOLE = 1;
export const MEMORY_WITH_BUFFER = 2;

/** Views by number. */
export const VIEW_NAMES = [
  "Buffer",
  "DataView",
  "Int8Array",
  "Uint8Array",
  "Uint8ClampedArray",
  "Int16Array",
  "Uint16Array",
  "Int32Array",
  "Uint32Array",
  "Float32Array",
  "Float64Array",
  "BigInt64Array",
  "BigUint64Array",
  "Float16Array",
] as const;

/** Builtin classes of errors by number. */
export const ERROR_NAMES = [
  "Error",
  "TypeError",
  "RangeError",
  "SyntaxError",
  "ReferenceError",
  "EvalError",
  "URIError",
  "AggregateError",
  "DOMException",
] as const;

/** Objects with this method say how another thread makes them: by calling an export of a module. A text says why none can. */
export const pack: unique symbol = Symbol.for("heddle.pack");

export interface Packed {
  /** URL of the module. */
  url: string;
  /** The export to call. */
  name: string;
  args: readonly unknown[];
}
