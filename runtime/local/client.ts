/**
 * One thread's half of the runtime: the driver's and each worker's alike. It mints ids, encodes what is submitted and
 * put, and turns what the scheduler says into settled promises. All of it runs as guarded code (see `host.ts`).
 */
import { receiveMessageOnPort } from "node:worker_threads";
import type { Backend, FunctionSource, GetRequest, OptionSet, Question, WaitRequest } from "../backend.ts";
import { now } from "../clock.ts";
import { GetTimeoutError, ObjectLostError } from "../errors.ts";
import { currentHost, enterGuard, guarded, leaveGuard, onResume } from "../host.ts";
import { IdSource, objectIdText } from "../ids.ts";
import { borrowedRef, ownRefNumber, refNumber } from "../object-ref.ts";
import { decode, loadModules, modulesLoaded } from "../serialization/decode.ts";
import { encode } from "../serialization/encode.ts";
import { Bell, BellPush } from "./bell.ts";
import { type Prepared, prepareBlock, readBlock, type Views, writeBlock } from "./block.ts";
import { Definitions } from "./definitions.ts";
import { errorOfFailure } from "./failure-error.ts";
import { ObjectStore } from "./object-store.ts";
import { previewOf } from "./preview.ts";
import * as protocol from "./protocol.ts";
import { RingReader, RingWriter } from "./ring.ts";
import { SharedViews } from "./shared-views.ts";
import { Subscriptions } from "./subscriptions.ts";

const OUT_OF_BAND_BYTES = 4096;
const NEVER = -1;

interface PendingGet {
  ids: readonly number[];
  values: unknown[];
  request: GetRequest;
  failure: { index: number; error: unknown } | undefined;
  /** Values that wait for modules to be imported. */
  loading: Promise<void>[];
  resolve(values: unknown[]): void;
  reject(error: unknown): void;
  stop(): void;
}

/** What the code that runs now belongs to. */
export interface Caller {
  /** Number of the running task; 0 in the driver. */
  task(): number;
  /** The running task begins to await a call: its slot goes to others. */
  suspend(): void;
}

export class Client implements Backend {
  readonly sessionId: string;
  readonly totals: Record<string, number>;
  readonly index: number;
  readonly store: ObjectStore;
  readonly reader: RingReader;
  readonly definitions: Definitions;
  readonly #link: protocol.Link;
  readonly #writer: RingWriter;
  readonly #schedulerBell: BellPush;
  readonly #bell: Bell;
  readonly #ids: IdSource;
  readonly #caller: Caller;
  readonly #gets = new Map<number, PendingGet>();
  readonly #waits = new Map<number, () => void>();
  readonly #failures = new Map<string, protocol.FailureMessage>();
  readonly #subscriptions: Subscriptions;
  readonly #sharedViews: SharedViews;
  readonly #cells = new Map<string, number>();
  readonly #onRecord: (type: number, reader: RingReader) => void;
  readonly #afterTurn: () => void;
  readonly #answers = new Map<number, unknown>();
  #released: number[] = [];
  #nextCall = 1;
  #open = 0;
  #down: { promise: Promise<void>; resolve: () => void } | undefined;
  #closed = false;
  readonly #forgetResume: () => void;

  constructor(
    link: protocol.Link,
    caller: Caller,
    onRecord: (type: number, reader: RingReader) => void = () => {},
    afterTurn = (): void => {},
  ) {
    this.#afterTurn = afterTurn;
    this.#link = link;
    this.#caller = caller;
    this.#onRecord = onRecord;
    this.index = link.index;
    this.sessionId = link.session.sessionId;
    this.totals = link.session.totals;
    this.#writer = new RingWriter(link.toScheduler);
    this.reader = new RingReader(link.fromScheduler);
    this.#bell = new Bell(link.ownBell);
    this.#schedulerBell = new BellPush(link.schedulerBell, () => link.port.postMessage(null));
    this.#ids = new IdSource(link.index);
    this.store = new ObjectStore(
      link.index,
      link.storeAccount,
      (id, memory) => this.post({ type: "segment", id, memory }),
      () => this.catchUp(),
    );
    this.#sharedViews = new SharedViews((ids) => this.#releaseViews(ids));
    this.#subscriptions = new Subscriptions(
      (ids) => this.#writeIds(protocol.Subscribe, ids),
      () => {
        this.query("sync");
        this.readAll();
      },
    );
    this.definitions = new Definitions(this);
    link.port.on("message", (message: protocol.FromScheduler) => {
      if (message !== null) guarded(() => this.#take(message));
      this.drain();
    });
    link.port.unref();
    this.#forgetResume = onResume(() => this.#resume());
    this.#bell.sleep();
  }

  /** The handler of a wake-up may have been cut before it read anything; nobody would wake this thread again. */
  #resume(): void {
    guarded(() => this.catchUp());
    this.drain();
  }

  /** Posts a message to the scheduler; it is handled after the records written before it. */
  post(message: protocol.ToScheduler): void {
    this.#link.port.postMessage(message);
    this.#schedulerBell.ring();
  }

  // ---------------------------------------------------------------- records to the scheduler

  /** Reserves a record; blocks for a moment when the scheduler is behind, which it never is for long. */
  begin(words: number): RingWriter {
    while (!this.#writer.begin(words)) {
      this.#schedulerBell.ring();
      this.#writer.waitForRoom(10);
    }
    return this.#writer;
  }

  commit(type: number, words: number): void {
    this.#writer.commit(type, words);
    this.#schedulerBell.ring();
  }

  #writeIds(type: number, ids: readonly number[]): void {
    for (let from = 0; from < ids.length; from += 1024) {
      const part = ids.slice(from, from + 1024);
      const to = this.begin(part.length);
      for (let index = 0; index < part.length; index++) to.f64[to.word + index] = part[index]!;
      this.commit(type, part.length);
    }
  }

  /** The number of a ref that is to travel. */
  readonly refId = (value: object): number | undefined => ownRefNumber(value, this);

  /** Encodes a value into a block, array data in shared memory. Write the block before the next encode. */
  prepare(value: unknown, label: string, flags = 0): Prepared {
    return prepareBlock(
      encode(value, { outOfBandBytes: OUT_OF_BAND_BYTES, refId: this.refId, label }),
      this.store,
      flags,
    );
  }

  submit(source: FunctionSource, options: OptionSet, args: readonly unknown[]): number {
    const definition = this.definitions.numberOf(source);
    const policy = this.definitions.numberOfOptions(options);
    const time = now();
    const inputs = topLevelRefs(args);
    const preview = options.options.name === undefined ? previewOf(args) : NO_PREVIEW;
    const text = typeof preview === "string" ? Buffer.from(preview) : undefined;
    const block = this.prepare(args, source.functionName);
    const returns = options.options.numReturns ?? 1;
    const id = this.#ids.take(returns);
    const previewWords = text === undefined ? 0 : (text.length + 7) >> 3;
    const words = 8 + inputs.length + previewWords + block.words;
    const cell = this.#cellNumber();
    const to = this.begin(words);
    const { i32, f64, word } = to;
    f64[word] = id;
    f64[word + 1] = time;
    i32[word * 2 + 4] = definition;
    i32[word * 2 + 5] = policy;
    f64[word + 3] = this.#caller.task();
    i32[word * 2 + 8] = cell;
    i32[word * 2 + 9] = returns;
    f64[word + 5] = typeof preview === "number" ? preview : 0;
    i32[word * 2 + 12] =
      text !== undefined
        ? protocol.PreviewText
        : typeof preview === "number"
          ? protocol.PreviewNumber
          : protocol.PreviewNone;
    i32[word * 2 + 13] = text?.length ?? 0;
    i32[word * 2 + 14] = inputs.length;
    let at = word + 8;
    for (const input of inputs) f64[at++] = input;
    if (text !== undefined) to.u8.set(text, at * 8);
    writeBlock(to, at + previewWords, block);
    this.commit(protocol.Submit, words);
    return id;
  }

  put(value: unknown): number {
    const block = this.prepare(value, "the value put");
    const id = this.#ids.take(1);
    const words = 4 + block.words;
    const to = this.begin(words);
    to.f64[to.word] = id;
    to.f64[to.word + 1] = now();
    to.f64[to.word + 2] = this.#caller.task();
    to.i32[to.word * 2 + 6] = this.#cellNumber();
    writeBlock(to, to.word + 4, block);
    this.commit(protocol.Put, words);
    return id;
  }

  /** The number under which the scheduler knows the cell that runs now; 0 for none. */
  #cellNumber(): number {
    const label = currentHost()?.currentCell();
    if (label === undefined) return 0;
    let id = this.#cells.get(label);
    if (id === undefined) {
      id = this.#cells.size + 1;
      this.#cells.set(label, id);
      this.#link.port.postMessage({ type: "cell", id, label });
    }
    return id;
  }

  // ---------------------------------------------------------------- get

  get(ids: readonly number[], request: GetRequest): Promise<unknown[]> {
    const call = this.#nextCall++;
    let flags = request.settled ? protocol.GetSettled : 0;
    if (request.timeout === 0) flags |= protocol.GetPoll;
    const promise = new Promise<unknown[]>((resolve, reject) => {
      const stop = this.#limit(call, request.timeout === 0 ? undefined : request.timeout, request.signal);
      this.#gets.set(call, {
        ids,
        values: new Array(ids.length),
        request,
        failure: undefined,
        loading: [],
        resolve,
        reject,
        stop,
      });
    });
    const cell = this.#cellNumber();
    for (let from = 0; from === 0 || from < ids.length; from += 1024) {
      const part = Math.min(1024, ids.length - from);
      const to = this.begin(6 + part);
      to.f64[to.word] = call;
      to.f64[to.word + 1] = this.#caller.task();
      to.i32[to.word * 2 + 4] = cell;
      to.i32[to.word * 2 + 5] = from + part < ids.length ? flags | protocol.GetMore : flags;
      to.f64[to.word + 3] = now();
      to.f64[to.word + 4] = request.timeout ?? NEVER;
      to.i32[to.word * 2 + 10] = part;
      for (let index = 0; index < part; index++) to.f64[to.word + 6 + index] = ids[from + index]!;
      this.commit(protocol.Get, 6 + part);
    }
    this.#caller.suspend();
    this.#keepAlive(1);
    return promise;
  }

  /** Ends a call early when its time is over, its signal aborts, or its task is cancelled. */
  #limit(call: number, timeout: number | undefined, signal: AbortSignal | undefined): () => void {
    const abandon = (outcome: number) =>
      guarded(() => {
        const to = this.begin(3);
        to.f64[to.word] = call;
        to.f64[to.word + 1] = now();
        to.i32[to.word * 2 + 4] = outcome;
        this.commit(protocol.Abandon, 3);
      });
    const timer =
      timeout === undefined || timeout === Number.POSITIVE_INFINITY
        ? undefined
        : setTimeout(() => abandon(protocol.CallTimeout), Math.min(timeout, 2 ** 31 - 1));
    const interrupted = () => abandon(protocol.CallInterrupted);
    if (signal?.aborted === true) queueMicrotask(interrupted);
    signal?.addEventListener("abort", interrupted, { once: true });
    return () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", interrupted);
    };
  }

  #valueArrived(reader: RingReader): void {
    const { word } = reader;
    const pending = this.#gets.get(reader.f64[word]!);
    if (pending === undefined) return;
    const index = reader.i32[word * 2 + 2]!;
    try {
      this.#place(pending, index, reader, word + 2);
    } catch (error) {
      pending.failure ??= { index, error };
    }
  }

  #place(pending: PendingGet, index: number, from: Views, word: number): void {
    const content = readBlock(from, word, this.store);
    const settle = (value: unknown) => {
      pending.values[index] = pending.request.settled ? { status: "fulfilled", value } : value;
    };
    const id = pending.ids[index]!;
    const rebuild = () => this.decodeContent(content.main, content.locators, pending.request.shared ? id : undefined);
    if (modulesLoaded(content.modules)) settle(rebuild());
    else {
      content.main = content.main.slice();
      pending.loading.push(loadModules(content.modules).then(() => settle(guarded(rebuild))));
    }
  }

  /** Rebuilds a value. With `sharedBy`, arrays are views on the store's memory that keep that object alive; else private copies. */
  decodeContent(main: Uint8Array, locators: readonly protocol.Locator[], sharedBy: number | undefined): unknown {
    return decode(main, {
      buffer: (index) => {
        const locator = locators[index]!;
        if (locator.bytes === 0) return new Uint8Array(0);
        if (sharedBy === undefined) return this.store.view(locator).slice();
        return this.#sharedViews.make(this.store.memory(locator.segment), locator, sharedBy, () => this.hold(sharedBy));
      },
      makeRef: (id) => borrowedRef(id, this),
    });
  }

  #failureArrived(reader: RingReader): void {
    const call = reader.f64[reader.word]!;
    const index = reader.i32[reader.word * 2 + 2]!;
    const key = `${call}:${index}`;
    if (!this.#failures.has(key)) this.catchUp();
    const failure = this.#failures.get(key);
    this.#failures.delete(key);
    const pending = this.#gets.get(call);
    if (pending === undefined || failure === undefined) return;
    pending.loading.push(
      errorOfFailure(failure, pending.ids[index]!, this).then((error) => {
        if (pending.request.settled) pending.values[index] = { status: "rejected", reason: error };
        else pending.failure ??= { index, error };
      }),
    );
  }

  #callDone(call: number, outcome: number): void {
    const wait = this.#waits.get(call);
    if (wait !== undefined) {
      this.#waits.delete(call);
      wait();
      return;
    }
    const pending = this.#gets.get(call);
    if (pending === undefined) return;
    this.#gets.delete(call);
    pending.stop();
    this.#keepAlive(-1);
    if (pending.loading.length === 0) return settleGet(pending, outcome);
    void Promise.all(pending.loading).then(
      () => settleGet(pending, outcome),
      (error: unknown) => pending.reject(error),
    );
  }

  // ---------------------------------------------------------------- wait

  async wait(ids: readonly number[], request: WaitRequest): Promise<number[]> {
    const call = this.#beginWait(ids, request.numReturns, request.timeout);
    this.#keepAlive(1);
    const { ready, outcome } = await this.#subscriptions.wait(ids, request.numReturns, request.timeout, request.signal);
    this.#keepAlive(-1);
    const over = guarded(() => this.#endWait(call, ids, ready, outcome));
    if (this.#caller.task() !== 0) await over;
    if (outcome === protocol.CallInterrupted)
      throw request.signal?.reason ?? new DOMException("This operation was aborted", "AbortError");
    return ready;
  }

  #beginWait(ids: readonly number[], numReturns: number, timeout: number | undefined): number {
    const call = this.#nextCall++;
    const cell = this.#cellNumber();
    const shown = Math.min(64, ids.length);
    const to = this.begin(6 + shown);
    to.f64[to.word] = call;
    to.f64[to.word + 1] = this.#caller.task();
    to.i32[to.word * 2 + 4] = cell;
    to.i32[to.word * 2 + 5] = numReturns;
    to.f64[to.word + 3] = now();
    to.f64[to.word + 4] = timeout ?? NEVER;
    to.i32[to.word * 2 + 10] = ids.length;
    to.i32[to.word * 2 + 11] = shown;
    for (let index = 0; index < shown; index++) to.f64[to.word + 6 + index] = ids[index]!;
    this.commit(protocol.WaitBegin, 6 + shown);
    this.#caller.suspend();
    return call;
  }

  #endWait(call: number, ids: readonly number[], ready: readonly number[], outcome: number): Promise<void> {
    const shown = Math.min(64, ready.length);
    const done = new Promise<void>((resolve) => this.#waits.set(call, resolve));
    const to = this.begin(4 + shown);
    to.f64[to.word] = call;
    to.f64[to.word + 1] = now();
    to.i32[to.word * 2 + 4] = outcome;
    to.i32[to.word * 2 + 5] = ready.length;
    to.i32[to.word * 2 + 6] = ids.length - ready.length;
    to.i32[to.word * 2 + 7] = shown;
    for (let index = 0; index < shown; index++) to.f64[to.word + 4 + index] = ids[ready[index]!]!;
    this.commit(protocol.WaitEnd, 4 + shown);
    return done;
  }

  async *readyOrder(ids: readonly number[], signal: AbortSignal | undefined): AsyncIterableIterator<number> {
    let left = ids.map((id, index) => ({ id, index }));
    while (left.length > 0) {
      const [first] = await this.wait(
        left.map((entry) => entry.id),
        { numReturns: 1, timeout: undefined, signal },
      );
      const next = left[first!]!;
      left = left.filter((entry) => entry !== next);
      yield next.index;
    }
  }

  isReady(id: number): boolean {
    return this.#subscriptions.isReady(id);
  }

  // ---------------------------------------------------------------- lifetime

  hold(id: number): void {
    this.#writeIds(protocol.Hold, [id]);
  }

  release(id: number): void {
    this.#subscriptions.forget(id);
    if (this.#closed) return;
    if (this.#released.push(id) === 1) {
      queueMicrotask(() =>
        guarded(() => {
          const ids = this.#released;
          this.#released = [];
          if (!this.#closed) this.#writeIds(protocol.Release, ids);
        }),
      );
    }
  }

  #releaseViews(ids: readonly number[]): void {
    if (!this.#closed) this.#writeIds(protocol.Release, ids);
  }

  free(ids: readonly number[]): void {
    this.#writeIds(protocol.Free, ids);
  }

  cancel(id: number, force: boolean, recursive: boolean): void {
    this.post({ type: "cancel", id, force, recursive });
  }

  recordSpan(name: string, data: unknown, start: number, end: number): void {
    this.post({ type: "span", event: { type: "span", time: start, end, name, data } });
  }

  /** Keeps the process alive while somebody awaits something. */
  #keepAlive(change: number): void {
    this.#open += change;
    if (this.#open === 1 && change === 1) this.#link.port.ref();
    else if (this.#open === 0) this.#link.port.unref();
  }

  // ---------------------------------------------------------------- what the scheduler says

  /** Handles all records that are there. */
  drain(): void {
    const inside = enterGuard();
    try {
      this.#bell.awake();
      do {
        this.readAll();
        this.#afterTurn();
        this.#bell.sleep();
      } while (this.reader.pending);
      if (this.reader.takeWantsRoom()) this.#wakeScheduler();
    } finally {
      if (inside) leaveGuard();
    }
  }

  #wakeScheduler(): void {
    this.#link.port.postMessage(null);
    this.#schedulerBell.ring();
  }

  /** Handles the records that are there now. */
  readAll(): void {
    const { reader } = this;
    for (let type = reader.next(); type !== 0; type = reader.next()) {
      this.#record(type, reader);
      reader.release();
    }
  }

  #record(type: number, reader: RingReader): void {
    const { f64, i32, word } = reader;
    switch (type) {
      case protocol.Value:
        return this.#valueArrived(reader);
      case protocol.FailedValue:
        return this.#failureArrived(reader);
      case protocol.CallDone:
        return this.#callDone(f64[word]!, i32[word * 2 + 2]!);
      case protocol.Ready:
        return this.#subscriptions.ready(f64[word]!, f64[word + 1]!);
      case protocol.FreeBuffer:
        return this.store.release({ segment: i32[word * 2]!, offset: f64[word + 1]!, bytes: f64[word + 2]! });
      default:
        this.#onRecord(type, reader);
    }
  }

  #take(message: NonNullable<protocol.FromScheduler>): void {
    switch (message.type) {
      case "segment":
        return this.store.attach(message.id, message.memory);
      case "failure":
        this.#failures.set(`${message.call}:${message.index}`, message.failure);
        return;
      case "answer":
        this.#answers.set(message.id, message.answer);
        return;
      case "down":
        this.#closed = true;
        this.#down?.resolve();
        return;
      case "define":
      case "options":
        this.definitions.learn(message);
    }
  }

  /** Reads the port now, for something that a record refers to. */
  catchUp(): void {
    const { port } = this.#link;
    for (let entry = receiveMessageOnPort(port); entry !== undefined; entry = receiveMessageOnPort(port)) {
      if (entry.message !== null) this.#take(entry.message as NonNullable<protocol.FromScheduler>);
      // It was to wake the event loop, which will not see it any more.
      else setImmediate(() => this.drain());
    }
  }

  query(question: Question): unknown {
    const id = this.#nextCall++;
    const answered = new Int32Array(new SharedArrayBuffer(4));
    this.post({ type: "query", id, question, answered });
    while (Atomics.load(answered, 0) === 0) Atomics.wait(answered, 0, 0, 100);
    this.catchUp();
    const answer = this.#answers.get(id);
    this.#answers.delete(id);
    return answer;
  }

  shutdown(): Promise<void> {
    if (this.#down === undefined) {
      let resolve = (): void => {};
      const promise = new Promise<void>((done) => {
        resolve = done;
      });
      this.#down = { promise, resolve };
      this.#link.port.ref();
      this.post({ type: "shutdown" });
      this.#closed = true;
    }
    return this.#down.promise;
  }

  /** Ends every call that waits, when the scheduler is gone. */
  abandonAll(reason: string): void {
    for (const pending of this.#gets.values()) {
      pending.stop();
      pending.reject(new ObjectLostError(reason));
    }
    this.#gets.clear();
    this.#subscriptions.end();
    this.#forgetResume();
    this.#link.port.close();
  }

  /** Blocks the thread until there is something to read, or for `ms`; whether there is. */
  block(ms: number): boolean {
    this.#bell.block(ms, () => this.reader.pending);
    return this.reader.pending;
  }
}

const NO_PREVIEW = undefined;
const NO_IDS: readonly number[] = [];

function topLevelRefs(args: readonly unknown[]): readonly number[] {
  let ids: number[] | undefined;
  for (const arg of args) {
    const id = typeof arg === "object" && arg !== null ? refNumber(arg) : undefined;
    if (id !== undefined) {
      ids ??= [];
      if (!ids.includes(id)) ids.push(id);
    }
  }
  return ids ?? NO_IDS;
}

function settleGet(pending: PendingGet, outcome: number): void {
  if (pending.failure !== undefined) pending.reject(pending.failure.error);
  else if (outcome === protocol.CallTimeout) pending.reject(timeoutError(pending));
  else if (outcome === protocol.CallInterrupted)
    pending.reject(pending.request.signal?.reason ?? new DOMException("This operation was aborted", "AbortError"));
  else pending.resolve(pending.values);
}

function timeoutError({ ids, request }: PendingGet): GetTimeoutError {
  const what = ids.length === 1 ? objectIdText(ids[0]!) : `${ids.length} objects`;
  return new GetTimeoutError(
    `get: ${what} not ready after ${request.timeout} ms; the task goes on, and a later get can have its value`,
  );
}
