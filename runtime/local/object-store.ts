/**
 * The object store as one thread sees it: it allocates from an arena of its own, so allocation needs no lock and a thread
 * that dies or is cut leaves nothing locked; every thread can read every segment and every spilled file. Bytes in use are
 * counted for the session in one shared account: a thread charges what it takes, and the scheduler, who counts
 * references, discharges what it gives back.
 */
import { ObjectStoreFullError } from "../errors.ts";
import { Arena, roundUp, type SegmentEvents } from "./arena.ts";
import { isOnDisk, type Locator, NOWHERE } from "./locator.ts";
import type { SpillFiles } from "./spill-files.ts";

const USED = 0;
const LIMIT = 1;
/** Bytes of all segments. */
const RESERVED = 2;
/** What segments may take beside what lies in them: threads have half-filled ones. */
const HALF_FILLED_BYTES = 64 << 20;

/** Makes the account that all threads of a session share. */
export function createStoreAccount(limitBytes: number): SharedArrayBuffer {
  const memory = new SharedArrayBuffer(24);
  new BigInt64Array(memory)[LIMIT] = BigInt(Math.floor(limitBytes));
  return memory;
}

/** The session's account of shared memory. */
export class StoreAccount {
  readonly #words: BigInt64Array;
  readonly limit: number;

  constructor(memory: SharedArrayBuffer) {
    this.#words = new BigInt64Array(memory);
    this.limit = Number(this.#words[LIMIT]);
  }

  get used(): number {
    return Number(Atomics.load(this.#words, USED));
  }

  /** Takes bytes if they fit. */
  charge(bytes: number): boolean {
    if (Number(Atomics.add(this.#words, USED, BigInt(bytes))) + bytes <= this.limit) return true;
    this.discharge(bytes);
    return false;
  }

  discharge(bytes: number): void {
    Atomics.sub(this.#words, USED, BigInt(bytes));
  }

  /** How much bigger all segments together are than they may be, were `bytes` more reserved. */
  excess(bytes: number): number {
    return Number(Atomics.load(this.#words, RESERVED)) + bytes - this.limit - HALF_FILLED_BYTES;
  }

  reserve(bytes: number): void {
    Atomics.add(this.#words, RESERVED, BigInt(bytes));
  }
}

/** How a thread's store gets room. */
export interface StorePressure {
  /** Much is in use and much of it is new: what nobody can reach any more should be looked for. */
  collect(): void;
  /** Waits until there is room for so many bytes and `fits` has taken it; false when no room can be made. */
  makeRoom(bytes: number, fits: () => boolean): boolean;
}

/** What a store has of the session. */
export interface StoreParts {
  threadIndex: number;
  account: SharedArrayBuffer;
  /** One word in which the thread notes what it has charged by itself. */
  charged: SharedArrayBuffer;
  /** See `Pool`. */
  pool: SharedArrayBuffer;
  files: SpillFiles;
  events: SegmentEvents;
  /** Reads announcements of others' segments that have arrived. */
  fetch(): void;
  pressure: StorePressure;
}

export class ObjectStore {
  readonly account: StoreAccount;
  readonly #charged: BigInt64Array;
  readonly #arena: Arena;
  readonly #files: SpillFiles;
  readonly #fetch: () => void;
  readonly #pressure: StorePressure;
  #sinceCollection = 0;
  readonly #known = new Map<number, SharedArrayBuffer>();
  /** Places with two users. */
  readonly #shared = new Set<string>();

  constructor({ account, charged, events, fetch, files, pool, pressure, threadIndex }: StoreParts) {
    this.account = new StoreAccount(account);
    this.#charged = new BigInt64Array(charged);
    this.#files = files;
    this.#fetch = fetch;
    this.#pressure = pressure;
    this.#arena = new Arena(threadIndex, pool, {
      made: (id, memory, pooled) => {
        this.account.reserve(memory.byteLength);
        this.#known.set(id, memory);
        events.made(id, memory, pooled);
      },
      dropped: (id) => {
        this.account.reserve(-this.memory(id).byteLength);
        this.#known.delete(id);
        events.dropped(id);
      },
      unused: (id) => events.unused(id),
    });
  }

  /**
   * Copies pieces of one value: into shared memory where they fit, if need be after others were spilled, else into a
   * file. All of them or none: throws `ObjectStoreFullError`.
   */
  store(pieces: readonly ArrayBufferView[]): Locator[] {
    const size = pieces.reduce((sum, { byteLength }) => sum + roundUp(byteLength), 0);
    if (!this.#charge(size)) {
      if (this.#files.enabled) return this.#files.write(pieces);
      throw this.#full(size);
    }
    return this.#take(
      pieces.map(({ byteLength }) => byteLength),
      size,
    ).map((locator, index) => {
      const { buffer, byteLength, byteOffset } = pieces[index]!;
      this.view(locator).set(new Uint8Array(buffer, byteOffset, byteLength));
      return locator;
    });
  }

  /** Takes room in shared memory that two may use: see `share`. Throws `ObjectStoreFullError` when it does not fit. */
  allocate(bytes: number): Locator {
    const size = roundUp(bytes);
    if (!this.#charge(size)) throw this.#full(bytes);
    return this.#take([bytes], size, (piece) => this.#arena.takeOwn(piece))[0]!;
  }

  /** Takes room for pieces if there is some just now. */
  tryAllocate(pieces: readonly number[]): Locator[] | undefined {
    const size = pieces.reduce((sum, bytes) => sum + roundUp(bytes), 0);
    return this.#chargeNow(size) ? this.#take(pieces, size) : undefined;
  }

  #take(pieces: readonly number[], size: number, take = (bytes: number) => this.#takePooled(bytes)): Locator[] {
    const taken: Locator[] = [];
    try {
      for (const bytes of pieces) taken.push(bytes === 0 ? NOWHERE : take(bytes));
      return taken;
    } catch (error) {
      for (const locator of taken) if (locator.bytes > 0) this.#arena.give(locator);
      this.#discharge(size);
      if (!(error instanceof RangeError)) throw error;
      throw new ObjectStoreFullError(
        `the machine has no memory for ${size} bytes more of the object store; lower init({ objectStoreMemory }) so that objects are spilled earlier`,
        { cause: error },
      );
    }
  }

  #takePooled(bytes: number): Locator {
    return this.#arena.take(bytes, (more) => this.account.excess(more));
  }

  /** One more uses what this thread allocated: it is free when it has been given back once more. */
  share(locator: Locator): void {
    this.#shared.add(placeOf(locator));
  }

  /** Gives back what this thread allocated and nobody else knows of. */
  release(locator: Locator): void {
    if (locator.bytes === 0) return;
    if (isOnDisk(locator.segment)) return this.#files.remove(locator);
    if (this.#shared.size > 0 && this.#shared.delete(placeOf(locator))) return;
    this.#discharge(roundUp(locator.bytes));
    this.#arena.give(locator);
  }

  /** The scheduler gives back what this thread allocated, and has discharged it. */
  reclaim(locator: Locator): void {
    if (this.#shared.size === 0 || !this.#shared.delete(placeOf(locator))) return this.#arena.give(locator);
    // Its second user goes on with it.
    const size = BigInt(roundUp(locator.bytes));
    this.account.discharge(-Number(size));
    Atomics.add(this.#charged, 0, size);
  }

  /** The bytes at a place in shared memory. */
  view(locator: Locator): Uint8Array {
    if (locator.bytes === 0) return new Uint8Array(0);
    return new Uint8Array(this.memory(locator.segment), locator.offset, locator.bytes);
  }

  /** The bytes at a place wherever it is, as a copy. */
  copy(locator: Locator): Uint8Array {
    return this.#read(locator, new Uint8Array(locator.bytes));
  }

  /** The same in memory that threads can share. */
  readShared(locator: Locator): Uint8Array {
    return this.#read(locator, new Uint8Array(new SharedArrayBuffer(locator.bytes)));
  }

  #read(locator: Locator, into: Uint8Array): Uint8Array {
    if (isOnDisk(locator.segment)) return this.#files.read(locator, into);
    // Of shared memory `slice` takes half as long again.
    into.set(this.view(locator));
    return into;
  }

  /** A segment's memory, wherever it was made. */
  memory(id: number): SharedArrayBuffer {
    let memory = this.#known.get(id);
    if (memory === undefined) {
      this.#fetch();
      memory = this.#known.get(id);
      if (memory === undefined) throw new Error(`shared memory segment ${id} was never announced to this thread`);
    }
    return memory;
  }

  /** Takes note of another thread's segment. */
  attach(id: number, memory: SharedArrayBuffer): void {
    this.#known.set(id, memory);
  }

  /** Forgets another thread's segment. */
  detach(id: number): void {
    this.#known.delete(id);
  }

  #charge(size: number): boolean {
    const fits = () => this.#chargeNow(size);
    const { account } = this;
    if (size > account.limit || !(fits() || this.#pressure.makeRoom(size, fits))) return false;
    this.#sinceCollection += size;
    if (this.#sinceCollection * 8 >= account.limit && account.used * 10 >= account.limit * 7) {
      this.#sinceCollection = 0;
      this.#pressure.collect();
    }
    return true;
  }

  #chargeNow(size: number): boolean {
    if (!this.account.charge(size)) return false;
    Atomics.add(this.#charged, 0, BigInt(size));
    return true;
  }

  #discharge(size: number): void {
    this.account.discharge(size);
    Atomics.sub(this.#charged, 0, BigInt(size));
  }

  #full(bytes: number): ObjectStoreFullError {
    const { limit, used } = this.account;
    return new ObjectStoreFullError(
      `an object of ${bytes} bytes does not fit into the object store: ${used} of ${limit} bytes are in use; free objects or raise init({ objectStoreMemory })`,
    );
  }
}

const placeOf = ({ offset, segment }: Locator): string => `${segment}:${offset}`;
