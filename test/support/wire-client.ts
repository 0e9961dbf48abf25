/** `heddle kernel` as a process of its own, and a client that talks to it over ZeroMQ as any Jupyter client does. */
import { type ChildProcess, spawn } from "node:child_process";
import { createHmac, randomInt, randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Dealer, Subscriber } from "zeromq";
import { MessageLog } from "./message-log.ts";

const program = fileURLToPath(new URL("../../dist/kernel/cli/main.js", import.meta.url));
const heddleArgv = [process.execPath, program, "kernel", "--connection-file", "{connection_file}"];
const startAndStay = "require('child_process').spawn(process.execPath, process.argv.slice(1), { stdio: 'inherit' })";
const DELIMITER = "<IDS|MSG>";

export type Content = Record<string, unknown>;
export type Asking = "shell" | "control" | "stdin";

export interface Received {
  channel: Asking | "iopub";
  header: { msg_id: string; msg_type: string; session: string; version: string };
  parent: { msg_id?: string };
  metadata: Content;
  content: Content;
  buffers: Buffer[];
}

/** Texts → the signature that the protocol asks for. */
export function sign(key: string, parts: readonly string[]): string {
  return createHmac("sha256", key).update(parts.join("")).digest("hex");
}

/** The process, its connection file, and all it writes to its standard error. */
export class KernelProcess {
  readonly key = randomUUID();
  readonly folder: string = mkdtempSync(join(tmpdir(), "heddle-wire-"));
  readonly ports: Record<"shell" | "control" | "stdin" | "iopub" | "hb", number>;
  readonly process: ChildProcess;
  readonly exited: Promise<unknown[]>;
  stderr = "";
  readonly #listeners = new Set<() => void>();

  private constructor(ports: number[], env: NodeJS.ProcessEnv, argv: readonly string[]) {
    const [shell, control, stdin, iopub, hb] = ports as [number, number, number, number, number];
    this.ports = { shell, control, stdin, iopub, hb };
    const file = join(this.folder, "connection.json");
    const named = Object.fromEntries(Object.entries(this.ports).map(([name, port]) => [`${name}_port`, port]));
    const connection = { transport: "tcp", ip: "127.0.0.1", key: this.key, signature_scheme: "hmac-sha256", ...named };
    writeFileSync(file, JSON.stringify(connection));
    const [command, ...args] = argv.map((one) => one.replace("{connection_file}", file));
    this.process = spawn(command!, args, {
      cwd: this.folder,
      env: { ...process.env, XDG_DATA_HOME: this.folder, JUPYTER_DATA_DIR: "", ...env },
      stdio: ["ignore", "ignore", "pipe"],
    });
    this.exited = once(this.process, "exit");
    this.process.stderr!.setEncoding("utf8").on("data", (text: string) => {
      this.stderr += text;
      for (const listener of this.#listeners) listener();
    });
  }

  /** With `starter` the process is one that starts the kernel and stays; `argv` is that of a kernelspec. */
  static async start(env: NodeJS.ProcessEnv = {}, { starter = false, argv = heddleArgv } = {}): Promise<KernelProcess> {
    return new KernelProcess(
      await freePorts(5),
      env,
      starter ? [process.execPath, "-e", startAndStay, ...argv.slice(1)] : argv,
    );
  }

  /** Resolves when the process has written `text`, from position `from` of its output on. */
  async logged(text: string, from = 0): Promise<void> {
    while (!this.stderr.slice(from).includes(text)) {
      await new Promise<void>((resolve) => {
        const listener = (): void => {
          this.#listeners.delete(listener);
          resolve();
        };
        this.#listeners.add(listener);
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.process.exitCode === null && this.process.signalCode === null) this.process.kill("SIGTERM");
    await this.exited;
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** Ports that nobody uses at the moment, below those that systems give to outgoing connections. */
async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = 20_000 + randomInt(12_000);
    if (!ports.has(port) && (await isFree(port))) ports.add(port);
  }
  return [...ports];
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

export class WireClient {
  readonly #log = new MessageLog<Received>();
  readonly received: Received[] = this.#log.received;
  readonly heartbeat = new Dealer({ linger: 0 });
  readonly #kernel: KernelProcess;
  readonly #asking: Record<Asking, Dealer>;
  readonly #iopub = new Subscriber({ linger: 0, receiveHighWaterMark: 0 });

  private constructor(kernel: KernelProcess) {
    this.#kernel = kernel;
    void kernel.exited.then(([code, signal]) => {
      if (code !== 0) this.#log.fail(new Error(`the kernel ended with ${code ?? signal}: ${kernel.stderr}`));
    });
    // One identity on all three: the kernel finds the stdin socket of a client by that of its shell socket.
    const routingId = randomUUID();
    const dealer = (): Dealer => new Dealer({ linger: 0, routingId });
    this.#asking = { shell: dealer(), control: dealer(), stdin: dealer() };
  }

  /** Connects all channels; resolves when the kernel has said that it publishes to this client too. */
  static async connect(kernel: KernelProcess): Promise<WireClient> {
    const client = new WireClient(kernel);
    for (const channel of ["shell", "control", "stdin"] as const) {
      client.#asking[channel].connect(`tcp://127.0.0.1:${kernel.ports[channel]}`);
      void client.#read(channel, client.#asking[channel]);
    }
    client.heartbeat.connect(`tcp://127.0.0.1:${kernel.ports.hb}`);
    client.#iopub.connect(`tcp://127.0.0.1:${kernel.ports.iopub}`);
    client.#iopub.subscribe();
    void client.#read("iopub", client.#iopub);
    await client.next(({ header }) => header.msg_type === "iopub_welcome");
    return client;
  }

  async #read(channel: Received["channel"], socket: AsyncIterable<Buffer[]>): Promise<void> {
    for await (const frames of socket) {
      const at = frames.findIndex((frame) => frame.toString() === DELIMITER);
      const [signature, ...rest] = frames.slice(at + 1).map(String);
      if (signature !== sign(this.#kernel.key, rest.slice(0, 4))) throw new Error(`${channel}: wrong signature`);
      const [header, parent, metadata, content] = rest.slice(0, 4).map((part) => JSON.parse(part));
      this.#log.add({ channel, header, parent, metadata, content, buffers: frames.slice(at + 6) });
    }
  }

  /** The frames of a request as they should be; its id is in the header, the first part. */
  frames(type: string, content: Content, id: string = randomUUID(), metadata: Content = {}): string[] {
    const date = new Date().toISOString();
    const header = { msg_id: id, session: "test", username: "", date, msg_type: type, version: "5.4" };
    const parts = [header, {}, metadata, content].map((part) => JSON.stringify(part));
    return [DELIMITER, sign(this.#kernel.key, parts), ...parts];
  }

  /** Frames whose signature is right, whatever the parts are. */
  signed(...parts: string[]): string[] {
    return [DELIMITER, sign(this.#kernel.key, parts.slice(0, 4)), ...parts];
  }

  /** Sends frames as they are. */
  async sendRaw(channel: Asking, frames: readonly (string | Buffer)[]): Promise<void> {
    await this.#asking[channel].send([...frames]);
  }

  /** Sends a message; resolves with its id. */
  async send(channel: Asking, type: string, content: Content = {}, buffers: Buffer[] = []): Promise<string> {
    const id = randomUUID();
    await this.sendRaw(channel, [...this.frames(type, content, id), ...buffers]);
    return id;
  }

  /** Sends a request; resolves with the reply's content. */
  async ask(channel: Asking, type: string, content: Content = {}): Promise<Content> {
    return (await this.replyTo(await this.send(channel, type, content))).content;
  }

  /** The reply to a request, when it is there. */
  replyTo(id: string): Promise<Received> {
    return this.next(({ channel, parent }) => (channel === "shell" || channel === "control") && parent.msg_id === id);
  }

  /** Runs a cell; resolves when the kernel is idle again. */
  async run(code: string, options: Content = {}): Promise<{ reply: Content; outputs: Received[] }> {
    const id = await this.send("shell", "execute_request", { code, allow_stdin: true, ...options });
    const { content } = await this.replyTo(id);
    return { reply: content, outputs: await this.published(id) };
  }

  /** All that was published for a request, once that is all. */
  async published(id: string): Promise<Received[]> {
    await this.next(({ content, parent }) => parent.msg_id === id && content.execution_state === "idle");
    return this.received.filter(({ channel, parent }) => channel === "iopub" && parent.msg_id === id);
  }

  /** Resolves with the first message received, now or later, that fits. Rejects if the kernel comes to grief before. */
  next(fits: (message: Received) => boolean): Promise<Received> {
    return this.#log.next(fits);
  }

  [Symbol.dispose](): void {
    for (const socket of [...Object.values(this.#asking), this.#iopub, this.heartbeat]) socket.close();
  }
}
