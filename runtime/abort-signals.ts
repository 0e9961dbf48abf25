/** Tasks that a signal cancels. Many tasks may share one signal that outlives them: it gets one listener, and forgets those that have ended. */
import type { Backend } from "./backend.ts";
import { guarded } from "./host.ts";
import { taskIdText } from "./ids.ts";
import type { TaskRecord } from "./state.ts";

const FIRST_LOOK = 1024;

class CancelledBy {
  readonly #backend: Backend;
  #tasks: number[] = [];
  #lookAt = FIRST_LOOK;

  constructor(signal: AbortSignal, backend: Backend) {
    this.#backend = backend;
    signal.addEventListener("abort", () => guarded(() => this.#cancelAll()), { once: true });
  }

  add(task: number): void {
    if (this.#tasks.push(task) < this.#lookAt) return;
    const unfinished = new Set((this.#backend.query("tasks") as TaskRecord[]).map(({ taskId }) => taskId));
    this.#tasks = this.#tasks.filter((id) => unfinished.has(taskIdText(id)));
    this.#lookAt = Math.max(FIRST_LOOK, this.#tasks.length * 2);
  }

  #cancelAll(): void {
    for (const task of this.#tasks) this.#backend.cancel(task, false, true);
    this.#tasks = [];
  }
}

const known = new WeakMap<AbortSignal, WeakMap<Backend, CancelledBy>>();

/** Cancels the task when the signal aborts. */
export function cancelOnAbort(signal: AbortSignal, task: number, backend: Backend): void {
  let byBackend = known.get(signal);
  if (byBackend === undefined) {
    byBackend = new WeakMap();
    known.set(signal, byBackend);
  }
  let cancelled = byBackend.get(backend);
  if (cancelled === undefined) {
    cancelled = new CancelledBy(signal, backend);
    byBackend.set(backend, cancelled);
  }
  cancelled.add(task);
}
