import { isEarlyReturn, returnLabels, type TimelineCall, type TimelineData } from "../../runtime/timeline.ts";
import { FONT_SIZE, type Layout } from "./layout.ts";
import { textWidth } from "./text-width.ts";

/** Beyond so many calls or returns, those that nobody could tell apart are drawn as one. */
const MOST_APART = 200;

/** Tasks that came back early get rings, while one can tell them apart. */
const MOST_RINGS = 24;

/** An early return: where it is, and its label if there is room for one. */
export interface ReturnMark {
  x: number;
  timedOut: boolean;
  label: { text: string; x: number; anchor: "start" | "middle" | "end"; row: number } | undefined;
  call: TimelineCall;
}

/** Finds a place for the label of each early return: shorter where it is crowded, in a second row, or left out. */
export function placeReturns(
  data: TimelineData,
  { x, left, right }: { x: (time: number) => number; left: number; right: number },
): ReturnMark[] {
  const names = new Map(data.tasks.map((task) => [task.id, task.name]));
  const occupied = [left - 40, left - 40];
  return apart(data.calls.filter(isEarlyReturn), (call) => x(call.end), 2).map((call) => {
    const at = x(call.end);
    const timedOut = call.outcome === "timeout";
    return { x: at, timedOut, call, label: placeLabel(call, at, { names, occupied, left, right }) };
  });
}

function placeLabel(
  call: TimelineCall,
  at: number,
  {
    names,
    occupied,
    left,
    right,
  }: { names: ReadonlyMap<string, string>; occupied: number[]; left: number; right: number },
): ReturnMark["label"] {
  const texts = returnLabels(call, (id) => names.get(id)).map((label) =>
    call.outcome === "timeout" ? label : `↩ ${label}`,
  );
  const candidates = texts.flatMap((text) => [0, 1].map((row) => ({ text, row })));
  // A long label in the second row is better than a number in the first.
  for (const { text, row } of candidates) {
    const width = textWidth(text, FONT_SIZE, { bold: true });
    const anchor = at + width / 2 > right ? "end" : at - width / 2 < left ? "start" : "middle";
    const from = anchor === "end" ? Math.min(at + 6, right + 6) - width : anchor === "start" ? at - 4 : at - width / 2;
    if (from < Math.max(4, occupied[row]! + 8) || from + width > right + 10) continue;
    occupied[row] = from + width;
    return { text, anchor, row, x: anchor === "end" ? from + width : anchor === "start" ? from : at };
  }
  return undefined;
}

/** The calls to draw: all, or where there are very many those that are wide enough to be seen or stand apart. */
export function drawnCalls(data: TimelineData, layout: Pick<Layout, "x">): TimelineCall[] {
  const wide = (call: TimelineCall): boolean => layout.x(call.end) - layout.x(call.start) >= 1.5;
  return apart(data.calls, (call) => layout.x(call.start), 1, wide);
}

/** Where the driver was in no call, as pixels. */
export function runningParts(data: TimelineData, layout: Pick<Layout, "x" | "left" | "right">): [number, number][] {
  const parts: [number, number][] = [];
  let cursor = layout.left;
  for (const { start, end } of data.calls) {
    const x = layout.x(start);
    if (x > cursor + 0.5) parts.push([cursor, x]);
    cursor = Math.max(cursor, layout.x(end));
  }
  if (layout.right > cursor + 0.5) parts.push([cursor, layout.right]);
  return parts;
}

function apart(
  calls: readonly TimelineCall[],
  place: (call: TimelineCall) => number,
  distance: number,
  always?: (call: TimelineCall) => boolean,
): TimelineCall[] {
  if (calls.length <= MOST_APART) return [...calls];
  let last = -Infinity;
  return calls.filter((call) => {
    const at = place(call);
    if (at - last < distance && !always?.(call)) return false;
    last = at;
    return true;
  });
}

/** Tasks that a `wait` gave back; none where there are too many to mark each. */
export function returnedTasks(data: TimelineData): Set<string> {
  const returned = data.calls.filter(isEarlyReturn).flatMap((call) => call.returned);
  return new Set(returned.length <= MOST_RINGS ? returned : []);
}
