import type { TimelineData } from "../../runtime/timeline.ts";
import { FAILURE } from "./palette.ts";
import { MOST_LEGEND_FUNCTIONS } from "./plotly-bars.ts";
import { type Plane, round, type Trace } from "./plotly-plane.ts";
import { type Raster, rasterize } from "./raster.ts";
import { escapeXml } from "./svg-elements.ts";

const COLUMNS = 1_000;
/** Columns that one point of the stacked area stands for. */
const AREA_STEP = 5;
const MOST_FAILURE_TICKS = 600;

/** The stacked area of running tasks, and ticks at failures over the raster. */
export function rasterTraces(data: TimelineData, plane: Plane): Trace[] {
  const raster = rasterOf(data, plane);
  const step = (data.end - data.start) / COLUMNS;
  const points = Array.from({ length: COLUMNS / AREA_STEP }, (_, index) => index * AREA_STEP);
  const x = points.map((column) => plane.at(data.start + (column + AREA_STEP / 2) * step));
  const areas = raster.functions.map((name, index) => ({
    type: "scatter",
    mode: "lines",
    stackgroup: "running",
    name,
    x,
    y: points.map((column) =>
      meanOf(raster.running.subarray(index * COLUMNS + column, index * COLUMNS + column + AREA_STEP)),
    ),
    yaxis: "y2",
    line: { width: 0 },
    fillcolor: plane.colors.of(name),
    hovertemplate: `%{y:.1f} ${escapeXml(name)} running<extra></extra>`,
    showlegend: index < MOST_LEGEND_FUNCTIONS,
  }));
  return [...areas, ...failureTicks(data, raster, plane)];
}

/** Lanes as an image that the plot stretches; the gaps between lanes are in it. */
export function rasterImage(data: TimelineData, plane: Plane): Trace {
  const { layout, at } = plane;
  const laneHeight = (layout.rows[0]?.height ?? 0) >= 8 ? 8 : 3;
  const png = rasterOf(data, plane).png(laneHeight, 1);
  return {
    source: `data:image/png;base64,${Buffer.from(png).toString("base64")}`,
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

function rasterOf(data: TimelineData, { layout, colors }: Plane): Raster {
  const rowOf = new Map(layout.rows.map((row, index) => [row.lane, index]));
  return rasterize(data, colors, {
    columns: COLUMNS,
    rows: layout.rows.length,
    rowOf: (lane) => rowOf.get(lane) ?? -1,
  });
}

function meanOf(values: Float32Array): number {
  return Number((values.reduce((sum, value) => sum + value, 0) / values.length).toFixed(2));
}

function failureTicks(data: TimelineData, { failed, columns }: Raster, { layout, at }: Plane): Trace[] {
  const step = (data.end - data.start) / columns;
  const places: { x: number; row: number }[] = [];
  failed.forEach((count, index) => {
    if (count > 0 && places.length < MOST_FAILURE_TICKS)
      places.push({ x: at(data.start + ((index % columns) + 0.5) * step), row: Math.floor(index / columns) });
  });
  if (places.length === 0) return [];
  return [
    {
      type: "scatter",
      mode: "lines",
      name: "failed",
      hoverinfo: "skip",
      x: places.flatMap(({ x }) => [x, x, null]),
      y: places.flatMap(({ row }) => [
        round(layout.rows[row]!.y),
        round(layout.rows[row]!.y + layout.rows[row]!.height),
        null,
      ]),
      line: { color: FAILURE, width: 1.5 },
    },
  ];
}
