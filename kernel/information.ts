/** Requests that ask and change nothing: kernel_info, is_complete, complete, inspect, comm_info, history. */
import type { CellRunner } from "./cell-runner.ts";
import type { History } from "./history.ts";
import { isComplete } from "./language/complete-check.ts";
import { version } from "./version.ts";
import { type Message, PROTOCOL_VERSION, type Sent } from "./wire/message.ts";

export const informationRequests = ["is_complete_request", "complete_request", "inspect_request", "comm_info_request", "history_request"] as const;

const languageInfo = {
  name: "typescript",
  version: "7.0",
  mimetype: "text/typescript",
  file_extension: ".ts",
  pygments_lexer: "typescript",
  codemirror_mode: { name: "javascript", typescript: true },
  nbconvert_exporter: "script",
};

/** The answer to kernel_info_request, and what `language_info` of a notebook is. */
export const kernelInfo = {
  status: "ok",
  protocol_version: PROTOCOL_VERSION,
  implementation: "heddle",
  implementation_version: version,
  language_info: languageInfo,
  banner: "TypeScript with tasks (heddle)",
  debugger: false,
  help_links: [],
  supported_features: ["iopub_welcome"],
};

interface Answer {
  reply: keyof Sent;
  content: object;
}

/** Answers one of the requests above. */
export async function answerInformation(request: Message, runner: CellRunner, history: History): Promise<Answer> {
  const { content } = request;
  switch (request.header.msg_type) {
    case "is_complete_request": {
      const { indent, status } = isComplete(textOf(content, "code"));
      return { reply: "is_complete_reply", content: status === "incomplete" ? { status, indent } : { status } };
    }
    case "complete_request":
      return { reply: "complete_reply", content: await complete(content, runner) };
    case "inspect_request":
      return { reply: "inspect_reply", content: await inspect(content, runner) };
    case "comm_info_request":
      return { reply: "comm_info_reply", content: { status: "ok", comms: runner.comms(content["target_name"]) } };
    default:
      return { reply: "history_reply", content: { status: "ok", history: readHistory(content, history) } };
  }
}

function textOf(content: Record<string, unknown>, field: string): string {
  const value = content[field];
  if (typeof value !== "string") throw new TypeError(`${field} must be a text, not ${typeof value}`);
  return value;
}

/** Jupyter counts code points, JavaScript UTF-16 units. */
function offsetOf(code: string, cursor: unknown): number {
  if (typeof cursor !== "number") return code.length;
  return [...code].slice(0, cursor).join("").length;
}

const cursorOf = (code: string, offset: number): number => [...code.slice(0, offset)].length;

async function complete(content: Record<string, unknown>, runner: CellRunner): Promise<object> {
  const code = textOf(content, "code");
  const { end, items, start } = await runner.engine.complete(code, offsetOf(code, content["cursor_pos"]));
  const [cursorStart, cursorEnd] = [cursorOf(code, start), cursorOf(code, end)];
  return {
    status: "ok",
    matches: items.map((item) => item.text),
    cursor_start: cursorStart,
    cursor_end: cursorEnd,
    metadata: {
      _jupyter_types_experimental: items.map((item) => ({ start: cursorStart, end: cursorEnd, text: item.text, type: item.kind, ...(item.detail === undefined ? {} : { signature: item.detail }) })),
    },
  };
}

async function inspect(content: Record<string, unknown>, runner: CellRunner): Promise<object> {
  const code = textOf(content, "code");
  const found = await runner.engine.inspect(code, offsetOf(code, content["cursor_pos"]), content["detail_level"] === 1 ? 1 : 0);
  if (found === undefined) return { status: "ok", found: false, data: {}, metadata: {} };
  return { status: "ok", found: true, data: { "text/markdown": found.markdown, "text/plain": found.text }, metadata: {} };
}

function readHistory(content: Record<string, unknown>, history: History): unknown[] {
  const number = (field: string, otherwise: number): number => (typeof content[field] === "number" ? (content[field] as number) : otherwise);
  const output = content["output"] === true;
  const access = content["hist_access_type"];
  const entries =
    access === "range"
      ? history.range(number("session", 0), number("start", 0), number("stop", Number.POSITIVE_INFINITY))
      : access === "search"
        ? history.search(typeof content["pattern"] === "string" ? content["pattern"] : "*", number("n", 0), content["unique"] === true)
        : history.tail(number("n", 10));
  return entries.map(({ line, session, source }) => [session, line, output ? [source, null] : source]);
}
