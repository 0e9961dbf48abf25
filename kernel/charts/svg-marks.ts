import { markTotal, type PlacedMark } from "./marks-layout.ts";
import { FAILURE } from "./palette.ts";
import { num } from "./svg-elements.ts";
import type { LegendEntry } from "./svg-legend.ts";

const PICTURES: Record<PlacedMark["kind"], string> = {
  workerStarted: '<path d="M-3-4.5L4 0L-3 4.5z" class="fb sm" stroke-width="1.4"/>',
  workerCrashed: `<path d="M1-8L-4 1H-.5L-2 8L4-2H.5L3-8z" fill="${FAILURE}" class="sb" stroke-width=".8"/>`,
  spilled: '<path d="M-5-4H5L0 5z" class="fa sb" stroke-width="1"/>',
  restored: '<path d="M-4.4 4H4.4L0-4.4z" class="fb sa" stroke-width="1.5"/>',
};

/** Draws what happened to workers and the store, and explains it. */
export function drawMarks(marks: readonly PlacedMark[]): { marks: string; entries: LegendEntry[] } {
  const kinds = Object.keys(PICTURES) as PlacedMark["kind"][];
  return {
    marks: marks
      .map(({ kind, x, y }) => `<g transform="translate(${num(x)} ${num(y)})">${PICTURES[kind]}</g>`)
      .join(""),
    entries: kinds.flatMap((kind) => {
      const text = markTotal(marks, kind);
      return text === undefined ? [] : [{ text, swatch: `<g transform="translate(6 -4)">${PICTURES[kind]}</g>` }];
    }),
  };
}
