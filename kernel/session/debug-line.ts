/**
 * V8's debugger on the cells' thread: the messages of its protocol pass through here, between the kernel process, which
 * understands them, and an inspector session of the debugger's own. That session is connected only while somebody
 * debugs, so a cell that nobody debugs pays nothing.
 */
import { type InspectorNotification, Session } from "node:inspector";
import { INTERRUPT_INSIDE } from "../../runtime/host.ts";
import { type Paused, putBack } from "./loop-values.ts";
import type { FromSession, ToSession } from "./protocol.ts";

/** What the kernel process hears of; all others are many and of no use to it. */
const wanted: ReadonlySet<string> = new Set(["Debugger.paused", "Debugger.resumed", "Debugger.scriptParsed"]);

type Done = (error: Error | null, result?: object) => void;

export class DebugLine {
  readonly #word: Int32Array<SharedArrayBuffer>;
  readonly #send: (message: FromSession) => void;
  #inspector: Session | undefined;
  /** Where the thread is paused. */
  #paused: Paused | undefined;
  /** A step has been asked for, and the thread has not come to its end. */
  #isStepping = false;

  constructor(word: Int32Array<SharedArrayBuffer>, send: (message: FromSession) => void) {
    this.#word = word;
    this.#send = send;
  }

  /** Whether V8's debugger may pause the thread. */
  get isOn(): boolean {
    return this.#inspector !== undefined;
  }

  receive(message: Extract<ToSession, { type: "debugger" | "inspect" }>): void {
    if (message.type === "debugger") {
      if (message.on) this.#connect();
      else this.close();
      return;
    }
    const { id, method, params } = message;
    if (method.startsWith("Debugger.step")) this.#isStepping = true;
    this.#post(method, params, (error, result) =>
      this.#send({ type: "inspected", id, ...(error ? { error: error.message } : { result: result ?? {} }) }),
    );
  }

  /**
   * Ends a pause because of an interrupt: what is paused is cut where it stands. Until `allowPauses` nothing pauses.
   * Undefined where nothing is paused, else it resolves when the thread is on its way.
   */
  endPause(): Promise<void> | undefined {
    if (this.#inspector === undefined) return undefined;
    this.#post("Debugger.setSkipAllPauses", { skip: true });
    const paused = this.#paused;
    if (paused === undefined) return undefined;
    return new Promise((resolve) => {
      // Code of the user's that the runtime has called: the runtime leaves first, the interrupt cuts then.
      const terminateOnResume = Atomics.load(this.#word, 0) !== INTERRUPT_INSIDE;
      if (terminateOnResume) {
        putBack(paused, (method, params = {}) => this.#post(method, params));
        this.#post("Runtime.evaluate", { expression: "__heddle__.session.prepareCut()" });
      }
      this.#post("Debugger.resume", { terminateOnResume }, () => resolve());
    });
  }

  allowPauses(): void {
    this.#post("Debugger.setSkipAllPauses", { skip: false });
  }

  /** The end of a cell is the end of the steps in it: V8 would pause in whatever runs next. */
  endSteps(): void {
    if (!this.#isStepping) return;
    this.#isStepping = false;
    this.#post("Debugger.setSkipAllPauses", { skip: true });
    this.#post("Runtime.evaluate", { expression: "(() => {})()" });
    this.#post("Debugger.setSkipAllPauses", { skip: false });
  }

  /** Turns the debugger off; a thread that is paused goes on. */
  close(): void {
    this.#inspector?.disconnect();
    this.#inspector = undefined;
    this.#paused = undefined;
  }

  #connect(): void {
    if (this.#inspector !== undefined) return;
    const inspector = new Session();
    inspector.connectToMainThread();
    inspector.on("inspectorNotification", (notification) => this.#hear(notification));
    this.#inspector = inspector;
  }

  #hear({ method, params }: InspectorNotification<object>): void {
    if (method === "Debugger.paused") {
      this.#paused = params as Paused;
      this.#isStepping = false;
    }
    if (method === "Debugger.resumed") this.#paused = undefined;
    // Each call of the inspector is a script without a name.
    const isNameless = method === "Debugger.scriptParsed" && (params as { url: string }).url === "";
    if (wanted.has(method) && !isNameless) this.#send({ type: "inspectorEvent", method, params });
  }

  #post(method: string, params: object, done: Done = () => {}): void {
    const inspector = this.#inspector;
    if (inspector === undefined) done(new Error("the debugger is off"));
    else (inspector.post as (method: string, params: object, done: Done) => void).call(inspector, method, params, done);
  }
}
