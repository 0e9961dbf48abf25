/** The scheduler's end of the disk thread: what is written where, and into which memory it comes back. */
import { existsSync } from "node:fs";
import { Worker } from "node:worker_threads";
import type { SegmentEvents } from "./arena.ts";
import { type Block, moveBlock } from "./block.ts";
import type { DiskAnswer, DiskJob, DiskStart, MemoryPiece } from "./disk-thread.ts";
import { fileNumber, type Locator, NOWHERE } from "./locator.ts";
import { ObjectStore } from "./object-store.ts";
import type { Home } from "./records.ts";
import type { Segments } from "./segments.ts";
import { SpillFiles } from "./spill-files.ts";

/** The number under which this thread has segments and files. */
const THREAD = 2 ** 31;
/** Values below this go into a file together, as far as they are spilled together. */
const OWN_FILE_BYTES = 1 << 20;

export interface DiskParts extends DiskStart {
  account: SharedArrayBuffer;
  pool: SharedArrayBuffer;
  segments: Segments;
  events: SegmentEvents;
  /** A value was written; without a block that failed. */
  spilled(home: Home, block: Block | undefined): void;
  restored(home: Home, block: Block | undefined): void;
  /** All of a job has been told. */
  done(): void;
}

export class Disk {
  readonly #parts: DiskParts;
  readonly #store: ObjectStore;
  /** What follows on each job. */
  readonly #jobs = new Map<number, (error: string | undefined) => void>();
  #thread: Worker | undefined;
  #files = 0;
  #nextJob = 1;

  constructor(parts: DiskParts) {
    this.#parts = parts;
    this.#store = new ObjectStore({
      threadIndex: THREAD,
      account: parts.account,
      charged: new SharedArrayBuffer(8),
      files: new SpillFiles(undefined, THREAD),
      events: parts.events,
      fetch: () => {},
      pool: parts.pool,
      pressure: { collect: () => {}, makeRoom: () => false },
    });
  }

  /** Writes values: big ones each into a file, small ones together. */
  spill(homes: readonly Home[]): void {
    const small: Home[] = [];
    for (const home of homes) {
      if (home.bytes < OWN_FILE_BYTES) small.push(home);
      else this.#write([home]);
    }
    if (small.length > 0) this.#write(small);
  }

  #write(homes: readonly Home[]): void {
    const file = fileNumber(THREAD, this.#files++);
    const pieces: MemoryPiece[] = [];
    let offset = 0;
    const blocks = homes.map(({ memory }) => {
      const locators = memory!.locators.map(({ bytes, offset: from, segment }): Locator => {
        if (bytes === 0) return NOWHERE;
        pieces.push({ memory: this.#parts.segments.memory(segment), offset: from, bytes });
        offset += bytes;
        return { segment: file, offset: offset - bytes, bytes };
      });
      return moveBlock(memory!, locators);
    });
    this.#order(
      (id) => ({ type: "write", id, file, pieces }),
      (error) => {
        if (error === undefined) for (const block of blocks) this.#parts.segments.occupy(block);
        for (const [index, home] of homes.entries())
          this.#parts.spilled(home, error === undefined ? blocks[index] : undefined);
      },
    );
  }

  /** Reads a value into memory; false when there is no room. */
  restore(home: Home): boolean {
    const block = home.disk!;
    const locators = this.#store.tryAllocate(block.locators.map(({ bytes }) => bytes));
    if (locators === undefined) return false;
    const pieces = block.locators.flatMap(({ bytes, offset, segment }, index) => {
      if (bytes === 0) return [];
      const { offset: to, segment: into } = locators[index]!;
      return [{ file: segment, at: offset, to: { memory: this.#parts.segments.memory(into), offset: to, bytes } }];
    });
    this.#order(
      (id) => ({ type: "read", id, pieces }),
      (error) => {
        if (error !== undefined) for (const locator of locators) this.#store.release(locator);
        const moved = error === undefined ? moveBlock(block, locators) : undefined;
        if (moved !== undefined) this.#parts.segments.occupy(moved);
        this.#parts.restored(home, moved);
      },
    );
    return true;
  }

  /** Takes back what values that came back had; false when it is another thread's. */
  reclaim(owner: number, locator: Locator): boolean {
    if (owner !== THREAD) return false;
    this.#store.reclaim(locator);
    return true;
  }

  /** Nothing lies in a file any more. */
  remove(file: number): void {
    this.#post({ type: "remove", file });
  }

  /** A thread is gone: what it wrote half, or never came to tell of, is removed. */
  tidy(thread: number, known: number[]): void {
    if (existsSync(this.#parts.place.folder)) this.#post({ type: "tidy", thread, known });
  }

  async close(): Promise<void> {
    this.#jobs.clear();
    await this.#thread?.terminate();
  }

  /** Has a job done, and goes on with what went wrong. */
  #order(job: (id: number) => DiskJob, then: (error: string | undefined) => void): void {
    const id = this.#nextJob++;
    this.#jobs.set(id, then);
    this.#post(job(id));
  }

  #post(job: DiskJob): void {
    this.#thread ??= this.#start();
    this.#thread.postMessage(job);
  }

  #start(): Worker {
    const { place, schedulerBell } = this.#parts;
    const thread = new Worker(new URL("./disk-thread.js", import.meta.url), {
      workerData: { place, schedulerBell } satisfies DiskStart,
      name: "heddle disk",
      execArgv: [],
    });
    thread.unref();
    thread.on("message", (answer: DiskAnswer | null) => {
      if (answer !== null) {
        const then = this.#jobs.get(answer.id);
        this.#jobs.delete(answer.id);
        then?.(answer.error);
      }
      this.#parts.done();
    });
    thread.on("error", (error) => this.#failAll(error.message));
    return thread;
  }

  /** The thread itself came to an end: another one is started for what comes next. */
  #failAll(message: string): void {
    this.#thread = undefined;
    const jobs = [...this.#jobs.values()];
    this.#jobs.clear();
    for (const then of jobs) then(message);
    this.#parts.done();
  }
}
