import type { TimelineData } from "../../runtime/timeline.ts";
import { placeBarLabels, solidParts } from "./bar-labels.ts";
import type { Bar, Layout } from "./layout.ts";
import { FAILURE, type FunctionColors, inkOn } from "./palette.ts";
import { queueLines } from "./queue-lines.ts";
import { box, escapeXml, HALO, num, Paths } from "./svg-elements.ts";

/** Up to so many bars, each has its name where there is room, and its wait for a worker as a line. */
const LABELLED = 400;
/** Up to so many, lines show which task needed which. */
const WITH_EDGES = 60;

/** The parts of the picture of the lanes, in the order in which they cover each other. */
export interface LanePicture {
  bars: string;
  edges: string;
  labels: string;
  /** Which marks the legend must explain. */
  shows: Set<LegendMark>;
}

export type LegendMark =
  | "fetch"
  | "queued"
  | "critical"
  | "depends"
  | "nested"
  | "blocked"
  | "failed"
  | "cancelled"
  | "running"
  | "span";

/** Draws each attempt as a bar with its phases, its name, and what ties it to others. */
export function drawBars(
  data: TimelineData,
  layout: Layout,
  {
    colors,
    criticalPath,
    returned,
  }: { colors: FunctionColors; criticalPath: readonly string[]; returned: ReadonlySet<string> },
): LanePicture {
  const paths = new Paths();
  const shows = new Set<LegendMark>();
  const critical = new Set(criticalPath.length > 1 && layout.bars.length <= LABELLED ? criticalPath : []);
  const functions = new Map<string, string>();
  for (const bar of layout.bars) {
    functions.set(bar.task.functionName, colors.of(bar.task.functionName));
    drawBar(bar, layout, paths, shows);
    if (critical.has(bar.task.id) && bar.attempt === bar.task.attempts.at(-1)) {
      paths.add("critical", `M${num(bar.x)} ${num(bar.y + layout.barHeight + 1.7)}h${num(bar.width)}`);
      shows.add("critical");
    }
  }
  drawQueues(layout, paths, shows);
  drawNotRun(data, layout, paths, shows);
  drawSpans(data, layout, paths, shows);
  const bars = [
    paths.draw("queued", 'class="sm" stroke-width="2.4" opacity=".45" fill="none"'),
    ...[...functions].map(
      ([name, color]) =>
        paths.draw(`solid ${name}`, `fill="${color}"`) +
        paths.draw(`pale ${name}`, `fill="${color}" fill-opacity=".38"`),
    ),
    paths.draw("cancelled", 'fill="url(#c)" fill-opacity=".55" class="sm"'),
    paths.draw("fetch", 'fill="url(#h)"'),
    paths.draw("span", 'class="st" stroke-width="2.5" opacity=".55" fill="none"'),
    paths.draw("failed", `fill="none" stroke="${FAILURE}" stroke-width="2"`),
    paths.draw("critical", 'class="st" stroke-width="2.2" fill="none"'),
  ].join("");
  const edges = layout.bars.length <= WITH_EDGES ? drawEdges(layout, critical, shows) : "";
  return { bars, edges, labels: drawLabels(layout, colors, returned) + drawRings(layout, returned), shows };
}

function drawBar({ task, attempt, x, width, y }: Bar, layout: Layout, paths: Paths, shows: Set<LegendMark>): void {
  const height = layout.barHeight;
  if (attempt.state === "cancelled") {
    paths.add("cancelled", box(x, y, Math.max(width, 3), height));
    shows.add("cancelled");
    return;
  }
  // A hair between neighbours of one colour, so that they can be counted.
  const shown = width > 4 ? width - 0.5 : width;
  if (attempt.blocked.length === 0)
    paths.add(
      `solid ${task.functionName}`,
      attempt.state === "running" ? arrow(x, y, shown, height) : box(x, y, shown, height),
    );
  else {
    paths.add(`pale ${task.functionName}`, box(x, y, shown, height));
    for (const [start, end] of solidParts(attempt))
      paths.add(
        `solid ${task.functionName}`,
        box(layout.x(start), y, Math.max(0.5, layout.x(end) - layout.x(start)), height),
      );
    shows.add("blocked");
  }
  if (attempt.state === "running") shows.add("running");
  const fetched = layout.x(attempt.executedAt) - x;
  if (fetched >= 1.5) {
    paths.add("fetch", box(x, y, fetched, height));
    shows.add("fetch");
  }
  if (attempt.state === "failed") {
    paths.add("failed", box(x, y, shown, height));
    if (height >= 8) paths.add("failed", `M${num(x + shown - 3.5)} ${num(y - 2.5)}l5 5m0-5l-5 5`);
    shows.add("failed");
  }
}

/** A bar that is still growing ends in a point. */
function arrow(x: number, y: number, width: number, height: number): string {
  const tip = Math.min(width, 5);
  return `M${num(x)} ${num(y)}h${num(width - tip)}l${num(tip)} ${num(height / 2)}l${num(-tip)} ${num(height / 2)}h${num(tip - width)}z`;
}

function drawQueues(layout: Layout, paths: Paths, shows: Set<LegendMark>): void {
  for (const { x, end, y } of queueLines(layout, LABELLED)) {
    paths.add("queued", `M${num(x)} ${num(y)}H${num(end)}`);
    shows.add("queued");
  }
}

/** Tasks that ended before a worker took them up: a mark at that moment in a lane of their own. */
function drawNotRun(data: TimelineData, layout: Layout, paths: Paths, shows: Set<LegendMark>): void {
  const row = layout.rows.find(({ lane }) => data.lanes[lane]!.kind === "notRun");
  if (!row) return;
  const y = row.y + (row.height - layout.barHeight) / 2;
  for (const task of data.tasks) {
    if (task.attempts.length > 0 || task.endedAt === undefined) continue;
    const state = task.state === "failed" ? "failed" : "cancelled";
    paths.add(state, box(layout.x(task.endedAt) - 2, y, 4, layout.barHeight));
    shows.add(state);
  }
}

function drawSpans(data: TimelineData, layout: Layout, paths: Paths, shows: Set<LegendMark>): void {
  if (data.spans.length > LABELLED) return;
  const barOf = new Map(layout.bars.map((bar) => [bar.task.id, bar]));
  for (const span of data.spans) {
    const bar = barOf.get(span.taskId ?? "");
    if (!bar) continue;
    paths.add("span", `M${num(layout.x(span.start))} ${num(bar.y + layout.barHeight - 2)}H${num(layout.x(span.end))}`);
    shows.add("span");
  }
}

function drawLabels(layout: Layout, colors: FunctionColors, returned: ReadonlySet<string>): string {
  if (layout.bars.length > LABELLED || layout.barHeight < 12) return "";
  const inside = new Map<string, string[]>();
  const outside: string[] = [];
  for (const label of placeBarLabels(layout, { returned, outside: layout.bars.length <= WITH_EDGES })) {
    if (label.need > label.room) continue;
    const { task, attempt, y } = label.bar;
    const text = `<text x="${num(label.x)}" y="${num(y + layout.barHeight / 2 + 3.9)}">${escapeXml(label.text)}</text>`;
    const color = colors.of(task.functionName);
    const key = attempt.state === "cancelled" ? 'class="ft"' : `fill="${inkOn(color)}" stroke="${color}"`;
    if (!label.inside) outside.push(text);
    else if (inside.get(key)?.push(text) === undefined) inside.set(key, [text]);
  }
  const groups = [...inside].map(([attributes, texts]) => `<g ${attributes} ${HALO}>${texts.join("")}</g>`);
  return groups.join("") + (outside.length > 0 ? `<g class="ft sb" ${HALO}>${outside.join("")}</g>` : "");
}

function drawRings(layout: Layout, returned: ReadonlySet<string>): string {
  if (returned.size === 0 || layout.barHeight < 8) return "";
  const rings = layout.bars
    .filter(({ task, attempt }) => returned.has(task.id) && attempt === task.attempts.at(-1))
    .map(({ x, width, y }) => `<circle cx="${num(x + width)}" cy="${num(y + layout.barHeight / 2)}" r="3.6"/>`);
  return rings.length === 0 ? "" : `<g class="fb st" stroke-width="1.6">${rings.join("")}</g>`;
}

/** Curves from a task to those that were given its result, dotted lines from a task to those it submitted. */
function drawEdges(layout: Layout, critical: ReadonlySet<string>, shows: Set<LegendMark>): string {
  const last = new Map<string, Bar>();
  const first = new Map<string, Bar>();
  for (const bar of layout.bars) {
    last.set(bar.task.id, bar);
    if (!first.has(bar.task.id)) first.set(bar.task.id, bar);
  }
  const middle = (bar: Bar): number => bar.y + layout.barHeight / 2;
  const edges: string[] = [];
  for (const bar of first.values()) {
    for (const id of bar.task.dependencies) {
      const from = last.get(id);
      if (!from) continue;
      const hot = critical.has(id) && critical.has(bar.task.id);
      const edge = curve(from.x + from.width, middle(from), bar.x, middle(bar), hot);
      if (edge !== "") shows.add("depends");
      edges.push(edge);
    }
    const parent = last.get(bar.task.parentId ?? "");
    if (!parent) continue;
    shows.add("nested");
    const down = parent.y < bar.y;
    const x = num(bar.x);
    const y = num(parent.y + (down ? layout.barHeight : 0));
    edges.push(
      `<path d="M${x} ${y}V${num(bar.y + (down ? 0 : layout.barHeight))}" class="st" fill="none" stroke-width="1.3" stroke-dasharray="1.3 2.2"/><circle cx="${x}" cy="${y}" r="2.2" class="ft"/>`,
    );
  }
  return edges.join("");
}

function curve(x1: number, y1: number, x2: number, y2: number, hot: boolean): string {
  if (Math.abs(y1 - y2) < 1 && x2 - x1 < 12) return "";
  const bend = Math.max(10, Math.min(40, (x2 - x1) / 2));
  const path = `d="M${num(x1)} ${num(y1)}C${num(x1 + bend)} ${num(y1)} ${num(x2 - bend)} ${num(y2)} ${num(x2 - 1)} ${num(y2)}" fill="none"`;
  return (
    `<path ${path} class="sb" stroke-width="3.4" opacity=".75"/><path ${path} class="st" stroke-width="${hot ? 1.6 : 1}" opacity="${hot ? 1 : 0.75}"/>` +
    `<path d="M${num(x2)} ${num(y2)}l-5.4-2.8v5.6z" class="ft"/>`
  );
}
