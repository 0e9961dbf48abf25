import type { Diagnostic } from "../engine.ts";
import type { CellText } from "./cell-scope.ts";
import { plainNames } from "./cell-scope.ts";

export interface LspPosition {
  line: number;
  character: number;
}

export interface LspRange {
  start: LspPosition;
  end: LspPosition;
}

export interface LspDiagnostic {
  range: LspRange;
  /** 1 error, 2 warning; 3 and 4 are hints about style. */
  severity?: number;
  code?: number | string;
  message: string;
}

/** The compiler's number for an assignment to an import, and the one for an assignment to a constant. */
const ASSIGNMENT_TO_IMPORT = 2632;
const ASSIGNMENT_TO_CONSTANT = 2588;

/** The compiler's numbers of what `noImplicitAny` adds, but for those in between that say something else. */
const isAboutImplicitAny = (code: LspDiagnostic["code"]): boolean =>
  typeof code === "number" && code >= 7005 && code <= 7057 && !notAboutAny.has(code);
/** Unreachable code, an unused label, a switch that falls through, a path without a return. */
const notAboutAny = new Set([7027, 7028, 7029, 7030]);

/** `import x = require("x")` works in a cell, though the compiler says that it does not in a module. */
const IMPORT_BY_REQUIRE = 1202;

/** The errors and warnings that lie in the cell itself, in order. */
export function toDiagnostics(
  items: readonly LspDiagnostic[],
  cell: CellText,
  source: string,
  { allowImplicitAny }: { allowImplicitAny: boolean },
): Diagnostic[] {
  const offsetAt = offsetsOf(cell.text);
  const found: Diagnostic[] = [];
  for (const { range, severity, code, message } of items) {
    const [start, end] = [offsetAt(range.start) - cell.shift, offsetAt(range.end) - cell.shift];
    if ((severity !== 1 && severity !== 2) || start < 0 || start >= Math.max(source.length, 1)) continue;
    if (code === IMPORT_BY_REQUIRE) continue;
    if (allowImplicitAny && isAboutImplicitAny(code)) continue;
    const diagnostic: Diagnostic = {
      severity: severity === 1 ? "error" : "warning",
      message: plainNames(message),
      start,
      end: Math.min(end, source.length),
    };
    if (typeof code === "number") diagnostic.code = code;
    found.push(inNotebookTerms(diagnostic));
  }
  return found.sort((a, b) => a.start - b.start);
}

/** A constant of another cell is an import only for the compiler. */
function inNotebookTerms(diagnostic: Diagnostic): Diagnostic {
  if (diagnostic.code !== ASSIGNMENT_TO_IMPORT) return diagnostic;
  return {
    ...diagnostic,
    code: ASSIGNMENT_TO_CONSTANT,
    message: diagnostic.message.replace("it is an import", "it is a constant"),
  };
}

function offsetsOf(text: string): (position: LspPosition) => number {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return ({ line, character }) => (starts[line] ?? text.length) + character;
}
