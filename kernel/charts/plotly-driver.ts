import { callLabels, formatTime, returnLabels, type TimelineCall, type TimelineData } from "../../runtime/timeline.ts";
import { drawnCalls, type ReturnMark, returnedTasks, runningParts } from "./driver-layout.ts";
import { FONT_SIZE } from "./layout.ts";
import { FAILURE } from "./palette.ts";
import {
  type Label,
  labelTrace,
  NEUTRAL,
  PAGE_BACKGROUND,
  PAGE_TEXT,
  type Plane,
  round,
  type Trace,
} from "./plotly-plane.ts";
import { escapeXml } from "./svg-elements.ts";
import { textWidth } from "./text-width.ts";

const MOST_LINES = 200;
const SHORT_WIDTH = 36;

/** The driver's calls, and the marks of early returns. */
export function driverTraces(data: TimelineData, marks: readonly ReturnMark[], plane: Plane): Trace[] {
  if (!plane.layout.driver) return [];
  return [
    ...runningTrace(data, plane),
    ...callTraces(drawnCalls(data, plane.layout), plane),
    ...returnTraces(data, marks, plane),
    ...rings(data, plane),
  ];
}

/** Where time between cells was left out. */
export function pauseLines({ pauses = [] }: TimelineData, { layout, at }: Plane): Trace[] {
  return pauses.map(({ time }) => ({
    type: "line",
    x0: at(time),
    x1: at(time),
    y0: 0,
    y1: layout.bottom,
    line: { color: NEUTRAL, width: 2.5, dash: "dash" },
    layer: "below",
  }));
}

/** Dashed lines through all lanes. */
export function returnLines(marks: readonly ReturnMark[], { layout, at }: Plane): Trace[] {
  const { driver, bottom } = layout;
  if (!driver) return [];
  return marks.slice(0, MOST_LINES).map(({ call, timedOut }) => ({
    type: "line",
    x0: at(call.end),
    x1: at(call.end),
    y0: driver.y + driver.height,
    y1: bottom,
    line: { color: timedOut ? FAILURE : NEUTRAL, width: 1, dash: "dot" },
  }));
}

/** A line while the driver is in no call. */
function runningTrace(data: TimelineData, { layout, atPixel }: Plane): Trace[] {
  const parts = runningParts(data, layout);
  const y = layout.driver!.y + layout.driver!.height / 2;
  if (parts.length === 0) return [];
  return [
    {
      type: "scatter",
      mode: "lines",
      hoverinfo: "skip",
      showlegend: false,
      x: parts.flatMap(([from, to]) => [atPixel(from), atPixel(to), null]),
      y: parts.flatMap(() => [y, y, null]),
      line: { color: NEUTRAL, width: 2 },
    },
  ];
}

function callTraces(calls: readonly TimelineCall[], { layout, at, atPixel }: Plane): Trace[] {
  const driver = layout.driver!;
  const y = driver.y + driver.height / 2;
  const kinds = (["wait", "get"] as const).map((kind) => ({ kind, calls: calls.filter((call) => call.kind === kind) }));
  const bars = kinds
    .filter((group) => group.calls.length > 0)
    .map((group) => ({
      type: "bar",
      orientation: "h",
      name: group.kind,
      showlegend: false,
      base: group.calls.map((call) => at(call.start)),
      x: group.calls.map((call) => round(at(call.end) - at(call.start))),
      y: group.calls.map(() => y),
      width: driver.height,
      marker: { color: group.kind === "wait" ? "rgba(123,135,148,.3)" : "#55677A", line: { color: NEUTRAL, width: 1 } },
      customdata: group.calls.map((call) => {
        const [name] = callLabels(call);
        return `<b>${name}</b>${call.outcome === "ok" ? "" : ` ${call.outcome}`}<br>blocked ${formatTime(call.end - call.start)}`;
      }),
      hovertemplate: "%{customdata}<extra></extra>",
    }));
  const labels = calls.map((call, index): Label => {
    const next = calls[index + 1];
    const room = Math.min(layout.x(call.end), next ? layout.x(next.start) : Infinity) - layout.x(call.start) - 8;
    const texts = callLabels(call);
    const fits = (label: string): number => textWidth(label, FONT_SIZE) / Math.max(1, room);
    const text = texts.find((label) => fits(label) <= 1) ?? texts.at(-1)!;
    const shortest = texts.at(-1)!;
    return {
      x: atPixel(layout.x(call.start) + 3),
      y,
      text,
      color: call.kind === "wait" ? PAGE_TEXT : "#fff",
      fit: fits(text),
      position: "middle right",
      ...(text === shortest ? {} : { short: { text: shortest, fit: fits(shortest) } }),
    };
  });
  return [...bars, ...labelTrace(labels.filter(({ fit }) => fit < 3))];
}

function returnTraces(data: TimelineData, marks: readonly ReturnMark[], plane: Plane): Trace[] {
  const { layout, at } = plane;
  const driver = layout.driver!;
  const names = new Map(data.tasks.map((task) => [task.id, task.name]));
  const groups = [
    { name: "early return", color: PAGE_TEXT, marks: marks.filter((mark) => !mark.timedOut) },
    { name: "wait timed out", color: FAILURE, marks: marks.filter((mark) => mark.timedOut) },
  ];
  const triangles = groups
    .filter((group) => group.marks.length > 0)
    .map((group) => ({
      type: "scatter",
      mode: "markers",
      name: group.name,
      x: group.marks.map(({ call }) => at(call.end)),
      y: group.marks.map(() => driver.y - 2),
      cliponaxis: false,
      marker: { symbol: "triangle-down", size: 9, color: group.color },
      customdata: group.marks.map(({ call }) => {
        const [label] = returnLabels(call, (id) => names.get(id));
        return `${formatTime(call.end - data.start)} ↩ ${escapeXml(label!)}, ${call.pending.toLocaleString("en")} pending`;
      }),
      hovertemplate: "%{customdata}<extra></extra>",
    }));
  return [...triangles, ...labelTrace(returnTexts(marks, plane))];
}

/** Labels of one row stand beside each other: each fits while the distance to both neighbours is enough. */
function returnTexts(marks: readonly ReturnMark[], { layout, at }: Plane): Label[] {
  const y = layout.driver!.y - 12;
  const labelled = marks.filter((mark) => mark.label !== undefined);
  return labelled.map((mark, index) => {
    const { text, row, anchor } = mark.label!;
    const sameRow = (other: ReturnMark): boolean => other.label!.row === row;
    const before = labelled.slice(0, index).findLast(sameRow);
    const after = labelled.slice(index + 1).find(sameRow);
    const fit = Math.max(
      before ? crowding(before, mark) : reach(mark).left / (mark.x + 1),
      after ? crowding(mark, after) : 0,
    );
    const distance = Math.min(before ? mark.x - before.x : Infinity, after ? after.x - mark.x : Infinity);
    return {
      x: at(mark.call.end),
      y: y - row * 14,
      text: `<b>${escapeXml(text)}</b>`,
      color: mark.timedOut ? FAILURE : PAGE_TEXT,
      fit,
      position: anchor === "start" ? "middle right" : anchor === "end" ? "middle left" : "middle center",
      ...(mark.timedOut
        ? {}
        : { short: { text: `<b>↩ ${mark.call.returnedTotal.toLocaleString("en")}</b>`, fit: SHORT_WIDTH / distance } }),
    };
  });
}

/** How far a label goes to either side of its mark. */
function reach({ label }: ReturnMark): { left: number; right: number } {
  const width = textWidth(label!.text, FONT_SIZE, { bold: true }) + 6;
  return label!.anchor === "start"
    ? { left: 0, right: width }
    : label!.anchor === "end"
      ? { left: width, right: 0 }
      : { left: width / 2, right: width / 2 };
}

function crowding(left: ReturnMark, right: ReturnMark): number {
  return (reach(left).right + reach(right).left) / Math.max(0.1, right.x - left.x);
}

function rings(data: TimelineData, { layout, at }: Plane): Trace[] {
  const returned = returnedTasks(data);
  const bars = layout.bars.filter(({ task, attempt }) => returned.has(task.id) && attempt === task.attempts.at(-1));
  if (bars.length === 0) return [];
  return [
    {
      type: "scatter",
      mode: "markers",
      showlegend: false,
      hoverinfo: "skip",
      x: bars.map(({ attempt }) => at(attempt.end)),
      y: bars.map(({ y }) => round(y + layout.barHeight / 2)),
      cliponaxis: false,
      marker: { symbol: "circle", size: 8, color: PAGE_BACKGROUND, line: { color: PAGE_TEXT, width: 1.6 } },
    },
  ];
}
