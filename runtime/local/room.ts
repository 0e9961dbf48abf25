/** How a thread that finds the store full gets room: others' garbage, and what the scheduler has spilled for it. */
import { enterGuard, leaveGuard } from "../host.ts";
import { collectGarbage } from "./garbage.ts";
import type { Line } from "./line.ts";
import { ObjectStore } from "./object-store.ts";
import { AskRoom, type Link } from "./protocol.ts";
import { SpillFiles } from "./spill-files.ts";

/** How long a thread waits for what others let go of, where nothing can be spilled. */
const PATIENCE_MS = 250;

export class Room {
  readonly #line: Line;
  readonly #canSpill: boolean;
  readonly #reclaim: () => void;
  #tickets = 0;
  /** The answer to the last question. */
  #made: boolean | undefined;

  /** @param reclaim gives back what code of this thread held and cannot reach any more, without waiting for finalizers */
  constructor(line: Line, canSpill: boolean, reclaim: () => void) {
    this.#line = line;
    this.#canSpill = canSpill;
    this.#reclaim = reclaim;
  }

  /** Looks for handles that nobody can reach, here and on the other threads. */
  collect(): void {
    collectGarbage();
    this.#line.post({ type: "collect" });
  }

  /** Waits until `fits` says yes, or no room can be made. An interrupt ends the wait. */
  make(bytes: number, fits: () => boolean): boolean {
    // Reading here takes the place of the event loop's turn, which has to sleep and wake as always afterwards.
    setImmediate(() => this.#line.drain());
    this.#reclaim();
    if (fits()) return true;
    while (this.#ask(bytes)) if (fits()) return true;
    return fits() || (!this.#canSpill && this.#waitForOthers(fits));
  }

  /** Asks the scheduler for room; whether there should be some now. */
  #ask(bytes: number): boolean {
    const to = this.#line.begin(2);
    to.f64[to.word] = ++this.#tickets;
    to.f64[to.word + 1] = bytes;
    this.#line.commit(AskRoom, 2);
    this.#made = undefined;
    while (this.#made === undefined) this.#pause();
    return this.#made;
  }

  /** The scheduler answers; an answer to a question of a call that was cut is not waited for. */
  answered(ticket: number, made: boolean): void {
    if (ticket === this.#tickets) this.#made = made;
  }

  #waitForOthers(fits: () => boolean): boolean {
    this.collect();
    const until = performance.now() + PATIENCE_MS;
    while (!fits()) {
      if (performance.now() > until) return false;
      this.#pause();
    }
    return true;
  }

  /** Waits a moment for records, where an interrupt may cut: nothing has been taken yet. */
  #pause(): void {
    leaveGuard();
    const pending = this.#line.block(10);
    enterGuard();
    if (pending) this.#line.readAll();
  }
}

/** A thread's store: what it allocates is announced by its line. */
export function openStore(link: Link, line: Line, room: () => Room): ObjectStore {
  return new ObjectStore({
    threadIndex: link.index,
    account: link.storeAccount,
    charged: link.storeCharged,
    pool: link.storePool,
    files: new SpillFiles(link.session.spillPlace, link.index),
    events: {
      made: (id, memory, pooled) => line.post({ type: "segment", id, memory, pooled }),
      dropped: (id) => line.post({ type: "segmentDropped", id }),
      unused: (id) => line.post({ type: "segmentUnused", id }),
    },
    fetch: () => line.catchUp(),
    pressure: { collect: () => room().collect(), makeRoom: (bytes, fits) => room().make(bytes, fits) },
  });
}
