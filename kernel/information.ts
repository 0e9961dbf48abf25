/** Requests that ask and change nothing. */
import { createRequire } from "node:module";
import type { CellRunner } from "./cell-runner.ts";
import type { History } from "./history.ts";
import { isComplete } from "./language/complete-check.ts";
import { isTooLong } from "./language/excess.ts";
import { completeCommand, inspectCommand, readCommands } from "./language/line-commands.ts";
import { CellSyntaxError } from "./language/parse.ts";
import { Fields, RequestError, toOffset, toPoints } from "./requests.ts";
import { version } from "./version.ts";
import { type Message, PROTOCOL_VERSION } from "./wire/message.ts";

const { version: typescriptVersion } = createRequire(import.meta.url)("typescript/package.json") as { version: string };

/** The answer to kernel_info_request; its `language_info` is also what a notebook's metadata says. */
export const kernelInfo = {
  status: "ok",
  protocol_version: PROTOCOL_VERSION,
  implementation: "heddle",
  implementation_version: version,
  language_info: {
    name: "typescript",
    version: typescriptVersion,
    mimetype: "text/typescript",
    file_extension: ".ts",
    pygments_lexer: "typescript",
    codemirror_mode: "typescript",
    nbconvert_exporter: "script",
  },
  banner: `heddle ${version}: TypeScript ${typescriptVersion} with tasks, on Node ${process.versions.node}`,
  debugger: true,
  supported_features: ["debugger"],
  help_links: [],
};

type Content = Record<string, unknown>;
type Answer = (fields: Fields, runner: CellRunner, history: History) => Content | Promise<Content>;

const answers = {
  kernel_info_request: () => kernelInfo,
  is_complete_request: (fields, runner) => {
    const code = codeOf(fields);
    const { indent, status } = isComplete(typescriptOf(code, runner), code);
    return status === "incomplete" ? { status, indent } : { status };
  },
  complete_request: complete,
  inspect_request: inspect,
  comm_info_request: (fields, runner) => {
    const target = fields.text("target_name", "");
    return { status: "ok", comms: runner.comms.list(target === "" ? undefined : target) };
  },
  history_request: (fields, _runner, history) => ({ status: "ok", history: readHistory(fields, history) }),
} satisfies Record<string, Answer>;

export const informationRequests: string[] = Object.keys(answers);

/** The content of the reply to one of these requests. */
export async function answerInformation(request: Message, runner: CellRunner, history: History): Promise<Content> {
  const answer: Answer = answers[request.header.msg_type as keyof typeof answers];
  return answer(new Fields(request), runner, history);
}

/** The cell without its line commands; as it is where they are not in order. */
function typescriptOf(code: string, { names }: CellRunner): string {
  try {
    return readCommands(code, names)?.source ?? code;
  } catch (error) {
    if (error instanceof CellSyntaxError) return code;
    throw error;
  }
}

/** What is asked about; something far too long would keep everybody else waiting. */
function codeOf(fields: Fields): string {
  const code = fields.text("code");
  if (isTooLong(code)) throw new RequestError("the code is longer than a cell may be");
  return code;
}

async function complete(fields: Fields, runner: CellRunner): Promise<Content> {
  const code = codeOf(fields);
  const offset = toOffset(code, fields.integer("cursor_pos", code.length));
  const list =
    completeCommand(code, offset, runner.names) ?? (await runner.engine.complete(typescriptOf(code, runner), offset));
  const start = toPoints(code, list.start);
  const end = toPoints(code, list.end);
  const typed = list.items.map(({ detail: signature, kind: type, text }) => ({
    start,
    end,
    text,
    type,
    ...(signature !== undefined && { signature }),
  }));
  return {
    status: "ok",
    matches: list.items.map(({ text }) => text),
    cursor_start: start,
    cursor_end: end,
    metadata: { _jupyter_types_experimental: typed },
  };
}

async function inspect(fields: Fields, runner: CellRunner): Promise<Content> {
  const code = codeOf(fields);
  const offset = toOffset(code, fields.integer("cursor_pos", code.length));
  const detail = fields.integer("detail_level", 0) === 0 ? 0 : 1;
  const help = inspectCommand(code, offset, runner.names);
  const found =
    help === undefined
      ? await runner.engine.inspect(typescriptOf(code, runner), offset, detail)
      : { text: help, markdown: help };
  const data = found && { "text/plain": found.text, "text/markdown": found.markdown };
  return { status: "ok", found: found !== undefined, data: data ?? {}, metadata: {} };
}

/** Entries as triples of session, line and source, or with `output` a pair of source and output. */
function readHistory(fields: Fields, history: History): unknown[] {
  const withOutput = fields.flag("output", false);
  return findEntries(fields, history).map(({ line, output = null, session, source }) => [
    session,
    line,
    withOutput ? [source, output] : source,
  ]);
}

function findEntries(fields: Fields, history: History): ReturnType<History["tail"]> {
  const access = fields.text("hist_access_type", "tail");
  switch (access) {
    case "range": {
      const stop = fields.integer("stop", Number.MAX_SAFE_INTEGER);
      return history.range(fields.integer("session", 0), fields.integer("start", 0), stop);
    }
    case "search":
      return history.search(fields.text("pattern", "*"), fields.integer("n", 0), fields.flag("unique", false));
    default:
      return history.tail(fields.integer("n", 10));
  }
}
