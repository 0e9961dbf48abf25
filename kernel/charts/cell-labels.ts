import type { TimelineData } from "../../runtime/timeline.ts";
import { FONT_SIZE } from "./layout.ts";
import { textWidth } from "./text-width.ts";

/** Height of the line over the lanes that says which cell is where. */
export const CELL_LINE = 14;
const GAP = 6;

/** Where a cell begins in the chart of several. */
export interface CellLabel {
  text: string;
  x: number;
}

/** Whether the chart is of several cells. */
export function hasCells(data: TimelineData): boolean {
  return data.cell === undefined && cellStarts(data).length > 1;
}

/** The labels of the cells where they begin; one that would stand over the one before is left out. */
export function placeCells(
  data: TimelineData,
  { x, right }: { x: (time: number) => number; right: number },
): CellLabel[] {
  let end = -Infinity;
  return cellStarts(data).flatMap(({ label, start }) => {
    const text = `[${label}]`;
    const at = x(start);
    const width = textWidth(text, FONT_SIZE);
    if (at < end + GAP || at + width > right + 10) return [];
    end = at + width;
    return [{ text, x: at }];
  });
}

function cellStarts(data: TimelineData): { label: string; start: number }[] {
  const starts = new Map<string, number>();
  const include = (cell: string | undefined, start: number): void => {
    if (cell !== undefined) starts.set(cell, Math.min(start, starts.get(cell) ?? Infinity));
  };
  for (const task of data.tasks) include(task.cell, task.submittedAt);
  for (const call of data.calls) include(call.cell, call.start);
  return [...starts].map(([label, start]) => ({ label, start })).sort((a, b) => a.start - b.start);
}
