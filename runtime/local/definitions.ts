/** What a thread has shipped of its remote functions, and what it has been sent of those of others. */
import { types } from "node:util";
import type { FunctionSource, OptionSet } from "../backend.ts";
import { SerializationError } from "../errors.ts";
import { currentHost } from "../host.ts";
import { type Reading, readingOf } from "../reading/reading.ts";
import { loadModules } from "../serialization/decode.ts";
import {
  type CapturedName,
  changedName,
  type EncodedFunction,
  encode,
  encodeFunction,
  largestOf,
} from "../serialization/encode.ts";
import { blockContent, prepareBlock, readBlock, viewsOf } from "./block.ts";
import type { Client } from "./client.ts";
import type { DefineMessage, OptionsMessage } from "./protocol.ts";

/** From here on the timeline is told. */
const LARGE_BYTES = 1_000_000;
const WARN_BYTES = 10 << 20;
const REFUSE_BYTES = 100 << 20;

/** A remote function as a worker runs it. */
export interface LoadedFunction {
  functionName: string;
  /** Set once the code and its modules are there. */
  fn: ((...args: unknown[]) => unknown) | undefined;
  failed: unknown;
  /** Whether a call makes a generator. */
  generates: boolean;
  /** Whether its last call took less than a millisecond. */
  quick: boolean;
  /** Whether calls of it have never returned a promise; undefined before the first. */
  synchronous: boolean | undefined;
  loading: Promise<void> | undefined;
  /** What it does with its arguments. */
  reading: Reading | undefined;
}

/** A function that this thread has shipped. */
interface Shipped {
  id: number;
  captured: readonly CapturedName[];
  reading: Reading | undefined;
  /** The cell in which changes were last looked for. */
  lookedIn: string | undefined;
  warned?: boolean;
}

export class Definitions {
  readonly #client: Client;
  readonly #shipped = new WeakMap<FunctionSource, Shipped>();
  readonly #optionSets = new WeakMap<OptionSet, number>();
  readonly #messages = new Map<number, DefineMessage>();
  readonly #options = new Map<number, OptionsMessage>();
  readonly #loaded = new Map<number, LoadedFunction>();
  /** How many there are in the session. */
  readonly #count: Int32Array;

  constructor(client: Client, count: SharedArrayBuffer) {
    this.#client = client;
    this.#count = new Int32Array(count);
  }

  #number(): number {
    return Atomics.add(this.#count, 0, 1);
  }

  /** The function's number; captures and ships it the first time. Throws `SerializationError`. */
  numberOf(source: FunctionSource): number {
    if (source.definition !== undefined) return source.definition;
    const known = this.#shipped.get(source);
    if (known !== undefined) {
      this.#lookForChanges(source, known);
      return known.id;
    }
    const shipped: Shipped = {
      id: this.#number(),
      captured: [],
      reading: undefined,
      lookedIn: currentHost()?.currentCell(),
    };
    // A function that uses itself as a task meets its own number while it is captured.
    this.#shipped.set(source, shipped);
    try {
      this.#ship(source, shipped);
    } catch (error) {
      this.#shipped.delete(source);
      throw error;
    }
    return shipped.id;
  }

  /** What is known of what it does with its parameters; of another thread's function nothing. */
  readingOf(source: FunctionSource): Reading | undefined {
    const id = this.numberOf(source);
    return this.#shipped.get(source)?.reading ?? this.#messages.get(id)?.reading;
  }

  #ship(source: FunctionSource, shipped: Shipped): void {
    const { functionName } = source;
    const encoded = this.#encode(source);
    this.#checkSize(functionName, encoded);
    const block = blockContent(prepareBlock(encoded, this.#client.store));
    const reading = readingOf(encoded.unit);
    this.#client.line.post({ type: "define", id: shipped.id, functionName, block, refs: [...encoded.refs], reading });
    shipped.captured = encoded.captured;
    shipped.reading = reading;
  }

  /** Warns of large captures and refuses very large ones. */
  #checkSize(functionName: string, { buffers, bytes, captured }: EncodedFunction): void {
    const size = bytes.length + buffers.reduce((sum, buffer) => sum + buffer.byteLength, 0);
    if (size < LARGE_BYTES) return;
    const largest = largestOf(captured)?.name;
    this.#client.notes.captured(functionName, size, largest);
    if (size <= WARN_BYTES) return;
    const what = `${functionName} captures ${(size / 2 ** 20).toFixed(1)} MB${largest === undefined ? "" : `, most of it in ${largest}`}`;
    const repair = "put the large value and pass its ref as an argument";
    if (size > REFUSE_BYTES)
      throw new SerializationError(`${what}; the limit is ${REFUSE_BYTES >> 20} MB: ${repair}`, [
        functionName,
        ...(largest === undefined ? [] : [largest]),
      ]);
    process.emitWarning(`${what}; it is copied to each worker: ${repair}`, {
      type: "HeddleWarning",
      code: "LARGE_CAPTURE",
    });
  }

  /** The function's number; undefined when it cannot be shipped: whoever captures it says why, with the way to it. */
  numberIfSendable(source: FunctionSource): number | undefined {
    try {
      return this.numberOf(source);
    } catch {
      return undefined;
    }
  }

  #encode(source: FunctionSource): EncodedFunction {
    const options = { outOfBandBytes: 4096, refId: this.#client.refId, label: source.functionName };
    return encodeFunction(source.fn, options, source.captures);
  }

  /** Captured values are frozen at the first call; the first call of each later cell warns where one has changed since. */
  #lookForChanges(source: FunctionSource, known: Shipped): void {
    const cell = currentHost()?.currentCell();
    if (cell === undefined || cell === known.lookedIn || known.warned === true) return;
    known.lookedIn = cell;
    let name: string | undefined;
    try {
      name = changedName(known.captured, this.#encode(source).captured);
    } catch {
      // What it captures now cannot travel; what it captured then has.
    }
    if (name === undefined) return;
    known.warned = true;
    const text = `${source.functionName} uses ${name}, which has changed since its first call; tasks go on with the value of then. Call remote() again to take the new one`;
    process.emitWarning(text, { type: "HeddleWarning", code: "STALE_CAPTURE" });
  }

  numberOfOptions(set: OptionSet): number {
    let id = this.#optionSets.get(set);
    if (id !== undefined) return id;
    id = this.#number();
    const { name, maxRetries, timeout, shared, retryExceptions } = set.options;
    const rule = retryExceptions === undefined || retryExceptions === false ? undefined : retryExceptions;
    const encode_ = () =>
      encode(rule, {
        outOfBandBytes: Number.POSITIVE_INFINITY,
        refId: this.#client.refId,
        label: "option retryExceptions",
      });
    this.#client.line.post({
      type: "options",
      id,
      name,
      shape: { ...set.shape },
      maxRetries: maxRetries ?? 3,
      maxCalls: set.options.maxCalls ?? 0,
      timeout: timeout ?? 0,
      shared: shared ?? false,
      numReturns: set.options.numReturns ?? 1,
      highWaterMark: set.streams ? (set.options.highWaterMark ?? Number.POSITIVE_INFINITY) : undefined,
      retry: rule === undefined ? undefined : encode_().bytes.slice(),
    });
    this.#optionSets.set(set, id);
    return id;
  }

  /** Takes note of another thread's function or options. */
  learn(message: DefineMessage | OptionsMessage): void {
    if (message.type === "define") this.#messages.set(message.id, message);
    else this.#options.set(message.id, message);
  }

  options(id: number): OptionsMessage {
    if (!this.#options.has(id)) this.#client.line.catchUp();
    return this.#options.get(id)!;
  }

  /** The function of a number; it loads when it is first asked for. */
  function(id: number): LoadedFunction {
    let loaded = this.#loaded.get(id);
    if (loaded !== undefined) return loaded;
    if (!this.#messages.has(id)) this.#client.line.catchUp();
    const message = this.#messages.get(id)!;
    loaded = {
      functionName: message.functionName,
      fn: undefined,
      failed: undefined,
      generates: false,
      quick: false,
      synchronous: undefined,
      loading: undefined,
      reading: message.reading,
    };
    this.#loaded.set(id, loaded);
    this.#load(message, loaded);
    return loaded;
  }

  #load(message: DefineMessage, loaded: LoadedFunction): void {
    const content = readBlock(viewsOf(message.block), 0, this.#client.store);
    const main = content.main.slice();
    const build = () => {
      loaded.fn = this.#client.decodeContent(main, content.locators, undefined) as (...args: unknown[]) => unknown;
      loaded.generates = types.isGeneratorFunction(loaded.fn);
    };
    const fail = (error: unknown) => {
      loaded.failed = error;
    };
    if (content.modules.length === 0) {
      try {
        build();
      } catch (error) {
        fail(error);
      }
      return;
    }
    loaded.loading = loadModules(content.modules)
      .then(build)
      .catch(fail)
      .finally(() => {
        loaded.loading = undefined;
      });
  }
}
