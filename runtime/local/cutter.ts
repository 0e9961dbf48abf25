/**
 * Stops the synchronous code of one task, and nothing else of its thread: its suspended tasks, timers and modules stay.
 *
 * Guarantee: only that task's code is cut, and never the runtime's own. A worker says in shared memory whose code it runs
 * while that may be cut, and is then outside of runtime code by its interrupt word (see `host.ts`). Here that word is
 * claimed first, so the thread cannot enter runtime code or go on to another task; then V8 is told to terminate what
 * runs, by an inspector session that lasts only for that moment. Code that a timer or a promise's reaction entered is
 * never offered for cutting: V8 and Node would lose the reactions and timers of others that wait behind it.
 */
import { Session } from "node:inspector";
import { setTimeout as delay } from "node:timers/promises";
import { INTERRUPT_IDLE, INTERRUPT_INSIDE, INTERRUPT_TERMINATING, INTERRUPT_WANTED } from "../host.ts";

/** How long a cut may take; it takes some milliseconds, and more on a busy machine. */
const CUT_MS = 1000;
/** A thread comes out of runtime code soon, unless the machine has no time for it. */
const INSIDE_MS = 2;
const INSIDE_LOOKS = 100;

/** What a worker shares with whoever may cut it. */
export interface Helm {
  /** Node's number of the thread. */
  threadId: number;
  interruptWord: SharedArrayBuffer;
  /** One float64: the task whose code runs and may be cut; 0 for none. */
  runs: SharedArrayBuffer;
}

export class Cutter {
  readonly #helms = new Map<number, { threadId: number; word: Int32Array; runs: Float64Array }>();

  readonly #cutting = new Set<number>();

  learn(worker: number, { interruptWord, runs, threadId }: Helm): void {
    this.#helms.set(worker, { threadId, word: new Int32Array(interruptWord), runs: new Float64Array(runs) });
  }

  forget(worker: number): void {
    this.#helms.delete(worker);
  }

  /** Whether the worker runs code of another task that was begun where it may be cut. */
  runsAnother(worker: number, task: number): boolean {
    const runs = this.#helms.get(worker)?.runs[0] ?? 0;
    return runs !== 0 && runs !== task;
  }

  /** Cuts the task's code if that is what its worker runs now; `announce` tells the worker, which hears it after the cut. */
  async cut(worker: number, task: number, announce: () => void): Promise<void> {
    const helm = this.#helms.get(worker);
    if (helm === undefined || this.#cutting.has(worker)) return;
    const { runs, threadId, word } = helm;
    let claimed = false;
    if (runs[0] !== task) return;
    this.#cutting.add(worker);
    try {
      if (!(await claim(word))) return;
      claimed = true;
      // It may have gone on to other code on its way out.
      if (runs[0] !== task) return;
      announce();
      await terminate(threadId);
    } finally {
      this.#cutting.delete(worker);
      if (claimed) {
        Atomics.store(word, 0, INTERRUPT_IDLE);
        Atomics.notify(word, 0);
      }
    }
  }
}

/** Makes a thread that is outside of runtime code, or comes out of it soon, wait to be cut. */
async function claim(word: Int32Array): Promise<boolean> {
  const before = Atomics.compareExchange(word, 0, INTERRUPT_IDLE, INTERRUPT_TERMINATING);
  // It may have come out just when an earlier look at it had ended.
  if (before === INTERRUPT_IDLE || before === INTERRUPT_TERMINATING) return true;
  if (Atomics.compareExchange(word, 0, INTERRUPT_INSIDE, INTERRUPT_WANTED) !== INTERRUPT_INSIDE) return false;
  for (let look = 0; look < INSIDE_LOOKS && Atomics.load(word, 0) === INTERRUPT_WANTED; look++)
    await delay(INSIDE_MS, undefined, { ref: false });
  return Atomics.compareExchange(word, 0, INTERRUPT_WANTED, INTERRUPT_INSIDE) === INTERRUPT_TERMINATING;
}

/** Terminates the JavaScript that the thread runs; resolves when that has happened, or could not be done. */
function terminate(threadId: number): Promise<void> {
  return new Promise((resolve) => {
    const session = new Session();
    const limit = setTimeout(() => finish(), CUT_MS);
    const finish = (): void => {
      clearTimeout(limit);
      session.post("NodeWorker.disable", () => session.disconnect());
      resolve();
    };
    session.connectToMainThread();
    session.on("NodeWorker.attachedToWorker", ({ params: { sessionId, workerInfo } }) => {
      if (!workerInfo.title.startsWith(`[worker ${threadId}]`)) return;
      const message = JSON.stringify({ id: 1, method: "Runtime.terminateExecution" });
      session.post("NodeWorker.sendMessageToWorker", { sessionId, message });
    });
    session.on("NodeWorker.receivedMessageFromWorker", finish);
    session.post("NodeWorker.enable", { waitForDebuggerOnStart: false });
  });
}
