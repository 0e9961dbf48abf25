/**
 * Ids. Inside the runtime an id is one number, so that it fits a Map key and eight bytes of a message: the minting
 * thread's index times 2^32 plus that thread's counter. A task and its first return object share the number; the
 * other return objects follow it. Users see strings.
 */

const THREAD_UNIT = 2 ** 32;

/** Mints ids for one thread without asking anybody. */
export class IdSource {
  #next: number;

  constructor(threadIndex: number) {
    this.#next = threadIndex * THREAD_UNIT + 1;
  }

  /** Takes `count` consecutive ids and returns the first. */
  take(count: number): number {
    const first = this.#next;
    this.#next += count;
    return first;
  }
}

/** The string form of an object's id: `o` and at least nine hexadecimal digits. */
export function objectIdText(id: number): string {
  return `o${id.toString(16).padStart(9, "0")}`;
}

/** The string form of a task's id: `t` and the digits of its first return object. */
export function taskIdText(id: number): string {
  return `t${id.toString(16).padStart(9, "0")}`;
}

/** The string form of a worker thread's id. */
export function workerIdText(index: number): string {
  return `w${index}`;
}
