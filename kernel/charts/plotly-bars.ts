import {
  executionTime,
  formatBytes,
  formatTime,
  queueTimes,
  type TimelineData,
  type TimelineStats,
} from "../../runtime/timeline.ts";
import { type BarLabel, placeBarLabels } from "./bar-labels.ts";
import { returnedTasks } from "./driver-layout.ts";
import type { Bar } from "./layout.ts";
import { FAILURE, inkOn } from "./palette.ts";
import { labelTrace, NEUTRAL, PAGE_BACKGROUND, PAGE_TEXT, type Plane, round, type Trace } from "./plotly-plane.ts";
import { queueLines } from "./queue-lines.ts";
import { escapeXml } from "./svg-elements.ts";

const MOST_NAMES = 400;
const MOST_EDGES = 60;
export const MOST_LEGEND_FUNCTIONS = 8;

/** Bars by function, with what lies over them: hatches, veils, outlines, lines between, names. */
export function barTraces(data: TimelineData, stats: TimelineStats, plane: Plane): Trace[] {
  const { layout, colors } = plane;
  const groups = new Map<string, Bar[]>();
  for (const bar of layout.bars)
    if (bar.attempt.state !== "cancelled" && groups.get(bar.task.functionName)?.push(bar) === undefined)
      groups.set(bar.task.functionName, [bar]);
  const inLegend = new Set(stats.functions.slice(0, MOST_LEGEND_FUNCTIONS).map(({ name }) => name));
  const names = new Map(data.tasks.map((task) => [task.id, task.name]));
  const hover = (bars: readonly Bar[]): Trace => ({
    customdata: bars.map((bar) => hoverText(bar, data, names)),
    hovertemplate: "%{customdata}<extra></extra>",
  });
  const functions = [...groups].map(([name, bars]) => ({
    ...barsOf(bars, plane, ({ attempt }) => [attempt.start, attempt.end]),
    ...hover(bars),
    name,
    legendgroup: name,
    showlegend: inLegend.has(name),
    marker: { color: colors.of(name) },
  }));
  const cancelled = layout.bars.filter(({ attempt }) => attempt.state === "cancelled");
  const hatched = {
    ...barsOf(cancelled, plane, ({ attempt }) => [attempt.start, attempt.end]),
    ...hover(cancelled),
    name: "cancelled",
    marker: {
      color: "rgba(0,0,0,0)",
      line: { color: NEUTRAL, width: 1 },
      pattern: { shape: "/", fgcolor: NEUTRAL, size: 6, solidity: 0.25 },
    },
  };
  return [
    ...queues(plane),
    ...functions,
    ...(cancelled.length > 0 ? [hatched] : []),
    ...overlays(plane),
    ...notRun(data, plane),
    ...criticalPath(stats, plane),
    ...(layout.bars.length <= MOST_EDGES ? edges(plane) : []),
    ...labels(data, plane),
  ];
}

function barsOf(bars: readonly Bar[], { layout, at }: Plane, part: (bar: Bar) => [number, number]): Trace {
  const spans = bars.map(part);
  return {
    type: "bar",
    orientation: "h",
    width: layout.barHeight,
    base: spans.map(([start]) => at(start)),
    x: spans.map(([start, end]) => round(at(end) - at(start))),
    y: bars.map(({ y }) => round(y + layout.barHeight / 2)),
  };
}

/** Hatches where arguments were fetched, veils where a task waited for others, outlines of failures. */
function overlays(plane: Plane): Trace[] {
  const { layout } = plane;
  const quiet = { hoverinfo: "skip", showlegend: false };
  const traces: Trace[] = [];
  const fetching = layout.bars.filter(
    ({ attempt, x }) => attempt.state !== "cancelled" && layout.x(attempt.executedAt) - x >= 1.5,
  );
  if (fetching.length > 0)
    traces.push({
      ...barsOf(fetching, plane, ({ attempt }) => [attempt.start, attempt.executedAt]),
      ...quiet,
      name: "fetch arguments",
      showlegend: true,
      marker: {
        color: "rgba(255,255,255,0)",
        line: { width: 0 },
        pattern: { shape: "/", fgcolor: "rgba(255,255,255,.75)", size: 5, solidity: 0.35 },
      },
    });
  const pauses = layout.bars.flatMap((bar) => bar.attempt.blocked.map((pause) => ({ ...bar, pause })));
  if (pauses.length > 0)
    traces.push({
      ...barsOf(pauses, plane, (bar) => [
        (bar as (typeof pauses)[number]).pause.start,
        (bar as (typeof pauses)[number]).pause.end,
      ]),
      ...quiet,
      name: "waits for nested",
      showlegend: true,
      marker: { color: PAGE_BACKGROUND, opacity: 0.6 },
    });
  const failed = layout.bars.filter(({ attempt }) => attempt.state === "failed");
  if (failed.length > 0)
    traces.push({
      ...barsOf(failed, plane, ({ attempt }) => [attempt.start, attempt.end]),
      hoverinfo: "skip",
      name: "failed",
      marker: { color: "rgba(0,0,0,0)", line: { color: FAILURE, width: 2 } },
    });
  return traces;
}

function queues({ atPixel, layout }: Plane): Trace[] {
  const lines = queueLines(layout, MOST_NAMES);
  if (lines.length === 0) return [];
  const points = lines.flatMap(({ x, end, y }): Point[] => [[atPixel(x), y], [atPixel(end), y], undefined]);
  return [line("queued", points, { color: "rgba(123,135,148,.6)", width: 2.4 })];
}

function notRun(data: TimelineData, { layout, at }: Plane): Trace[] {
  const row = layout.rows.find(({ lane }) => data.lanes[lane]!.kind === "notRun");
  const tasks = row ? data.tasks.filter((task) => task.attempts.length === 0 && task.endedAt !== undefined) : [];
  if (!row || tasks.length === 0) return [];
  return [
    {
      type: "scatter",
      mode: "markers",
      showlegend: false,
      x: tasks.map((task) => at(task.endedAt!)),
      y: tasks.map(() => round(row.y + row.height / 2)),
      marker: {
        symbol: "x-thin",
        size: 8,
        line: { width: 2, color: tasks.map((task) => (task.state === "failed" ? FAILURE : NEUTRAL)) },
      },
      customdata: tasks.map((task) => `<b>${escapeXml(task.name)}</b> ${task.state}, did not run`),
      hovertemplate: "%{customdata}<extra></extra>",
    },
  ];
}

function criticalPath(stats: TimelineStats, { layout, at }: Plane): Trace[] {
  if (stats.criticalPath.length < 2 || layout.bars.length > MOST_NAMES) return [];
  const path = new Set(stats.criticalPath);
  const bars = layout.bars.filter(({ task, attempt }) => path.has(task.id) && attempt === task.attempts.at(-1));
  return [
    line(
      "critical path",
      bars.flatMap(({ attempt, y }): Point[] => [
        [at(attempt.start), y + layout.barHeight + 1.7],
        [at(attempt.end), y + layout.barHeight + 1.7],
        undefined,
      ]),
      { color: PAGE_TEXT, width: 2.2 },
    ),
  ];
}

/** From each result to the tasks that were given it, and from each task to those that it submitted. */
function edges({ layout, at }: Plane): Trace[] {
  const last = new Map(layout.bars.map((bar) => [bar.task.id, bar]));
  const middle = ({ y }: Bar): number => y + layout.barHeight / 2;
  const results: Point[] = [];
  const submissions: Point[] = [];
  for (const bar of layout.bars) {
    if (bar.attempt !== bar.task.attempts[0]) continue;
    for (const id of bar.task.dependencies) {
      const from = last.get(id);
      if (from && (Math.abs(from.y - bar.y) > 1 || bar.x - from.x - from.width > 12))
        results.push(...curve([at(from.attempt.end), middle(from)], [at(bar.attempt.start), middle(bar)]), undefined);
    }
    const parent = last.get(bar.task.parentId ?? "");
    if (parent)
      submissions.push([at(bar.attempt.start), middle(parent)], [at(bar.attempt.start), middle(bar)], undefined);
  }
  return [
    ...(results.length > 0
      ? [arrows(line("result to argument", results, { color: PAGE_TEXT, width: 1 }), results)]
      : []),
    ...(submissions.length > 0
      ? [line("submitted by", submissions, { color: PAGE_TEXT, width: 1.2, dash: "dot" })]
      : []),
  ];
}

const CURVE_STEPS = 8;

/** From one point to another, level at both ends. */
function curve([x1, y1]: [number, number], [x2, y2]: [number, number]): [number, number][] {
  return Array.from({ length: CURVE_STEPS + 1 }, (_, step) => {
    const part = step / CURVE_STEPS;
    const eased = part * part * (3 - 2 * part);
    return [round(x1 + (x2 - x1) * part), y1 + (y2 - y1) * eased];
  });
}

/** The lines with heads where they end. */
function arrows(lines: Trace, points: readonly Point[]): Trace {
  const size = points.map((point, index) => (point && points[index + 1] === undefined ? 7 : 0));
  return {
    ...lines,
    mode: "lines+markers",
    marker: { symbol: "triangle-right", size, color: PAGE_TEXT, line: { width: 0 } },
  };
}

/** Undefined ends a line. */
type Point = [number, number] | undefined;

function line(name: string, points: readonly Point[], style: Trace): Trace {
  return {
    type: "scatter",
    mode: "lines",
    name,
    x: points.map((point) => point?.[0] ?? null),
    y: points.map((point) => (point ? round(point[1]) : null)),
    line: style,
    hoverinfo: "skip",
  };
}

function labels(data: TimelineData, plane: Plane): Trace[] {
  const { layout, colors, atPixel } = plane;
  if (layout.bars.length > MOST_NAMES || layout.barHeight < 12) return [];
  const placed = placeBarLabels(layout, { returned: returnedTasks(data), outside: layout.bars.length <= MOST_EDGES });
  const show = ({ bar, text, need, room, inside, x }: BarLabel) => ({
    x: atPixel(x - 3),
    y: bar.y + layout.barHeight / 2,
    text: escapeXml(text),
    color: inside && bar.attempt.state !== "cancelled" ? inkOn(colors.of(bar.task.functionName)) : PAGE_TEXT,
    fit: need / room,
    position: "middle right" as const,
  });
  const functions = new Set(layout.bars.map(({ task }) => task.functionName));
  return [...functions].flatMap((name) =>
    labelTrace(placed.filter(({ bar, room }) => bar.task.functionName === name && room > 20).map(show), {
      legendgroup: name,
    }),
  );
}

function hoverText({ task, attempt }: Bar, data: TimelineData, names: ReadonlyMap<string, string>): string {
  const state = attempt.state === "finished" ? "" : ` ${attempt.state}`;
  const queued = queueTimes(task, data.now)[attempt.number] ?? 0;
  const lines = [
    `<b>${escapeXml(task.name)}</b>${state}${attempt.number > 0 ? `, attempt ${attempt.number + 1}` : ""}`,
    `ran ${formatTime(executionTime(attempt))}, fetched ${formatTime(attempt.executedAt - attempt.start)}, queued ${formatTime(queued)}`,
  ];
  if (task.dependencies.length > 0) {
    const inputs = task.dependencies.slice(0, 4).map((id) => names.get(id) ?? "a task of another cell");
    lines.push(
      `after ${escapeXml(inputs.join(", "))}${task.dependencies.length > 4 ? ` and ${task.dependencies.length - 4} more` : ""}`,
    );
  }
  if (task.size !== undefined && task.size >= 1_000) lines.push(`result ${formatBytes(task.size)}`);
  if (attempt.error) lines.push(escapeXml(`${attempt.error.name}: ${attempt.error.message.slice(0, 120)}`));
  return lines.join("<br>");
}
