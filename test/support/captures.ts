/** Cells whose functions are sent to a real worker thread, as the session and the runtime do. */
import { Session } from "node:inspector";
import { Worker } from "node:worker_threads";
import { decode, loadModules } from "../../dist/runtime/serialization/decode.js";
import { type EncodedFunction, encodeFunction } from "../../dist/runtime/serialization/encode.js";

type AnyFunction = (...args: never[]) => unknown;

interface Answer {
  id: number;
  ok: boolean;
  bytes: Uint8Array;
  modules: string[];
}

interface EvaluateAnswer {
  exceptionDetails?: { exception?: { description?: string } };
  result: { objectId?: string; value?: unknown };
}

const decodeOptions = { buffer: () => new Uint8Array(), makeRef: (id: number) => ({ ref: id }) };

export class CaptureBench {
  readonly #worker = new Worker(new URL("./capture-worker.mjs", import.meta.url));
  readonly #session = new Session();
  #calls = 0;

  constructor() {
    this.#session.connect();
  }

  /** Runs code as a cell and returns its last expression's value. */
  async cell(code: string, url = "cell-1.ts"): Promise<unknown> {
    const expression = `${code}\n//# sourceURL=${url}`;
    const holder = globalThis as unknown as { captureBench?: unknown };
    const answer = await new Promise<EvaluateAnswer>((resolve, reject) =>
      this.#session.post("Runtime.evaluate", { expression, replMode: true, awaitPromise: true }, (error, result) =>
        error ? reject(error) : resolve(result as EvaluateAnswer),
      ),
    );
    if (answer.exceptionDetails !== undefined) throw new Error(answer.exceptionDetails.exception?.description);
    const { objectId, value } = answer.result;
    if (objectId === undefined) return value;
    Object.defineProperty(globalThis, "captureBench", {
      configurable: true,
      enumerable: false,
      writable: true,
      value: undefined,
    });
    this.#session.post("Runtime.callFunctionOn", {
      objectId,
      functionDeclaration: "function () { globalThis.captureBench = this }",
    });
    const live = holder.captureBench;
    delete holder.captureBench;
    return live;
  }

  encode(fn: unknown, captures?: Record<string, unknown>): EncodedFunction {
    return encodeFunction(
      fn as AnyFunction,
      { outOfBandBytes: 64, refId: (value) => (value as { refId?: number }).refId, label: "retrieve" },
      captures,
    );
  }

  /** Sends the function to the worker, calls it there and brings its result back. */
  async call(fn: unknown, args: unknown[] = [], captures?: Record<string, unknown>): Promise<unknown> {
    const { bytes, buffers, modules } = this.encode(fn, captures);
    const id = this.#calls++;
    const answered = new Promise<Answer>((resolve) => {
      const listen = (answer: Answer) => {
        if (answer.id !== id) return;
        this.#worker.off("message", listen);
        resolve(answer);
      };
      this.#worker.on("message", listen);
    });
    const copies = buffers.map(
      (view) => new Uint8Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength)),
    );
    this.#worker.postMessage({ id, bytes: bytes.slice(), buffers: copies, modules, args });
    const answer = await answered;
    await loadModules(answer.modules);
    const result = decode(answer.bytes, decodeOptions);
    if (!answer.ok) throw result;
    return result;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#session.disconnect();
    await this.#worker.terminate();
  }
}
