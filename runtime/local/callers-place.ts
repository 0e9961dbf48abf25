/** The caller is behind the frames of the runtime. */
const DEPTH = 16;

const runtimeFolder = new URL("..", import.meta.url).href;
const framePattern = /\(?([^\s()]+:\d+:\d+)\)?$/;

/** Where in the user's code the call stands that is being made: `cell-3.ts:12:7`, or a file's URL with line and column. */
export function callersPlace(): string | undefined {
  const limit = Error.stackTraceLimit;
  const holder: { stack?: unknown } = {};
  try {
    Error.stackTraceLimit = DEPTH;
    Error.captureStackTrace(holder, callersPlace);
    // A program may have its own way of writing stacks.
    if (typeof holder.stack !== "string") return undefined;
    for (const line of holder.stack.split("\n").slice(1)) {
      const place = framePattern.exec(line)?.[1];
      if (place !== undefined && !place.startsWith("node:") && !place.startsWith(runtimeFolder)) return place;
    }
  } catch {
    // … and it may throw.
  } finally {
    Error.stackTraceLimit = limit;
  }
  return undefined;
}
