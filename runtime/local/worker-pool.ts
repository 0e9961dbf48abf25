/**
 * Worker threads, owned by piscina: it starts them, limits their memory and notices when one ends. Dispatch is not
 * piscina's: each thread serves one endless piscina task, which talks to the scheduler by a ring. Ending that task by
 * its AbortSignal terminates the thread; another endless task then gets a new one.
 */
import { fileURLToPath } from "node:url";
import { MessageChannel, type MessagePort } from "node:worker_threads";
import { Piscina } from "piscina";
import { createBellMemory } from "./bell.ts";
import { CLAIM_SLOTS } from "./claims.ts";
import type { Link } from "./protocol.ts";
import { createRingMemory } from "./ring.ts";

const RING_WORDS = 1 << 15;

/** What a worker thread is started with. */
export interface WorkerStart {
  link: Link;
  /** One word a dispatched task: 1 waiting, 2 started, 3 taken back. */
  claims: SharedArrayBuffer;
}

/** The scheduler's end of a new worker thread. */
export interface WorkerEnd {
  index: number;
  port: MessagePort;
  link: Link;
  claims: Int32Array;
}

export type ExitReason = "shutdown" | "crash" | "outOfMemory" | "recycled" | "cancelled";

export interface PoolEvents {
  /** A thread was started; a record says when it takes tasks. */
  starting(worker: WorkerEnd): void;
  /** `thrown`: the text of an error that nobody caught, where that ended it. */
  ended(index: number, reason: ExitReason, thrown: string): void;
}

/** What all threads' links have in common. */
type SharedParts = Pick<Link, "definitions" | "schedulerBell" | "storeAccount" | "storePool" | "session">;

interface Serving {
  controller: AbortController;
  reason: ExitReason | undefined;
}

export class WorkerPool {
  readonly #threads: number;
  readonly #piscina: Piscina;
  /** Whether code of a thread can be cut without harm. */
  readonly canCut: boolean;
  readonly #events: PoolEvents;
  readonly #shared: SharedParts;
  readonly #serving = new Map<number, Serving>();
  #nextIndex = 1;
  #closing = false;

  constructor(threads: number, shared: SharedParts, events: PoolEvents) {
    this.#threads = threads;
    this.#shared = shared;
    this.#events = events;
    const { piscina, canCut } = openPiscina({
      filename: fileURLToPath(new URL("./worker-entry.cjs", import.meta.url)),
      name: "serve",
      minThreads: threads,
      maxThreads: threads,
      // Atomics mode blocks the thread's event loop between tasks, and here the one task never ends.
      atomics: "disabled",
      recordTiming: false,
    });
    this.#piscina = piscina;
    this.canCut = canCut;
    // What goes wrong with a thread arrives as the rejection of its endless task.
    this.#piscina.on("error", () => {});
  }

  /** Starts the threads; events begin to come. */
  start(): void {
    for (let count = 0; count < this.#threads; count++) this.#serve();
  }

  #serve(): void {
    const index = this.#nextIndex++;
    const { port1, port2 } = new MessageChannel();
    const link: Link = {
      index,
      port: port2,
      toScheduler: createRingMemory(RING_WORDS),
      fromScheduler: createRingMemory(RING_WORDS),
      ownBell: createBellMemory(),
      storeCharged: new SharedArrayBuffer(8),
      ...this.#shared,
    };
    const claims = new SharedArrayBuffer(CLAIM_SLOTS * 4);
    const serving: Serving = { controller: new AbortController(), reason: undefined };
    this.#serving.set(index, serving);
    this.#events.starting({ index, port: port1, link, claims: new Int32Array(claims) });
    const start: WorkerStart = { link, claims };
    this.#piscina.run(start, { transferList: [port2], signal: serving.controller.signal }).then(
      () => this.#ended(index, "crash"),
      (error: unknown) => this.#ended(index, isOutOfMemory(error) ? "outOfMemory" : "crash", textOf(error)),
    );
  }

  #ended(index: number, reason: ExitReason, thrown = ""): void {
    const serving = this.#serving.get(index);
    if (serving === undefined) return;
    this.#serving.delete(index);
    if (this.#closing) return;
    this.#events.ended(index, serving.reason ?? reason, serving.reason === undefined ? thrown : "");
    this.#serve();
  }

  /** Ends a thread, whatever it does; another takes its place. */
  end(index: number, reason: ExitReason): void {
    const serving = this.#serving.get(index);
    if (serving === undefined || serving.reason !== undefined) return;
    serving.reason = reason;
    serving.controller.abort();
  }

  /** Ends all threads. */
  async close(): Promise<void> {
    // The endless tasks reject now, which must not start new ones.
    this.#closing = true;
    await this.#piscina.destroy();
  }
}

/** Node aborts the process when code is cut inside a callback of a timer and the like, unless it was told not to check. */
const NO_CHECKS = "--no-force-async-hooks-checks";

type PiscinaOptions = NonNullable<ConstructorParameters<typeof Piscina>[0]>;

function openPiscina(options: PiscinaOptions): { piscina: Piscina; canCut: boolean } {
  if (process.execArgv.includes(NO_CHECKS)) return { piscina: new Piscina(options), canCut: true };
  try {
    const execArgv = [...process.execArgv, NO_CHECKS];
    return { piscina: new Piscina({ ...options, execArgv }), canCut: true };
  } catch (error) {
    // The program was started with flags that no thread accepts; left alone, a thread inherits what it can.
    if ((error as NodeJS.ErrnoException).code !== "ERR_WORKER_INVALID_EXEC_ARGV") throw error;
    return { piscina: new Piscina(options), canCut: false };
  }
}

const isOutOfMemory = (error: unknown): boolean =>
  error instanceof Error && (error as NodeJS.ErrnoException).code === "ERR_WORKER_OUT_OF_MEMORY";

/** What a thread did not catch; nothing where it just exited. */
function textOf(error: unknown): string {
  if (!(error instanceof Error)) return `thrown value ${String(error)}`;
  return /^worker exited/i.test(error.message) ? "" : `${error.name}: ${error.message}`;
}
