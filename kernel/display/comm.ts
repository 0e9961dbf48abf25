/** Comms: lines of messages between a cell and the code of a front end, such as a widget. Jupyter's `comm_*` messages. */
import { randomUUID } from "node:crypto";
import { toJson } from "./mime-bundle.ts";
import { type CommPacket, currentNotebook, type NotebookLink } from "./notebook-link.ts";

/** What came, or goes, on a comm. */
export interface CommMessage {
  /** A plain value, as JSON holds it. */
  data: unknown;
  metadata: Record<string, unknown>;
  /** Bytes that travel beside the JSON. */
  buffers: Uint8Array[];
}

/** What can go with the data of a message. */
export interface CommExtras {
  metadata?: Record<string, unknown>;
  /** Bytes; they arrive as bytes, whatever view they were. */
  buffers?: readonly (ArrayBuffer | ArrayBufferView)[];
}

/**
 * One open line to the front end, made by `openComm` or by a target's handler. What its handlers print, show or throw
 * lands under the cell that set them.
 */
export class Comm implements Disposable {
  readonly id: string;
  readonly targetName: string;
  readonly #notebook: NotebookLink;
  #closed = false;
  #onMessage: ((message: CommMessage) => unknown) | undefined;
  #onClose: ((message: CommMessage) => unknown) | undefined;
  /** What came before somebody listened. */
  #early: CommMessage[] = [];

  /** Not for cells: `openComm` makes comms. */
  constructor(notebook: NotebookLink, id: string, targetName: string) {
    this.#notebook = notebook;
    this.id = id;
    this.targetName = targetName;
    notebook.attachComm(id, (packet) => this.#receive(packet));
  }

  /** Whether either side has closed it. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Sends data and bytes. Throws an Error when the comm is closed, a TypeError for what JSON cannot hold. */
  send(data: unknown, extras: CommExtras = {}): void {
    if (this.#closed) throw new Error(`the comm ${this.id} of target ${JSON.stringify(this.targetName)} is closed`);
    this.#notebook.sendComm({ kind: "msg", commId: this.id, ...packed(data, extras) });
  }

  /** Calls `handler` for each message from now on, in place of an earlier handler, also for those nobody took so far. */
  onMessage(handler: (message: CommMessage) => unknown): void {
    this.#onMessage = this.#notebook.handler(handler);
    const early = this.#early;
    this.#early = [];
    for (const message of early) this.#onMessage(message);
  }

  /** Calls `handler` when the front end closes the comm, in place of an earlier handler. */
  onClose(handler: (message: CommMessage) => unknown): void {
    this.#onClose = this.#notebook.handler(handler);
  }

  /** Closes it and tells the front end; does nothing when it is closed. */
  close(data: unknown = {}, extras: CommExtras = {}): void {
    if (this.#closed) return;
    this.#notebook.sendComm({ kind: "close", commId: this.id, ...packed(data, extras) });
    this.#end();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #receive({ buffers, data, kind, metadata }: CommPacket): void {
    const message = { data, metadata, buffers };
    if (kind === "close") {
      this.#end();
      this.#onClose?.(message);
    } else if (this.#onMessage === undefined) this.#early.push(message);
    else this.#onMessage(message);
  }

  #end(): void {
    this.#closed = true;
    this.#early = [];
    this.#notebook.attachComm(this.id, undefined);
  }
}

/**
 * Opens a comm to a target that the front end's code has registered. Throws outside a notebook, and a TypeError for data
 * that JSON cannot hold. Example: `const comm = openComm("my-widget", { value: 1 }); comm.onMessage(({ data }) => …)`.
 */
export function openComm(targetName: string, data: unknown = {}, extras: CommExtras = {}): Comm {
  const notebook = notebookFor("openComm", targetName);
  const packet = packed(data, extras);
  const comm = new Comm(notebook, randomUUID(), targetName);
  notebook.sendComm({ kind: "open", commId: comm.id, targetName, ...packet });
  return comm;
}

/**
 * Lets the front end open comms to this target: `opened` is called with each, and with the message that opened it. A
 * second registration of a name replaces the first; disposing the result ends its own. Throws outside a notebook.
 */
export function registerCommTarget(
  targetName: string,
  opened: (comm: Comm, message: CommMessage) => unknown,
): Disposable {
  const notebook = notebookFor("registerCommTarget", targetName);
  if (typeof opened !== "function")
    throw new TypeError(`registerCommTarget takes a name and a function, got ${typeof opened} as the function`);
  const handle = notebook.handler(opened);
  return notebook.setCommTarget(targetName, ({ buffers, commId, data, metadata }) =>
    handle(new Comm(notebook, commId, targetName), { data, metadata, buffers }),
  );
}

function notebookFor(caller: string, targetName: unknown): NotebookLink {
  if (typeof targetName !== "string" || targetName === "")
    throw new TypeError(`${caller} takes the target's name, got ${JSON.stringify(targetName) ?? String(targetName)}`);
  const notebook = currentNotebook();
  if (notebook === undefined) throw new Error(`${caller} works in a notebook only: there is no front end to speak to`);
  return notebook;
}

function packed(data: unknown, extras: CommExtras): CommMessage {
  const { buffers = [], metadata = {} } = extras;
  return { data: toJson(data), metadata: toJson(metadata) as Record<string, unknown>, buffers: buffers.map(toBytes) };
}

function toBytes(buffer: ArrayBuffer | ArrayBufferView): Uint8Array {
  if (buffer instanceof ArrayBuffer) return new Uint8Array(buffer.slice(0));
  if (ArrayBuffer.isView(buffer))
    return Uint8Array.from(new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength));
  throw new TypeError(`buffers of a comm message are ArrayBuffers or views on them, got ${typeof buffer}`);
}
