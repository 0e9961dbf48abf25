/**
 * One thread's half of the runtime: the driver's and each worker's alike. It mints ids, encodes what is submitted and
 * put, and turns what the scheduler says into settled promises. All of it runs as guarded code (see `host.ts`).
 */
import type { Backend, FunctionSource, GetRequest, OptionSet, Question, WaitRequest } from "../backend.ts";
import { now } from "../clock.ts";
import { ObjectLostError } from "../errors.ts";
import { guarded } from "../host.ts";
import { IdSource } from "../ids.ts";
import { borrowedRef, Handles, ownRefNumber } from "../object-ref.ts";
import { explainReading, type ParameterReading } from "../reading/reading.ts";
import { decode } from "../serialization/decode.ts";
import { type Encoded, encode } from "../serialization/encode.ts";
import type { ObjectRecord } from "../state.ts";
import { ArrayMemory } from "./array-memory.ts";
import { type Prepared, prepareBlock, writeBlock } from "./block.ts";
import { CellNumbers } from "./cell-numbers.ts";
import type { Holder } from "./checked-views.ts";
import { Definitions } from "./definitions.ts";
import { collectGarbage } from "./garbage.ts";
import { Line, type ThreadEvents } from "./line.ts";
import type { Locator } from "./locator.ts";
import { Notes } from "./notes.ts";
import type { ObjectStore } from "./object-store.ts";
import { OpenStreams, waitNumber } from "./open-streams.ts";
import { OpenWaits } from "./open-waits.ts";
import { PendingGets } from "./pending-gets.ts";
import { previewOf, topLevelRefs } from "./preview.ts";
import * as protocol from "./protocol.ts";
import { readAnswer } from "./queries.ts";
import type { RingReader } from "./ring.ts";
import { openStore, Room } from "./room.ts";
import { Subscriptions } from "./subscriptions.ts";

const OUT_OF_BAND_BYTES = 4096;

/** What the code that runs now belongs to. */
export interface Caller {
  /** Number of the running task; 0 in the driver. */
  task(): number;
  /** The same for a call that gives the task's slot back; 0 in code that goes on after its task has ended. */
  waitingTask(): number;
  /** The running task begins to await a call: its slot goes to others. */
  suspend(): void;
  /** Who is given what is asked for now. */
  holder(): Holder;
}

export class Client implements Backend {
  readonly sessionId: string;
  readonly totals: Record<string, number>;
  readonly objectStoreMemory: number;
  readonly index: number;
  readonly handles = new Handles(this);
  readonly store: ObjectStore;
  readonly line: Line;
  readonly definitions: Definitions;
  readonly notes: Notes;
  readonly #ids: IdSource;
  readonly #caller: Caller;
  readonly #gets: PendingGets;
  readonly #waits: OpenWaits;
  readonly #subscriptions: Subscriptions;
  readonly #streams: OpenStreams;
  readonly #room: Room;
  readonly arrays: ArrayMemory;
  readonly #cells = new CellNumbers((id, label) => this.line.announce({ type: "cell", id, label }));
  readonly #thread: ThreadEvents;
  readonly #answers = new Map<number, unknown>();
  #released: number[] = [];
  #nextCall = 1;
  #down: { promise: Promise<void>; resolve: () => void } | undefined;
  #closed = false;

  constructor(link: protocol.Link, caller: Caller, thread: Partial<ThreadEvents> = {}) {
    this.#caller = caller;
    this.#thread = { record: () => {}, turnOver: () => {}, cut: () => {}, ...thread };
    this.index = link.index;
    this.sessionId = link.session.sessionId;
    this.totals = link.session.totals;
    this.line = new Line(link, {
      record: (type, reader) => this.#record(type, reader),
      message: (message) => this.#take(message),
      turnOver: () => this.#thread.turnOver(),
    });
    this.notes = new Notes(this.line, link.index === 0);
    this.#gets = new PendingGets(this, this.line);
    this.#ids = new IdSource(link.index);
    this.store = openStore(link, this.line, () => this.#room);
    this.objectStoreMemory = this.store.account.limit;
    this.#room = new Room(this.line, link.session.spillPlace !== undefined, () => this.arrays.reclaim());
    const { checkWrites } = link.session;
    this.arrays = new ArrayMemory(this.store, checkWrites, (id, isHeld) => this.#viewing(id, isHeld), caller);
    this.#subscriptions = new Subscriptions(
      (ids) => this.line.writeIds(protocol.Subscribe, ids),
      () => {
        this.query("sync");
        this.line.readAll();
      },
    );
    const asking = {
      nextCall: () => this.notes.called(this.#nextCall++, this.#cells.current()),
      cell: () => this.#cells.current(),
      task: () => caller.waitingTask(),
      suspend: () => caller.suspend(),
    };
    this.#waits = new OpenWaits(this, asking, this.#subscriptions);
    this.#streams = new OpenStreams(this.line, this.#subscriptions, (id) => this.release(id));
    this.definitions = new Definitions(this, link.definitions);
  }

  // ---------------------------------------------------------------- records to the scheduler

  /** The number of a ref that is to travel. */
  readonly refId = (value: object): number | undefined => ownRefNumber(value, this);

  /** Encodes a value into a block, array data in shared memory. Write the block before the next encode. */
  prepare(value: unknown, label: string): Prepared {
    return prepareBlock(this.#encode(value, label), this.store);
  }

  /** The same for a value that its maker gives away: arrays of `createSharedArray` are sealed where they lie. */
  seal(value: unknown, label: string): Prepared {
    return prepareBlock(this.#encode(value, label), this.store, this.arrays.lent.take);
  }

  #encode(value: unknown, label: string): Encoded {
    return encode(value, { outOfBandBytes: OUT_OF_BAND_BYTES, refId: this.refId, label });
  }

  definitionOf(source: FunctionSource): number | undefined {
    return this.definitions.numberIfSendable(source);
  }

  explain(source: FunctionSource): ParameterReading[] {
    const reading = this.definitions.readingOf(source);
    return reading === undefined ? [] : explainReading(reading);
  }

  submit(source: FunctionSource, options: OptionSet, args: readonly unknown[]): number {
    const definition = this.definitions.numberOf(source);
    const policy = this.definitions.numberOfOptions(options);
    const time = now();
    const inputs = topLevelRefs(args);
    for (const input of inputs) this.arrays.checked?.checkObject(input);
    const preview = options.options.name === undefined ? previewOf(args) : undefined;
    const text = typeof preview === "string" ? Buffer.from(preview) : undefined;
    const encoded = this.#encode(args, source.functionName);
    const block = prepareBlock(encoded, this.store);
    const returns = options.options.numReturns ?? 1;
    const id = this.#ids.take(options.streams ? 2 : Math.max(1, returns));
    const previewWords = text === undefined ? 0 : (text.length + 7) >> 3;
    const words = 8 + inputs.length + previewWords + block.words;
    const cell = this.#cells.current();
    const to = this.line.begin(words);
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
    this.line.commit(protocol.Submit, words);
    this.notes.submitted(id, cell, time, encoded);
    if (options.streams) this.#streams.open(id, options.options.highWaterMark ?? Number.POSITIVE_INFINITY);
    return id;
  }

  /** A number for an object that nobody else makes. */
  newId(): number {
    return this.#ids.take(1);
  }

  put(value: unknown): number {
    const block = this.seal(value, "the value put");
    const id = this.#ids.take(1);
    const words = 4 + block.words;
    const to = this.line.begin(words);
    to.f64[to.word] = id;
    to.f64[to.word + 1] = now();
    to.f64[to.word + 2] = this.#caller.task();
    to.i32[to.word * 2 + 6] = this.#cells.current();
    writeBlock(to, to.word + 4, block);
    this.line.commit(protocol.Put, words);
    return id;
  }

  lend(bytes: number): Uint8Array {
    // Objects that went count no more, but their room does while their arrays are there: it must be counted again first.
    if (this.line.reader.pending) {
      setImmediate(() => this.line.drain());
      this.line.readAll();
    }
    return this.arrays.lent.make(bytes);
  }

  // ---------------------------------------------------------------- get

  get(ids: readonly number[], request: GetRequest): Promise<unknown[]> {
    const cell = this.#cells.current();
    const call = this.notes.called(this.#nextCall++, cell);
    const values = this.#gets.ask(call, this.#caller.waitingTask(), cell, ids, request);
    this.#caller.suspend();
    return values;
  }

  /** Rebuilds a value. With `sharedBy`, arrays are views on the store's memory that keep that object alive; else private copies. */
  decodeContent(
    main: Uint8Array,
    locators: readonly Locator[],
    sharedBy: number | undefined,
    holder?: Holder,
  ): unknown {
    const buffer = (index: number): Uint8Array => this.arrays.at(locators[index]!, sharedBy, holder);
    return this.decodeWith(main, buffer, sharedBy !== undefined);
  }

  decodeWith(main: Uint8Array, buffer: (index: number) => Uint8Array, isShared: boolean): unknown {
    return decode(main, { buffer, isShared, makeRef: (id) => borrowedRef(id, this) });
  }

  #callDone(call: number, outcome: number): void {
    if (!this.#waits.done(call)) this.#gets.done(call, outcome);
  }

  wait(refs: readonly unknown[], ids: () => readonly number[], request: WaitRequest): number[] | Promise<number[]> {
    return this.#waits.wait(refs, ids, request);
  }

  readyOrder(ids: readonly number[], signal: AbortSignal | undefined): AsyncIterableIterator<number> {
    return this.#waits.inOrder(ids, signal);
  }

  readonly hasFailed = (id: number): boolean => this.#subscriptions.hasFailed(id);

  async nextItem(stream: number): Promise<number | undefined> {
    for (;;) {
      const item = guarded(() => this.#streams.take(stream));
      if (item !== "pending") return item;
      const request = { numReturns: 1, timeout: undefined, signal: undefined };
      await guarded(() => this.#waits.wait([], () => [waitNumber(stream)], request));
    }
  }

  closeStream(stream: number, cancel: boolean): void {
    if (!this.#closed) this.#streams.close(stream, cancel);
  }

  forgetStream(stream: number): void {
    if (!this.#closed) this.#streams.forget(stream);
  }

  stateOf(id: number): ObjectRecord["state"] | "gone" {
    return this.#closed ? "gone" : (this.query("state", id) as ObjectRecord["state"] | "gone");
  }

  // ---------------------------------------------------------------- lifetime

  hold(id: number): void {
    if (!this.#closed) this.line.writeIds(protocol.Hold, [id]);
  }

  release(id: number): void {
    this.#subscriptions.forget(id);
    if (this.#closed) return;
    if (this.#released.push(id) === 1) {
      queueMicrotask(() =>
        guarded(() => {
          const ids = this.#released;
          this.#released = [];
          if (!this.#closed) this.line.writeIds(protocol.Release, ids, true);
        }),
      );
    }
  }

  #viewing(id: number, isHeld: boolean): void {
    if (!this.#closed) this.line.writeIds(isHeld ? protocol.View : protocol.Unview, [id], !isHeld);
  }

  free(ids: readonly number[]): void {
    if (!this.#closed) this.line.writeIds(protocol.Free, ids);
  }

  cancel(id: number, force: boolean, recursive: boolean): void {
    this.line.post({ type: "cancel", id, force, recursive });
  }

  recordSpan(name: string, data: unknown, start: number, end: number): void {
    this.notes.span({ name, data, start, end }, this.#caller.task());
  }

  // ---------------------------------------------------------------- what the scheduler says

  #record(type: number, reader: RingReader): void {
    const { f64, i32, word } = reader;
    switch (type) {
      case protocol.Value:
        return this.#gets.valueArrived(reader);
      case protocol.FailedValue:
        return this.#gets.failureArrived(reader);
      case protocol.CallDone:
        return this.#callDone(f64[word]!, i32[word * 2 + 2]!);
      case protocol.Ready:
        return this.#subscriptions.ready(f64[word]!, Math.abs(f64[word + 1]!), f64[word + 1]! < 0);
      case protocol.Item:
        return this.#streams.arrived(f64[word]!, f64[word + 1]!, f64[word + 2]!);
      case protocol.StreamEnd:
        return this.#streams.ended(f64[word]!, f64[word + 1]!, i32[word * 2 + 4] === 1);
      case protocol.FreeBuffer:
        return this.store.reclaim({ segment: f64[word]!, offset: f64[word + 1]!, bytes: f64[word + 2]! });
      case protocol.RoomAnswer:
        return this.#room.answered(f64[word]!, i32[word * 2 + 2] === 1);
      default:
        this.#thread.record(type, reader);
    }
  }

  #take(message: NonNullable<protocol.FromScheduler>): void {
    switch (message.type) {
      case "collect":
        return collectGarbage();
      case "cut":
        return this.#thread.cut(message.task, message.overTime);
      case "segment":
        return this.store.attach(message.id, message.memory);
      case "dropSegment":
        return this.store.detach(message.id);
      case "failure":
        return this.#gets.learnFailure(message.call, message.index, message.failure);
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

  query(question: Question, object?: number): unknown {
    if (this.#closed) throw new ObjectLostError("the runtime was shut down");
    const id = this.#nextCall++;
    const answered = new Int32Array(new SharedArrayBuffer(4));
    this.line.post({ type: "query", id, question, object, answered });
    while (Atomics.load(answered, 0) === 0) Atomics.wait(answered, 0, 0, 100);
    this.line.catchUp();
    const answer = this.#answers.get(id);
    this.#answers.delete(id);
    return readAnswer(question, answer);
  }

  shutdown(): Promise<void> {
    if (this.#down === undefined) {
      let resolve = (): void => {};
      const promise = new Promise<void>((done) => {
        resolve = done;
      });
      this.#down = { promise, resolve };
      this.line.keepAlive(1);
      this.line.post({ type: "shutdown" });
      this.#closed = true;
    }
    return this.#down.promise;
  }

  /** Ends every call that waits, when the scheduler is gone. */
  abandonAll(reason: string): void {
    this.#closed = true;
    this.#gets.rejectAll(reason);
    this.#subscriptions.end();
    this.line.close(reason);
  }
}
