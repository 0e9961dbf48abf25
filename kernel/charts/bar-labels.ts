import type { Bar, Layout } from "./layout.ts";
import { FONT_SIZE } from "./layout.ts";
import { textWidth } from "./text-width.ts";

/** Space for the ring at the end of a task that came back early. */
const RING = 6;
const PADDING = 9;

/** The name of a bar and where it would stand, whether there is room for it or not. */
export interface BarLabel {
  bar: Bar;
  text: string;
  /** Pixels that the text takes, and that are free for it. */
  need: number;
  room: number;
  /** Inside the bar, beginning at `x`, or behind its end. */
  inside: boolean;
  x: number;
}

/** The label of each bar: inside its longest stretch of one colour, else, with `outside`, behind the bar. */
export function placeBarLabels(
  layout: Layout,
  { returned, outside }: { returned: ReadonlySet<string>; outside: boolean },
): BarLabel[] {
  return layout.bars.map((bar) => {
    const { task, attempt, x, width } = bar;
    const text = `${attempt.state === "failed" ? "✕ " : ""}${task.name}${attempt.number > 0 ? ` ↻${attempt.number}` : ""}`;
    const need = textWidth(text, FONT_SIZE) + PADDING;
    const ring = returned.has(task.id) && attempt === task.attempts.at(-1) ? RING : 0;
    const [from, to] = longestPart(bar, layout);
    const room = to - from - ring;
    if (room >= need || !outside) return { bar, text, need, room, inside: true, x: from + 5 };
    const end = x + width + ring;
    if (bar.roomUntil - end >= need + 3)
      return { bar, text, need, room: bar.roomUntil - end - 3, inside: false, x: end + 5 };
    return { bar, text, need, room, inside: true, x: from + 5 };
  });
}

/** The stretches of an attempt in which it did not wait for nested tasks, as times. */
export function solidParts({ start, end, blocked }: Bar["attempt"]): [number, number][] {
  const parts: [number, number][] = [];
  let cursor = start;
  for (const pause of blocked) {
    if (pause.start > cursor) parts.push([cursor, pause.start]);
    cursor = pause.end;
  }
  if (end > cursor) parts.push([cursor, end]);
  return parts;
}

function longestPart({ attempt, x, width }: Bar, layout: Layout): [number, number] {
  if (attempt.blocked.length === 0) return [Math.max(x, Math.min(layout.x(attempt.executedAt), x + width)), x + width];
  const parts = solidParts(attempt).map(([start, end]): [number, number] => [
    layout.x(Math.max(start, Math.min(attempt.executedAt, end))),
    layout.x(end),
  ]);
  return parts.reduce((widest, part) => (part[1] - part[0] > widest[1] - widest[0] ? part : widest), [x, x]);
}
