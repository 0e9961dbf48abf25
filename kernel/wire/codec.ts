/** Frames ↔ messages, signed with HMAC. Everything that does not fit is refused with a `WireError` and never executed. */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { Channel, Header, Message } from "./message.ts";

const DELIMITER = Buffer.from("<IDS|MSG>");
/** Signatures remembered to refuse replays. */
const REMEMBERED = 20_000;

/** A message from outside that is damaged, forged or repeated. */
export class WireError extends Error {}

export class Codec {
  readonly #key: string;
  readonly #seen = new Set<string>();

  /** An empty key turns signing off, as the protocol says. Only hmac-sha256 is known. */
  constructor(key: string, scheme = "hmac-sha256") {
    if (scheme !== "hmac-sha256")
      throw new WireError(`signature scheme ${JSON.stringify(scheme)} is not supported, only hmac-sha256`);
    this.#key = key;
  }

  #sign(parts: readonly Uint8Array[]): string {
    if (this.#key === "") return "";
    const hmac = createHmac("sha256", this.#key);
    for (const part of parts) hmac.update(part);
    return hmac.digest("hex");
  }

  encode({ buffers, content, header, identities, metadata, parentHeader }: Message): Uint8Array[] {
    const parts = [header, parentHeader, metadata, content].map((part) => Buffer.from(JSON.stringify(part)));
    return [...identities, DELIMITER, Buffer.from(this.#sign(parts)), ...parts, ...buffers];
  }

  /** Checks and parses what came in on a channel. Throws `WireError`. */
  decode(channel: Channel, frames: readonly Uint8Array[]): Message {
    const at = frames.findIndex((frame) => DELIMITER.equals(frame));
    if (at < 0) throw new WireError("no delimiter");
    const [signature, ...rest] = frames.slice(at + 1);
    const parts = rest.slice(0, 4);
    if (signature === undefined || parts.length < 4) throw new WireError("truncated");
    this.#verify(Buffer.from(signature).toString(), parts);
    const [header, parentHeader, metadata, content] = parts.map(parseObject);
    return {
      channel,
      identities: frames.slice(0, at),
      header: checkHeader(header!),
      parentHeader: parentHeader as unknown as Header,
      metadata: metadata!,
      content: content!,
      buffers: rest.slice(4),
    };
  }

  #verify(signature: string, parts: readonly Uint8Array[]): void {
    if (this.#key === "") return;
    const expected = Buffer.from(this.#sign(parts));
    const given = Buffer.from(signature);
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) throw new WireError("wrong signature");
    if (this.#seen.has(signature)) throw new WireError("repeated message");
    this.#seen.add(signature);
    if (this.#seen.size > REMEMBERED) this.#seen.delete(this.#seen.values().next().value!);
  }
}

function parseObject(part: Uint8Array): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(part).toString());
  } catch {
    throw new WireError("a part is not JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new WireError("a part is not an object");
  return value as Record<string, unknown>;
}

function checkHeader(header: Record<string, unknown>): Header {
  for (const field of ["msg_id", "msg_type"]) {
    if (typeof header[field] !== "string") throw new WireError(`the header's ${field} is not a text`);
  }
  for (const field of ["session", "username", "date", "version"]) {
    if (typeof (header[field] ?? "") !== "string") throw new WireError(`the header's ${field} is not a text`);
  }
  // All else in it stays, for it goes back as the parent header.
  return header as unknown as Header;
}
