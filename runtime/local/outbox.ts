/** What the scheduler decides, as records and messages to the threads concerned. */
import { decode } from "../serialization/decode.ts";
import { type Block, pasteBlock, readBlock, viewsOf } from "./block.ts";
import { CLAIM_DECLINED, CLAIM_TAKEN_BACK, CLAIM_WAITING } from "./claims.ts";
import type { Effects } from "./effects.ts";
import { ObjectStore } from "./object-store.ts";
import type { Peer } from "./peer.ts";
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
  type OptionsMessage,
  Ready,
  StreamEnd,
  Value,
} from "./protocol.ts";
import type { Failure, Lane, StoredObject, Task } from "./records.ts";
import type { RingWriter } from "./ring.ts";
import { Segments } from "./segments.ts";

const NO_STORE = undefined as unknown as ObjectStore;

export class Outbox implements Effects {
  readonly definitions = new Map<number, DefineMessage>();
  readonly options = new Map<number, OptionsMessage>();
  readonly segments = new Segments();
  readonly claims = new Map<number, Int32Array>();
  readonly #peers: Map<number, Peer>;
  readonly #storeAccount: BigInt64Array;
  /** Blocks that were freed while values of them may have been on their way. */
  #unread: { block: Block; fences: { peer: Peer; passed: () => boolean }[]; passed: boolean }[] = [];
  readonly #report: (failure: Failure) => void;
  readonly #pool: Pick<Effects, "stopTask" | "retireWorker">;

  constructor(
    peers: Map<number, Peer>,
    pool: Pick<Effects, "stopTask" | "retireWorker">,
    storeAccount: SharedArrayBuffer,
    report: (failure: Failure) => void,
  ) {
    this.#report = report;
    this.#peers = peers;
    this.#pool = pool;
    this.#storeAccount = new BigInt64Array(storeAccount);
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

  freeMemory(block: Block, mayBeRead = false): void {
    if (!mayBeRead) return this.#returnMemory(block);
    // The owner reads of a value before it reads that the memory is its own again.
    const owner = ObjectStore.ownerOf(block.locators.find(({ bytes }) => bytes > 0)?.segment ?? -1);
    const fences = [...this.#peers.values()]
      .filter(({ index }) => index !== owner)
      .map((peer) => ({ peer, passed: peer.fence() }));
    this.#unread.push({ block, fences, passed: false });
  }

  /** Whether memory waits for `returnUnread`. */
  get hasUnread(): boolean {
    return this.#unread.length > 0;
  }

  /**
   * Returns the memory of what was freed once nobody can be reading it. A thread that has read of it may have said so
   * in a record that is heard in the turn after: hence two looks.
   */
  returnUnread(): void {
    if (this.#unread.length === 0) return;
    this.#unread = this.#unread.filter((entry) => {
      if (entry.passed) this.#returnMemory(entry.block);
      const wasPassed = entry.passed;
      entry.passed = entry.fences.every(({ peer, passed }) => this.#peers.get(peer.index) !== peer || passed());
      return !wasPassed;
    });
  }

  #returnMemory(block: Block): void {
    for (const locator of block.locators) {
      if (locator.bytes === 0) continue;
      const owner = this.#peers.get(ObjectStore.ownerOf(locator.segment));
      const isEmpty = this.segments.vacate(locator);
      // The thread that would reuse the memory is gone; its bytes must not count for ever.
      if (owner === undefined) ObjectStore.discharge(this.#storeAccount, locator);
      if (owner === undefined && isEmpty) this.#dropSegment(locator.segment);
      owner?.send(FreeBuffer, 3, (to) => {
        to.f64[to.word] = locator.segment;
        to.f64[to.word + 1] = locator.offset;
        to.f64[to.word + 2] = locator.bytes;
        return 3;
      });
    }
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
  addSegment(maker: number, id: number, memory: SharedArrayBuffer): void {
    this.segments.add(id, memory);
    for (const peer of this.#peers.values())
      if (peer.index !== maker) peer.port.postMessage({ type: "segment", id, memory });
  }

  #dropSegment(id: number): void {
    this.segments.delete(id);
    for (const peer of this.#peers.values()) peer.port.postMessage({ type: "dropSegment", id });
  }

  /** The thread is gone, and no peer any more. */
  forgetWorker(index: number): void {
    this.claims.delete(index);
    for (const id of this.segments.emptyOf(index)) this.#dropSegment(id);
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
