/** V8's inspector in the session process, seen from the kernel process: calls and events of its protocol. */
import { within } from "../session/deadline.ts";
import type { Session } from "../session/session.ts";

/** How long an answer may take: a thread that sits in native code, or waits on shared memory, gives none. */
const answerMs = 5_000;

interface Waiting {
  resolve(result: object): void;
  reject(error: Error): void;
}

export class InspectorLink {
  readonly #session: Session;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;

  /** `hear` is called with each event of the inspector. */
  constructor(session: Session, hear: (method: string, params: object) => void) {
    this.#session = session;
    session.on("message", (message) => {
      if (message.type === "inspectorEvent") hear(message.method, message.params);
      if (message.type === "inspected") this.#settle(message.id, message);
    });
    session.on("exit", ({ message }) => {
      for (const id of this.#waiting.keys()) this.#settle(id, { error: message });
    });
  }

  connect(): void {
    this.#session.sendDebugger({ type: "debugger", on: true });
  }

  /** Lets go; what is paused goes on. */
  disconnect(): void {
    this.#session.sendDebugger({ type: "debugger", on: false });
  }

  /** Calls a method of the inspector's protocol. Rejects with the inspector's error, and after five seconds. */
  async call<T = object>(method: string, params: object = {}): Promise<T> {
    const answer = this.request<T>(method, params);
    if (await within(answer, answerMs)) return answer;
    throw new Error("the session does not answer: it is inside a call that cannot be looked into");
  }

  /** The same for what runs functions of the user's: nothing pauses in them. */
  async callFunction<T = object>(params: object): Promise<T> {
    this.tell("Debugger.setSkipAllPauses", { skip: true });
    const answer = this.call<T>("Runtime.callFunctionOn", params);
    this.tell("Debugger.setSkipAllPauses", { skip: false });
    return answer;
  }

  /** The same for what the thread may do whenever it gets to it: waits as long as the session lives. */
  async request<T = object>(method: string, params: object = {}): Promise<T> {
    if (this.#session.exit !== undefined) throw new Error(this.#session.exit.message);
    const id = ++this.#lastId;
    const answer = new Promise<object>((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    this.#session.sendDebugger({ type: "inspect", id, method, params });
    return (await answer) as T;
  }

  /** Asks for something whose answer is of no use; what it changes is changed before any later message. */
  tell(method: string, params: object = {}): void {
    // A session that has ended needs nothing any more.
    this.request(method, params).catch(() => {});
  }

  #settle(id: number, { result, error }: { result?: object; error?: string }): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error !== undefined) waiting?.reject(new Error(error));
    else waiting?.resolve(result ?? {});
  }
}
