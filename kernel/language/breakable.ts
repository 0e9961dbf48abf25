/** Where a debugger can stop in a cell. */
import { parseCell } from "./parse.ts";
import { isTypeOnly } from "./rewriting/erase-types.ts";
import { isImport } from "./rewriting/imports.ts";
import type { Position } from "./rewriting/positions.ts";
import { type Node, walk } from "./walk.ts";

/**
 * The places, in order: starts of statements that run, and on lines without one, of calls and of bodies of arrow
 * functions. None for a cell that is no TypeScript program.
 */
export function breakablePlaces(source: string): Position[] {
  let parsed: ReturnType<typeof parseCell>;
  try {
    parsed = parseCell(source);
  } catch {
    return [];
  }
  const { program, shift, text } = parsed;
  const offsets: number[] = [];
  walk(program, {
    enter(node) {
      if (isTypeOnly(node) || isImport(node)) return false;
      const start = stopOf(node);
      if (start !== undefined) offsets.push(start);
      return true;
    },
  });
  const lines = lineStarts(text);
  return offsets.toSorted((a, b) => a - b).map((offset) => toPosition(lines, offset, shift));
}

function stopOf(node: Node): number | undefined {
  switch (node.type) {
    case "VariableDeclaration":
      return node.declarations.some(({ init }) => init !== null) ? node.start : undefined;
    case "CallExpression":
      // Of a chain the part that this call adds: its name may stand on a line of its own.
      return node.callee.type === "MemberExpression" ? node.callee.property.start : node.start;
    case "ArrowFunctionExpression":
      return node.body.type === "BlockStatement" ? undefined : node.body.start;
    case "BlockStatement":
    case "EmptyStatement":
    case "LabeledStatement":
      return undefined;
    default:
      return node.type.endsWith("Statement") || node.type === "NewExpression" ? node.start : undefined;
  }
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}

function toPosition(lines: readonly number[], offset: number, shift: number): Position {
  let line = lines.findLastIndex((start) => start <= offset);
  if (line < 0) line = 0;
  const column = offset - (lines[line] ?? 0) + 1;
  return { line: line + 1, column: line === 0 ? Math.max(1, column - shift) : column };
}

/** Whether what is thrown at this place of a cell is caught around it, in the cell itself. */
export function isGuarded(source: string, { column, line }: Position): boolean {
  const { program, shift, text } = parseCell(source);
  const offset = (lineStarts(text)[line - 1] ?? 0) + column - 1 + (line === 1 ? shift : 0);
  let guarded = false;
  walk(program, {
    enter(node) {
      if (node.type === "TryStatement" && node.handler !== null)
        guarded ||= node.block.start <= offset && offset < node.block.end;
      return node.type === "Program" || (node.start <= offset && offset < node.end);
    },
  });
  return guarded;
}
