/** Errors as a notebook shows them: the cell, the line, the column, the source with a caret; nothing of the kernel. */
import type { CellSource, CompiledCell, Diagnostic } from "./language/engine.ts";
import { inUserNames } from "./language/user-names.ts";
import type { CellError } from "./session/protocol.ts";

/** What the messages `error` and `execute_reply` carry. */
export interface ErrorContent {
  ename: string;
  evalue: string;
  traceback: string[];
}

/** A cell that ran: its source and how to find a place of its script in it. */
export interface RunCell {
  source: string;
  compiled: CompiledCell;
}

const RED = "\u001b[31m";
const DIM = "\u001b[2m";
const RESET = "\u001b[0m";

/** What stands before the place, the opening parenthesis with it, and the place: cell, line, column. */
const framePattern = /^(\s+at .*?\(?)(?:[a-z]+:\/\/)?cell-([^\s:()]+)\.ts:(\d+):(\d+)(\)?)$/;

const placePattern = /(?:\b[a-z]+:\/\/)?\bcell-([\w-]+)\.ts:(\d+):(\d+)/g;
/** What the compiler makes of a loop is a function; the next frame is its call. */
const loopFrames = /^(\s+at )__heddle_loop__ \((.*)\)\n.*$/gm;

/** What a cell prints or shows, with names and places as in the user's source: an error that it caught has those of the script. */
export function inUserTerms(text: string, cells: ReadonlyMap<string, RunCell>): string {
  if (!text.includes("cell-") && !text.includes("__heddle_")) return text;
  return inUserNames(text.replaceAll(loopFrames, "$1$2")).replaceAll(placePattern, (whole, cell, line, column) => {
    const run = cells.get(cell);
    if (run === undefined) return whole;
    const place = run.compiled.originalPosition(Number(line), Number(column));
    return `Cell In[${cell}]${place === undefined ? "" : `, line ${place.line}, column ${place.column}`}`;
  });
}

/** The error of a cell, with positions of the user's source. */
export function showError(error: CellError, cells: ReadonlyMap<string, RunCell>): ErrorContent {
  const traceback = [`${RED}${headOf(error)}${RESET}`, ...frames(error, cells)];
  for (let [outer, cause] = [error, error.cause]; cause !== undefined; [outer, cause] = [cause, cause.cause]) {
    // A task's error has as its cause the error that its function threw: the same one again.
    if (headOf(cause) === headOf(outer)) continue;
    traceback.push(`Caused by ${RED}${headOf(cause)}${RESET}`, ...frames(cause, cells));
  }
  for (const one of error.errors ?? []) traceback.push(`  ${headOf(one)}`);
  return { ename: error.name, evalue: error.message, traceback };
}

const headOf = ({ message, name }: CellError): string => (message === "" ? name : `${name}: ${message}`);

function frames({ message, stack }: CellError, cells: ReadonlyMap<string, RunCell>): string[] {
  if (stack === undefined) return [];
  const text = message !== "" && stack.includes(message) ? stack.slice(stack.indexOf(message) + message.length) : stack;
  const lines: string[] = [];
  let pictured = false;
  for (const line of text.split("\n")) {
    if (!/^\s+(at|in task|needed by task) /.test(line) || /\(?node:[\w/]+:\d+:\d+\)?$/.test(line)) continue;
    const match = framePattern.exec(line);
    if (match === null) {
      lines.push(line);
      continue;
    }
    const [, before, cell, , , after] = match;
    const place = locate(match, cells);
    const position = place === undefined ? "" : `, line ${place.line}, column ${place.column}`;
    lines.push(`${before}Cell In[${cell}]${position}${after}`);
    if (place === undefined || pictured) continue;
    lines.push(...picture(place.source, place.line, place.column));
    pictured = true;
  }
  return lines;
}

interface Place {
  cell: string;
  line: number;
  column: number;
  source: string;
}

function locate(match: RegExpExecArray, cells: ReadonlyMap<string, RunCell>): Place | undefined {
  const [, , cell, line, column] = match;
  const run = cells.get(cell!);
  const position = run?.compiled.originalPosition(Number(line), Number(column));
  return run === undefined || position === undefined ? undefined : { cell: cell!, source: run.source, ...position };
}

/** The line with its neighbours above, and a caret under the column. */
function picture(source: string, line: number, column: number): string[] {
  const lines = source.split("\n");
  const text = lines[line - 1];
  if (text === undefined) return [];
  const width = String(line).length;
  const from = column > mostColumns ? column - mostColumns / 2 : 0;
  const shown = [line - 1, line]
    .filter((one) => one >= 1)
    .map((one) => `  ${one === line ? "→" : " "} ${String(one).padStart(width)} │ ${part(lines[one - 1]!, from)}`);
  // A tab stays one, so that the caret is under its column however wide tabs are.
  const indent = part(text, from)
    .slice(0, Math.max(0, column - 1 - from))
    .replaceAll(/[^\t]/g, " ")
    .padEnd(column - 1 - from);
  return [
    ...shown.map((one, index) => (index === shown.length - 1 ? one : `${DIM}${one}${RESET}`)),
    `    ${" ".repeat(width)} │ ${indent}${RED}^${RESET}`,
  ];
}

/** Of a line longer than this a part is shown. */
const mostColumns = 200;

function part(line: string, from: number): string {
  const shown = line.slice(from, from + mostColumns);
  return from + mostColumns < line.length ? `${shown}…` : shown;
}

/** So many errors of a cell are shown with their lines; all are counted. */
const mostDiagnostics = 50;

/** What stopped a cell before it ran: type errors, or a syntax error. */
export function showDiagnostics(
  ename: string,
  { cell, source }: CellSource,
  diagnostics: readonly Pick<Diagnostic, "message" | "start" | "end" | "code">[],
): ErrorContent {
  // Finding the place of one takes as long as the cell is large.
  const traceback = diagnostics.slice(0, mostDiagnostics).flatMap(({ code, message, start }) => {
    const before = source.slice(0, start).split("\n");
    const line = before.length;
    const column = before.at(-1)!.length + 1;
    const number = code === undefined ? "" : `TS${code}: `;
    return [
      `${RED}${ename}${RESET}: Cell In[${cell}], line ${line}, column ${column}`,
      ...picture(source, line, column),
      `${number}${message}`,
    ];
  });
  if (diagnostics.length > mostDiagnostics)
    traceback.push(`… and ${diagnostics.length - mostDiagnostics} more errors in this cell`);
  const [first] = diagnostics;
  const more = diagnostics.length > 1 ? ` (and ${diagnostics.length - 1} more)` : "";
  return { ename, evalue: `${first?.message ?? ""}${more}`, traceback };
}
