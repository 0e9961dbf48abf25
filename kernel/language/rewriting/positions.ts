import type MagicString from "magic-string";

export interface Position {
  /** Both count from 1. */
  line: number;
  column: number;
}

type Segment = readonly number[];

/**
 * Looks up where something in a compiled script came from: `prelude` characters of it stand before the cell's first one,
 * `shift` before the source's. The map is made at the first question, as most cells are never asked.
 */
export function positionLookup(
  edit: MagicString,
  prelude: number,
  shift: number,
): (line: number, column: number) => Position | undefined {
  let lines: readonly (readonly Segment[])[] | undefined;
  return (line, column) => {
    if (line === 1 && column <= prelude) return undefined;
    lines ??= edit.generateDecodedMap({ hires: true }).mappings;
    const segment = segmentAt(lines[line - 1] ?? [], column - 1);
    if (segment === undefined) return undefined;
    const [, , originalLine = 0, originalColumn = 0] = segment;
    return { line: originalLine + 1, column: Math.max(1, originalColumn + 1 - (originalLine === 0 ? shift : 0)) };
  };
}

/** The segment of a column. Inserted text counts as what it was inserted before, text in place of other as that one's start. */
function segmentAt(segments: readonly Segment[], column: number): Segment | undefined {
  let [low, high] = [0, segments.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((segments[middle]?.[0] ?? 0) <= column) low = middle + 1;
    else high = middle;
  }
  const [before, after] = [segments[low - 1], segments[low]];
  if (before === undefined || after === undefined) return before ?? after;
  const isInserted = (before[0] ?? 0) < column && before[2] === after[2] && (before[3] ?? 0) + 1 === after[3];
  return isInserted ? after : before;
}
