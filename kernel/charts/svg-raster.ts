import type { TimelineData } from "../../runtime/timeline.ts";
import type { Layout } from "./layout.ts";
import { FONT_SIZE } from "./layout.ts";
import { FAILURE, type FunctionColors } from "./palette.ts";
import { type Raster, rasterize } from "./raster.ts";
import type { LanePicture } from "./svg-bars.ts";
import { num, Paths } from "./svg-elements.ts";

/** Columns that one point of the stacked area stands for. */
const AREA_STEP = 2;
/** Renderers that smooth what they scale smooth the edges of lanes only. */
const LANE_PIXELS = 8;
const MOST_FAILURE_TICKS = 600;

/** Draws what no single bar can be seen of: a stacked area of running tasks, and lanes as a raster with ticks for failures. */
export function drawRaster(data: TimelineData, layout: Layout, colors: FunctionColors): LanePicture {
  const { left, right, top, bottom, rows } = layout;
  const rowOf = new Map(rows.map((row, index) => [row.lane, index]));
  const raster = rasterize(data, colors, {
    columns: Math.round(right - left),
    rows: rows.length,
    rowOf: (lane) => rowOf.get(lane) ?? -1,
  });
  const image = Buffer.from(raster.png(LANE_PIXELS, 0)).toString("base64");
  const laneHeight = rows[0]?.height ?? 0;
  const gaps =
    laneHeight >= 4
      ? rows
          .slice(1)
          .map((row) => `M${num(left)} ${num(row.y)}H${num(right)}`)
          .join("")
      : "";
  const failures = drawFailures(raster, layout);
  const bars =
    drawArea(data, raster, layout, colors) +
    `<image x="${num(left)}" y="${num(top)}" width="${num(right - left)}" height="${num(bottom - top)}" preserveAspectRatio="none" image-rendering="optimizeSpeed" style="image-rendering:pixelated" href="data:image/png;base64,${image}"/>` +
    (gaps === "" ? "" : `<path d="${gaps}" class="sb" stroke-width="${laneHeight > 9 ? 3 : 1}"/>`) +
    failures;
  return { bars, edges: "", labels: "", shows: new Set(failures === "" ? [] : ["failed"]) };
}

function drawArea(
  data: TimelineData,
  { running, columns, functions }: Raster,
  layout: Layout,
  colors: FunctionColors,
): string {
  const area = layout.area!;
  const base = new Float32Array(columns);
  const sums = new Float32Array(columns);
  running.forEach((value, index) => {
    sums[index % columns]! += value;
  });
  const most = Math.max(1, data.workers, Math.ceil(Math.max(...sums) - 0.05));
  const y = (value: number): string => num(area.y + area.height * (1 - Math.min(1, value / most)));
  const layers = functions.map((name, index) => {
    let upper = "";
    let lower = "";
    for (let column = 0; column < columns; column += AREA_STEP) {
      const x = num(layout.left + column);
      upper += `${upper === "" ? "M" : "L"}${x} ${y(base[column]! + running[index * columns + column]!)}`;
      lower = `L${x} ${y(base[column]!)}${lower}`;
    }
    for (let column = 0; column < columns; column++) base[column]! += running[index * columns + column]!;
    return `<path d="${upper}${lower}z" fill="${colors.of(name)}"/>`;
  });
  const label = (text: string, line: number): string =>
    `<text x="${num(layout.left - 8)}" y="${num(area.y + FONT_SIZE + 1 + line * 14)}" text-anchor="end" class="fm">${text}</text>`;
  const frame = `<path d="M${num(layout.left)} ${num(area.y)}H${num(layout.right)}M${num(layout.left)} ${num(area.y + area.height)}H${num(layout.right)}" class="sg"/>`;
  return label("running", 0) + label(`max ${most}`, 1) + frame + layers.join("");
}

function drawFailures({ failed, columns, lanes }: Raster, layout: Layout): string {
  const paths = new Paths();
  let ticks = 0;
  for (let lane = 0; lane < lanes; lane++)
    for (let column = 0; column < columns && ticks < MOST_FAILURE_TICKS; column++)
      if (failed[lane * columns + column]! > 0) {
        const row = layout.rows[lane]!;
        paths.add("failed", `M${num(layout.left + column)} ${num(row.y)}v${num(row.height)}`);
        ticks++;
      }
  return paths.draw("failed", `stroke="${FAILURE}" stroke-width="1.4"`);
}
