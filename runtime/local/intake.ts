/** Reads what a thread wrote into its ring and steps the scheduler with it. */
import { receiveMessageOnPort } from "node:worker_threads";
import { now } from "../clock.ts";
import { type Block, blockWords, copyBlock, viewsOf } from "./block.ts";
import type { AskedWait, TakenByWait } from "./call-desk.ts";
import type { Outbox } from "./outbox.ts";
import type { Peer } from "./peer.ts";
import * as protocol from "./protocol.ts";
import type { Definition, Policy } from "./records.ts";
import type { RingReader } from "./ring.ts";
import type { Scheduler } from "./scheduler.ts";
import { newStream } from "./stream-desk.ts";

type Message = NonNullable<protocol.ToScheduler>;
const utf8 = new TextDecoder();

/** What a task printed, in its place among the task's own records. */
export type OutputReceiver = (worker: number, task: number, stream: "stdout" | "stderr", text: string) => void;

export class Intake {
  readonly #scheduler: Scheduler;
  readonly #outbox: Outbox;
  readonly #handle: (peer: Peer, message: Message) => void;
  readonly #output: OutputReceiver;
  readonly #definitions = new Map<number, Definition>();
  readonly #policies = new Map<number, Policy>();
  /** Messages whose turn comes once the records written before them have been handled: those up to `after`. */
  #postponed: { peer: Peer; message: Message; after: number }[] = [];
  readonly #partialGets = new Map<Peer, number[]>();

  constructor(
    scheduler: Scheduler,
    outbox: Outbox,
    handle: (peer: Peer, message: Message) => void,
    output: OutputReceiver,
  ) {
    this.#scheduler = scheduler;
    this.#outbox = outbox;
    this.#handle = handle;
    this.#output = output;
  }

  /** Takes a message that is to be handled after the records written before it. */
  postpone(peer: Peer, message: Message): void {
    this.#postponed.push({ peer, message, after: peer.reader.end });
  }

  /** Handles what a thread has said, at most about `most` records of it; whether there was anything. */
  drain(peer: Peer, most = Number.POSITIVE_INFINITY): boolean {
    const { reader } = peer;
    let count = 0;
    for (let type = reader.next(); type !== 0; type = reader.next()) {
      this.#record(peer, type, reader);
      if (++count >= most) break;
    }
    return this.#handlePostponed(peer) || count > 0;
  }

  /** Handles everything that a thread has said by now, in its ring and on its port. */
  hear(peer: Peer): void {
    this.#readPort(peer);
    this.drain(peer);
  }

  #readPort(peer: Peer): void {
    for (let entry = receiveMessageOnPort(peer.port); entry !== undefined; entry = receiveMessageOnPort(peer.port))
      if (entry.message !== null) this.postpone(peer, entry.message as Message);
  }

  #handlePostponed(peer: Peer): boolean {
    if (this.#postponed.length === 0) return false;
    const due = this.#postponed.filter((entry) => entry.peer === peer && peer.reader.isPast(entry.after));
    if (due.length === 0) return false;
    this.#postponed = this.#postponed.filter((entry) => !due.includes(entry));
    for (const { message } of due) this.#handle(peer, message);
    return true;
  }

  #record(peer: Peer, type: number, reader: RingReader): void {
    const { i32, f64, word } = reader;
    const client = peer.index;
    switch (type) {
      case protocol.Submit:
        return this.#submit(peer, reader);
      case protocol.Started:
        return this.#scheduler.started(f64[word]!, f64[word + 1]!);
      case protocol.Finished:
        return this.#finished(peer, reader);
      case protocol.Get:
        return this.#get(peer, reader);
      case protocol.Put:
        return this.#scheduler.put(
          f64[word]!,
          this.#block(peer, reader, word + 4),
          client,
          f64[word + 2]!,
          this.#cell(peer, i32[word * 2 + 6]!),
          f64[word + 1]!,
        );
      case protocol.Hold:
      case protocol.Release:
      case protocol.View:
      case protocol.Unview:
      case protocol.Free:
      case protocol.Subscribe:
        for (let at = word; at < word + reader.words; at++) this.#object(client, type, f64[at]!);
        return;
      case protocol.Yielded:
        return this.#yielded(peer, reader);
      case protocol.Taken:
        return this.#scheduler.streams.taken(f64[word]!, i32[word * 2 + 2]!);
      case protocol.CloseStream:
        if (i32[word * 2 + 2] === 1) this.#scheduler.cancel(f64[word]!, false, true, f64[word + 2]!);
        return this.#scheduler.streams.close(f64[word]!);
      case protocol.Abandon:
        return this.#scheduler.calls.abandon(client, f64[word]!, i32[word * 2 + 4]!, f64[word + 1]!);
      case protocol.WaitBegin:
        return this.#waitBegin(peer, reader);
      case protocol.WaitEnd:
        return this.#scheduler.calls.waitEnd(client, f64[word]!, readTaken(reader, word + 2), f64[word + 1]!);
      case protocol.Waited:
        return this.#waited(peer, reader);
      case protocol.Up:
        return this.#scheduler.workerUp(client);
      case protocol.TimeOver:
        return this.#scheduler.timeOver(f64[word]!);
      case protocol.Decoded:
        return this.#argumentsRead(reader);
      case protocol.AskRoom:
        return this.#scheduler.store.askRoom(client, f64[word]!, f64[word + 1]!, now());
      case protocol.Dropped:
        return this.#scheduler.dropped(client, f64[word]!, i32[word * 2 + 2]!);
      case protocol.Output: {
        const text = utf8.decode(reader.u8.slice((word + 2) * 8, (word + 2) * 8 + i32[word * 2 + 3]!));
        return this.#output(client, f64[word]!, i32[word * 2 + 2] === 1 ? "stdout" : "stderr", text);
      }
      default:
        throw new Error(`record of unknown type ${type} from thread ${client}`);
    }
  }

  #object(client: number, type: number, id: number): void {
    const { holds } = this.#scheduler;
    if (type === protocol.Hold) holds.hold(client, id);
    else if (type === protocol.Release) holds.release(client, id);
    else if (type === protocol.View) holds.view(client, id);
    else if (type === protocol.Unview) holds.unview(client, id);
    else if (type === protocol.Free) this.#scheduler.free(id, now());
    else this.#scheduler.subscribe(client, id);
  }

  #submit(peer: Peer, reader: RingReader): void {
    const { i32, f64, word } = reader;
    const id = f64[word]!;
    const definition = this.#find(peer, this.#definitions, i32[word * 2 + 4]!);
    const policy = this.#find(peer, this.#policies, i32[word * 2 + 5]!);
    const previewKind = i32[word * 2 + 12]!;
    const previewBytes = i32[word * 2 + 13]!;
    const refs = i32[word * 2 + 14]!;
    const inputs = refs === 0 ? NO_INPUTS : readIds(reader, word + 8, refs);
    const previewWord = word + 8 + refs;
    let preview: string | number | undefined;
    if (previewKind === protocol.PreviewNumber) preview = f64[word + 5]!;
    else if (previewBytes > 0) preview = utf8.decode(reader.u8.slice(previewWord * 8, previewWord * 8 + previewBytes));
    this.#scheduler.submit({
      id,
      definition,
      policy,
      args: this.#block(peer, reader, previewWord + ((previewBytes + 7) >> 3)),
      inputs,
      returns: i32[word * 2 + 9]!,
      stream: policy.highWaterMark === undefined ? undefined : newStream(policy.highWaterMark),
      parent: f64[word + 3]!,
      cell: this.#cell(peer, i32[word * 2 + 8]!),
      preview,
      client: peer.index,
      time: f64[word + 1]!,
    });
  }

  #finished(peer: Peer, reader: RingReader): void {
    const { i32, word } = reader;
    const count = i32[word * 2 + 9]!;
    if (count === 1) return this.#ended(reader, [this.#block(peer, reader, word + 5)]);
    const blocks: Block[] = [];
    let at = word + 5;
    for (let index = 0; index < count; index++) {
      blocks.push(this.#block(peer, reader, at));
      at += blockWords(reader, at);
    }
    this.#ended(reader, blocks);
  }

  #ended({ f64, i32, word }: RingReader, blocks: Block[]): void {
    this.#scheduler.finished(f64[word]!, f64[word + 1]!, f64[word + 2]!, f64[word + 3]!, i32[word * 2 + 8]!, blocks);
  }

  #argumentsRead({ f64, i32, u8, word }: RingReader): void {
    const length = i32[word * 2 + 3]!;
    const why = length === 0 ? undefined : utf8.decode(u8.slice((word + 4) * 8, (word + 4) * 8 + length));
    const size = { viewed: f64[word + 2]!, copied: f64[word + 3]!, why };
    this.#scheduler.argumentsRead(f64[word]!, i32[word * 2 + 2]!, size, now());
  }

  #yielded(peer: Peer, reader: RingReader): void {
    const { i32, f64, word } = reader;
    this.#scheduler.streams.yielded({
      worker: peer.index,
      task: f64[word]!,
      item: f64[word + 1]!,
      time: f64[word + 2]!,
      attempt: i32[word * 2 + 6]!,
      index: i32[word * 2 + 7]!,
      waits: i32[word * 2 + 8] === 1,
      block: this.#block(peer, reader, word + 5),
    });
  }

  #get(peer: Peer, reader: RingReader): void {
    const { i32, f64, word } = reader;
    const flags = i32[word * 2 + 5]!;
    let ids = readIds(reader, word + 6, i32[word * 2 + 10]!);
    const before = this.#partialGets.get(peer);
    if (before !== undefined) {
      // push(...ids) would run into the limit of arguments.
      for (const id of ids) before.push(id);
      ids = before;
    }
    if ((flags & protocol.GetMore) !== 0) {
      this.#partialGets.set(peer, ids);
      return;
    }
    this.#partialGets.delete(peer);
    const timeout = f64[word + 4]!;
    this.#scheduler.calls.get(
      peer.index,
      f64[word]!,
      f64[word + 1]!,
      ids,
      {
        settled: (flags & protocol.GetSettled) !== 0,
        poll: (flags & protocol.GetPoll) !== 0,
        limited: (flags & protocol.GetLimited) !== 0,
      },
      { cell: this.#cell(peer, i32[word * 2 + 4]!), timeout: timeout < 0 ? undefined : timeout, time: f64[word + 3]! },
    );
  }

  #waitBegin(peer: Peer, reader: RingReader): void {
    const { f64, word } = reader;
    this.#scheduler.calls.waitBegin(peer.index, f64[word]!, f64[word + 1]!, this.#asked(peer, reader));
  }

  #waited(peer: Peer, reader: RingReader): void {
    const { f64, word } = reader;
    const asked = this.#asked(peer, reader);
    const taken = readTaken(reader, word + 6 + asked.objects.length);
    this.#scheduler.calls.waited(peer.index, f64[word]!, f64[word + 1]!, asked, taken);
  }

  #asked(peer: Peer, reader: RingReader): AskedWait {
    const { i32, f64, word } = reader;
    const timeout = f64[word + 4]!;
    return {
      objects: readIds(reader, word + 6, i32[word * 2 + 11]!),
      total: i32[word * 2 + 10]!,
      numReturns: i32[word * 2 + 5]!,
      cell: this.#cell(peer, i32[word * 2 + 4]!),
      timeout: timeout < 0 ? undefined : timeout,
      time: f64[word + 3]!,
    };
  }

  /** Copies a block; its memory is known to all threads before anything that names it goes out to them. */
  #block(peer: Peer, reader: RingReader, word: number): Block {
    const block = copyBlock(reader, word);
    const { segments } = this.#outbox;
    if (!block.locators.every((locator) => segments.has(locator))) this.#catchUp(peer);
    segments.occupy(block);
    return block;
  }

  #cell(peer: Peer, id: number): string | undefined {
    if (id === 0) return undefined;
    if (!peer.cells.has(id)) this.#catchUp(peer);
    return peer.cells.get(id);
  }

  #find<T>(peer: Peer, known: Map<number, T>, id: number): T {
    let found = known.get(id);
    if (found === undefined) {
      this.#catchUp(peer);
      found = known.get(id);
      if (found === undefined) throw new Error(`definition ${id} was never announced`);
    }
    return found;
  }

  /** Reads the thread's port now: it posted what its records refer to before it wrote them. */
  #catchUp(peer: Peer): void {
    this.#readPort(peer);
    this.#postponed = this.#postponed.filter((entry) => {
      if (entry.peer !== peer || !isAnnouncement(entry.message)) return true;
      this.learn(peer, entry.message);
      return false;
    });
  }

  /** Takes note of what a thread announces. */
  learn(peer: Peer, message: Message): void {
    if (message.type === "define") {
      const { id, functionName } = message;
      this.#definitions.set(id, { id, functionName, last: undefined, meanMs: undefined });
      this.#outbox.definitions.set(message.id, message);
      // For ever: other threads may load it at any time.
      this.#outbox.segments.occupy(copyBlock(viewsOf(message.block), 0));
      this.#scheduler.directory.holdCaptured(functionName, message.refs);
    } else if (message.type === "options") {
      const shapeKey = JSON.stringify(Object.entries(message.shape).sort());
      const { id, name, shape, maxRetries, maxCalls, timeout, highWaterMark } = message;
      this.#policies.set(id, { id, name, shape, shapeKey, maxRetries, maxCalls, timeout, highWaterMark });
      this.#outbox.options.set(id, message);
    } else if (message.type === "cell") peer.cells.set(message.id, message.label);
    else if (message.type === "segment") this.#outbox.addSegment(peer.index, message);
    else if (message.type === "segmentDropped") this.#outbox.forgetSegment(message.id);
    else if (message.type === "segmentUnused") this.#outbox.reuseSegment(message.id);
  }
}

/** Whether it only tells what records may refer to, so that it may be handled before its turn. */
const isAnnouncement = ({ type }: Message): boolean =>
  type === "define" || type === "options" || type === "cell" || type === "segment";

const NO_INPUTS: readonly number[] = [];

function readTaken(reader: RingReader, word: number): TakenByWait {
  const { i32 } = reader;
  return {
    outcome: i32[word * 2]!,
    ready: i32[word * 2 + 1]!,
    pending: i32[word * 2 + 2]!,
    objects: readIds(reader, word + 2, i32[word * 2 + 3]!),
  };
}

function readIds({ f64 }: RingReader, word: number, count: number): number[] {
  const ids: number[] = [];
  for (let at = word; at < word + count; at++) ids.push(f64[at]!);
  return ids;
}
