import { inspect } from "node:util";
import { inUserNames } from "../language/user-names.ts";
import { withFilePositions } from "./file-positions.ts";
import type { CellError } from "./protocol.ts";

const deepestCause = 8;
const mostErrors = 20;
const ownFolder = new URL("../../", import.meta.url).href;
const ownPath = decodeURIComponent(new URL("../../", import.meta.url).pathname);

/** Anything that was thrown, as the kernel shows it. Never throws, whatever the value's getters do. */
export function describeError(thrown: unknown, depth = 0): CellError {
  try {
    if (!isErrorLike(thrown)) return { name: nameOfThrown(thrown), message: inspect(thrown, { depth: 2 }) };
    const message = inUserNames(String(thrown.message ?? ""));
    const error: CellError = { name: String(thrown.name ?? "Error"), message };
    const stack = stackOf(thrown);
    if (stack !== undefined) error.stack = withFilePositions(stripFrames(inUserNames(stack)));
    if (depth < deepestCause) {
      if (thrown.cause !== undefined) error.cause = describeError(thrown.cause, depth + 1);
      if (Array.isArray(thrown.errors))
        error.errors = thrown.errors.slice(0, mostErrors).map((inner) => describeError(inner, depth + 1));
    }
    return error;
  } catch {
    return { name: "Error", message: "an error that cannot be shown: reading it throws" };
  }
}

/** A user's `Error.prepareStackTrace` may throw, or give anything. */
function stackOf(error: { stack?: unknown }): string | undefined {
  try {
    return typeof error.stack === "string" ? error.stack : undefined;
  } catch {
    return undefined;
  }
}

/** What the compiler makes of a loop is a function: its frame is the cell's own, and the next one only its call. */
const loopFrames = /^(\s+at )__heddle_loop__ \((.*)\)\n.*$/gm;

/** The stack without the frames of heddle, of the inspector and of Node's inside. */
function stripFrames(stack: string): string {
  return stack
    .replaceAll(loopFrames, "$1$2")
    .split("\n")
    .filter((line) => !/^\s+at /.test(line) || !isInnerFrame(line))
    .join("\n");
}

function isInnerFrame(line: string): boolean {
  return (
    line.includes("node:internal/") ||
    line.includes("node:inspector") ||
    line.includes(`${ownFolder}kernel/`) ||
    line.includes(`${ownFolder}runtime/`) ||
    line.includes(`${ownPath}kernel/`) ||
    line.includes(`${ownPath}runtime/`) ||
    /^\s+at (async )?(new Promise )?\(<anonymous>\)$/.test(line)
  );
}

function isErrorLike(
  value: unknown,
): value is { name?: unknown; message?: unknown; stack?: unknown; cause?: unknown; errors?: unknown } {
  return (
    value instanceof Error || (typeof value === "object" && value !== null && "stack" in value && "message" in value)
  );
}

function nameOfThrown(value: unknown): string {
  if (value === null) return "null";
  if (typeof value !== "object") return typeof value;
  return value.constructor?.name ?? "object";
}
