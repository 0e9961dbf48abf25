/**
 * Shared views with `checkWrites`: each reader gets a copy of its own in place of the shared memory, and a checksum tells
 * whether it wrote into it. So the culprit is known for certain, and no other reader ever sees what was written.
 */
import { ObjectMutatedError } from "../errors.ts";
import { objectIdText } from "../ids.ts";
import { WatchedMemory } from "./watched-memory.ts";

/** Who was given a view. */
export interface Holder {
  /** Number of the task; 0 for the driver. */
  task: number;
  name: string;
}

interface Checked {
  /** Number of the object; below zero for an argument. */
  readonly id: number;
  readonly holder: Holder;
  readonly memory: SharedArrayBuffer;
  /** What it was when it was given. */
  sum: number;
}

export class CheckedViews {
  readonly #watched = new WatchedMemory<Checked>((checked) => this.#warn(checked));

  /** A view on memory that is the reader's alone. */
  make(memory: SharedArrayBuffer, id: number, holder: Holder): Uint8Array {
    return new Uint8Array(this.#watched.hand(memory, { id, holder, memory, sum: checksum(memory) }));
  }

  /** Throws `ObjectMutatedError` if the task has written into what it was given. */
  checkTask(task: number): void {
    this.#check(({ holder }) => holder.task === task);
  }

  /** Throws `ObjectMutatedError` if anybody here has written into the object. */
  checkObject(id: number): void {
    this.#check((checked) => checked.id === id);
  }

  /** Warns of every write that was not told of. */
  checkAll(): void {
    for (const checked of this.#watched.tokens()) this.#warn(checked);
  }

  #check(concerns: (checked: Checked) => boolean): void {
    for (const checked of this.#watched.tokens()) {
      const error = concerns(checked) ? mutation(checked) : undefined;
      if (error !== undefined) throw error;
    }
  }

  #warn(checked: Checked): void {
    const error = mutation(checked);
    if (error !== undefined) process.emitWarning(error.message, { type: "HeddleWarning", code: error.code });
  }
}

/** What was written is told once. */
function mutation(checked: Checked): ObjectMutatedError | undefined {
  const sum = checksum(checked.memory);
  if (sum === checked.sum) return undefined;
  checked.sum = sum;
  const what = checked.id < 0 ? "an argument" : `object ${objectIdText(checked.id)}`;
  return new ObjectMutatedError(
    `${checked.holder.name} wrote into ${what}, which it has as a shared view; objects never change, so copy the array (slice()) before writing, or leave out \`shared\``,
  );
}

/** Any one changed word changes it (FNV-1a by words). */
function checksum(memory: SharedArrayBuffer): number {
  const words = new Int32Array(memory, 0, memory.byteLength >> 2);
  let sum = 0x811c9dc5;
  for (let index = 0; index < words.length; index++) sum = Math.imul(sum ^ words[index]!, 0x01000193);
  for (const byte of new Uint8Array(memory, words.byteLength)) sum = Math.imul(sum ^ byte, 0x01000193);
  return sum;
}
