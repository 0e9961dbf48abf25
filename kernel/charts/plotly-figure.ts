import {
  executionTime,
  formatTime,
  isEarlyReturn,
  queueTimes,
  type TimelineData,
  type TimelineStats,
} from "../../runtime/host.ts";
import { callLabels, cellLabel, figuresOf, returnLabels, titleOf } from "./headline.ts";
import { type Bar, type Layout, layOut } from "./layout.ts";
import { FAILURE, type FunctionColors, inkOn } from "./palette.ts";
import { rasterize } from "./raster.ts";
import { escapeXml } from "./svg-elements.ts";
import { textWidth } from "./text-width.ts";

/** A figure of Plotly as plain data. */
export interface PlotlyFigure {
  data: Record<string, unknown>[];
  layout: Record<string, unknown>;
  config: Record<string, unknown>;
}

/** Stands for the colour of the page's text: the page's loader puts it in. */
export const PAGE_TEXT = "@text";
/** Stands for the colour of the page's background. */
export const PAGE_BACKGROUND = "@back";

const NEUTRAL = "#7b8794";
const WIDTH = 960;
const RASTER_COLUMNS = 1_000;
const AREA_STEP = 5;
const MOST_NAMES = 400;
const MOST_RINGS = 24;
const MOST_LEGEND_FUNCTIONS = 8;
const FONT = "system-ui,-apple-system,'Segoe UI',Roboto,sans-serif";

/** Axis of time: which unit its numbers are in. */
interface Unit {
  name: string;
  milliseconds: number;
}

/** The same chart as a figure of Plotly that can be zoomed and asked. `titled` where nothing beside it says the title. */
export function plotlyFigure(
  data: TimelineData,
  stats: TimelineStats,
  { colors, titled = false }: { colors: FunctionColors; titled?: boolean },
): PlotlyFigure {
  const layout = layOut(data, {
    width: WIDTH,
    headBottom: 0,
    labelRows: data.calls.some(isEarlyReturn) ? 1 : 0,
    footHeight: 0,
  });
  const unit = unitFor(data.end - data.start);
  const at = (time: number): number => round((time - data.start) / unit.milliseconds);
  const traces = layout.area
    ? areaTraces(data, colors, at)
    : [...barTraces(data, stats, layout, colors, at), ...pathTraces(stats, layout, at)];
  const height = Math.max(60, layout.bottom);
  return {
    data: [...traces, ...driverTraces(data, layout, at), ...returnTraces(data, layout, at)],
    layout: {
      ...(titled ? { title: titleBlock(data, stats) } : {}),
      height: height + 66 + (titled ? 64 : 0),
      autosize: true,
      margin: { l: Math.ceil(layout.left) + 4, r: 18, t: titled ? 68 : 4, b: 62 },
      barmode: "overlay",
      xaxis: {
        range: [0, at(data.end)],
        ticksuffix: ` ${unit.name}`,
        exponentformat: "none",
        separatethousands: true,
        nticks: 9,
        gridcolor: "rgba(128,136,146,.22)",
        zeroline: false,
        automargin: false,
      },
      yaxis: { range: [height, 0], ...laneTicks(data, layout), showgrid: false, zeroline: false, fixedrange: true },
      ...(layout.area ? { yaxis2: areaAxis(data, layout, height) } : {}),
      images: layout.area ? [rasterImage(data, layout, colors, at)] : [],
      shapes: returnLines(data, layout, at),
      legend: {
        orientation: "h",
        x: 0,
        y: -34 / height,
        yanchor: "top",
        font: { size: 11 },
        itemwidth: 30,
        tracegroupgap: 4,
      },
      hovermode: "closest",
      hoverlabel: { align: "left", font: { family: FONT, size: 12 } },
      dragmode: "zoom",
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: FONT, size: 11.5, color: PAGE_TEXT },
    },
    config: {
      displaylogo: false,
      responsive: true,
      scrollZoom: false,
      displayModeBar: "hover",
      modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"],
    },
  };
}

/** The figure for a place where nobody puts the page's colours in: neutral ones. */
export function withNeutralColors(figure: PlotlyFigure): PlotlyFigure {
  return JSON.parse(
    JSON.stringify(figure).replaceAll(`"${PAGE_TEXT}"`, `"${NEUTRAL}"`).replaceAll(`"${PAGE_BACKGROUND}"`, '"#fff"'),
  ) as PlotlyFigure;
}

function unitFor(length: number): Unit {
  if (length < 2) return { name: "µs", milliseconds: 0.001 };
  if (length < 1_500) return { name: "ms", milliseconds: 1 };
  if (length < 300_000) return { name: "s", milliseconds: 1_000 };
  return { name: "min", milliseconds: 60_000 };
}

function round(value: number): number {
  return Number(value.toPrecision(6));
}

function titleBlock(data: TimelineData, stats: TimelineStats): Record<string, unknown> {
  const figures = figuresOf(data, stats).map(({ name, value }) => `${name} <b>${value}</b>`);
  const label = cellLabel(data);
  return {
    text: `${label === "" ? "" : `${label} `}<b>${escapeXml(titleOf(data))}</b>`,
    x: 0,
    xref: "container",
    pad: { l: 12 },
    font: { size: 15 },
    subtitle: { text: figures.join("   "), font: { size: 11.5 } },
  };
}

function laneTicks(data: TimelineData, { rows, driver, barHeight }: Layout): Record<string, unknown> {
  const every = Math.max(1, Math.ceil(12 / (barHeight + 1)));
  const shown = rows.filter((_, index) => index % every === 0);
  const places = shown.map((row) => ({
    at: round(row.y + row.height / 2),
    text: data.lanes[row.lane]!.kind === "actor" ? `<i>${escapeXml(row.label)}</i>` : escapeXml(row.label),
  }));
  if (driver) places.unshift({ at: driver.y + driver.height / 2, text: "<b>driver</b>" });
  return { tickvals: places.map(({ at }) => at), ticktext: places.map(({ text }) => text) };
}

function barTraces(
  data: TimelineData,
  stats: TimelineStats,
  layout: Layout,
  colors: FunctionColors,
  at: (time: number) => number,
): Record<string, unknown>[] {
  const groups = new Map<string, Bar[]>();
  const cancelled: Bar[] = [];
  const names = new Map(data.tasks.map((task) => [task.id, task.name]));
  for (const bar of layout.bars) {
    if (bar.attempt.state === "cancelled") cancelled.push(bar);
    else if (groups.get(bar.task.functionName)?.push(bar) === undefined) groups.set(bar.task.functionName, [bar]);
  }
  const inLegend = new Set(stats.functions.slice(0, MOST_LEGEND_FUNCTIONS).map(({ name }) => name));
  const common = (bars: readonly Bar[]) => ({
    type: "bar",
    orientation: "h",
    base: bars.map(({ attempt }) => at(Math.max(data.start, attempt.start))),
    x: bars.map(({ attempt }) => round(at(attempt.end) - at(Math.max(data.start, attempt.start)))),
    y: bars.map(({ y }) => round(y + layout.barHeight / 2)),
    width: layout.barHeight,
    text: bars.length > 0 && layout.bars.length <= MOST_NAMES && layout.barHeight >= 12 ? bars.map(barText) : undefined,
    textposition: "inside",
    insidetextanchor: "start",
    textangle: 0,
    constraintext: "none",
    cliponaxis: true,
    customdata: bars.map((bar) => hoverText(bar, data, names)),
    hovertemplate: "%{customdata}<extra></extra>",
  });
  const traces: Record<string, unknown>[] = [...groups].map(([name, bars]) => {
    const outlines = bars.map(({ attempt }) => (attempt.state === "failed" ? 2 : 0));
    const color = colors.of(name);
    return {
      ...common(bars),
      name,
      showlegend: inLegend.has(name),
      textfont: { color: inkOn(color), size: 11 },
      marker: { color, line: { color: FAILURE, width: outlines.some(Boolean) ? outlines : 0 } },
    };
  });
  if (cancelled.length > 0)
    traces.push({
      ...common(cancelled),
      name: "cancelled",
      textfont: { color: PAGE_TEXT, size: 11 },
      marker: {
        color: "rgba(0,0,0,0)",
        line: { color: NEUTRAL, width: 1 },
        pattern: { shape: "/", fgcolor: NEUTRAL, size: 6, solidity: 0.25 },
      },
    });
  return [...traces, ...phaseTraces(layout, at)];
}

/** Hatches over the time in which arguments were fetched, and veils over the time in which a task waited for others. */
function phaseTraces(layout: Layout, at: (time: number) => number): Record<string, unknown>[] {
  const fetching = layout.bars.filter(
    ({ attempt, x }) => attempt.state !== "cancelled" && layout.x(attempt.executedAt) - x >= 1.5,
  );
  const pauses = layout.bars.flatMap((bar) => bar.attempt.blocked.map((pause) => ({ bar, pause })));
  const traces: Record<string, unknown>[] = [];
  const common = { type: "bar", orientation: "h", width: layout.barHeight, hoverinfo: "skip", showlegend: false };
  if (fetching.length > 0)
    traces.push({
      ...common,
      base: fetching.map(({ attempt }) => at(attempt.start)),
      x: fetching.map(({ attempt }) => round(at(attempt.executedAt) - at(attempt.start))),
      y: fetching.map(({ y }) => round(y + layout.barHeight / 2)),
      marker: {
        color: "rgba(255,255,255,0)",
        pattern: { shape: "/", fgcolor: "rgba(255,255,255,.75)", size: 5, solidity: 0.35 },
      },
    });
  if (pauses.length > 0)
    traces.push({
      ...common,
      base: pauses.map(({ pause }) => at(pause.start)),
      x: pauses.map(({ pause }) => round(at(pause.end) - at(pause.start))),
      y: pauses.map(({ bar }) => round(bar.y + layout.barHeight / 2)),
      marker: { color: PAGE_BACKGROUND, opacity: 0.6 },
    });
  return traces;
}

function barText({ task, attempt, width }: Bar): string {
  const text = `${attempt.state === "failed" ? "✕ " : ""}${task.name}${attempt.number > 0 ? ` ↻${attempt.number}` : ""}`;
  return textWidth(text, 11) + 8 <= width ? escapeXml(text) : "";
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
  if (task.size !== undefined && task.size >= 1_000)
    lines.push(
      `result ${task.size >= 1e6 ? `${(task.size / 1e6).toFixed(1)} MB` : `${(task.size / 1e3).toFixed(1)} kB`}`,
    );
  if (attempt.error) lines.push(escapeXml(`${attempt.error.name}: ${attempt.error.message.slice(0, 120)}`));
  return lines.join("<br>");
}

function pathTraces(stats: TimelineStats, layout: Layout, at: (time: number) => number): Record<string, unknown>[] {
  if (stats.criticalPath.length < 2 || layout.bars.length > MOST_NAMES) return [];
  const path = new Set(stats.criticalPath);
  const bars = layout.bars.filter(({ task, attempt }) => path.has(task.id) && attempt === task.attempts.at(-1));
  return [
    {
      type: "scatter",
      mode: "lines",
      name: "critical path",
      x: bars.flatMap(({ attempt }) => [at(attempt.start), at(attempt.end), null]),
      y: bars.flatMap(({ y }) => [round(y + layout.barHeight + 1.7), round(y + layout.barHeight + 1.7), null]),
      line: { color: PAGE_TEXT, width: 2.2 },
      hoverinfo: "skip",
    },
  ];
}

function areaTraces(
  data: TimelineData,
  colors: FunctionColors,
  at: (time: number) => number,
): Record<string, unknown>[] {
  const raster = rasterize(data, colors, { columns: RASTER_COLUMNS, rows: 0, rowOf: () => 0 });
  const step = (data.end - data.start) / RASTER_COLUMNS;
  const points = Array.from({ length: RASTER_COLUMNS / AREA_STEP }, (_, index) => index * AREA_STEP);
  const x = points.map((column) => at(data.start + (column + AREA_STEP / 2) * step));
  return raster.functions.map((name, index) => ({
    type: "scatter",
    mode: "lines",
    stackgroup: "running",
    name,
    x,
    y: points.map((column) => {
      let sum = 0;
      for (let offset = 0; offset < AREA_STEP; offset++)
        sum += raster.running[index * RASTER_COLUMNS + column + offset]!;
      return Number((sum / AREA_STEP).toFixed(2));
    }),
    yaxis: "y2",
    line: { width: 0 },
    fillcolor: colors.of(name),
    hovertemplate: `%{y:.1f} ${escapeXml(name)} running<extra></extra>`,
    showlegend: index < MOST_LEGEND_FUNCTIONS,
  }));
}

function areaAxis(data: TimelineData, { area }: Layout, height: number): Record<string, unknown> {
  const { y, height: areaHeight } = area!;
  return {
    domain: [1 - (y + areaHeight) / height, 1 - y / height],
    range: [0, Math.max(1, data.workers)],
    showgrid: false,
    zeroline: false,
    fixedrange: true,
    anchor: "x",
    nticks: 3,
  };
}

function rasterImage(
  data: TimelineData,
  layout: Layout,
  colors: FunctionColors,
  at: (time: number) => number,
): Record<string, unknown> {
  const rowOf = new Map(layout.rows.map((row, index) => [row.lane, index]));
  const raster = rasterize(data, colors, {
    columns: RASTER_COLUMNS,
    rows: layout.rows.length,
    rowOf: (lane) => rowOf.get(lane) ?? -1,
  });
  const laneHeight = (layout.rows[0]?.height ?? 0) >= 8 ? 8 : 3;
  const source = `data:image/png;base64,${Buffer.from(raster.png(laneHeight, 1)).toString("base64")}`;
  return {
    source,
    xref: "x",
    yref: "y",
    x: 0,
    y: layout.top,
    sizex: at(data.end),
    sizey: layout.bottom - layout.top,
    sizing: "stretch",
    layer: "below",
    xanchor: "left",
    yanchor: "top",
  };
}

function driverTraces(data: TimelineData, layout: Layout, at: (time: number) => number): Record<string, unknown>[] {
  const { driver } = layout;
  if (!driver) return [];
  return (["wait", "get"] as const).flatMap((kind) => {
    const calls = data.calls
      .map((call, index) => ({ call, next: data.calls[index + 1] }))
      .filter(({ call }) => call.kind === kind);
    if (calls.length === 0) return [];
    const room = ({ call, next }: (typeof calls)[number]): number =>
      Math.min(layout.x(call.end), next ? layout.x(next.start) : Infinity) - layout.x(call.start) - 10;
    return [
      {
        type: "bar",
        orientation: "h",
        name: kind,
        showlegend: false,
        base: calls.map(({ call }) => at(call.start)),
        x: calls.map(({ call }) => round(at(call.end) - at(call.start))),
        y: calls.map(() => driver.y + driver.height / 2),
        width: driver.height,
        text: calls.map((entry) => callLabels(entry.call).find((label) => textWidth(label, 11) <= room(entry)) ?? ""),
        textposition: "inside",
        insidetextanchor: "start",
        constraintext: "none",
        textangle: 0,
        textfont: { color: kind === "wait" ? PAGE_TEXT : "#fff", size: 11 },
        marker: { color: kind === "wait" ? "rgba(123,135,148,.3)" : "#55677A", line: { color: NEUTRAL, width: 1 } },
        customdata: calls.map(
          ({ call }) =>
            `<b>${callLabels(call).find((label) => label.includes("(")) ?? kind}</b> ${call.outcome === "ok" ? "" : call.outcome}<br>blocked ${formatTime(call.end - call.start)}`,
        ),
        hovertemplate: "%{customdata}<extra></extra>",
      },
    ];
  });
}

function returnTraces(data: TimelineData, layout: Layout, at: (time: number) => number): Record<string, unknown>[] {
  const { driver } = layout;
  const calls = data.calls.filter(isEarlyReturn);
  if (!driver || calls.length === 0) return [];
  const names = new Map(data.tasks.map((task) => [task.id, task.name]));
  const labels = calls.map((call) => returnLabels(call, (id) => names.get(id)));
  let occupied = -Infinity;
  const texts = calls.map((call, index) => {
    const x = layout.x(call.end);
    const fitting = labels[index]!.map((label) => (call.outcome === "timeout" ? label : `↩ ${label}`)).find(
      (label) => x - textWidth(label, 11, { bold: true }) / 2 > occupied + 6,
    );
    if (fitting !== undefined) occupied = x + textWidth(fitting, 11, { bold: true }) / 2;
    return fitting ?? "";
  });
  const traces: Record<string, unknown>[] = [
    {
      type: "scatter",
      mode: "markers+text",
      name: "early return",
      x: calls.map((call) => at(call.end)),
      y: calls.map(() => driver.y - 4),
      cliponaxis: false,
      marker: {
        symbol: "triangle-down",
        size: 9,
        color: calls.map((call) => (call.outcome === "timeout" ? FAILURE : PAGE_TEXT)),
      },
      text: texts.map((text) => (text === "" ? "" : `<b>${escapeXml(text)}</b>`)),
      textposition: calls.map((call, index) =>
        layout.x(call.end) + textWidth(texts[index]!, 11, { bold: true }) / 2 > layout.right
          ? "top left"
          : "top center",
      ),
      textfont: { size: 11 },
      customdata: calls.map(
        (call, index) =>
          `${formatTime(call.end - data.start)} ↩ ${escapeXml(labels[index]![0]!)}, ${call.pending.toLocaleString("en")} pending`,
      ),
      hovertemplate: "%{customdata}<extra></extra>",
    },
  ];
  const returned = new Set(calls.flatMap((call) => call.returned));
  const rings = layout.bars.filter(({ task, attempt }) => returned.has(task.id) && attempt === task.attempts.at(-1));
  if (rings.length > 0 && returned.size <= MOST_RINGS)
    traces.push({
      type: "scatter",
      mode: "markers",
      showlegend: false,
      hoverinfo: "skip",
      x: rings.map(({ attempt }) => at(attempt.end)),
      y: rings.map(({ y }) => round(y + layout.barHeight / 2)),
      cliponaxis: false,
      marker: { symbol: "circle", size: 8, color: PAGE_BACKGROUND, line: { color: PAGE_TEXT, width: 1.6 } },
    });
  return traces;
}

function returnLines(
  data: TimelineData,
  { driver, bottom }: Layout,
  at: (time: number) => number,
): Record<string, unknown>[] {
  if (!driver) return [];
  return data.calls
    .filter(isEarlyReturn)
    .slice(0, 200)
    .map((call) => ({
      type: "line",
      xref: "x",
      yref: "y",
      x0: at(call.end),
      x1: at(call.end),
      y0: driver.y + driver.height,
      y1: bottom,
      line: { color: call.outcome === "timeout" ? FAILURE : NEUTRAL, width: 1, dash: "dot" },
    }));
}
