import type MagicString from "magic-string";

export interface Position {
  /** Both count from 1. */
  line: number;
  column: number;
}

type Segment = readonly number[];

/**
 * Places of a compiled script and of the cell it was made from, each found from the other: `prelude` characters of the
 * script stand before the cell's first one, `shift` before the source's. The map is made at the first question, as most
 * cells are never asked.
 */
export class Positions {
  readonly #edit: MagicString;
  readonly #prelude: number;
  readonly #shift: number;
  #lines: readonly (readonly Segment[])[] | undefined;

  constructor(edit: MagicString, prelude: number, shift: number) {
    this.#edit = edit;
    this.#prelude = prelude;
    this.#shift = shift;
  }

  /** Where something in the script came from; undefined for code that was put in front of the cell. */
  original(line: number, column: number): Position | undefined {
    if (line === 1 && column <= this.#prelude) return undefined;
    const segment = segmentAt(this.#mapped()[line - 1] ?? [], column - 1);
    return segment && this.#source(segment);
  }

  /** The first place in the script that came from this place of the cell or from one behind it on its line. */
  compiled(line: number, column: number): Position | undefined {
    let best: (Position & { from: number }) | undefined;
    for (const [index, segments] of this.#mapped().entries()) {
      for (const segment of segments) {
        const source = this.#source(segment);
        if (source.line !== line || source.column < column || (best && source.column >= best.from)) continue;
        best = { line: index + 1, column: (segment[0] ?? 0) + 1, from: source.column };
      }
    }
    return best && { line: best.line, column: best.column };
  }

  #mapped(): readonly (readonly Segment[])[] {
    this.#lines ??= this.#edit.generateDecodedMap({ hires: true }).mappings;
    return this.#lines;
  }

  #source([, , line = 0, column = 0]: Segment): Position {
    return { line: line + 1, column: Math.max(1, column + 1 - (line === 0 ? this.#shift : 0)) };
  }
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
