/**
 * Lines of a cell that are no TypeScript: `%install lodash`, `%time f()`, `!ls`, and `%%time` at a cell's start. They are
 * taken out, so that whatever understands TypeScript sees blanks in their place, and calls of the host object take
 * their place in what runs.
 */
import { type DeclarationKind, declaredNames } from "./declarations.ts";
import type { CompletionList } from "./engine.ts";
import { CellSyntaxError, parseText } from "./parse.ts";
import type { Node } from "./walk.ts";

/** Names of earlier cells, with what they are. */
export type Names = ReadonlyMap<string, DeclarationKind>;

/** A cell that has commands. */
export interface CommandCell {
  /** The cell as TypeScript: every character that is no command's is where it was. */
  source: string;
  /** The source with the calls in it that carry the commands out. */
  script: string;
  /** A position in `script` → the same place in `source`; both count from 1. */
  originalPosition(line: number, column: number): { line: number; column: number };
  /** `%reset`: the cell begins in a fresh session. */
  resets: boolean;
  /** `%%time`: how long the cell took is told. */
  isTimed: boolean;
  /** `%%capture`: nothing of the cell is shown; the variable that is to have it, if one is. */
  capture: { name: string | undefined } | undefined;
}

/** What each command does, as `%help` and inspection tell it. */
export const commandHelp: Readonly<Record<string, string>> = {
  "%install": "%install package… — installs packages from npm into the notebook's folder; later cells import them.",
  "%time": "%time statement — runs the statement and tells how long it took, a promise until it settles.",
  "%who": "%who — lists the names that the cells have declared, with their values.",
  "%reset": "%reset — starts a fresh session: all names, timers, tasks and actors are gone. First in its cell.",
  "%help": "%help — this list.",
  "%%time": "%%time — first line of a cell: tells how long the cell took.",
  "%%capture":
    "%%capture [name] — first line of a cell: shows nothing of it; a variable of that name gets { stdout, stderr, outputs }.",
  "!": "!command — runs the command in a shell, in the notebook's folder, and shows what it prints.",
};

interface Line {
  start: number;
  end: number;
  /** `%time`, `%%capture` or `!`. */
  name: string;
  argument: string;
}

interface Insertion {
  /** In the source. */
  at: number;
  text: string;
}

/** What may be a command: always at the very beginning of a line. After `!` a name, a path or an option of the shell. */
const candidate = /^(%%?[A-Za-z]\w*|!(?=[^\s!([{`'"\d=]))(.*)$/gm;
const candidateName = /^(?:%%?\w*|!(?=[^\s!([{`'"\d=]))/;

/**
 * The commands of a cell; undefined where it has none. A line that begins with `!` and a name is TypeScript, not a
 * command, where this or an earlier cell declares the name. Throws `CellSyntaxError` for a command that is not known,
 * wrongly placed or wrongly written.
 */
export function readCommands(source: string, names: Names): CommandCell | undefined {
  const { body, lines } = findCommands(source, names);
  return lines.length === 0 ? undefined : rewriteCell(source, lines, body, names);
}

/** The cell as a program outside of notebooks can have it: its commands are comments. Throws `CellSyntaxError`. */
export function commentCommands(source: string, names: Names): string {
  return findCommands(source, names).lines.reduceRight((text, { argument, end, name, start }) => {
    const [line, rest] = [text.slice(start, end), text.slice(end)];
    const isDeclaration = name === "%%capture" && argument !== "";
    const comment = isDeclaration ? `let ${argument}: any; // ${line}` : `// ${line}`;
    return text.slice(0, start) + (name === "%time" ? `/* %time */${line.slice(name.length)}` : comment) + rest;
  }, source);
}

/** Completions in a command's line: its name, and nothing after it; undefined where the cursor is in TypeScript. */
export function completeCommand(source: string, offset: number, names: Names): CompletionList | undefined {
  const line = commandAt(source, offset, names);
  if (line === undefined) return undefined;
  const { end, name, start } = line;
  const isName = offset <= end && name !== "!";
  // What `%time` times is TypeScript.
  if (!isName && name === "%time") return undefined;
  const fitting = isName ? Object.keys(commandHelp).filter((one) => one.startsWith(source.slice(start, offset))) : [];
  return {
    start: isName ? start : offset,
    end: isName ? end : offset,
    items: fitting.map((text) => ({ text, kind: "keyword" })),
  };
}

/** What the command does whose name the cursor is in. */
export function inspectCommand(source: string, offset: number, names: Names): string | undefined {
  const line = commandAt(source, offset, names);
  return line !== undefined && offset <= line.end ? commandHelp[line.name] : undefined;
}

/** The command in whose line the cursor is, finished or not. */
function commandAt(source: string, offset: number, names: Names): Omit<Line, "argument"> | undefined {
  const start = source.lastIndexOf("\n", offset - 1) + 1;
  const line = source.slice(start).split("\n", 1)[0] ?? "";
  const name = candidateName.exec(line)?.[0];
  if (name === undefined || offset < start + 1) return undefined;
  if (isTypeScript({ name, argument: line.slice(name.length) }, (word) => names.has(word) || word in globalThis))
    return undefined;
  return { name, start, end: start + name.length };
}

function findCommands(source: string, names: Names): { lines: Line[]; body: readonly Node[] } {
  const candidates = findCandidates(source);
  if (candidates.length === 0) return { lines: [], body: [] };
  const { comments, program } = parseText(candidates.reduce(blankCommand, source));
  const inCode = [...program.body, ...comments];
  const own = declaredNames(program);
  const lines = candidates.filter(
    (line) =>
      !inCode.some(({ end, start }) => start < line.start && line.start < end) &&
      !isTypeScript(line, (name) => own.has(name) || names.has(name) || name in globalThis) &&
      isCommand(line, source),
  );
  return { lines, body: program.body };
}

function findCandidates(source: string): Line[] {
  const lines: Line[] = [];
  for (const { 0: whole, 1: name = "", 2: rest = "", index: start } of source.matchAll(candidate))
    lines.push({ name, argument: rest.trim(), start, end: start + whole.length });
  return lines;
}

function blankCommand(source: string, line: Line): string {
  // What `%time` times is TypeScript; what `%%capture` names is a variable of the cell.
  const end = line.name === "%time" ? line.start + line.name.length : line.end;
  const text = line.name === "%%capture" && line.argument !== "" ? `let ${line.argument}:any` : "";
  return source.slice(0, line.start) + text.padEnd(end - line.start) + source.slice(end);
}

const literals = /^(?:true|false|null|undefined|this|new|await|async|function|class|typeof|void|delete|import|super)$/;

function isTypeScript({ argument, name }: Pick<Line, "argument" | "name">, isName: (name: string) => boolean): boolean {
  const word = name === "!" ? /^[\w$]+/.exec(argument)?.[0] : undefined;
  return word !== undefined && (literals.test(word) || isName(word));
}

/** `%` may stand at the start of a line as an operator, too; that of a known command is none. */
function isCommand(line: Line, source: string): boolean {
  if (Object.hasOwn(commandHelp, line.name)) return true;
  if (parseText(source).errors.length === 0) return false;
  throw mistake(line, `${line.name} is not a command; %help lists them`);
}

function rewriteCell(source: string, lines: Line[], body: readonly Node[], names: Names): CommandCell {
  const blank = lines.reduce(blankCommand, source);
  for (const line of lines) checkCommand(line, source, lines);
  const resets = lines.some(({ name }) => name === "%reset");
  const left: Names = resets ? new Map() : names;
  const insertions = lines.flatMap((line) => insertionsFor(line, body, left)).toSorted((a, b) => a.at - b.at);
  const capture = lines.find(({ name }) => name === "%%capture");
  return {
    source: blank,
    script: insert(blank, insertions),
    originalPosition: positionBefore(blank, insertions),
    resets,
    isTimed: lines.some(({ name }) => name === "%%time"),
    capture: capture && { name: capture.argument === "" ? undefined : capture.argument },
  };
}

function checkCommand(line: Line, source: string, lines: Line[]): void {
  const { argument, name, start } = line;
  const before = lines
    .filter((other) => other.start < start)
    .reduce(blankCommand, source)
    .slice(0, start);
  const isFirst = before.replaceAll(/\/\/.*|\/\*[\s\S]*?\*\/|let [\w$]+:any/g, "").trim() === "";
  if ((name.startsWith("%%") || name === "%reset") && !isFirst)
    throw mistake(line, `${name} must come before everything else in its cell`);
  if ((name === "%install" || name === "%time") && argument === "")
    throw mistake(line, `${name} needs ${name === "%time" ? "a statement to time" : "the names of packages"}`);
  if (/^%(who|reset|help|%time)$/.test(name) && argument !== "") throw mistake(line, `${name} takes no arguments`);
  if (name === "%%capture" && !/^$|^[A-Za-z_$][\w$]*$/.test(argument))
    throw mistake(line, "%%capture takes the name of a variable, or nothing");
}

function insertionsFor({ argument, end, name, start }: Line, body: readonly Node[], names: Names): Insertion[] {
  const call = (method: string, ...values: string[]): Insertion[] => [
    { at: start, text: `await __heddle__.commands.${method}(${values.join(", ")});` },
  ];
  switch (name) {
    case "!":
      return call("shell", JSON.stringify(argument));
    case "%install":
      return call("install", JSON.stringify(argument));
    case "%help":
      return call("help", JSON.stringify(Object.values(commandHelp)));
    case "%who":
      return call("who", `[${[...names].map(whoEntry).join(", ")}]`);
    case "%time":
      return timed(start, body.find((statement) => statement.start >= start && statement.end > start) ?? { end });
    default:
      return [];
  }
}

const whoEntry = ([name, kind]: [string, DeclarationKind]): string =>
  `["${name}", "${kind}", ${kind === "type" ? "undefined" : `() => ${name}`}]`;

function timed(start: number, statement: Node | { type?: undefined; end: number }): Insertion[] {
  const begin = { at: start, text: "__heddle__.commands.startTime();" };
  if (statement.type !== "ExpressionStatement")
    return [begin, { at: statement.end, text: ";__heddle__.commands.stopTime();" }];
  const { end, start: first } = statement.expression;
  return [begin, { at: first, text: "__heddle__.commands.stopTime(" }, { at: end, text: ")" }];
}

function mistake({ end, start }: Line, message: string): CellSyntaxError {
  return new CellSyntaxError(message, start, end);
}

function insert(source: string, insertions: readonly Insertion[]): string {
  let script = "";
  let from = 0;
  for (const { at, text } of insertions) {
    script += source.slice(from, at) + text;
    from = at;
  }
  return script + source.slice(from);
}

function positionBefore(source: string, insertions: readonly Insertion[]): CommandCell["originalPosition"] {
  return (line, column) => {
    // Insertions hold no line breaks, so a line of the script is the same line of the source.
    const lineStart = source.split("\n", line - 1).reduce((sum, text) => sum + text.length + 1, 0);
    let offset = column - 1;
    for (const { at, text } of insertions) {
      const within = at - lineStart;
      if (within < 0 || within >= offset || source.slice(lineStart, at).includes("\n")) continue;
      offset = Math.max(within, offset - text.length);
    }
    return { line, column: offset + 1 };
  };
}
