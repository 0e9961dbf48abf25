/** The disk of the simulation, and the threads that found the store full. */
import type { Home } from "../../runtime/local/records.ts";
import type { Thread } from "./thread.ts";
import { Violation } from "./violation.ts";
import type { World } from "./world.ts";

export class SimulatedDisk {
  readonly #world: World;
  readonly #jobs: { home: Home; out: boolean }[] = [];
  /** Room that was asked for, and by whom, until it is answered. */
  readonly #asked = new Map<number, { thread: Thread; bytes: number }>();
  #ticket = 0;
  /** Bytes that values which come back will take. */
  #reserved = 0;

  constructor(world: World) {
    this.#world = world;
  }

  get isBusy(): boolean {
    return this.#jobs.length > 0;
  }

  get reserved(): number {
    return this.#reserved;
  }

  spill(homes: readonly Home[]): void {
    for (const home of homes) {
      if (home.gone || home.memory === undefined) throw new Violation("a value is written that is not in memory");
      this.#jobs.push({ home, out: true });
    }
  }

  restore(home: Home): boolean {
    if (home.gone || home.memory !== undefined) throw new Violation("a value comes back that is not away");
    if (this.#world.freeBytes() < home.bytes) return false;
    this.#reserved += home.bytes;
    this.#jobs.push({ home, out: false });
    return true;
  }

  /** Does the next job; false when there is none. */
  work(fails: boolean): boolean {
    const job = this.#jobs.shift();
    if (job === undefined) return false;
    const { home, out } = job;
    const { scheduler, time } = this.#world;
    if (!out) this.#reserved -= home.bytes;
    const source = out ? home.memory : home.disk;
    const block = fails || source === undefined ? undefined : this.#world.moved(source, out, home.gone);
    this.#world.count(`${out ? "spilled" : "restored"}${block === undefined ? " in vain" : ""}`);
    if (out) scheduler.store.spilled(home, block, time);
    else scheduler.store.restored(home, block, time);
    return true;
  }

  askRoom(thread: Thread, pieces: number): void {
    const ticket = ++this.#ticket;
    const bytes = pieces * 8;
    thread.say((scheduler) => {
      this.#asked.set(ticket, { thread, bytes });
      scheduler.store.askRoom(thread.index, ticket, bytes, this.#world.time);
    });
  }

  roomAnswer(client: number, ticket: number, made: boolean): void {
    const asked = this.#asked.get(ticket);
    if (asked === undefined) throw new Violation(`thread ${client} was told twice whether there is room`);
    this.#asked.delete(ticket);
    this.#world.count(made ? "room made" : "room refused");
    if (made && this.#world.freeBytes() < asked.bytes)
      throw new Violation(`thread ${client} was promised room that is not there`);
  }

  /** Threads that wait for room. */
  get waiting(): number {
    return this.#asked.size;
  }
}
