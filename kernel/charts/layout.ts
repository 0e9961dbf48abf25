import { assignTracks, type TimelineAttempt, type TimelineData, type TimelineTask } from "../../runtime/timeline.ts";
import { fitText, textWidth } from "./text-width.ts";

/** Above so many attempts a picture shows a raster instead of bars. */
export const MOST_BARS = 1_500;

export const FONT_SIZE = 11;
export const MARGIN = 14;
const ROW_HEIGHT = 26;
const BAR_HEIGHT = 17;
/** Height that all lanes together should not pass by much when there are many. */
const LANES_HEIGHT = 400;
const LOWEST_ROW = 2;
const MOST_TRACKS = 6;
const AREA_HEIGHT = 56;
const DRIVER_HEIGHT = 18;

/** An attempt and where it is drawn. */
export interface Bar {
  task: TimelineTask;
  attempt: TimelineAttempt;
  x: number;
  width: number;
  y: number;
  /** Where the next bar on the same line begins, or the end of the picture. */
  roomUntil: number;
}

export interface LaneRow {
  /** Index into `data.lanes`. */
  lane: number;
  label: string;
  y: number;
  height: number;
}

/** Where everything is. */
export interface Layout {
  width: number;
  height: number;
  left: number;
  right: number;
  /** Bottom of the head. */
  headBottom: number;
  driver: { y: number; height: number; labelRows: number } | undefined;
  /** The stacked area of running tasks, for a raster only. */
  area: { y: number; height: number } | undefined;
  top: number;
  bottom: number;
  rows: LaneRow[];
  barHeight: number;
  /** Empty for a raster. */
  bars: Bar[];
  x(time: number): number;
}

/** Places lanes and bars; `headLines` and `footHeight` are what the text above and below takes. */
export function layOut(
  data: TimelineData,
  options: { width: number; headBottom: number; labelRows: number; footHeight: number },
): Layout {
  const { width, headBottom, labelRows } = options;
  const shown = data.lanes.map((lane, index) => ({ lane, index })).filter(({ lane }) => lane.kind !== "driver");
  const attempts = data.tasks.reduce((sum, task) => sum + task.attempts.length, 0);
  const asBars = attempts <= MOST_BARS;
  const tracks = asBars ? assignTracks(data, MOST_TRACKS) : new Map<TimelineAttempt, number>();
  const trackCounts = countTracks(tracks, data.lanes.length);
  const total = shown.reduce((sum, { index }) => sum + trackCounts[index]!, 0);
  const dense = total > 14;
  const rowHeight = dense ? Math.max(LOWEST_ROW, Math.min(20, LANES_HEIGHT / total)) : ROW_HEIGHT;
  const barHeight = dense ? Math.max(1.5, rowHeight - (rowHeight > 9 ? 3 : 1)) : BAR_HEIGHT;
  const labels = shown.map(({ lane }) => fitText(lane.label, 140, FONT_SIZE));
  const left = Math.min(
    width / 3,
    MARGIN +
      8 +
      Math.max(textWidth("driver", FONT_SIZE, { bold: true }), ...labels.map((label) => textWidth(label, FONT_SIZE))),
  );
  const right = width - 16;
  const driver =
    data.calls.length > 0 ? { y: headBottom + 8 + labelRows * 14, height: DRIVER_HEIGHT, labelRows } : undefined;
  const driverBottom = driver ? driver.y + driver.height + 7 : headBottom;
  const area = asBars ? undefined : { y: driverBottom, height: AREA_HEIGHT };
  const top = area ? area.y + area.height + 10 : driverBottom;
  let y = top;
  const rows = shown.map(({ index }, position) => {
    const height = rowHeight + (trackCounts[index]! - 1) * (dense ? rowHeight : BAR_HEIGHT + 2);
    const row = { lane: index, label: labels[position]!, y, height };
    y += height;
    return row;
  });
  const length = Math.max(1e-9, data.end - data.start);
  const scale = (right - left) / length;
  const x = (time: number): number => left + Math.max(0, Math.min(length, time - data.start)) * scale;
  const layout: Layout = {
    width,
    height: y + options.footHeight,
    left,
    right,
    headBottom,
    driver,
    area,
    top,
    bottom: y,
    rows,
    barHeight,
    bars: [],
    x,
  };
  if (asBars)
    layout.bars.push(
      ...placeBars(data, layout, tracks, {
        step: dense ? rowHeight : BAR_HEIGHT + 2,
        inset: dense ? (rowHeight - barHeight) / 2 : (ROW_HEIGHT - BAR_HEIGHT) / 2,
      }),
    );
  return layout;
}

function countTracks(tracks: ReadonlyMap<TimelineAttempt, number>, lanes: number): number[] {
  const counts = new Array<number>(lanes).fill(1);
  for (const [attempt, track] of tracks) counts[attempt.lane] = Math.max(counts[attempt.lane]!, track + 1);
  return counts;
}

function placeBars(
  data: TimelineData,
  layout: Layout,
  tracks: ReadonlyMap<TimelineAttempt, number>,
  { step, inset }: { step: number; inset: number },
): Bar[] {
  const rowOf = new Map(layout.rows.map((row) => [row.lane, row]));
  const bars: Bar[] = [];
  for (const task of data.tasks)
    for (const attempt of task.attempts) {
      const row = rowOf.get(attempt.lane);
      if (!row || attempt.end < data.start || attempt.start > data.end) continue;
      const x = layout.x(attempt.start);
      const width = Math.max(layout.x(attempt.end) - x, 1);
      bars.push({
        task,
        attempt,
        x,
        width,
        y: row.y + inset + (tracks.get(attempt) ?? 0) * step,
        roomUntil: layout.right,
      });
    }
  const lines = new Map<number, Bar>();
  // Of those that begin at one place the widest is the last.
  for (const bar of bars.toSorted((a, b) => b.x - a.x || b.width - a.width)) {
    bar.roomUntil = lines.get(bar.y)?.x ?? layout.right;
    lines.set(bar.y, bar);
  }
  return bars;
}
