import { cellLabel, figuresOf, type TimelineData, type TimelineStats, titleOf } from "../../runtime/timeline.ts";
import { CELL_LINE, hasCells, placeCells } from "./cell-labels.ts";
import { placeReturns } from "./driver-layout.ts";
import { FONT_SIZE, type Layout, layOut } from "./layout.ts";
import type { FunctionColors } from "./palette.ts";
import { barTraces } from "./plotly-bars.ts";
import { driverTraces, pauseLines, returnLines } from "./plotly-driver.ts";
import { markTraces, spanTraces } from "./plotly-marks.ts";
import {
  type Figure,
  fitLabels,
  labelTrace,
  NEUTRAL,
  PAGE_BACKGROUND,
  PAGE_TEXT,
  type Plane,
  round,
  type Trace,
} from "./plotly-plane.ts";
import { rasterImage, rasterTraces } from "./plotly-raster.ts";
import { escapeXml } from "./svg-elements.ts";
import { textWidth } from "./text-width.ts";

const WIDTH = 960;
const FONT = "system-ui,-apple-system,'Segoe UI',Roboto,sans-serif";
const TITLE_HEIGHT = 64;
const LEGEND_HEIGHT = 36;

/**
 * The same chart as a figure of Plotly that can be zoomed and asked. `titled` where nothing beside it
 * says the title and explains the colours.
 */
export function plotlyFigure(
  data: TimelineData,
  stats: TimelineStats,
  { colors, titled = false }: { colors: FunctionColors; titled?: boolean },
): Figure {
  const headBottom = hasCells(data) ? CELL_LINE : 0;
  const place = (labelRows: number): Layout => layOut(data, { width: WIDTH, headBottom, labelRows, footHeight: 0 });
  const first = place(1);
  const marks = placeReturns(data, first);
  const labelRows = marks.length === 0 ? 0 : 1 + Math.max(0, ...marks.map((mark) => mark.label?.row ?? 0));
  const layout = labelRows === 1 ? first : place(labelRows);
  const unit = unitFor(data.end - data.start);
  const at = (time: number): number =>
    round((Math.max(data.start, Math.min(data.end, time)) - data.start) / unit.milliseconds);
  const plane: Plane = {
    layout,
    at,
    atPixel: (x) => at(data.start + ((x - layout.left) / (layout.right - layout.left)) * (data.end - data.start)),
    colors,
  };
  const height = Math.max(60, layout.bottom);
  const traces = layout.area ? rasterTraces(data, plane) : barTraces(data, stats, plane);
  return {
    data: [
      ...traces,
      ...spanTraces(data, plane),
      ...markTraces(data, plane),
      ...cellLabels(data, plane),
      ...driverTraces(data, marks, plane),
    ],
    layout: {
      ...(titled ? { title: titleBlock(data, stats) } : {}),
      height: height + 30 + (titled ? TITLE_HEIGHT + LEGEND_HEIGHT : 0),
      autosize: true,
      margin: {
        l: Math.ceil(layout.left) + 4,
        r: 26,
        t: 4 + (titled ? TITLE_HEIGHT : 0),
        b: 26 + (titled ? LEGEND_HEIGHT : 0),
      },
      showlegend: titled,
      barmode: "overlay",
      xaxis: timeAxis(unit.name, at(data.end)),
      yaxis: { range: [height, 0], ...laneTicks(data, layout), ...quietAxis, ticklabelstandoff: 6 },
      ...(layout.area ? { yaxis2: areaAxis(data, layout.area, height) } : {}),
      images: layout.area ? [rasterImage(data, plane)] : [],
      shapes: [...pauseLines(data, plane), ...returnLines(marks, plane)],
      legend: { orientation: "h", x: 0, y: -32 / height, yanchor: "top", font: { size: 11 }, itemwidth: 30 },
      modebar: { orientation: "v", bgcolor: "rgba(0,0,0,0)" },
      hovermode: "closest",
      hoverlabel: { align: "left", font: { size: 12 } },
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
      modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d", "zoomIn2d", "zoomOut2d"],
    },
  };
}

/** Which cell is where, over the chart of several. */
function cellLabels(data: TimelineData, plane: Plane): Trace[] {
  if (!hasCells(data)) return [];
  const places = placeCells(data, plane.layout);
  return labelTrace(
    places.map(({ text, x }, index) => {
      const room = (places[index + 1]?.x ?? plane.layout.right + 10) - x;
      const fit = (textWidth(text, FONT_SIZE) + 4) / Math.max(1, room);
      return { x: plane.atPixel(x), y: 5, text, color: NEUTRAL, fit, position: "middle right" as const };
    }),
  );
}

const quietAxis = { showgrid: false, zeroline: false, fixedrange: true };

function timeAxis(unit: string, end: number): Record<string, unknown> {
  return {
    range: [0, end],
    ticksuffix: ` ${unit}`,
    exponentformat: "none",
    separatethousands: true,
    nticks: 9,
    tickangle: 0,
    gridcolor: "rgba(128,136,146,.22)",
    zeroline: false,
  };
}

/** The figure for a place where no loader puts the page's colours and width in. */
export function standAlone(figure: Figure): Figure {
  const fitted = { ...figure, data: figure.data.map(fitLabels) };
  return JSON.parse(
    JSON.stringify(fitted).replaceAll(`"${PAGE_TEXT}"`, `"${NEUTRAL}"`).replaceAll(`"${PAGE_BACKGROUND}"`, '"#fff"'),
  ) as Figure;
}

function unitFor(length: number): { name: string; milliseconds: number } {
  if (length < 2) return { name: "µs", milliseconds: 0.001 };
  if (length < 1_500) return { name: "ms", milliseconds: 1 };
  if (length < 300_000) return { name: "s", milliseconds: 1_000 };
  return { name: "min", milliseconds: 60_000 };
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
  const places = rows
    .filter((_, index) => index % every === 0)
    .map((row) => {
      const label = escapeXml(row.label);
      return {
        y: round(row.y + row.height / 2),
        text: data.lanes[row.lane]!.kind === "worker" ? label : `<i>${label}</i>`,
      };
    });
  if (driver) places.unshift({ y: driver.y + driver.height / 2, text: "<b>driver</b>" });
  return { tickvals: places.map(({ y }) => y), ticktext: places.map(({ text }) => text) };
}

function areaAxis(data: TimelineData, area: { y: number; height: number }, height: number): Record<string, unknown> {
  return {
    domain: [1 - (area.y + area.height) / height, 1 - area.y / height],
    range: [0, Math.max(1, data.workers)],
    ...quietAxis,
    anchor: "x",
    nticks: 3,
    title: { text: "running", font: { size: 11 }, standoff: 6 },
  };
}
