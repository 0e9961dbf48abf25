import type MagicString from "magic-string";

export interface Position {
  /** Both count from 1. */
  line: number;
  column: number;
}

type Segment = readonly number[];

/**
 * Looks up where something in a compiled script came from. The map is made at the first question, as most cells are
 * never asked. A position inside generated text counts as that of the nearest text of the user's before it on the line.
 */
export function positionLookup(
  edit: MagicString,
  shift: number,
): (line: number, column: number) => Position | undefined {
  let lines: readonly (readonly Segment[])[] | undefined;
  return (line, column) => {
    lines ??= edit.generateDecodedMap({ hires: true }).mappings;
    const segment = lastBefore(lines[line - 1] ?? [], column - 1);
    if (segment === undefined) return undefined;
    const [, , originalLine = 0, originalColumn = 0] = segment;
    return { line: originalLine + 1, column: Math.max(1, originalColumn + 1 - (originalLine === 0 ? shift : 0)) };
  };
}

function lastBefore(segments: readonly Segment[], column: number): Segment | undefined {
  let [low, high] = [0, segments.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((segments[middle]?.[0] ?? 0) <= column) low = middle + 1;
    else high = middle;
  }
  return segments[low - 1];
}
