/** Starts a runtime on worker threads of this process. */
import { randomBytes } from "node:crypto";
import { MessageChannel, Worker } from "node:worker_threads";
import { currentHost } from "../host.ts";
import type { ResourceShape } from "../options.ts";
import { createBellMemory } from "./bell.ts";
import { Client } from "./client.ts";
import { createStoreAccount } from "./object-store.ts";
import { createPoolMemory } from "./pool.ts";
import type { Link } from "./protocol.ts";
import { createRingMemory } from "./ring.ts";
import type { SchedulerStart } from "./scheduler-thread.ts";
import { removeSpillPlace, spillPlaceIn } from "./spill-folder.ts";

const RING_WORDS = 1 << 17;
/** Records of tasks die young; with room for more of them fewer are copied before they do. Taken only when needed. */
const YOUNG_MB = 96;

export interface LocalOptions {
  threads: number;
  totals: ResourceShape;
  objectStoreMemory: number;
  namespace: string;
  logToDriver: boolean;
  checkWrites: boolean;
  /** The folder that a folder for spilled objects is made in; false for none. */
  spillDirectory: string | false;
}

/** Starts the scheduler's thread and, through it, the workers. Returns at once; what is submitted waits for them. */
export function startLocal(options: LocalOptions): Client {
  const { port1, port2 } = new MessageChannel();
  const session = {
    sessionId: randomBytes(4).toString("hex"),
    namespace: options.namespace,
    totals: { ...options.totals },
    logToDriver: options.logToDriver,
    checkWrites: options.checkWrites,
    typescriptLoader: currentHost()?.typescriptLoader,
    spillPlace: options.spillDirectory === false ? undefined : spillPlaceIn(options.spillDirectory),
  };
  const shared: Omit<Link, "port"> = {
    index: 0,
    toScheduler: createRingMemory(RING_WORDS),
    fromScheduler: createRingMemory(RING_WORDS),
    schedulerBell: createBellMemory(),
    ownBell: createBellMemory(),
    storeAccount: createStoreAccount(options.objectStoreMemory),
    storeCharged: new SharedArrayBuffer(8),
    storePool: createPoolMemory(),
    definitions: new SharedArrayBuffer(4),
    session,
  };
  const observer = currentHost()?.openObserver();
  const start: SchedulerStart = {
    driver: { ...shared, port: undefined as never },
    port: port2,
    threads: options.threads,
    totals: session.totals,
    observer,
    session,
  };
  const thread = new Worker(new URL("./scheduler-thread.js", import.meta.url), {
    workerData: start,
    transferList: observer === undefined ? [port2] : [port2, observer],
    name: "heddle scheduler",
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
  });
  thread.unref();
  const client = new LocalDriver({ ...shared, port: port1 }, thread);
  thread.on("error", (error) => client.abandonAll(`the scheduler's thread failed: ${(error as Error).stack}`));
  return client;
}

/** The driver's client; its shutdown ends with the scheduler's thread. */
class LocalDriver extends Client {
  readonly #thread: Worker;
  readonly #exit: Promise<void>;

  /** Also for a program that ends without a shutdown. */
  readonly #removeFolder: () => void;

  constructor(link: Link, thread: Worker) {
    const holder = { task: 0, name: "the driver" };
    super(link, { task: () => 0, waitingTask: () => 0, suspend: () => {}, holder: () => holder });
    this.#thread = thread;
    const { spillPlace } = link.session;
    this.#removeFolder = () => spillPlace !== undefined && removeSpillPlace(spillPlace);
    process.on("exit", this.#removeFolder);
    this.#exit = new Promise((resolve) => thread.once("exit", () => resolve()));
  }

  override async shutdown(): Promise<void> {
    this.#thread.ref();
    await Promise.race([super.shutdown(), this.#exit]);
    await this.#exit;
    this.#removeFolder();
    process.off("exit", this.#removeFolder);
    this.abandonAll("the runtime was shut down");
  }
}
