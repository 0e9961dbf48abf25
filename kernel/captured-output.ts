import type { Evaluated, FromSession, MimeBundle } from "./session/protocol.ts";

/** What a cell with `%%capture` shows, kept instead of published. */
export class CapturedOutput {
  stdout = "";
  stderr = "";
  /** MIME bundles of what was displayed, the cell's value last. */
  outputs: MimeBundle[] = [];

  /** Keeps a message of the session; false where it is not something that is shown. */
  take(message: Exclude<FromSession, Evaluated>): boolean {
    switch (message.type) {
      case "stream":
        this[message.name] += message.text;
        return true;
      case "display":
        this.outputs.push(message.data);
        return true;
      case "clearOutput":
        this.stdout = "";
        this.stderr = "";
        this.outputs = [];
        return true;
      default:
        return false;
    }
  }
}
