/** Which objects this thread knows to be ready, and in which order they became so. Each object is asked for once. */

import { IdTable } from "../id-table.ts";
import { objectIdText } from "../ids.ts";

/** Who wants to hear of objects. */
export interface Listener {
  /** An object is ready; `order` is its place in the order in which all of the runtime's objects became ready. */
  arrived(id: number, order: number): void;
}

interface Watched {
  /** 0 while pending. */
  order: number;
  failed: boolean;
  listeners: Listener[] | undefined;
  /** The last list in which it was; finds what a list names twice. */
  list: number;
}

export class Subscriptions {
  readonly #watched = new IdTable<Watched>();
  readonly #subscribe: (ids: readonly number[]) => void;
  /** Returns when the answers to what was asked so far have been read. */
  readonly synchronize: () => void;
  /** Ends each wait that is open. */
  readonly ending = new Set<() => void>();
  #lists = 0;

  /** `subscribe` asks the scheduler about objects. */
  constructor(subscribe: (ids: readonly number[]) => void, synchronize: () => void) {
    this.#subscribe = subscribe;
    this.synchronize = synchronize;
  }

  /** Something that the scheduler tells of by itself: ready at `order`, or with 0 when `ready` is called. */
  expect(id: number, order: number): void {
    this.#watched.set(id, { order, failed: false, listeners: undefined, list: 0 });
  }

  forget(id: number): void {
    this.#watched.delete(id);
  }

  /** The scheduler said that an object is ready. */
  ready(id: number, order: number, failed = false): void {
    const watched = this.#watched.get(id);
    if (watched === undefined || watched.order > 0) return;
    watched.order = order;
    watched.failed = failed;
    const { listeners } = watched;
    watched.listeners = undefined;
    if (listeners !== undefined) for (const listener of listeners) listener.arrived(id, order);
  }

  /** Whether an object that is ready failed. */
  hasFailed(id: number): boolean {
    return this.#watched.get(id)?.failed ?? false;
  }

  /** The listener hears of each of the objects, of those that are ready at once. Throws for duplicates. */
  listen(ids: readonly number[], listener: Listener): void {
    const list = ++this.#lists;
    const all: Watched[] = new Array(ids.length);
    const fresh: number[] = [];
    for (let index = 0; index < ids.length; index++) {
      const id = ids[index]!;
      let watched = this.#watched.get(id);
      if (watched === undefined) {
        watched = { order: 0, failed: false, listeners: undefined, list };
        this.#watched.set(id, watched);
        fresh.push(id);
      } else if (watched.list === list) {
        // What nobody has asked the scheduler about must not look as if somebody had.
        for (const unasked of fresh) this.#watched.delete(unasked);
        throw duplicateError(ids, index);
      }
      watched.list = list;
      all[index] = watched;
    }
    for (let index = 0; index < ids.length; index++) {
      const { listeners, order } = all[index]!;
      if (order > 0) listener.arrived(ids[index]!, order);
      else if (listeners === undefined) all[index]!.listeners = [listener];
      else listeners.push(listener);
    }
    if (fresh.length > 0) this.#subscribe(fresh);
  }

  /** The listener does not want to hear of the objects any more. */
  leave(ids: readonly number[], listener: Listener): void {
    for (const id of ids) {
      const watched = this.#watched.get(id);
      const at = watched?.listeners?.indexOf(listener) ?? -1;
      if (at >= 0) watched!.listeners!.splice(at, 1);
    }
  }

  /** Ends all waits: the runtime is gone. */
  end(): void {
    for (const finish of [...this.ending]) finish();
  }
}

function duplicateError(ids: readonly number[], at: number): TypeError {
  const id = ids[at]!;
  return new TypeError(`${objectIdText(id)} is given twice, at [${ids.indexOf(id)}] and [${at}]`);
}
