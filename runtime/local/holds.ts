/** Which thread holds what: objects that it has handles of, and memory that it has views on. */
import type { IdTable } from "../id-table.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { ObjectDirectory } from "./object-directory.ts";
import type { Home, Task, WorkerRecord } from "./records.ts";
import type { StoreDesk } from "./store-desk.ts";

export interface HoldSurroundings {
  directory: ObjectDirectory;
  dispatcher: Dispatcher;
  store: StoreDesk;
  tasks: IdTable<Task>;
}

export class Holds {
  readonly #with: HoldSurroundings;
  /** Arguments that threads have views on, by the task's number negated. */
  readonly #viewedArguments = new Map<number, Home>();

  constructor(surroundings: HoldSurroundings) {
    this.#with = surroundings;
  }

  /** The client has a handle of the object. */
  hold(client: number, id: number): void {
    const held = this.#with.dispatcher.workers.get(client)?.held;
    held?.set(id, (held.get(id) ?? 0) + 1);
    this.#with.directory.hold(id);
  }

  /** Its last one is gone. */
  release(client: number, id: number): void {
    const held = this.#with.dispatcher.workers.get(client)?.held;
    if (held !== undefined) {
      const holds = held.get(id) ?? 0;
      if (holds > 1) held.set(id, holds - 1);
      else held.delete(id);
    }
    this.#with.directory.release(id);
  }

  /** The client has views on the object's memory, or on the arguments of the task with that number negated. */
  view(client: number, id: number): void {
    const home = this.#homeOf(id);
    if (id >= 0) this.hold(client, id);
    else if (home !== undefined) this.#viewedArguments.set(id, home);
    if (home === undefined) return;
    this.#with.store.view(home);
    this.#with.dispatcher.workers.get(client)?.viewed.add(id);
  }

  #homeOf(id: number): Home | undefined {
    return id < 0 ? this.#with.tasks.get(-id)?.home : this.#with.directory.objects.get(id)?.home;
  }

  /** The last of them is gone. */
  unview(client: number, id: number): void {
    this.#with.dispatcher.workers.get(client)?.viewed.delete(id);
    this.#unview(id);
    if (id >= 0) this.release(client, id);
  }

  #unview(id: number): void {
    const home = id < 0 ? this.#viewedArguments.get(id) : this.#homeOf(id);
    if (home === undefined) return;
    this.#with.store.unview(home);
    if (home.views === 0) this.#viewedArguments.delete(id);
  }

  /** A worker is gone, and all that it held with it. */
  releaseAll({ held, viewed }: WorkerRecord): void {
    for (const id of viewed) this.#unview(id);
    for (const [id, holds] of held) for (let left = holds; left > 0; left--) this.#with.directory.release(id);
  }
}
