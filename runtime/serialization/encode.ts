/**
 * A value as bytes, with array data beside it. One graph: repeats and cycles keep their identity, and functions with
 * what they capture are nodes of it (`runtime/capture/`).
 *
 * Some facts about the graph are known only at its end (that two views share memory, that two functions share a
 * variable); an encode that finds one late starts again knowing it.
 */
import type { CapturedName } from "../capture/capture-report.ts";
import { OtherSessionError, SerializationError } from "../errors.ts";
import { type CodeUnit, codeUnitOf } from "../reading/code-unit.ts";
import { Encoder } from "./encoder.ts";

export type { CapturedName } from "../capture/capture-report.ts";
export { changedName, largestOf } from "../capture/capture-report.ts";

export interface Encoded {
  /** May be a view on a scratch buffer: valid until the next encode on this thread. */
  bytes: Uint8Array;
  /** Array data that is not in `bytes`, in order. */
  buffers: ArrayBufferView[];
  /** Numbers of the ObjectRefs anywhere inside, each once. */
  refs: number[];
  /** What must be imported before decoding; see `loadModules`. */
  modules: string[];
  /** Whether it is data alone: nothing in it has code of its own, and its arrays may lie in shared memory unnoticed. */
  plain: boolean;
}

/** An encoded function, with what it took along: see `largestOf` and `changedName`. */
export interface EncodedFunction extends Encoded {
  captured: readonly CapturedName[];
  /** What an analysis of it works with. */
  unit: CodeUnit | undefined;
}

export interface EncodeOptions {
  /** Array data of at least this many bytes goes to `buffers`. */
  outOfBandBytes: number;
  /** The number of an ObjectRef; undefined for every other object. */
  refId(value: object): number | undefined;
  /** What is encoded, for the paths in errors: "argument 0 of retrieve". */
  label: string;
}

const NO_NAMES: readonly CapturedName[] = [];
/** Facts found late make an encode start again; each start knows at least one more, so this is never reached. */
const MAX_STARTS = 1000;

const shared = new Encoder();
let sharedIsBusy = false;

/** Encodes a value. Throws `SerializationError` with the path to what cannot travel. */
export function encode(value: unknown, options: EncodeOptions): Encoded {
  return run(value, options, undefined);
}

/**
 * Encodes a function with what it uses; `captures` gives by hand what automatic capture cannot see. Throws
 * `SerializationError` with the path to what cannot travel.
 */
export function encodeFunction(
  fn: (...args: never[]) => unknown,
  options: EncodeOptions,
  captures?: Record<string, unknown>,
): EncodedFunction {
  return run(fn, options, { fn, values: captures ?? {} });
}

type Given = Encoder["given"];

function run(value: unknown, options: EncodeOptions, given: Given): EncodedFunction {
  // A getter of the user's may encode another value.
  if (sharedIsBusy) return runWith(new Encoder(), value, options, given);
  sharedIsBusy = true;
  try {
    return runWith(shared, value, options, given);
  } finally {
    sharedIsBusy = false;
  }
}

function runWith(encoder: Encoder, value: unknown, options: EncodeOptions, given: Given): EncodedFunction {
  encoder.options = options;
  encoder.given = given;
  if (given !== undefined) encoder.captured = [];
  try {
    for (let starts = 0; starts < MAX_STARTS; starts++) {
      encoder.start();
      encoder.writeAll(value);
      if (!encoder.startAgain) break;
    }
    const { buffers, refs, modules, captured, plain } = encoder;
    const unit = given && encoder.captures && codeUnitOf(given.fn, encoder.captures);
    return { bytes: encoder.to.written(), buffers, refs, modules, plain, captured: captured ?? NO_NAMES, unit };
  } catch (cause) {
    if (cause instanceof SerializationError) throw cause;
    if (cause instanceof OtherSessionError)
      throw new OtherSessionError(`${encoder.place()}: ${cause.message}`, { cause });
    return encoder.refuse(describeFailure(cause), { cause });
  } finally {
    encoder.end();
  }
}

function describeFailure(cause: unknown): string {
  if (cause instanceof RangeError && /call stack/.test(cause.message)) return "it is nested too deeply to be encoded";
  return `reading it throws (${cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause)})`;
}
