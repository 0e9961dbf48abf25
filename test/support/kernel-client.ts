/** A kernel in memory with a client that sends requests and collects what comes back. */
import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Kernel, type KernelOptions } from "../../dist/kernel/kernel.js";
import { createLanguageEngine } from "../../dist/kernel/language/tsgo.js";
import type { Channel, Message } from "../../dist/kernel/wire/message.js";
import { MessageLog } from "./message-log.ts";

type Content = Record<string, unknown>;

interface ChildProcess {
  pid: number;
  command: string;
}

/** The children of a process that are alive, as ps sees them. */
export function childProcesses(parent: number): ChildProcess[] {
  return execFileSync("ps", ["-eo", "pid=,ppid=,stat=,args="], { encoding: "utf8" })
    .split("\n")
    .flatMap((line) => {
      const [, pid, ppid, state, command] = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
      const isOurs = Number(ppid) === parent && !state!.startsWith("Z") && !command!.startsWith("ps ");
      return isOurs ? [{ pid: Number(pid), command: command! }] : [];
    });
}

export class KernelClient {
  readonly folder: string = mkdtempSync(join(tmpdir(), "heddle-kernel-"));
  readonly #log = new MessageLog<Message>();
  readonly received: Message[] = this.#log.received;
  readonly #kernel: Kernel;

  /** `languageTimeout`: how long the language server may take, in ms; by default far more than it ever needs. */
  constructor({ languageTimeout = 20_000, ...options }: Partial<KernelOptions> & { languageTimeout?: number } = {}) {
    this.#kernel = new Kernel({
      folder: this.folder,
      engine: createLanguageEngine({ folder: this.folder, timeout: languageTimeout }),
      ...options,
      send: (message) => this.#log.add(message),
    });
  }

  /** Sends a request and resolves with its id once it has been dealt with. */
  async send(channel: Channel, type: string, content: Content = {}): Promise<string> {
    const id = randomUUID();
    const header = { msg_id: id, session: "test", username: "", date: "", msg_type: type, version: "5.4" };
    const identities = [Buffer.from("client")];
    await this.#kernel.handle({ channel, identities, header, parentHeader: {}, metadata: {}, content, buffers: [] });
    return id;
  }

  /** Ids of the language servers that this test process has started and that are alive. */
  languageServers(): number[] {
    return childProcesses(process.pid).flatMap(({ command, pid }) => (command.includes("--lsp") ? [pid] : []));
  }

  /** Runs a cell to its end; the reply's content and the contents of what was published, by type. */
  async run(code: string, options: Content = {}): Promise<{ reply: Content; outputs: [string, Content][] }> {
    const id = await this.send("shell", "execute_request", { code, allow_stdin: true, ...options });
    const own = this.received.filter(({ parentHeader }) => parentHeader.msg_id === id);
    const outputs = own.filter(({ channel }) => channel === "iopub").map(named);
    return { reply: own.find(({ channel }) => channel === "shell")!.content, outputs };
  }

  /** The reply to a request on shell. */
  async ask(type: string, content: Content = {}): Promise<Content> {
    const id = await this.send("shell", type, content);
    return this.received.find((message) => message.channel === "shell" && message.parentHeader.msg_id === id)!.content;
  }

  /** Resolves with the first message received, now or later, that fits. */
  next(fits: (message: Message) => boolean): Promise<Message> {
    return this.#log.next(fits);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#kernel.close();
    rmSync(this.folder, { recursive: true });
  }
}

const named = ({ content, header }: Message): [string, Content] => [header.msg_type, content];
