/** Comms as the kernel process sees them: which are open, which targets cells have registered, what is being handled. */
import { Fields } from "./requests.ts";
import type { CommPacket, FromSession } from "./session/protocol.ts";
import type { Message, Sent } from "./wire/message.ts";

type CommNews = Extract<FromSession, { type: "comm" | "commTarget" | "commHandled" }>;

export interface CommsOptions {
  publish<K extends "comm_open" | "comm_msg" | "comm_close">(
    parent: Message | undefined,
    type: K,
    content: Sent[K],
    buffers?: Uint8Array[],
    metadata?: Record<string, unknown>,
  ): void;
  /** Passes a message on to the cells; the session's `commHandled` answers it. */
  send(id: number, packet: CommPacket): void;
}

export class Comms {
  readonly #options: CommsOptions;
  /** Comm → its target. */
  readonly #open = new Map<string, string>();
  readonly #targets = new Set<string>();
  readonly #handling = new Map<number, () => void>();
  #lastId = 0;

  constructor(options: CommsOptions) {
    this.#options = options;
  }

  /** Whether somebody in the session takes this message of the client. */
  isKnown({ content, header }: Message): boolean {
    return header.msg_type === "comm_open"
      ? this.#targets.has(String(content.target_name))
      : this.#open.has(String(content.comm_id));
  }

  /** Takes a message of the client; resolves when the handlers of the cells have returned. */
  async take(kind: CommPacket["kind"], request: Message): Promise<void> {
    const { buffers, content, metadata } = request;
    const fields = new Fields(request);
    const commId = fields.text("comm_id");
    const targetName = kind === "open" ? fields.text("target_name") : this.#open.get(commId);
    if (targetName === undefined) {
      console.error(`heddle kernel: ${request.header.msg_type}: no comm ${JSON.stringify(commId)} is open`);
      return;
    }
    if (kind === "open" && !this.#targets.has(targetName)) {
      this.#options.publish(request, "comm_close", { comm_id: commId, data: {} });
      return;
    }
    if (kind === "open") this.#open.set(commId, targetName);
    if (kind === "close") this.#open.delete(commId);
    const id = ++this.#lastId;
    const handled = new Promise<void>((resolve) => this.#handling.set(id, resolve));
    this.#options.send(id, { kind, commId, targetName, data: content.data ?? {}, metadata, buffers });
    await handled;
    this.#handling.delete(id);
  }

  /** What the session says of comms; `parent` is the request of the cell that says it. */
  hear(news: CommNews, parent: Message | undefined): void {
    if (news.type === "commHandled") this.#handling.get(news.id)?.();
    else if (news.type === "commTarget") {
      if (news.registered) this.#targets.add(news.name);
      else this.#targets.delete(news.name);
    } else this.#publish(news, parent);
  }

  #publish({ buffers, commId, data, kind, metadata, targetName = "" }: CommPacket, parent: Message | undefined): void {
    const content = { comm_id: commId, data };
    if (kind === "open") this.#open.set(commId, targetName);
    if (kind === "close") this.#open.delete(commId);
    if (kind === "open")
      this.#options.publish(parent, "comm_open", { ...content, target_name: targetName }, buffers, metadata);
    else this.#options.publish(parent, `comm_${kind}`, content, buffers, metadata);
  }

  /** Open comms, of one target if given, as `comm_info_reply` lists them. */
  list(target: string | undefined): Record<string, { target_name: string }> {
    const open = [...this.#open].filter(([, name]) => target === undefined || name === target);
    return Object.fromEntries(open.map(([id, name]) => [id, { target_name: name }]));
  }

  /** What handlers were doing has been cut: nothing is waited for any longer. */
  handlersCut(): void {
    for (const done of this.#handling.values()) done();
  }

  /** The session is gone, and with it the other end of all comms. */
  sessionEnded(parent: Message | undefined): void {
    for (const commId of this.#open.keys()) this.#options.publish(parent, "comm_close", { comm_id: commId, data: {} });
    this.#open.clear();
    this.#targets.clear();
    this.handlersCut();
  }
}
