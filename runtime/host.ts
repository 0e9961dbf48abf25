/**
 * The seam for a program that embeds the runtime and must stay in charge while the user's code runs: heddle's own
 * Jupyter session. A plain program never needs this module.
 *
 * The interrupt word: the driver half of the runtime runs on the user's thread, and a watchdog may cut that thread's
 * JavaScript at any point. Runtime code therefore swaps the word idle → inside when it is entered and back when it is
 * left. A watchdog swaps idle → terminating before it terminates, and swaps terminating → idle (with `Atomics.notify`)
 * once the cut is done; an entry that finds terminating blocks until then, which is where it is cut. A watchdog that
 * finds the thread inside swaps inside → wanted; the thread then blocks as it leaves, so a loop of short calls cannot
 * slip through.
 */
import type { MessagePort } from "node:worker_threads";
import type { TaskEvent } from "./events.ts";

export { isAlive } from "./process-life.ts";

/** Values of `interruptWord[0]`. */
export const INTERRUPT_IDLE = 0;
export const INTERRUPT_INSIDE = 1;
export const INTERRUPT_TERMINATING = 2;
/** Inside, and a watchdog waits for the thread to come out. */
export const INTERRUPT_WANTED = 3;

/** Shared between the user's thread and a watchdog: element 0 is one of the states above. */
export const interruptWord: Int32Array<SharedArrayBuffer> = new Int32Array(new SharedArrayBuffer(4));

/** What the scheduler's thread posts to the observer's port, at most every 50 ms and while the user's thread is busy too. */
export type ObserverMessage =
  | { type: "events"; events: TaskEvent[] }
  | {
      type: "output";
      taskId: string;
      taskName: string;
      workerId: string;
      cell: string | undefined;
      stream: "stdout" | "stderr";
      text: string;
    }
  /** All events so far have been posted; the answer to `flush` with the same number. */
  | { type: "flushed"; id: number };

/** What the observer may post back. */
export type ObserverRequest =
  /** Cancel every unfinished task that this cell submitted, and their children. */
  | { type: "cancelCell"; cell: string }
  /** The cell is over: failures of its tasks that nobody has looked at are told, as output of the task. */
  | { type: "cellEnded"; cell: string }
  | { type: "flush"; id: number };

export interface Host {
  /** The label of the cell whose code is running now. Called at each submission. */
  currentCell(): string | undefined;
  /** What the user calls a captured variable, where the program gave it another name; for messages. */
  nameOf?(variable: string): string;
  /** URL of a module that lets the thread that imports it load TypeScript files; workers do so before the first one. */
  typescriptLoader?: string;
  /** A fresh port for a runtime that starts; its other end gets `ObserverMessage`s and may post `ObserverRequest`s. */
  openObserver(): MessagePort;
  /** Shows something under the cell whose code runs; `update` replaces what is shown under that id. */
  display(id: string, data: Record<string, string>, update: boolean): void;
}

let attached: Host | undefined;
const resumable = new Set<() => void>();

/** Registers what a thread has to look at again when a cut may have ended it half-way; returns how to take it back. */
export function onResume(look: () => void): () => void {
  resumable.add(look);
  return () => resumable.delete(look);
}

/**
 * After a cut: messages whose handlers never got to run are handled now. Harmless at any other time: where it is called
 * in the middle of runtime code, as an inspector may do, that code goes on by itself and must not be entered again.
 * Neither its entry nor its exit blocks: the inspector's message that calls it holds up those that would cut the thread.
 */
export function resumeRuntime(): void {
  if (Atomics.compareExchange(interruptWord, 0, INTERRUPT_IDLE, INTERRUPT_INSIDE) !== INTERRUPT_IDLE) return;
  try {
    for (const look of resumable) look();
  } finally {
    Atomics.store(interruptWord, 0, INTERRUPT_IDLE);
    Atomics.notify(interruptWord, 0);
  }
}

/** Plugs the embedding program in; before the first runtime starts. */
export function attachHost(host: Host): void {
  attached = host;
}

/** The embedding program, if there is one. */
export function currentHost(): Host | undefined {
  return attached;
}

/** Runs `body` as runtime code that an interrupt does not cut. Nested calls cost nothing but a comparison. */
export function guarded<T>(body: () => T): T {
  if (!enterGuard()) return body();
  try {
    return body();
  } finally {
    leaveGuard();
  }
}

/** Enters runtime code; false when the thread is inside already, and then the caller must not leave. */
export function enterGuard(): boolean {
  for (;;) {
    const before = Atomics.compareExchange(interruptWord, 0, INTERRUPT_IDLE, INTERRUPT_INSIDE);
    if (before === INTERRUPT_IDLE) return true;
    if (before === INTERRUPT_INSIDE || before === INTERRUPT_WANTED) return false;
    Atomics.wait(interruptWord, 0, INTERRUPT_TERMINATING);
  }
}

/** Leaves runtime code that `enterGuard` said true for; where a watchdog waits for that, this is where the thread is cut. */
export function leaveGuard(): void {
  if (Atomics.compareExchange(interruptWord, 0, INTERRUPT_INSIDE, INTERRUPT_IDLE) === INTERRUPT_INSIDE) return;
  Atomics.store(interruptWord, 0, INTERRUPT_TERMINATING);
  Atomics.notify(interruptWord, 0);
  while (Atomics.load(interruptWord, 0) === INTERRUPT_TERMINATING)
    Atomics.wait(interruptWord, 0, INTERRUPT_TERMINATING);
}

/** What an ES module or package gave to a cell, so that a captured value that came from it is imported again in workers instead of copied. */
export { registerImport } from "./capture/imports.ts";
