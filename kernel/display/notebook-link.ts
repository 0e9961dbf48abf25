/** The seam between `heddle/notebook` and the session whose cells use it; outside a notebook there is none. */
import type { MimeBundle } from "./mime-bundle.ts";

/** What the session does for the notebook API. All output goes to the cell whose code is running. */
export interface NotebookLink {
  /** Whether Plotly figures are sent as such. */
  readonly plotlyMime: boolean;
  display(output: { data: MimeBundle; metadata: Record<string, unknown>; displayId?: string; update: boolean }): void;
  clearOutput(wait: boolean): void;
  /** Rejects where the front end cannot ask. */
  input(prompt: string, password: boolean): Promise<string>;
  configure(options: SessionOptions): void;
  sendComm(packet: CommPacket): void;
  /** Who takes the messages of an open comm. */
  attachComm(commId: string, receive: ((packet: CommPacket) => void) | undefined): void;
  /** Who takes the comms that the front end opens to a target, until disposed or replaced. */
  setCommTarget(name: string, opened: (packet: CommPacket) => void): Disposable;
  /** The function, run under the cell that runs now whenever it is called; what it throws is shown there. */
  handler<A extends unknown[]>(body: (...args: A) => unknown): (...args: A) => void;
}

/** A message on a comm, either way. */
export interface CommPacket {
  kind: "open" | "msg" | "close";
  commId: string;
  /** Where it is to be opened; with `open` only. */
  targetName?: string;
  data: unknown;
  metadata: Record<string, unknown>;
  buffers: Uint8Array[];
}

let attached: NotebookLink | undefined;

export function attachNotebook(link: NotebookLink): void {
  attached = link;
}

/** The session, if the program runs in one. */
export function currentNotebook(): NotebookLink | undefined {
  return attached;
}

/** What `configure()` in a cell sets. */
export interface SessionOptions {
  timeline?: "auto" | "off";
  check?: "error" | "warn" | "off";
  plotlyMime?: boolean;
}
