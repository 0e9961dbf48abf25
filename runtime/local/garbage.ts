/** Asks V8 for a collection: it knows nothing of the shared memory that small handles keep. */
import { setFlagsFromString } from "node:v8";
import { createContext, runInNewContext, Script } from "node:vm";

let collect: (() => void) | undefined;

/** Collects this thread's garbage; finalizers of what is found run in a later turn of its event loop. */
export function collectGarbage(): void {
  if (collect === undefined) {
    setFlagsFromString("--expose-gc");
    collect = runInNewContext("gc") as () => void;
  }
  collect();
}

let forgetKept: (() => void) | undefined;

/**
 * The same, with all that the turn that runs has looked at by a `WeakRef`, which V8 otherwise keeps until its end:
 * only so can a loop without end of its turn get room back. The checkpoint of an own, empty queue of microtasks does it.
 */
export function collectGarbageOfThisTurn(): void {
  if (forgetKept === undefined) {
    const empty = new Script("");
    const context = createContext({}, { microtaskMode: "afterEvaluate" });
    forgetKept = () => empty.runInContext(context);
  }
  forgetKept();
  collectGarbage();
}
