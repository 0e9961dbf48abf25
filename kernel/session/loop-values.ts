/**
 * The variables of a loop that is about to be cut. The compiler makes a loop of the top level a function that keeps the
 * variables it writes as its parameters (`language/rewriting/hot-loops.ts`), and a cut runs no `finally` that would put
 * them back. So the thread is stopped first as by a debugger, wherever it is under the loop, and the parameters are read
 * from the loop's frame.
 */
import type { Session } from "node:inspector";

/** What the compiler calls the function; only scripts that contain it are worth stopping. */
const LOOP = "__heddle_loop__";
const KEEP = "__heddle_keep__";

interface CallFrame {
  callFrameId: string;
  functionName: string;
}

/** What `Debugger.paused` says of a stopped thread. */
export interface Paused {
  callFrames: CallFrame[];
}

/** Posts a message to the main thread's inspector. */
type Post = (method: string, params?: object) => unknown;

/** Whether a script has a loop that keeps variables. */
export function keepsVariables(code: string): boolean {
  return code.includes(LOOP);
}

/** Puts back what the loop keeps under which the thread is stopped, if it is stopped under one. */
export function putBack({ callFrames }: Paused, post: Post): void {
  const loop = callFrames.find(({ functionName }) => functionName === LOOP);
  if (loop === undefined) return;
  const expression = `${KEEP}.write(eval(${KEEP}.names))`;
  void post("Debugger.evaluateOnCallFrame", { callFrameId: loop.callFrameId, expression, silent: true });
}

/**
 * Stops the thread and puts back what the running loop keeps. The thread stays stopped until `leave` is called. In native
 * code it does not stop: then this resolves when the run has `ended`, if not the kernel process replaces this one before.
 */
export async function stopLoop(inspector: Session, post: Post, ended: Promise<unknown>): Promise<{ leave(): void }> {
  const paused = new Promise<Paused>((resolve) => {
    inspector.once("Debugger.paused", ({ params }) => resolve(params));
  });
  void post("Debugger.enable", { maxScriptsCacheSize: 0 });
  void post("Debugger.pause");
  const stopped = await Promise.race([paused, ended.then(() => undefined)]);
  if (stopped !== undefined) putBack(stopped, post);
  return {
    leave() {
      void post("Debugger.resume");
      void post("Debugger.disable");
    },
  };
}
