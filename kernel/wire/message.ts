/**
 * Messages of Jupyter's messaging protocol 5.4, as this kernel sees them: parsed, typed, and derived from each other, so
 * that a reply's parent cannot be wrong.
 */
import { randomUUID } from "node:crypto";

export const PROTOCOL_VERSION = "5.4";

export type Channel = "shell" | "control" | "stdin" | "iopub";

export interface Header {
  msg_id: string;
  session: string;
  username: string;
  date: string;
  msg_type: string;
  version: string;
}

export interface Message<T = Record<string, unknown>> {
  channel: Channel;
  /** Routing frames of the client; empty on iopub. */
  identities: Uint8Array[];
  header: Header;
  parentHeader: Header | Record<string, never>;
  metadata: Record<string, unknown>;
  content: T;
  buffers: Uint8Array[];
}

/** Content of each message that the kernel sends, by type. */
export interface Sent {
  kernel_info_reply: object;
  execute_reply: object;
  execute_input: { code: string; execution_count: number };
  execute_result: { execution_count: number; data: object; metadata: object };
  display_data: { data: object; metadata: object; transient: object };
  update_display_data: { data: object; metadata: object; transient: object };
  clear_output: { wait: boolean };
  stream: { name: "stdout" | "stderr"; text: string };
  error: { ename: string; evalue: string; traceback: string[] };
  status: { execution_state: "busy" | "idle" | "starting" };
  is_complete_reply: { status: "complete" | "incomplete" | "invalid"; indent?: string };
  complete_reply: object;
  inspect_reply: object;
  comm_info_reply: object;
  history_reply: object;
  interrupt_reply: object;
  debug_reply: object;
  debug_event: object;
  shutdown_reply: object;
  create_subshell_reply: object;
  delete_subshell_reply: object;
  list_subshell_reply: object;
  iopub_welcome: { subscription: string };
  input_request: { prompt: string; password: boolean };
  comm_open: { comm_id: string; target_name: string; data: unknown };
  comm_msg: { comm_id: string; data: unknown };
  comm_close: { comm_id: string; data: unknown };
}

/** This kernel's own session id, the same in all its messages. */
const ownSession = randomUUID();

function newHeader(type: string): Header {
  return {
    msg_id: randomUUID(),
    session: ownSession,
    username: "heddle",
    date: new Date().toISOString(),
    msg_type: type,
    version: PROTOCOL_VERSION,
  };
}

/** The reply to a request, on the request's channel and to its sender. */
export function replyTo<K extends keyof Sent>(
  request: Message,
  type: K,
  content: Sent[K],
  metadata: Record<string, unknown> = {},
): Message {
  const { channel, header, identities } = request;
  return {
    channel,
    identities,
    header: newHeader(type),
    parentHeader: header,
    metadata,
    content: content as Record<string, unknown>,
    buffers: [],
  };
}

/** A message to all clients, caused by `parent`. */
export function publishFor<K extends keyof Sent>(
  parent: Message | undefined,
  type: K,
  content: Sent[K],
  buffers: Uint8Array[] = [],
  metadata: Record<string, unknown> = {},
): Message {
  return {
    channel: "iopub",
    identities: [],
    header: newHeader(type),
    parentHeader: parent?.header ?? {},
    metadata,
    content: content as Record<string, unknown>,
    buffers,
  };
}

/** A question to the client that sent `parent`. */
export function askClient(parent: Message, content: Sent["input_request"]): Message {
  return {
    channel: "stdin",
    identities: parent.identities,
    header: newHeader("input_request"),
    parentHeader: parent.header,
    metadata: {},
    content: { ...content },
    buffers: [],
  };
}

/** What a new subscriber of iopub is told (JEP 65); nothing caused it. */
export function welcome(topic: string): Message {
  return publishFor(undefined, "iopub_welcome", { subscription: topic });
}
