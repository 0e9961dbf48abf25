import {
  type Advice,
  adviceText,
  cellLabel,
  type Figure,
  figuresOf,
  isEarlyReturn,
  pausesText,
  sentenceOf,
  type TimelineData,
  type TimelineStats,
  timeTicks,
  titleOf,
} from "../../runtime/timeline.ts";
import { CELL_LINE, hasCells, placeCells } from "./cell-labels.ts";
import { placeReturns, returnedTasks } from "./driver-layout.ts";
import { FONT_SIZE, type Layout, layOut, MARGIN } from "./layout.ts";
import { placeMarks } from "./marks-layout.ts";
import { FAILURE, type FunctionColors } from "./palette.ts";
import { drawBars, type LanePicture } from "./svg-bars.ts";
import { drawDriver } from "./svg-driver.ts";
import { escapeXml, num, styleOf, type ThemeChoice } from "./svg-elements.ts";
import { drawLegend, functionEntries, type LegendEntry, markEntry } from "./svg-legend.ts";
import { drawMarks } from "./svg-marks.ts";
import { drawRaster } from "./svg-raster.ts";
import { fitText, textWidth, wrapText } from "./text-width.ts";

export interface SvgOptions {
  colors: FunctionColors;
  /** Pixels; default 960. */
  width?: number;
  /** Default `auto`. */
  theme?: ThemeChoice;
  /** Lines under the chart, at most three are shown. */
  advice?: readonly Advice[];
}

const FONTS = "system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans Condensed','DejaVu Sans',sans-serif";
const AXIS_HEIGHT = 26;
const LINE_HEIGHT = 16;
const TITLE_SIZE = 14;
const MOST_ADVICE = 3;

/** Draws a timeline as a picture that stands on its own. */
export function renderSvg(
  data: TimelineData,
  stats: TimelineStats,
  { colors, width = 960, theme = "auto", advice = [] }: SvgOptions,
): string {
  const chips = layOutFigures(figuresOf(data, stats), width);
  const headBottom = 42 + chips.height + (hasCells(data) ? CELL_LINE : 0);
  const advised = advice.slice(0, MOST_ADVICE).flatMap((one) =>
    wrapText(adviceText(one, data), width - 3 * MARGIN, FONT_SIZE).map((text, index) => ({
      text,
      first: index === 0,
    })),
  );
  const first = layOut(data, { width, headBottom, labelRows: 1, footHeight: 0 });
  const marks = placeReturns(data, first);
  const labelRows = marks.length === 0 ? 0 : 1 + Math.max(0, ...marks.map((mark) => mark.label?.row ?? 0));
  const layout = labelRows === 1 ? first : layOut(data, { width, headBottom, labelRows, footHeight: 0 });
  const picture = layout.area
    ? drawRaster(data, layout, colors)
    : drawBars(data, layout, { colors, criticalPath: stats.criticalPath, returned: returnedTasks(data) });
  const driver = drawDriver(data, layout, marks);
  const events = drawMarks(placeMarks(data, layout));
  const legend = drawLegend(
    [...functionEntries(data, stats, colors), ...markEntries(data, picture, events.entries)],
    width,
  );
  const legendTop = layout.bottom + AXIS_HEIGHT + 14;
  const adviceTop = legendTop + legend.height + 4;
  const height = Math.ceil(adviceTop + advised.length * LINE_HEIGHT - 4);
  const title = [cellLabel(data), titleOf(data)].filter(Boolean).join(" ");
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escapeXml(sentenceOf(data, stats))}" font-family="${FONTS}" font-size="${FONT_SIZE}">`,
    `<title>${escapeXml(title)}</title>${styleOf(theme)}`,
    '<defs><pattern id="h" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path d="M0 0V5" stroke="#fff" stroke-opacity=".6" stroke-width="2"/></pattern>',
    '<pattern id="c" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path d="M0 0V6" class="sm" stroke-width="2.4"/></pattern></defs>',
    `<rect x=".5" y=".5" width="${width - 1}" height="${height - 1}" rx="6" class="card"/>`,
    drawTitle(data, width),
    chips.draw(42),
    drawGrid(data, layout),
    drawPauses(data, layout),
    drawCells(data, layout),
    picture.bars,
    driver.lines,
    picture.edges,
    picture.labels,
    events.marks,
    driver.lane,
    legend.draw(legendTop),
    ...advised.map(({ text, first: begins }, index) => {
      const y = num(adviceTop + index * LINE_HEIGHT);
      return `${begins ? `<text x="${MARGIN}" y="${y}" fill="${FAILURE}">▸</text>` : ""}<text x="${MARGIN + 12}" y="${y}" class="ft">${escapeXml(text)}</text>`;
    }),
    "</svg>",
  ].join("");
}

function drawTitle(data: TimelineData, width: number): string {
  const label = cellLabel(data);
  const space = textWidth(`${label} `, TITLE_SIZE, { bold: true });
  const title = fitText(titleOf(data), width - 2 * MARGIN - (label === "" ? 0 : space), TITLE_SIZE, { bold: true });
  const before = label === "" ? "" : `<tspan class="fm" font-weight="400">${escapeXml(label)} </tspan>`;
  return `<text x="${MARGIN}" y="22" font-size="${TITLE_SIZE}" font-weight="600" class="ft">${before}${escapeXml(title)}</text>`;
}

function layOutFigures(figures: readonly Figure[], width: number): { height: number; draw: (y: number) => string } {
  const places: { figure: Figure; x: number; line: number }[] = [];
  let x = MARGIN;
  let line = 0;
  for (const figure of figures) {
    const taken = textWidth(`${figure.name} `, FONT_SIZE) + textWidth(figure.value, FONT_SIZE, { bold: true });
    if (x > MARGIN && x + taken > width - MARGIN) {
      line++;
      x = MARGIN;
    }
    places.push({ figure, x, line });
    x += taken + 14;
  }
  const draw = (y: number): string =>
    places
      .map(({ figure, x: at, line: row }) => {
        const color = figure.bad ? `fill="${FAILURE}"` : 'class="ft"';
        return `<text x="${num(at)}" y="${num(y + row * LINE_HEIGHT)}" class="fm">${figure.name} <tspan font-weight="600" ${color}>${figure.value}</tspan></text>`;
      })
      .join("");
  return { height: (line + 1) * LINE_HEIGHT, draw };
}

/** Stripes, lines and labels of the axes. */
function drawGrid(data: TimelineData, layout: Layout): string {
  const { left, right, bottom, rows } = layout;
  const stripes = rows
    .filter((_, index) => index % 2 === 0)
    .map(
      (row) =>
        `<rect x="${num(left)}" y="${num(row.y)}" width="${num(right - left)}" height="${num(row.height)}" class="fl"/>`,
    );
  const ticks = timeTicks(data.end - data.start, Math.max(2, (right - left) / 95));
  const lines = ticks
    .map(({ value }) => `M${num(layout.x(data.start + value))} ${num(layout.headBottom + 2)}V${num(bottom)}`)
    .join("");
  const labels = ticks.map(({ value, label }) => {
    const x = layout.x(data.start + value);
    const half = textWidth(label, FONT_SIZE) / 2;
    return `<text x="${num(Math.min(x, layout.width - 6 - half))}" y="${num(bottom + 15)}" text-anchor="middle" class="fm">${label}</text>`;
  });
  return `${layout.area ? "" : stripes.join("")}<path d="${lines}" class="sg" fill="none"/>${labels.join("")}${drawLaneLabels(data, layout)}`;
}

/** Which cell is where, over the chart of several. */
function drawCells(data: TimelineData, layout: Layout): string {
  if (!hasCells(data)) return "";
  const y = num(layout.headBottom - 3);
  const ticks = placeCells(data, layout).map(
    ({ text, x }) =>
      `<path d="M${num(x)} ${num(layout.headBottom - 11)}V${num(layout.headBottom + 2)}" class="sm" stroke-width=".9"/><text x="${num(x + 3)}" y="${y}" class="fm">${escapeXml(text)}</text>`,
  );
  return ticks.join("");
}

/** A double line where time between cells was left out. */
function drawPauses({ pauses = [] }: TimelineData, { bottom, headBottom, x }: Layout): string {
  const path = pauses.map(({ time }) => pausePath(x(time), headBottom + 2, bottom)).join("");
  return path === "" ? "" : `<path d="${path}" class="sm" stroke-width=".9" fill="none"/>`;
}

const pausePath = (x: number, top: number, bottom: number): string =>
  `M${num(x - 1.3)} ${num(top)}V${num(bottom)}M${num(x + 1.3)} ${num(top)}V${num(bottom)}`;

function drawLaneLabels(data: TimelineData, { rows, left }: Layout): string {
  const lowest = Math.min(...rows.map((row) => row.height));
  const size = lowest < 13 ? 9 : FONT_SIZE;
  const every = Math.max(1, Math.ceil((size + 2) / lowest));
  return rows
    .filter((_, index) => index % every === 0)
    .map(({ lane, label, y, height }) => {
      const kind = data.lanes[lane]!.kind;
      const style =
        kind === "actor"
          ? ' font-style="italic" class="ft"'
          : kind === "notRun"
            ? ' font-style="italic" class="fm"'
            : ' class="ft"';
      const middle = every > 1 ? y + (lowest * every) / 2 : y + height / 2;
      return `<text x="${num(left - 8)}" y="${num(middle + size * 0.355)}" text-anchor="end"${size === FONT_SIZE ? "" : ` font-size="${size}"`}${style}>${escapeXml(label)}</text>`;
    })
    .join("");
}

function markEntries(data: TimelineData, picture: LanePicture, events: readonly LegendEntry[]): LegendEntry[] {
  const entries = [...picture.shows].map(markEntry);
  const returns = data.calls.filter(isEarlyReturn);
  if (returns.some((call) => call.outcome !== "timeout"))
    entries.push({ text: "early return", swatch: '<path d="M2-9h8.4l-4.2 6.4z" class="ft"/>' });
  if (returns.some((call) => call.outcome === "timeout"))
    entries.push({ text: "wait timed out", swatch: `<path d="M2-9h8.4l-4.2 6.4z" fill="${FAILURE}"/>` });
  const text = pausesText(data);
  const swatch = `<path d="${pausePath(6, -10, 2)}" class="sm" stroke-width=".9"/>`;
  return [...entries, ...events, ...(text === "" ? [] : [{ text, swatch }])];
}
