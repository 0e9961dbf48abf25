import { type OxcError, type ParseResult, type Program, parseSync } from "oxc-parser";
import { type Excess, findExcess } from "./excess.ts";

/** A cell that is no TypeScript program; `start` and `end` are offsets in the cell's source. */
export class CellSyntaxError extends SyntaxError {
  readonly start: number;
  readonly end: number;

  constructor(message: string, start: number, end: number) {
    super(message);
    this.name = "SyntaxError";
    this.start = start;
    this.end = end;
  }
}

export interface ParsedCell {
  /** What was parsed: the cell's source, in parentheses when the cell is an object literal. */
  text: string;
  /** How many characters `text` has before the source's first one. */
  shift: 0 | 1;
  program: Program;
}

/** Parses a cell; a cell that is an object literal (`{a: 1}`) is taken as one, not as a block. Throws `CellSyntaxError`. */
export function parseCell(source: string): ParsedCell {
  const object = parseObjectLiteral(source);
  if (object !== undefined) return object;
  const result = parseText(source);
  const error = result.errors.find((candidate) => candidate.severity === "Error");
  if (error !== undefined) throw toSyntaxError(error, source);
  return { text: source, shift: 0, program: result.program };
}

/** The texts that were parsed last: a cell is checked, compiled, committed, and asked about, always the same one. */
const latest = new Map<string, ParseResult>();
const kept = 3;

/**
 * What the parser says of a text, errors included. Cells are modules with await at top level. The result may be given
 * again for the same text: it is not to be changed.
 */
export function parseText(text: string): ParseResult {
  const known = latest.get(text);
  if (known !== undefined) return known;
  const excess = findExcess(text);
  const result = excess === undefined ? parseModule(text) : refuse(excess);
  latest.set(text, result);
  for (const oldest of latest.keys()) if (latest.size > kept) latest.delete(oldest);
  return result;
}

function parseModule(text: string): ParseResult {
  return parseSync("cell.ts", text, { lang: "ts", sourceType: "module", showSemanticErrors: true });
}

function refuse({ at, message }: Excess): ParseResult {
  const { comments, module, program } = parseModule("");
  const labels = [{ message: null, start: at, end: at + 1 }];
  const severity = "Error" as OxcError["severity"];
  return { comments, module, program, errors: [{ severity, message, labels, helpMessage: null, codeframe: null }] };
}

/** Whether the first thing in a program is an opening brace. */
function startsWithBrace(source: string): boolean {
  const trivia = /\s+|\/\/[^\n]*|\/\*/y;
  for (let at = 0; ; ) {
    trivia.lastIndex = at;
    const found = trivia.exec(source)?.[0];
    if (found === undefined) return source[at] === "{";
    const end = found === "/*" ? source.indexOf("*/", at + 2) + 2 : trivia.lastIndex;
    if (end < at) return false;
    at = end;
  }
}

function parseObjectLiteral(source: string): ParsedCell | undefined {
  if (!startsWithBrace(source)) return undefined;
  const text = `(${source}\n)`;
  const { program, errors } = parseText(text);
  if (errors.length > 0 || program.body.length !== 1) return undefined;
  const statement = program.body[0];
  if (statement?.type !== "ExpressionStatement" || statement.expression.type !== "ParenthesizedExpression")
    return undefined;
  return statement.expression.expression.type === "ObjectExpression" ? { text, shift: 1, program } : undefined;
}

function toSyntaxError(error: OxcError, source: string): CellSyntaxError {
  // For a second declaration of a name the last label is the one to look at, else the first.
  const label = /already been declared/.test(error.message) ? error.labels.at(-1) : error.labels[0];
  const start = Math.min(label?.start ?? 0, source.length);
  const end = Math.min(Math.max(label?.end ?? start, start), source.length);
  const help = error.helpMessage === null ? "" : ` (${error.helpMessage})`;
  return new CellSyntaxError(error.message.replaceAll("`", "'") + help, start, end);
}
