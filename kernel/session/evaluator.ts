/**
 * Runs cells on the main thread and interrupts them, from the watchdog thread, by V8's inspector.
 *
 * A cell is `Runtime.evaluate` in REPL mode; its first statement gives it a turn of the event loop of its own, so that
 * no inspector message is being handled while it runs and V8 may cut it. An interrupt has two stages: pending awaits
 * reject (`finally` blocks run); whoever has not ended then is cut by `Runtime.terminateExecution`. After a cut the
 * cell's promise never settles. That it is dead is known from a probe: once a fresh turn of the main thread's event
 * loop has come and gone without the cell's answer, nothing of it is left to run.
 */
import { Session } from "node:inspector";
import { INTERRUPT_IDLE, INTERRUPT_INSIDE, INTERRUPT_TERMINATING, INTERRUPT_WANTED } from "../../runtime/host.ts";
import { within } from "./deadline.ts";
import type { DebugLine } from "./debug-line.ts";
import { keepsVariables, stopLoop } from "./loop-values.ts";
import type { CellError, Evaluated, EvaluateRequest } from "./protocol.ts";

/** How long pending awaits and `finally` blocks have before the cell's JavaScript is cut. */
const awaitsMs = 50;
/** How long the main thread has to show that it is not busy, before it is cut. */
const stubbornMs = 10;

type Outcome = Evaluated["outcome"];

/** Names a script as one of Node's own, which no stack shows. */
const hidden = "//# sourceURL=node:internal/heddle";

const terminated: Outcome = { status: "interrupted", how: "terminated" };

interface Run {
  cell: string;
  outcome: Promise<Outcome>;
  settled: boolean;
  /** How many of its steps have ended: the script, showing its value or describing its error. */
  answers: number;
  /** It has been frozen or cut. V8 may then collect its promise and answer with that as a failure. */
  stopped: boolean;
  /** A loop of it keeps variables that a cut would lose. */
  keepsVariables: boolean;
  cut(): void;
}

interface Answer {
  result?: { type: string; objectId?: string; value?: unknown; unserializableValue?: string };
  exceptionDetails?: { text: string; exception?: { objectId?: string; value?: unknown; unserializableValue?: string } };
  failure?: string;
}

export class Evaluator {
  readonly #inspector = new Session();
  readonly #word: Int32Array<SharedArrayBuffer>;
  readonly #debugLine: Pick<DebugLine, "isOn" | "endPause" | "endSteps">;
  #host: Promise<string> | undefined;
  #running: Run | undefined;
  #interrupting: Promise<void> | undefined;
  #closed = false;

  constructor(word: Int32Array<SharedArrayBuffer>, debugLine: Pick<DebugLine, "isOn" | "endPause" | "endSteps">) {
    this.#word = word;
    this.#debugLine = debugLine;
    this.#inspector.connectToMainThread();
  }

  /** The cell that runs. */
  get cell(): string | undefined {
    return this.#running?.cell;
  }

  /**
   * Runs a cell to its end, however it ends. Its value is shown by the main thread, as a message of its own; that of a
   * user expression under the expression's name.
   */
  async run(request: EvaluateRequest, expression?: string): Promise<Outcome> {
    // A cut that is under way would hit the new cell. Without one the run is known at once, so that an interrupt that
    // arrives together with the cell finds it.
    while (this.#interrupting !== undefined) await this.#interrupting;
    const { promise: cut, resolve } = withResolvers<Outcome>();
    const run: Run = {
      cell: request.cell,
      outcome: cut,
      settled: false,
      answers: 0,
      stopped: false,
      keepsVariables: keepsVariables(request.code),
      cut: () => resolve(terminated),
    };
    run.outcome = Promise.race([this.#runScript(run, request, expression), cut]);
    this.#running = run;
    try {
      return await run.outcome;
    } finally {
      run.settled = true;
      this.#running = undefined;
      this.#send("Runtime.releaseObjectGroup", { objectGroup: "cell" });
    }
  }

  /** Evaluates a user expression; its value is shown by the main thread under that name. */
  async runExpression(request: EvaluateRequest, name: string, code: string): Promise<CellError | undefined> {
    const outcome = await this.run({ ...request, code, silent: false }, name);
    if (outcome.status === "error") return outcome.error;
    if (outcome.status === "interrupted")
      return { name: "InterruptedError", message: "the expression was interrupted" };
    return undefined;
  }

  /** Lets go of the main thread: a process does not exit while an inspector is connected. */
  close(): void {
    this.#closed = true;
    this.#inspector.disconnect();
  }

  /** Ends what the main thread is doing; does nothing to a thread that idles. */
  interrupt(): Promise<void> {
    this.#interrupting ??= this.#interruptRun(this.#running).finally(() => {
      this.#interrupting = undefined;
    });
    return this.#interrupting;
  }

  async #interruptRun(run: Run | undefined): Promise<void> {
    const pauseEnds = this.#debugLine.endPause();
    if (pauseEnds !== undefined) await pauseEnds;
    if (run) this.#send("Runtime.evaluate", { expression: "__heddle__.session.interrupt()" });
    const ended = run?.outcome ?? this.#probe();
    if (await within(ended, awaitsMs)) return;
    if (run) {
      run.stopped = true;
      this.#send("Runtime.evaluate", { expression: "__heddle__.session.freeze()" });
      // A thread that is not busy has a cell that caught the interrupt and awaits on: frozen, it is dead already.
      if (await this.#isDead(run, stubbornMs)) return run.cut();
    }
    // Ends at the latest when the kernel process, which has a bound of its own, replaces this process.
    while (!run?.settled) {
      await this.#cut(run);
      if (run === undefined && (await within(this.#probe(), awaitsMs))) return;
      if (run !== undefined && (await this.#isDead(run, awaitsMs))) return run.cut();
    }
  }

  /** Whether a fresh turn of the main thread comes and goes in that time without a sign of the run. */
  async #isDead(run: Run, ms: number): Promise<boolean> {
    const before = run.answers;
    if (!(await within(this.#probe(), ms)) || run.settled) return false;
    if (run.answers === before) return true;
    // What was cut had been in the way of the run, which has gone on with its next step: showing value or error.
    await within(run.outcome, awaitsMs);
    return false;
  }

  /** Cuts what the main thread executes; resolves when it is done. */
  async #cut(run: Run | undefined): Promise<void> {
    await this.#claimWord();
    // To its end: a cut that lands inside this evaluation ends there, and the loop under it goes on.
    await this.#post("Runtime.evaluate", { expression: "__heddle__.session.prepareCut()" });
    const loop = run?.keepsVariables
      ? await stopLoop(this.#inspector, (method, params) => this.#post(method, params), run.outcome)
      : undefined;
    const cut = this.#post("Runtime.terminateExecution");
    loop?.leave();
    await cut;
    Atomics.store(this.#word, 0, INTERRUPT_IDLE);
    Atomics.notify(this.#word, 0);
  }

  /** Makes the thread wait to be cut, at the next moment at which it is outside of the runtime. */
  async #claimWord(): Promise<void> {
    for (;;) {
      const before = Atomics.compareExchange(this.#word, 0, INTERRUPT_IDLE, INTERRUPT_TERMINATING);
      if (before === INTERRUPT_IDLE || before === INTERRUPT_TERMINATING) return;
      Atomics.compareExchange(this.#word, 0, INTERRUPT_INSIDE, INTERRUPT_WANTED);
      const leaving = Atomics.waitAsync(this.#word, 0, INTERRUPT_WANTED);
      if (leaving.async) await leaving.value;
    }
  }

  /** Resolves after a turn of the main thread's event loop. */
  #probe(): Promise<unknown> {
    return this.#post("Runtime.evaluate", {
      expression: "await __heddle__.session.turn();",
      replMode: true,
      awaitPromise: true,
      objectGroup: "cell",
    });
  }

  async #runScript(run: Run, request: EvaluateRequest, expression: string | undefined): Promise<Outcome> {
    this.#start(request);
    const answering = this.#post("Runtime.evaluate", {
      expression: request.code,
      replMode: true,
      awaitPromise: true,
      objectGroup: "cell",
    });
    this.#finishStart();
    const answer = await answering;
    this.#debugLine.endSteps();
    run.answers++;
    if (answer.failure !== undefined) return run.stopped ? terminated : failed("Error", answer.failure);
    if (answer.exceptionDetails !== undefined) return this.#describe(run, request, answer.exceptionDetails);
    const value = answer.result;
    if (request.silent || value === undefined || value.type === "undefined") return { status: "ok" };
    const shown = await this.#call(request, "showResult", value, expression);
    if (shown.failure !== undefined) return run.stopped ? terminated : failed("Error", shown.failure);
    return shown.exceptionDetails === undefined
      ? { status: "ok" }
      : this.#describe(run, request, shown.exceptionDetails);
  }

  async #describe(
    run: Run,
    request: EvaluateRequest,
    details: NonNullable<Answer["exceptionDetails"]>,
  ): Promise<Outcome> {
    if (details.exception === undefined) return failed("Error", details.text);
    const { result } = await this.#call(request, "describe", details.exception);
    if (result?.value === undefined) return run.stopped ? terminated : failed("Error", details.text);
    const described = JSON.parse(String(result.value)) as { interrupted: true } | { error: CellError };
    if ("interrupted" in described) return { status: "interrupted", how: "awaits" };
    return { status: "error", error: described.error };
  }

  /** Calls a method of the session object in the main thread, in a turn of its own. */
  async #call(
    request: EvaluateRequest,
    method: string,
    value: { objectId?: string; value?: unknown; unserializableValue?: string },
    name?: string,
  ): Promise<Answer> {
    this.#host ??= this.#post("Runtime.evaluate", { expression: "__heddle__.session", objectGroup: "host" }).then(
      (answer) => answer.result?.objectId ?? "",
    );
    const objectId = await this.#host;
    this.#start(request);
    const answering = this.#post("Runtime.callFunctionOn", {
      objectId,
      functionDeclaration: `async function (value, name) { await this.turn(); return this.${method}(value, name); }\n${hidden}\n`,
      arguments: [asArgument(value), name === undefined ? {} : { value: name }],
      awaitPromise: true,
      objectGroup: "cell",
    });
    this.#finishStart();
    return answering;
  }

  #start(request: EvaluateRequest): void {
    const { id, cell, allowStdin } = request;
    this.#send("Runtime.evaluate", {
      expression: `__heddle__.session.begin(${id}, ${JSON.stringify(cell)}, ${allowStdin})`,
    });
  }

  #finishStart(): void {
    this.#send("Runtime.evaluate", { expression: "__heddle__.session.begun()" });
  }

  #post(method: string, asked: object = {}): Promise<Answer> {
    // A pause while a message is being handled may keep Node from handling the next one; what a script does in a turn
    // of its own may be paused.
    const mayPause = method === "Runtime.evaluate" && this.#debugLine.isOn;
    const params = mayPause ? { ...asked, disableBreaks: true } : asked;
    return new Promise((resolve) => {
      (
        this.#inspector.post as (
          method: string,
          params: object,
          done: (error: Error | null, answer: Answer) => void,
        ) => void
      ).call(this.#inspector, method, params, (error, answer) => {
        // The process ends: that, not the lost answer, is what happened to the cell, and the parent tells it.
        if (error && (this.#closed || error.message.includes("context was destroyed"))) return;
        resolve(error ? { failure: error.message } : answer);
      });
    });
  }

  /** Posts without waiting for the answer. */
  #send(method: string, params: object): void {
    void this.#post(method, params);
  }
}

function asArgument(value: { objectId?: string; value?: unknown; unserializableValue?: string }): object {
  if (value.objectId !== undefined) return { objectId: value.objectId };
  if (value.unserializableValue !== undefined) return { unserializableValue: value.unserializableValue };
  return { value: value.value };
}

function failed(name: string, message: string): Outcome {
  return { status: "error", error: { name, message } };
}

function withResolvers<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
