/** One task on a worker: what it was sent, whether it was cancelled, and its cancellation points. */
import { AsyncLocalStorage } from "node:async_hooks";
import { now } from "../clock.ts";
import type { TaskContext } from "../current.ts";
import { type TaskCancelledError, TaskTimeoutError } from "../errors.ts";
import type { LoadedFunction } from "./definitions.ts";
import type { Payload } from "./payload.ts";
import type { OptionsMessage } from "./protocol.ts";

export interface WorkerLane {
  readonly id: number;
  current: WorkerTask | undefined;
  readonly queue: WorkerTask[];
}

export class WorkerTask implements TaskContext {
  readonly id: number;
  readonly slot: number;
  readonly attempt: number;
  readonly workerId: string;
  readonly loaded: LoadedFunction;
  readonly options: OptionsMessage;
  /** Arguments and inputs as they came. */
  readonly payload: Payload;
  lane: WorkerLane | undefined;
  startedAt = 0;
  executedAt = 0;
  /** Ends the watch over its time. */
  stopTimer: (() => void) | undefined;
  /** Why its awaits reject, once it is to stop. */
  stopReason: TaskCancelledError | TaskTimeoutError | undefined;
  /** Of a generator: items that its reader has taken, as far as known here. */
  itemsTaken: number;
  #room: (() => void) | undefined;
  #delivered = false;
  #controller: AbortController | undefined;
  #awaits: Set<(reason: Error) => void> | undefined;

  constructor(
    fields: Pick<WorkerTask, "id" | "slot" | "attempt" | "workerId" | "loaded" | "options" | "payload" | "itemsTaken">,
  ) {
    this.id = fields.id;
    this.slot = fields.slot;
    this.attempt = fields.attempt;
    this.workerId = fields.workerId;
    this.loaded = fields.loaded;
    this.options = fields.options;
    this.payload = fields.payload;
    this.itemsTaken = fields.itemsTaken;
  }

  get name(): string {
    return this.options.name ?? this.loaded.functionName;
  }

  get functionName(): string {
    return this.loaded.functionName;
  }

  get resources(): Readonly<Record<string, number>> {
    return this.options.shape;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.stopReason !== undefined) this.#controller.abort(this.stopReason);
    return this.#controller.signal;
  }

  /** Whether its call is to begin where it can be cut; also one whose time is limited, since it is to be cut when that is over. */
  get mayTakeLong(): boolean {
    return !this.loaded.quick || this.options.timeout > 0;
  }

  /** Whether it has taken longer than it may. A synchronous one may be although no timer has said so. */
  get isOverTime(): boolean {
    const { timeout } = this.options;
    return timeout > 0 && now() - this.startedAt > timeout;
  }

  timeoutReason(): TaskTimeoutError {
    return new TaskTimeoutError(`task ${this.name} took longer than ${this.options.timeout} ms`);
  }

  /** Whether the task was told by an await that rejected, and so is on its way out. */
  get knows(): boolean {
    return this.#delivered;
  }

  /** Whether the task has its signal, and so may hear of a stop without an await. */
  get listens(): boolean {
    return this.#controller !== undefined;
  }

  /** Asks the task to stop: pending awaits reject, or the next one, once; its signal aborts. */
  stop(reason: TaskCancelledError | TaskTimeoutError): void {
    if (this.stopReason !== undefined) return;
    this.stopReason = reason;
    const awaits = this.#awaits;
    this.#awaits = undefined;
    if (awaits !== undefined && awaits.size > 0) {
      this.#delivered = true;
      for (const reject of awaits) reject(reason);
    }
    this.#controller?.abort(reason);
  }

  /** A cancellation point between awaits: throws the reason when the task is to stop. */
  stopNow(): void {
    if (this.stopReason === undefined) return;
    this.#delivered = true;
    throw this.stopReason;
  }

  /** Resolves when a reader that was behind has taken enough. */
  room(): Promise<void> {
    return new Promise((resolve) => {
      this.#room = resolve;
    });
  }

  /** The reader has taken so many items in all; with `resume` the generator goes on. */
  goOn(taken: number, resume: boolean): void {
    this.itemsTaken = taken;
    if (resume) this.#room?.();
  }

  /** A cancellation point: `value` awaited, unless the task is stopped before. Code that cleans up may await again. */
  awaiting<T>(value: T | PromiseLike<T>): T | PromiseLike<T> {
    if (this.stopReason !== undefined) {
      if (this.#delivered) return value;
      this.#delivered = true;
      return Promise.reject(this.stopReason);
    }
    this.#awaits ??= new Set();
    const awaits = this.#awaits;
    return new Promise<T>((resolve, reject) => {
      awaits.add(reject);
      Promise.resolve(value).then(
        (result) => {
          awaits.delete(reject);
          resolve(result);
        },
        (error: unknown) => {
          awaits.delete(reject);
          reject(error);
        },
      );
    });
  }
}

/** The task whose code runs, also after its awaits. */
export const taskStorage = new AsyncLocalStorage<WorkerTask>();
