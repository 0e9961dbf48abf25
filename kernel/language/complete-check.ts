import type { OxcError } from "oxc-parser";
import type { IsComplete } from "./engine.ts";
import { parseText } from "./parse.ts";

const INDENT = "  ";

/** Whether a cell can run as it stands, needs more lines, or is wrong whatever follows; Jupyter's `is_complete_request`. `written`: the cell with its line commands. */
export function isComplete(source: string, written = source): IsComplete {
  const error = firstError(source);
  if (error === undefined) return { status: "complete", indent: "" };
  return endsEarly(error, source)
    ? { status: "incomplete", indent: nextIndent(written) }
    : { status: "invalid", indent: "" };
}

function firstError(source: string): OxcError | undefined {
  const { errors } = parseText(source);
  if (errors.length === 0 || !/^\s*\{/.test(source)) return errors[0];
  // `{a: 1, b: 2}` is an object; an object that only lacks its end counts as begun, too.
  if (parseText(`(${source})`).errors.length === 0) return undefined;
  return endsEarly(errors[0], source) ? errors[0] : parseText(`(${source}`).errors.map(unshift)[0];
}

function unshift(error: OxcError): OxcError {
  return { ...error, labels: error.labels.map((label) => ({ ...label, start: label.start - 1, end: label.end - 1 })) };
}

/** Whether the parser stopped because the text ended, inside something that may go on on the next line. */
function endsEarly(error: OxcError | undefined, source: string): boolean {
  if (error === undefined) return false;
  if (/^Unterminated (template|multi)/.test(error.message)) return true;
  const at = error.labels[0]?.start ?? 0;
  if (/^Unterminated string/.test(error.message)) return source[at] === "`" || source.endsWith("\\");
  if (/\?\.\s*$/.test(source)) return true;
  // Words that are complete as names for the parser, and beginnings for everybody else.
  if (/(^|[;{}\s])(let|interface)\s*$/.test(source)) return true;
  return error.labels.some((label) => label.start >= source.trimEnd().length);
}

/** The last line's indentation, one step deeper after an open bracket or arrow. */
function nextIndent(source: string): string {
  const last = source.trimEnd().split("\n").at(-1) ?? "";
  const own = /^\s*/.exec(last)?.[0] ?? "";
  return /[{([]$|=>$|:$/.test(last.replace(/\s*\/\/.*$/, "")) ? own + INDENT : own;
}
