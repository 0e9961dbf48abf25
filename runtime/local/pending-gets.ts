/** `get` calls of one thread: asked for in one record, answered value by value, settled when the scheduler says so. */
import type { GetRequest } from "../backend.ts";
import { LONGEST_TIMER_MS, now } from "../clock.ts";
import { GetTimeoutError, ObjectLostError } from "../errors.ts";
import { guarded } from "../host.ts";
import { objectIdText } from "../ids.ts";
import { loadModules, modulesLoaded } from "../serialization/decode.ts";
import { readBlock } from "./block.ts";
import type { Client } from "./client.ts";
import { errorOfFailure } from "./failure-error.ts";
import { IDS_PER_RECORD, type Line } from "./line.ts";
import * as protocol from "./protocol.ts";
import type { RingReader } from "./ring.ts";

const NEVER = -1;

interface PendingGet {
  ids: readonly number[];
  values: unknown[];
  request: GetRequest;
  failure: { index: number; error: unknown } | undefined;
  /** Values and errors that wait for modules to be imported. */
  loading: Promise<void>[];
  resolve(values: unknown[]): void;
  reject(error: unknown): void;
  stop(): void;
}

const isLimited = ({ signal, timeout }: GetRequest): boolean =>
  signal !== undefined || (timeout !== undefined && timeout !== Number.POSITIVE_INFINITY);

export class PendingGets {
  readonly #client: Client;
  readonly #line: Line;
  readonly #pending = new Map<number, PendingGet>();
  readonly #failures = new Map<string, protocol.FailureMessage>();

  constructor(client: Client, line: Line) {
    this.#client = client;
    this.#line = line;
  }

  /** Asks for the objects' values under a call number. */
  ask(call: number, task: number, cell: number, ids: readonly number[], request: GetRequest): Promise<unknown[]> {
    const promise = new Promise<unknown[]>((resolve, reject) => {
      const stop = this.#limit(call, request.timeout === 0 ? undefined : request.timeout, request.signal);
      const values = new Array<unknown>(ids.length);
      this.#pending.set(call, { ids, values, request, failure: undefined, loading: [], resolve, reject, stop });
    });
    let flags = request.settled ? protocol.GetSettled : 0;
    if (request.timeout === 0) flags |= protocol.GetPoll;
    if (isLimited(request)) flags |= protocol.GetLimited;
    for (let from = 0; from === 0 || from < ids.length; from += IDS_PER_RECORD) {
      const part = Math.min(IDS_PER_RECORD, ids.length - from);
      const to = this.#line.begin(6 + part);
      to.f64[to.word] = call;
      to.f64[to.word + 1] = task;
      to.i32[to.word * 2 + 4] = cell;
      to.i32[to.word * 2 + 5] = from + part < ids.length ? flags | protocol.GetMore : flags;
      to.f64[to.word + 3] = now();
      to.f64[to.word + 4] = request.timeout ?? NEVER;
      to.i32[to.word * 2 + 10] = part;
      for (let index = 0; index < part; index++) to.f64[to.word + 6 + index] = ids[from + index]!;
      this.#line.commit(protocol.Get, 6 + part);
    }
    this.#line.keepAlive(1);
    return promise;
  }

  /** Ends a call early when its time is over or its signal aborts. */
  #limit(call: number, timeout: number | undefined, signal: AbortSignal | undefined): () => void {
    const abandon = (outcome: number) =>
      guarded(() => {
        const to = this.#line.begin(3);
        to.f64[to.word] = call;
        to.f64[to.word + 1] = now();
        to.i32[to.word * 2 + 4] = outcome;
        this.#line.commit(protocol.Abandon, 3);
      });
    const limited = timeout !== undefined && timeout !== Number.POSITIVE_INFINITY;
    const timer = limited
      ? setTimeout(() => abandon(protocol.CallTimeout), Math.min(timeout, LONGEST_TIMER_MS))
      : undefined;
    const interrupted = () => abandon(protocol.CallInterrupted);
    if (signal?.aborted === true) queueMicrotask(interrupted);
    signal?.addEventListener("abort", interrupted, { once: true });
    return () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", interrupted);
    };
  }

  /** A value came. */
  valueArrived(reader: RingReader): void {
    const { word } = reader;
    const pending = this.#pending.get(reader.f64[word]!);
    if (pending === undefined) return;
    const index = reader.i32[word * 2 + 2]!;
    try {
      this.#place(pending, index, reader, word + 2);
    } catch (error) {
      pending.failure ??= { index, error };
    }
  }

  #place(pending: PendingGet, index: number, from: RingReader, word: number): void {
    const content = readBlock(from, word, this.#client.store);
    const settle = (value: unknown) => {
      pending.values[index] = pending.request.settled ? { status: "fulfilled", value } : value;
    };
    const sharedBy = pending.request.shared ? pending.ids[index]! : undefined;
    const { locators, main, modules } = content;
    if (locators.length > 0) this.#client.arrays.checked?.checkObject(pending.ids[index]!);
    if (modulesLoaded(modules)) settle(this.#client.decodeContent(main, locators, sharedBy));
    else {
      // It lies in a scratch buffer, and its arrays where other values may lie by then.
      const kept = main.slice();
      const buffers = this.#client.arrays.all(locators, sharedBy);
      const rebuild = () => this.#client.decodeWith(kept, (index) => buffers[index]!, sharedBy !== undefined);
      pending.loading.push(loadModules(modules).then(() => settle(guarded(rebuild))));
    }
  }

  /** The scheduler told of a failure, by the port. */
  learnFailure(call: number, index: number, failure: protocol.FailureMessage): void {
    this.#failures.set(`${call}:${index}`, failure);
  }

  /** A failure came in place of a value. */
  failureArrived(reader: RingReader): void {
    const call = reader.f64[reader.word]!;
    const index = reader.i32[reader.word * 2 + 2]!;
    const key = `${call}:${index}`;
    if (!this.#failures.has(key)) this.#line.catchUp();
    const failure = this.#failures.get(key);
    this.#failures.delete(key);
    const pending = this.#pending.get(call);
    if (pending === undefined || failure === undefined) return;
    pending.loading.push(
      errorOfFailure(failure, pending.ids[index]!, this.#client).then((error) => {
        if (pending.request.settled && failure.kind !== "deadlock")
          pending.values[index] = { status: "rejected", reason: error };
        else pending.failure ??= { index, error };
      }),
    );
  }

  /** The call is over. */
  done(call: number, outcome: number): void {
    const pending = this.#pending.get(call);
    if (pending === undefined) return;
    this.#pending.delete(call);
    pending.stop();
    this.#line.keepAlive(-1);
    if (pending.loading.length === 0) return settle(pending, outcome);
    void Promise.all(pending.loading).then(
      () => settle(pending, outcome),
      (error: unknown) => pending.reject(error),
    );
  }

  /** The scheduler is gone: nothing more will come. */
  rejectAll(reason: string): void {
    for (const pending of this.#pending.values()) {
      pending.stop();
      pending.reject(new ObjectLostError(reason));
    }
    this.#pending.clear();
  }
}

function settle(pending: PendingGet, outcome: number): void {
  const { failure, ids, request } = pending;
  if (failure !== undefined) pending.reject(failure.error);
  else if (outcome === protocol.CallTimeout) pending.reject(timeoutError(ids, request));
  else if (outcome === protocol.CallInterrupted) pending.reject(abortReason(request.signal));
  else pending.resolve(pending.values);
}

function timeoutError(ids: readonly number[], { timeout }: GetRequest): GetTimeoutError {
  const what = ids.length === 1 ? objectIdText(ids[0]!) : `${ids.length} objects`;
  return new GetTimeoutError(
    `get: ${what} not ready after ${timeout} ms; the task goes on, and a later get can have its value`,
  );
}

/** What a call that was ended by a signal rejects with. */
export function abortReason(signal: AbortSignal | undefined): unknown {
  return signal?.reason ?? new DOMException("This operation was aborted", "AbortError");
}
