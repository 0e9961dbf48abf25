/**
 * The kernel process's side of a session: starts the session process, speaks with its watchdog, and sees to it that
 * every evaluation ends, whatever happens to the process.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { EventEmitter, once } from "node:events";
import type { Duplex, Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { within } from "./deadline.ts";
import { encodeFrame, FrameReader } from "./frames.ts";
import { NativeOutput } from "./native-output.ts";
import { endGroup, noteGroup } from "./process-group.ts";
import type { CommPacket, Evaluated, EvaluateRequest, FromSession, SessionExit, ToSession } from "./protocol.ts";
import { sessionExit } from "./session-exit.ts";

/** How a session process is started. */
export interface SessionStart {
  /** The notebook's folder; relative paths and packages of cells are found from here. */
  cwd: string;
  /** The whole environment of the process; default that of this process. */
  env?: NodeJS.ProcessEnv;
  /** More flags for Node, such as `--max-old-space-size=4096`. */
  nodeFlags?: readonly string[];
  /** How long an interrupt may take before the process is killed, in milliseconds; default 5,000. */
  interruptGraceMs?: number;
}

export interface SessionEvents {
  /** Everything a session says, except the end of a cell (which `evaluate` resolves with). */
  message: [message: Exclude<FromSession, Evaluated>];
  /** The process has ended, expected or not. */
  exit: [exit: SessionExit];
}

const entry = fileURLToPath(new URL("./process.js", import.meta.url));
const defaultGraceMs = 5_000;
/** How long pipes may stay open after the process has ended: a child that outlives it can hold them. */
const pipesMs = 250;
/** How long a cell's end waits for the marks on file descriptors 1 and 2. */
const marksMs = 250;

const flags = [
  // A cut inside a timer's callback leaves the stack of async ids in disorder; by default Node aborts for that.
  "--no-force-async-hooks-checks",
  // Lets a cell's imports be resolved as in a file of the notebook's folder.
  "--experimental-import-meta-resolve",
  "--disable-warning=ExperimentalWarning",
];

export class Session extends EventEmitter<SessionEvents> {
  readonly #start: SessionStart;
  #process: LiveProcess;

  /** Starts the process. Requests may follow at once. */
  constructor(start: SessionStart) {
    super();
    this.#start = start;
    this.#process = this.#launch();
  }

  /** The id of the session process; undefined if it could not be spawned. */
  get pid(): number | undefined {
    return this.#process.child.pid;
  }

  /** Why the process has ended; undefined while it lives. */
  get exit(): SessionExit | undefined {
    return this.#process.exit;
  }

  /** Resolves when the process can take cells; rejects if it ends before. */
  async ready(): Promise<void> {
    await this.#process.ready;
  }

  /**
   * Runs a compiled cell; call it again only after it has resolved. Never rejects for what the cell does: a process
   * that ends under it gives the outcome `lost`. Throws when the process has ended before; `restart` first.
   */
  evaluate(request: Omit<EvaluateRequest, "type" | "id">): Promise<Evaluated> {
    return this.#process.evaluate(request);
  }

  /**
   * Ends the running cell. Resolves once it has ended, which is after the grace at the latest: then its process is
   * killed, and the owner hears so by the event `exit`. Does nothing where nothing runs.
   */
  interrupt(): Promise<void> {
    return this.#process.interrupt(this.#start.interruptGraceMs ?? defaultGraceMs);
  }

  /** Answers an `inputRequest`. */
  sendInput(id: number, value: string): void {
    this.#process.send({ type: "inputReply", id, value });
  }

  /** Passes on what the front end says on a comm; the session's answer `commHandled` has the same id. */
  sendComm(id: number, packet: CommPacket): void {
    this.#process.send({ type: "comm", id, ...packet });
  }

  /** Passes on what the debugger wants of V8's inspector; answers and events come as messages. */
  sendDebugger(message: Extract<ToSession, { type: "debugger" | "inspect" }>): void {
    this.#process.send(message);
  }

  /** Ends the process, kindly first: it has `graceMs` (default 1,000) to shut its runtime down and run exit handlers. */
  async shutdown({ graceMs = 1_000 }: { graceMs?: number } = {}): Promise<void> {
    await this.#process.shutdown(graceMs);
  }

  /** Ends the process, if it lives, and starts a fresh one; resolves when that is ready. */
  async restart(options: { graceMs?: number } = {}): Promise<void> {
    await this.shutdown(options);
    this.#process = this.#launch();
    await this.#process.ready;
  }

  #launch(): LiveProcess {
    return new LiveProcess(this.#start, {
      message: (message) => this.emit("message", message),
      exit: (exit) => this.emit("exit", exit),
    });
  }
}

interface Listeners {
  message(message: Exclude<FromSession, Evaluated>): void;
  exit(exit: SessionExit): void;
}

/** One session process from its start to its end. */
class LiveProcess {
  readonly child: ChildProcess;
  readonly ready: Promise<void>;
  exit: SessionExit | undefined;
  readonly #listeners: Listeners;
  readonly #pipe: Duplex;
  readonly #native: Record<"stdout" | "stderr", NativeOutput>;
  readonly #ended: Promise<SessionExit>;
  #becomeReady!: () => void;
  #running: { id: number; settle(end: Evaluated): void; ended: Promise<unknown> } | undefined;
  /** Process groups that end with this process. */
  readonly #groups = new Set<number>();
  #lastId = 0;
  #cell = "0";
  #isReady = false;
  #intent: "shutdown" | "replace" | undefined;

  constructor(start: SessionStart, listeners: Listeners) {
    this.#listeners = listeners;
    const nonce = randomUUID();
    this.child = spawn(process.execPath, [...flags, ...(start.nodeFlags ?? []), entry, nonce], {
      cwd: start.cwd,
      env: start.env,
      stdio: ["ignore", "pipe", "pipe", "pipe"],
      // A process group of its own: Ctrl-C in a terminal is for the kernel, and children of cells end with the session.
      detached: process.platform !== "win32",
    });
    this.#pipe = this.child.stdio[3] as Duplex;
    this.#native = { stdout: this.#collect("stdout", nonce), stderr: this.#collect("stderr", nonce) };
    this.#ended = this.#watch();
    const isReady = new Promise<void>((resolve) => {
      this.#becomeReady = resolve;
    });
    this.ready = Promise.race([isReady, this.#ended.then((exit) => Promise.reject(new Error(exit.message)))]);
    // Whoever does not ask when it is ready still hears of its end.
    this.ready.catch(() => {});
    this.#readMessages();
  }

  send(message: ToSession): void {
    if (this.exit === undefined) this.#pipe.write(encodeFrame(message));
  }

  evaluate(request: Omit<EvaluateRequest, "type" | "id">): Promise<Evaluated> {
    if (this.exit !== undefined) throw new Error(`${this.exit.message}; restart() starts a fresh one`);
    if (this.#running !== undefined)
      throw new Error(`cell ${this.#cell} is still running; evaluate takes one cell at a time`);
    const id = ++this.#lastId;
    this.#cell = request.cell;
    let settle!: (end: Evaluated) => void;
    const ended = new Promise<Evaluated>((resolve) => {
      settle = resolve;
    });
    this.#running = { id, settle, ended };
    this.send({ type: "evaluate", id, ...request });
    return ended;
  }

  async interrupt(graceMs: number): Promise<void> {
    this.send({ type: "interrupt" });
    const running = this.#running;
    if (running === undefined || (await within(running.ended, graceMs))) return;
    this.#kill("replace");
    await this.#ended;
  }

  async shutdown(graceMs: number): Promise<void> {
    if (this.exit === undefined) {
      this.#intent ??= "shutdown";
      this.send({ type: "shutdown" });
      if (!(await within(this.#ended, graceMs))) this.#kill("shutdown");
    }
    await this.#ended;
  }

  #kill(intent: "shutdown" | "replace"): void {
    if (this.exit !== undefined) return;
    this.#intent = intent;
    if (this.child.pid !== undefined) endGroup(this.child.pid);
  }

  #collect(name: "stdout" | "stderr", nonce: string): NativeOutput {
    const output = new NativeOutput(nonce, (text) =>
      this.#listeners.message({ type: "stream", cell: this.#cell, name, text }),
    );
    const stream = this.child[name] as Readable;
    stream.on("data", (bytes: Buffer) => output.write(bytes));
    stream.on("close", () => output.close());
    return output;
  }

  #readMessages(): void {
    const reader = new FrameReader();
    this.#pipe.on("data", (piece: Buffer) => {
      for (const message of reader.read(piece)) this.#receive(message as FromSession);
    });
    // A broken pipe is the process's end, which `#watch` reports.
    this.#pipe.on("error", () => {});
  }

  #receive(message: FromSession): void {
    if (message.type === "evaluated") void this.#finish(message);
    else {
      if (message.type === "ready") {
        this.#isReady = true;
        this.#becomeReady();
      }
      if (message.type === "processGroup") noteGroup(this.#groups, message);
      else this.#listeners.message(message);
    }
  }

  /** The cell ends once what native code and children had written before its end is here too. */
  async #finish(message: Evaluated): Promise<void> {
    const marks = message.marks ?? [];
    await within(Promise.all(marks.map((name) => this.#native[name].reached(message.id))), marksMs);
    if (this.#running?.id !== message.id) return;
    const { settle } = this.#running;
    this.#running = undefined;
    settle(message);
  }

  async #watch(): Promise<SessionExit> {
    const { child } = this;
    const [code, signal, failure] = await new Promise<[number | null, NodeJS.Signals | null, string?]>((resolve) => {
      child.once("exit", (code, signal) => resolve([code, signal]));
      child.once("error", (error) => resolve([null, null, error.message]));
    });
    if (child.pid !== undefined) endGroup(child.pid);
    for (const leader of this.#groups) endGroup(leader);
    await within(Promise.all([this.#pipe, child.stdout, child.stderr].map((pipe) => closed(pipe))), pipesMs);
    for (const pipe of [this.#pipe, child.stdout, child.stderr]) pipe?.destroy();
    const stderr = failure ?? this.#native.stderr.tail;
    const exit = sessionExit({ code, signal, stderr, intent: this.#intent, wasReady: this.#isReady });
    this.exit = exit;
    const running = this.#running;
    this.#running = undefined;
    running?.settle({ type: "evaluated", id: running.id, outcome: { status: "lost", exit } });
    this.#listeners.exit(exit);
    return exit;
  }
}

async function closed(pipe: Duplex | Readable | null): Promise<void> {
  if (pipe !== null && !pipe.closed) await once(pipe, "close").catch(() => {});
}
