import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import { MessageReader, writeMessage } from "./json-rpc.ts";

/** Why a request has no result. `stopped`: the server's process has ended; `late`: it did not answer in time. */
export class LanguageServerError extends Error {
  readonly reason: "stopped" | "late" | "refused";

  constructor(reason: LanguageServerError["reason"], message: string) {
    super(message);
    this.name = "LanguageServerError";
    this.reason = reason;
  }
}

interface Pending {
  resolve(result: unknown): void;
  reject(error: Error): void;
  timer: NodeJS.Timeout;
}

export interface ServerOptions {
  executable: string;
  args: readonly string[];
  /** The folder the server works in. */
  folder: string;
  /** Answers every `workspace/configuration` item. */
  settings: unknown;
}

/** One process of a language server. It is started at once; what is sent before it is up waits in its pipe. */
export class LanguageServer {
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  readonly #pending = new Map<number, Pending>();
  readonly #settings: unknown;
  #nextId = 1;
  #ended: string | undefined;

  constructor({ executable, args, folder, settings }: ServerOptions) {
    this.#settings = settings;
    this.#process = spawn(executable, args, { cwd: folder, stdio: ["pipe", "pipe", "ignore"] });
    const reader = new MessageReader((message) => this.#receive(message));
    this.#process.stdout.on("data", (chunk: Buffer) => this.#read(reader, chunk));
    // A write into the pipe of a process that has just ended fails; its `close` tells the rest.
    this.#process.stdin.on("error", () => {});
    this.#process.on("error", (error) => this.#end(`could not be started: ${error.message}`));
    this.#process.on("close", (code, signal) => this.#end(`ended (${signal ?? `exit code ${code}`})`));
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  get ended(): boolean {
    return this.#ended !== undefined;
  }

  /** Sends a request; rejects with `LanguageServerError`, at the latest after `timeout` milliseconds. */
  request(method: string, params: unknown, timeout: number): Promise<unknown> {
    if (this.#ended !== undefined)
      return Promise.reject(new LanguageServerError("stopped", `the language server ${this.#ended}`));
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#pending.delete(id);
        reject(new LanguageServerError("late", `the language server did not answer ${method} in ${timeout} ms`));
      }, timeout);
      this.#pending.set(id, { resolve, reject, timer });
      this.#send({ id, method, params });
    });
  }

  notify(method: string, params: unknown): void {
    if (!this.ended) this.#send({ method, params });
  }

  /** Ends the process, stopped or not, and waits until it is gone. */
  async kill(): Promise<void> {
    if (this.ended) return;
    const closed = once(this.#process, "close");
    this.#process.kill("SIGKILL");
    await closed;
  }

  #send(message: object): void {
    writeMessage(this.#process.stdin, { jsonrpc: "2.0", ...message });
  }

  #read(reader: MessageReader, chunk: Buffer): void {
    try {
      reader.push(chunk);
    } catch (error) {
      // Output that is no JSON-RPC cannot be read on from the middle.
      this.#end(`sent what could not be read: ${error instanceof Error ? error.message : String(error)}`);
      this.#process.kill("SIGKILL");
    }
  }

  #receive(message: {
    id?: number | string;
    method?: string;
    params?: unknown;
    result?: unknown;
    error?: { message: string };
  }): void {
    if (message.method !== undefined) {
      if (message.id !== undefined)
        this.#send({ id: message.id, result: this.#answer(message.method, message.params) });
      return;
    }
    const pending = this.#pending.get(message.id as number);
    if (pending === undefined) return;
    this.#pending.delete(message.id as number);
    clearTimeout(pending.timer);
    if (message.error === undefined) pending.resolve(message.result);
    else pending.reject(new LanguageServerError("refused", message.error.message));
  }

  #answer(method: string, params: unknown): unknown {
    if (method !== "workspace/configuration") return null;
    return (params as { items: unknown[] }).items.map(() => this.#settings);
  }

  #end(how: string): void {
    if (this.#ended !== undefined) return;
    this.#ended = how;
    for (const { reject, timer } of this.#pending.values()) {
      clearTimeout(timer);
      reject(new LanguageServerError("stopped", `the language server ${how}`));
    }
    this.#pending.clear();
  }
}
