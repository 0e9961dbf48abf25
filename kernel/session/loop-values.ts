/**
 * The variables of a loop that is about to be cut. The compiler makes a loop of the top level a function that keeps the
 * variables it writes as its parameters (`language/rewriting/hot-loops.ts`), and a cut runs no `finally` that would put
 * them back. So the thread is stopped first as by a debugger, wherever it is under the loop, and the parameters are read
 * from the loop's frame.
 */
import type { Session } from "node:inspector";
import { within } from "./deadline.ts";

/** What the compiler calls the function; only scripts that contain it are worth stopping. */
const LOOP = "__heddle_loop__";
const KEEP = "__heddle_keep__";
/** How long the thread has to reach a place where it can be stopped; in native code it reaches none. */
const stopMs = 1_000;

interface Paused {
  params: { callFrames: { callFrameId: string; functionName: string }[] };
}

/** What posts a message to the main thread's inspector and gives its answer. */
type Post = (method: string, params?: object) => Promise<{ result?: { value?: unknown } }>;

/** Whether a script has a loop that keeps variables. */
export function keepsVariables(code: string): boolean {
  return code.includes(LOOP);
}

/** Writes back what the running loop keeps. The thread stays stopped until `leave` is called. */
export async function stopLoop(inspector: Session, post: Post): Promise<{ leave(): void }> {
  let left = false;
  const paused = new Promise<Paused>((resolve) => {
    inspector.once("Debugger.paused", (event) => resolve(event as unknown as Paused));
  });
  const leave = () => {
    left = true;
    void post("Debugger.resume");
    void post("Debugger.disable");
  };
  void post("Debugger.enable", { maxScriptsCacheSize: 0 });
  void post("Debugger.pause");
  if (!(await within(paused, stopMs)) || left) return { leave };
  const { callFrames } = (await paused).params;
  const loop = callFrames.find(({ functionName }) => functionName === LOOP);
  if (loop !== undefined) {
    const evaluate = (expression: string) =>
      post("Debugger.evaluateOnCallFrame", { callFrameId: loop.callFrameId, expression, silent: true });
    const names = await evaluate(`${KEEP}.names`);
    await evaluate(`${KEEP}.write(${String(names.result?.value)})`);
  }
  return { leave };
}
