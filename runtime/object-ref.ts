/** ObjectRef: a name for a value that is, or will be, in the object store. */
import { inspect } from "node:util";
import type { Backend } from "./backend.ts";
import { OtherSessionError } from "./errors.ts";
import { enterGuard, guarded, leaveGuard } from "./host.ts";
import { IdTable } from "./id-table.ts";
import { objectIdText, taskIdText } from "./ids.ts";

declare const valueType: unique symbol;

/**
 * A reference to an object. Same object, same `id`, in any thread. Not thenable on purpose: `await get(ref)` gives the
 * value. Semantics: Ray's ObjectRef.
 */
export interface ObjectRef<out T> extends Disposable {
  readonly [valueType]?: T;
  readonly id: string;
  /** The task that makes the object; undefined for objects that were `put`. */
  readonly taskId: string | undefined;
}

/** The handles that one thread has of a runtime's objects. The runtime hears of the first and of the last of each. */
export class Handles {
  readonly #backend: Backend;
  readonly #counts = new IdTable<number>();
  readonly #registry = new FinalizationRegistry<number>((id) => {
    const inside = enterGuard();
    try {
      this.#drop(id);
    } finally {
      if (inside) leaveGuard();
    }
  });

  constructor(backend: Backend) {
    this.#backend = backend;
  }

  /** Counts the first handle of an object that this thread has just made, and so holds already. */
  own(ref: object, id: number): void {
    this.#counts.set(id, 1);
    this.#registry.register(ref, id);
  }

  /** Counts a handle of an object that came from elsewhere. */
  borrow(ref: object, id: number): void {
    const count = this.#counts.get(id);
    this.#counts.set(id, (count ?? 0) + 1);
    if (count === undefined) this.#backend.hold(id);
    this.#registry.register(ref, id);
  }

  #drop(id: number): void {
    const count = this.#counts.get(id);
    if (count === undefined) return;
    if (count > 1) this.#counts.set(id, count - 1);
    else {
      this.#counts.delete(id);
      this.#backend.release(id);
    }
  }
}

class Ref implements ObjectRef<unknown> {
  readonly #id: number;
  readonly #task: number;
  readonly #backend: Backend;

  constructor(id: number, task: number, backend: Backend) {
    this.#id = id;
    this.#task = task;
    this.#backend = backend;
  }

  get id(): string {
    return objectIdText(this.#id);
  }

  get taskId(): string | undefined {
    return this.#task === 0 ? undefined : taskIdText(this.#task);
  }

  static number(value: object): number | undefined {
    return #id in value ? (value as Ref).#id : undefined;
  }

  /** Throws for anything but a ref, as reading a private field does; asking first takes as long again. */
  static #is(ref: unknown, id: number | undefined, backend: Backend): boolean {
    return (ref as Ref).#id === id && (ref as Ref).#backend === backend;
  }

  /** Whether `refs` are refs of the objects `ids` in one runtime, one for one. */
  static same(refs: readonly unknown[], ids: readonly number[], backend: Backend): boolean {
    if (refs.length !== ids.length) return false;
    const is = Ref.#is;
    try {
      let at = 0;
      // Four at a time take a quarter less.
      for (const end = ids.length - 3; at < end; at += 4) {
        if (!is(refs[at], ids[at], backend) || !is(refs[at + 1], ids[at + 1], backend)) return false;
        if (!is(refs[at + 2], ids[at + 2], backend) || !is(refs[at + 3], ids[at + 3], backend)) return false;
      }
      for (; at < ids.length; at++) if (!is(refs[at], ids[at], backend)) return false;
      return true;
    } catch {
      return false;
    }
  }

  static backend(value: object): Backend | undefined {
    return #id in value ? (value as Ref).#backend : undefined;
  }

  toString(): string {
    return `ObjectRef(${this.id})`;
  }

  toJSON(): string {
    return this.toString();
  }

  [Symbol.dispose](): void {
    guarded(() => this.#backend.free([this.#id]));
  }

  [inspect.custom](): string {
    const made = this.#task === 0 ? "put" : `task ${this.taskId}`;
    const state = guarded(() => this.#backend.stateOf(this.#id));
    return `ObjectRef(${this.id}: ${made}, ${state}; await get(ref) gives the value)`;
  }
}

/** Makes a handle for an object that this thread has just made, and so holds already. */
export function ownRef(id: number, task: number, backend: Backend): ObjectRef<never> {
  const ref = new Ref(id, task, backend);
  backend.handles.own(ref, id);
  return ref as ObjectRef<never>;
}

/** Makes a handle for an object that came from elsewhere. */
export function borrowedRef(id: number, backend: Backend): ObjectRef<never> {
  const ref = new Ref(id, id, backend);
  backend.handles.borrow(ref, id);
  return ref as ObjectRef<never>;
}

/** The object's number, or undefined when the value is not an ObjectRef. */
export function refNumber(value: unknown): number | undefined {
  return typeof value === "object" && value !== null ? Ref.number(value) : undefined;
}

/** The object's number for what is sent through `backend`; throws `OtherSessionError` for a ref of another runtime. */
export function ownRefNumber(value: object, backend: Backend): number | undefined {
  const id = Ref.number(value);
  if (id !== undefined && Ref.backend(value) !== backend) throw otherSession(id, backend);
  return id;
}

/** The error for a ref that belongs to another runtime. */
export function otherSession(id: number, backend: Backend, place = ""): OtherSessionError {
  return new OtherSessionError(
    `${place}${objectIdText(id)} belongs to a runtime that was shut down, this one is session ${backend.sessionId}; make the object again`,
  );
}

/** Whether `refs` are refs of the objects `ids` of the runtime, one for one. */
export function sameRefs(refs: readonly unknown[], ids: readonly number[], backend: Backend): boolean {
  return Ref.same(refs, ids, backend);
}

/** The runtime that made the ref. */
export function refBackend(ref: object): Backend | undefined {
  return Ref.backend(ref);
}

/** Whether the value is an ObjectRef. */
export function isObjectRef(value: unknown): value is ObjectRef<unknown> {
  return refNumber(value) !== undefined;
}
