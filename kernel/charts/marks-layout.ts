import { formatBytes, formatTime, plural, type TimelineData, type TimelineMark } from "../../runtime/timeline.ts";
import type { Layout } from "./layout.ts";

/** Marks of one kind on one line that are nearer than this would cover each other: they are one. */
const APART = 9;
const LOWEST_LANE = 10;

/** Something that happened to a worker or the store, and where it is drawn. */
export interface PlacedMark {
  kind: TimelineMark["kind"];
  x: number;
  y: number;
  /** Of the first, where several are drawn as one. */
  time: number;
  count: number;
  bytes: number;
  lane: string;
}

/** Worker marks stand in the workers' lanes, those of the store on the axis. */
export function placeMarks(data: TimelineData, layout: Layout): PlacedMark[] {
  const rowOf = new Map(layout.rows.map((row) => [row.lane, row]));
  const lasts = new Map<string, PlacedMark>();
  const placed: PlacedMark[] = [];
  for (const { bytes = 0, kind, lane, time } of data.marks) {
    const row = rowOf.get(lane ?? -1);
    const ofStore = kind === "spilled" || kind === "restored";
    if (!ofStore && (!row || row.height < LOWEST_LANE)) continue;
    const x = layout.x(time);
    const key = `${kind} ${lane}`;
    const last = lasts.get(key);
    if (last && x - last.x < APART) {
      last.count++;
      last.bytes += bytes;
      continue;
    }
    const y = ofStore ? layout.bottom : row!.y + row!.height / 2;
    const mark = { kind, x, y, time, count: 1, bytes, lane: row?.label ?? "" };
    lasts.set(key, mark);
    placed.push(mark);
  }
  return placed;
}

/** What the marks of a kind stand for, all of them together; undefined where there are none. */
export function markTotal(marks: readonly PlacedMark[], kind: PlacedMark["kind"]): string | undefined {
  const some = marks.filter((mark) => mark.kind === kind);
  if (some.length === 0) return undefined;
  const bytes = formatBytes(some.reduce((sum, mark) => sum + mark.bytes, 0));
  return {
    workerStarted: "worker started",
    workerCrashed: "worker crashed",
    spilled: `spilled ${bytes}`,
    restored: `restored ${bytes}`,
  }[kind];
}

/** One mark in words. */
export function markText({ bytes, count, kind, lane, time }: PlacedMark, start: number): string {
  const at = `at ${formatTime(time - start)}`;
  if (kind === "workerStarted") return `${lane} started ${at}`;
  if (kind === "workerCrashed") return `${lane} crashed ${at}`;
  const where = kind === "spilled" ? "went to disk" : "came back from disk";
  return `${plural(count, "object")} ${where} ${at}: ${formatBytes(bytes)}`;
}
