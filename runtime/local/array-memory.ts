/** Array data of the store as one thread's code has it: private copies, shared views, arrays that it fills itself. */
import { CheckedViews, type Holder } from "./checked-views.ts";
import { collectGarbageOfThisTurn } from "./garbage.ts";
import { LentArrays } from "./lent-arrays.ts";
import { isOnDisk, type Locator } from "./locator.ts";
import type { ObjectStore } from "./object-store.ts";
import { SharedViews } from "./shared-views.ts";

export class ArrayMemory {
  /** Arrays that lie in the store from their beginning. */
  readonly lent: LentArrays;
  /** With `checkWrites`. */
  readonly checked: CheckedViews | undefined;
  readonly #store: ObjectStore;
  readonly #views: SharedViews;
  readonly #caller: { holder(): Holder };

  /**
   * @param viewing tells the scheduler that there are views on an object, and that the last one is gone
   * @param caller knows who is given what is asked for now
   */
  constructor(
    store: ObjectStore,
    checkWrites: boolean,
    viewing: (id: number, isHeld: boolean) => void,
    caller: { holder(): Holder },
  ) {
    this.#store = store;
    this.#caller = caller;
    this.#views = new SharedViews(
      (id) => viewing(id, true),
      (id) => viewing(id, false),
    );
    this.lent = new LentArrays(store);
    this.checked = checkWrites ? new CheckedViews() : undefined;
  }

  /** A value's array data, taken out of the store now because its decoding has to wait. */
  all(locators: readonly Locator[], sharedBy: number | undefined): Uint8Array[] {
    return locators.map((locator) => this.at(locator, sharedBy));
  }

  /** The bytes at a place: with `sharedBy` a view that keeps that object alive, else a private copy. */
  at(locator: Locator, sharedBy: number | undefined, holder?: Holder): Uint8Array {
    const { bytes, segment } = locator;
    if (bytes === 0) return new Uint8Array(0);
    if (sharedBy === undefined) return this.#store.copy(locator);
    if (this.checked !== undefined) {
      const copy = this.#store.readShared(locator).buffer as SharedArrayBuffer;
      return this.checked.make(copy, sharedBy, holder ?? this.#caller.holder());
    }
    // What was spilled is read into memory of its own, as good as a view to whoever asked for one.
    if (isOnDisk(segment)) return this.#store.readShared(locator);
    return this.#views.make(this.#store.memory(segment), locator, sharedBy);
  }

  /** Gives back what code here had and cannot reach any more. */
  reclaim(): void {
    if (this.lent.isEmpty && this.#views.isEmpty) return;
    collectGarbageOfThisTurn();
    this.lent.sweep();
    this.#views.sweep();
  }
}
