/** What the scheduler decides, as records and messages to the threads concerned. */
import { decode } from "../serialization/decode.ts";
import { ownerOf, roundUp } from "./arena.ts";
import { type Block, pasteBlock, readBlock, viewsOf } from "./block.ts";
import { CLAIM_DECLINED, CLAIM_TAKEN_BACK, CLAIM_WAITING } from "./claims.ts";
import type { Disk } from "./disk.ts";
import type { Effects } from "./effects.ts";
import type { Locator } from "./locator.ts";
import { type ObjectStore, StoreAccount } from "./object-store.ts";
import type { Peer } from "./peer.ts";
import { Pool } from "./pool.ts";
import {
  CallDone,
  CancelTask,
  type DefineMessage,
  Dispatch,
  FailedValue,
  type FailureMessage,
  FreeBuffer,
  GoOn,
  Item,
  type Link,
  type OptionsMessage,
  Ready,
  RoomAnswer,
  StreamEnd,
  Value,
} from "./protocol.ts";
import type { Failure, Home, Lane, StoredObject, Task } from "./records.ts";
import type { RingWriter } from "./ring.ts";
import type { Segments } from "./segments.ts";

/** Somebody waits until all threads have handled what they were sent. */
interface Fence {
  peers: { peer: Peer; passed: () => boolean }[];
  /** What they had written when they had. */
  seen: { peer: Peer; end: number }[] | undefined;
  passed: () => void;
}

/** A segment as its maker announces it. */
interface NewSegment {
  id: number;
  memory: SharedArrayBuffer;
  pooled: boolean;
}

const NO_STORE = undefined as unknown as ObjectStore;

export class Outbox implements Effects {
  readonly definitions = new Map<number, DefineMessage>();
  readonly options = new Map<number, OptionsMessage>();
  readonly segments: Segments;
  readonly claims = new Map<number, Int32Array>();
  readonly #peers: Map<number, Peer>;
  readonly #account: StoreAccount;
  readonly #segmentPool: Pool;
  readonly #disk: Disk | undefined;
  #fences: Fence[] = [];
  readonly #report: (failure: Failure) => void;
  readonly #pool: Pick<Effects, "stopTask" | "retireWorker">;

  constructor(
    peers: Map<number, Peer>,
    pool: Pick<Effects, "stopTask" | "retireWorker">,
    { storeAccount, storePool }: Pick<Link, "storeAccount" | "storePool">,
    segments: Segments,
    disk: Disk | undefined,
    report: (failure: Failure) => void,
  ) {
    this.segments = segments;
    this.#disk = disk;
    this.#report = report;
    this.#peers = peers;
    this.#pool = pool;
    this.#account = new StoreAccount(storeAccount);
    this.#segmentPool = new Pool(storePool);
  }

  dispatch(task: Task, lane: Lane, inputs: readonly StoredObject[]): boolean {
    const peer = this.#peers.get(lane.worker.index);
    if (peer === undefined) return false;
    let words = 5 + task.args.content.length / 2;
    for (const { block } of inputs) words += 1 + (block === undefined ? 0 : block.content.length / 2);
    if (!peer.hasRoom(words)) {
      peer.writer.wantRoom();
      return false;
    }
    this.#introduce(peer, task.definition.id, this.definitions);
    this.#introduce(peer, task.policy.id, this.options);
    this.claims.get(peer.index)![task.slot] = CLAIM_WAITING;
    peer.send(Dispatch, words, (to) => writeDispatch(to, task, lane, inputs));
    return true;
  }

  #introduce(peer: Peer, id: number, messages: ReadonlyMap<number, DefineMessage | OptionsMessage>): void {
    if (peer.known.has(id)) return;
    peer.known.add(id);
    peer.port.postMessage(messages.get(id));
  }

  revoke(task: Task): boolean {
    const claims = this.claims.get(task.worker!.index);
    if (claims === undefined) return false;
    const claim = Atomics.compareExchange(claims, task.slot, CLAIM_WAITING, CLAIM_TAKEN_BACK);
    return claim === CLAIM_WAITING || claim === CLAIM_DECLINED;
  }

  cancelOnWorker(task: Task): void {
    this.#peers.get(task.worker!.index)?.send(CancelTask, 1, (to) => {
      to.f64[to.word] = task.id;
      return 1;
    });
  }

  stopTask(task: Task): void {
    this.#pool.stopTask(task);
  }

  retireWorker(worker: number): void {
    this.#pool.retireWorker(worker);
  }

  value(client: number, call: number, index: number, object: StoredObject): void {
    const peer = this.#peers.get(client);
    if (peer === undefined) return;
    const { block, failure } = object;
    if (failure !== undefined) return this.refuse(client, call, index, failure);
    const words = 2 + block!.content.length / 2;
    // The call's end follows, and wakes the thread.
    peer.sendAhead(Value, words, (to) => {
      to.f64[to.word] = call;
      to.i32[to.word * 2 + 2] = index;
      pasteBlock(to, to.word + 2, block!.content);
      return words;
    });
    if (block!.locators.length > 0) peer.noteShared();
  }

  refuse(client: number, call: number, index: number, failure: Failure): void {
    const peer = this.#peers.get(client);
    if (peer === undefined) return;
    peer.port.postMessage({ type: "failure", call, index, failure: failureMessage(failure) });
    peer.sendAhead(FailedValue, 2, (to) => {
      to.f64[to.word] = call;
      to.i32[to.word * 2 + 2] = index;
      return 2;
    });
  }

  callDone(client: number, call: number, outcome: number): void {
    this.#peers.get(client)?.send(CallDone, 2, (to) => {
      to.f64[to.word] = call;
      to.i32[to.word * 2 + 2] = outcome;
      return 2;
    });
  }

  ready(client: number, object: StoredObject): void {
    this.#peers.get(client)?.send(Ready, 2, (to) => {
      to.f64[to.word] = object.id;
      to.f64[to.word + 1] = object.failure === undefined ? object.order : -object.order;
      return 2;
    });
  }

  item(client: number, stream: number, object: StoredObject): void {
    this.#peers.get(client)?.send(Item, 3, (to) => {
      to.f64[to.word] = stream;
      to.f64[to.word + 1] = object.id;
      to.f64[to.word + 2] = object.order;
      return 3;
    });
  }

  streamEnd(client: number, stream: number, order: number, failed: boolean): void {
    this.#peers.get(client)?.send(StreamEnd, 3, (to) => {
      to.f64[to.word] = stream;
      to.f64[to.word + 1] = order;
      to.i32[to.word * 2 + 4] = failed ? 1 : 0;
      return 3;
    });
  }

  goOn(task: Task, taken: number, resume: boolean): void {
    this.#peers.get(task.worker!.index)?.send(GoOn, 3, (to) => {
      to.f64[to.word] = task.id;
      to.f64[to.word + 1] = taken;
      to.i32[to.word * 2 + 4] = resume ? 1 : 0;
      return 3;
    });
  }

  freeBytes(): number {
    return this.#account.limit - this.#account.used;
  }

  freeMemory(block: Block): void {
    for (const locator of block.locators) if (locator.bytes > 0) this.#freePiece(locator);
  }

  #freePiece(locator: Locator): void {
    const { segment } = locator;
    const isEmpty = this.segments.vacate(locator);
    const owner = ownerOf(locator);
    if (owner === undefined) {
      if (!isEmpty) return;
      this.segments.delete(segment);
      this.#disk?.remove(segment);
      return;
    }
    const isPooled = this.segments.isPooled(segment);
    if (isPooled) this.reuseSegment(segment);
    // At once, and not when its thread hears of it, which may be busy for long.
    this.#account.discharge(roundUp(locator.bytes));
    if (isPooled) return;
    if (this.#disk?.reclaim(owner, locator) === true) return;
    const peer = this.#peers.get(owner);
    // The thread that would reuse the memory is gone.
    if (peer === undefined && isEmpty) this.dropSegment(segment);
    peer?.send(FreeBuffer, 3, (to) => {
      to.f64[to.word] = segment;
      to.f64[to.word + 1] = locator.offset;
      to.f64[to.word + 2] = locator.bytes;
      return 3;
    });
  }

  fence(passed: () => void): void {
    const peers = [...this.#peers.values()].map((peer) => ({ peer, passed: peer.fence() }));
    this.#fences.push({ peers, seen: undefined, passed });
  }

  /** Whether anything waits for `passFences`. */
  get hasFences(): boolean {
    return this.#fences.length > 0;
  }

  /**
   * Calls back where all threads have handled what they had been sent, and what they had written by then (that they
   * have views on it) has been heard.
   */
  passFences(): void {
    if (this.#fences.length === 0) return;
    const fences = this.#fences;
    this.#fences = [];
    for (const fence of fences) {
      if (fence.seen?.every(({ end, peer }) => this.#isGone(peer) || peer.reader.isPast(end)) === true) {
        fence.passed();
        continue;
      }
      if (fence.seen === undefined && fence.peers.every(({ peer, passed }) => this.#isGone(peer) || passed()))
        fence.seen = fence.peers.map(({ peer }) => ({ peer, end: peer.reader.end }));
      this.#fences.push(fence);
    }
  }

  #isGone(peer: Peer): boolean {
    return this.#peers.get(peer.index) !== peer;
  }

  get canSpill(): boolean {
    return this.#disk !== undefined;
  }

  spill(homes: readonly Home[]): void {
    this.#disk!.spill(homes);
  }

  restore(home: Home): boolean {
    return this.#disk!.restore(home);
  }

  roomAnswer(client: number, ticket: number, made: boolean): void {
    this.#peers.get(client)?.send(RoomAnswer, 2, (to) => {
      to.f64[to.word] = ticket;
      to.i32[to.word * 2 + 2] = made ? 1 : 0;
      return 2;
    });
  }

  unlooked(failure: Failure): void {
    this.#report(failure);
  }

  describe(summary: Block): { name: string; message: string } {
    const { main } = readBlock(viewsOf(summary.content), 0, NO_STORE);
    const [name, message] = decode(main, { buffer: () => new Uint8Array(0), makeRef: () => ({}) }) as [string, string];
    return { name, message };
  }

  /** A new segment: everybody but its maker learns of it before any record that names it. */
  addSegment(maker: number | undefined, { id, memory, pooled }: NewSegment): void {
    this.segments.add(id, memory, pooled);
    for (const peer of this.#peers.values())
      if (peer.index !== maker) peer.port.postMessage({ type: "segment", id, memory });
  }

  /** Nothing lies in a pooled segment: whoever needs one takes it. */
  reuseSegment(id: number): void {
    const { byteLength } = this.segments.memory(id);
    if (this.#account.excess(0) > 0 || !this.#segmentPool.put(id, byteLength)) this.dropSegment(id);
  }

  /** Nothing lies in a segment, and nobody will use it again. */
  dropSegment(id: number): void {
    this.#account.reserve(-this.segments.memory(id).byteLength);
    this.forgetSegment(id);
  }

  forgetSegment(id: number): void {
    this.segments.delete(id);
    for (const peer of this.#peers.values()) peer.port.postMessage({ type: "dropSegment", id });
  }

  /** The thread is gone, and no peer any more. */
  forgetWorker(index: number, charged: number): void {
    this.claims.delete(index);
    // What it took for something that it never came to say.
    this.#account.discharge(charged - this.segments.publishedBy(index));
    for (const id of this.segments.emptyOf(index)) this.dropSegment(id);
    this.#disk?.tidy(index, this.segments.filesOf(index));
  }
}

function writeDispatch(to: RingWriter, task: Task, lane: Lane, inputs: readonly StoredObject[]): number {
  const { word, i32, f64 } = to;
  f64[word] = task.id;
  i32[word * 2 + 2] = lane.id;
  i32[word * 2 + 3] = task.slot;
  i32[word * 2 + 4] = task.definition.id;
  i32[word * 2 + 5] = task.policy.id;
  i32[word * 2 + 6] = task.attempt;
  i32[word * 2 + 7] = inputs.length;
  f64[word + 4] = task.stream?.taken ?? 0;
  let at = pasteBlock(to, word + 5, task.args.content);
  for (const { block, id } of inputs) {
    f64[at++] = block === undefined ? -id : id;
    if (block !== undefined) at = pasteBlock(to, at, block.content);
  }
  return at - word;
}

function failureMessage(failure: Failure): FailureMessage {
  return {
    kind: failure.kind,
    message: failure.message,
    hops: failure.hops,
    cause: failure.cause?.thrown?.content,
    attempts: (failure.cause?.attempts ?? []).map((attempt) => attempt.content),
  };
}
