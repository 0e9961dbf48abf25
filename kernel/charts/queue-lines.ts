import type { Layout } from "./layout.ts";

const SHORTEST = 1.5;
const LOWEST_BAR = 8;

/** Where a task waited for its worker: from `x` to `end`, at the height of its bar's middle. */
export interface QueueLine {
  x: number;
  end: number;
  y: number;
}

/** The waits of the bars, as far as their lines are free; none where there are too many or too low bars to see them. */
export function queueLines(layout: Layout, most: number): QueueLine[] {
  if (layout.bars.length > most || layout.barHeight < LOWEST_BAR) return [];
  const lineEnds = new Map<number, number>();
  const lines: QueueLine[] = [];
  for (const { task, attempt, x, width, y } of layout.bars.toSorted((a, b) => a.x - b.x)) {
    const since =
      attempt.number === 0
        ? (task.readyAt ?? task.submittedAt)
        : (task.attempts.find((one) => one.number === attempt.number - 1)?.end ?? attempt.start);
    const from = Math.max(layout.x(since), lineEnds.get(y) ?? layout.left);
    if (x - from > SHORTEST) lines.push({ x: from, end: x, y: y + layout.barHeight / 2 });
    lineEnds.set(y, x + width);
  }
  return lines;
}
