/** The five sockets of a kernel, over ZeroMQ. Bad messages are logged and dropped; sending never interleaves. */
import { createRequire } from "node:module";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Router, XPublisher } from "zeromq";
import { Codec, WireError } from "./codec.ts";
import { addressOf, type Connection, type PortName } from "./connection-file.ts";
import { type Channel, type Message, welcome } from "./message.ts";

// Required: to import names of a CommonJS package, Node reads it once more to find them, which takes as long as to load it.
const zeromq = createRequire(import.meta.url)("zeromq") as typeof import("zeromq");

type Incoming = "shell" | "control" | "stdin";

/** Sends one after the other: a ZeroMQ socket takes one message at a time. */
class Line {
  #last: Promise<void> = Promise.resolve();

  add(send: () => Promise<void>): void {
    this.#last = this.#last.then(send).catch(() => {
      // The client is gone, or the socket was closed under the message.
    });
  }

  /** All that was added has been sent. */
  get empty(): Promise<void> {
    return this.#last;
  }
}

export class Sockets {
  readonly #connection: Connection;
  readonly #codec: Codec;
  readonly #routers: Record<Incoming, Router>;
  /** No limit to what waits: over it ZeroMQ drops messages, and a client that misses an idle waits for ever. */
  readonly #iopub = new zeromq.XPublisher({ linger: 1000, sendHighWaterMark: 0, verbosity: "allSubs" });
  readonly #heartbeat = new zeromq.Router({ linger: 0 });
  readonly #lines = new Map<Channel, Line>();
  /** Messages that have come on shell. */
  #shellCount = 0;
  #closed = false;

  /** Throws `WireError` for a signature scheme that is not known. */
  constructor(connection: Connection) {
    this.#connection = connection;
    this.#codec = new Codec(connection.key, connection.signature_scheme);
    this.#routers = { shell: router(), control: router(), stdin: router() };
    for (const channel of ["shell", "control", "stdin", "iopub"] as const) this.#lines.set(channel, new Line());
  }

  /** Binds all sockets: from now on clients can connect, are welcomed, and what they send waits. Rejects for a port that is taken. */
  async bind(): Promise<void> {
    const { control, shell, stdin } = this.#routers;
    await Promise.all([
      bind(shell, this.#connection, "shell_port"),
      bind(control, this.#connection, "control_port"),
      bind(stdin, this.#connection, "stdin_port"),
      bind(this.#iopub, this.#connection, "iopub_port"),
      bind(this.#heartbeat, this.#connection, "hb_port"),
    ]);
    void this.#welcome();
    void this.#beat();
  }

  /** Hands each message that is in order to `handle`, from now on. */
  receive(handle: (message: Message) => void): void {
    for (const channel of ["shell", "control", "stdin"] as const) void this.#read(channel, handle);
  }

  /** Calls `listener` each time that the connection of a client has ended. */
  onDisconnect(listener: () => void): void {
    this.#routers.shell.events.on("disconnect", listener);
  }

  async #read(channel: Incoming, receive: (message: Message) => void): Promise<void> {
    for await (const frames of this.#routers[channel]) {
      if (channel === "shell") this.#shellCount++;
      try {
        receive(this.#codec.decode(channel, frames));
      } catch (error) {
        if (!(error instanceof WireError)) throw error;
        console.error(`heddle kernel: ${channel}: message dropped: ${error.message}`);
      }
    }
  }

  /** Resolves when what has arrived on shell so far has been handed on. */
  async received(): Promise<void> {
    // To ask the socket itself whether it has more would take away the signal that its reader waits for.
    for (let before = -1; before !== this.#shellCount; ) {
      before = this.#shellCount;
      // The first turn ends the one that is under way; in the second the loop has looked at all its sockets.
      await nextTurn();
      await nextTurn();
    }
  }

  /** Says to each new subscriber that its subscription has begun (JEP 65). */
  async #welcome(): Promise<void> {
    for await (const [frame] of this.#iopub as unknown as AsyncIterable<Uint8Array[]>) {
      if (frame === undefined || frame[0] !== 1) continue;
      const topic = Buffer.from(frame.subarray(1));
      this.#publish([topic], welcome(topic.toString()));
    }
  }

  async #beat(): Promise<void> {
    for await (const frames of this.#heartbeat) await this.#heartbeat.send(frames).catch(() => {});
  }

  /** Sends a message on its channel, after those sent before it. */
  send(message: Message): void {
    if (this.#closed) return;
    if (message.channel === "iopub") this.#publish([Buffer.from(message.header.msg_type)], message);
    else {
      const socket = this.#routers[message.channel];
      const frames = this.#codec.encode(message) as Buffer[];
      this.#lines.get(message.channel)!.add(() => socket.send(frames));
    }
  }

  #publish(topic: Uint8Array[], message: Message): void {
    const frames = [...topic, ...this.#codec.encode(message)] as Buffer[];
    this.#lines.get("iopub")!.add(() => this.#iopub.send(frames));
  }

  /** Sends what is left and closes all sockets. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#lines.values()].map((line) => line.empty));
    for (const socket of [...Object.values(this.#routers), this.#iopub, this.#heartbeat]) socket.close();
  }
}

const router = (): Router => new zeromq.Router({ handover: true, linger: 1000, sendHighWaterMark: 0 });

async function bind(socket: Router | XPublisher, connection: Connection, port: PortName): Promise<void> {
  const address = addressOf(connection, port);
  try {
    await socket.bind(address);
  } catch (error) {
    throw new Error(`${port} ${address}: ${(error as Error).message}`);
  }
}
