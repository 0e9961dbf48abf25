import type { Advice } from "./advice.ts";
import {
  isEarlyReturn,
  type TimelineAttempt,
  type TimelineCall,
  type TimelineData,
  type TimelineTask,
} from "./data.ts";
import { adviceText, cellLabel, figuresOf, pausesText, returnLabels, titleOf } from "./headline.ts";
import { type FunctionStats, formatTime, type TimelineStats } from "./statistics.ts";
import { timeTicks } from "./time-axis.ts";
import { assignTracks } from "./tracks.ts";

export interface TextOptions {
  /** Characters of a line; default 80. */
  width?: number;
  advice?: readonly Advice[];
}

const MOST_LANES = 40;
const MOST_TRACKS = 4;
const MOST_RETURNS = 12;
/** What a character stands for where no name is written. */
const MARKS = { finished: "#", running: ">", failed: "x", cancelled: "/", blocked: ".", fetching: "~" } as const;

/** Draws a timeline in plain ASCII, but for names: for terminals, logs, diffs and readers without pictures. */
export function renderText(
  data: TimelineData,
  stats: TimelineStats,
  { width = 80, advice = [] }: TextOptions = {},
): string {
  const title = [cellLabel(data), titleOf(data)].filter(Boolean).join(" ");
  const figures = figuresOf(data, stats).map(({ name, value }) => `${name} ${value}`);
  const lines = [title, ...joinWithin(figures, "   ", width), ""];
  const lanes = data.lanes.slice(0, MOST_LANES);
  const gutter = Math.min(24, Math.max(0, ...lanes.map((lane) => lane.label.length))) + 1;
  const columns = Math.max(20, width - gutter - 1);
  const scale = columns / Math.max(1e-9, data.end - data.start);
  const column = (time: number): number => Math.max(0, Math.min(columns - 1, Math.floor((time - data.start) * scale)));
  const byLane = attemptsByLane(data);
  const tracks = assignTracks(data, MOST_TRACKS);
  if (lanes.length > 0) lines.push(`${" ".repeat(gutter)}${axisLine(data, columns)}`);
  lanes.forEach((lane, index) => {
    const label = lane.label.length < gutter ? lane.label.padStart(gutter - 1) : `${lane.label.slice(0, gutter - 2)}-`;
    const rows =
      lane.kind === "driver"
        ? [driverLine(data.calls, columns, column)]
        : inTracks(byLane.get(index) ?? [], tracks).map((entries) => laneLine(entries, columns, column));
    rows.forEach((row, track) => {
      lines.push(`${track === 0 ? label : label.replaceAll(/./g, " ")} |${row}`.trimEnd());
    });
  });
  if (data.lanes.length > MOST_LANES)
    lines.push(`${" ".repeat(gutter)}|and ${data.lanes.length - MOST_LANES} more lanes`);
  lines.push(
    "",
    ...(data.pauses ? [`(${pausesText(data)})`, ""] : []),
    ...returnLines(data),
    ...failureLines(data, width),
    ...advice.slice(0, 3).flatMap((one) => wrapped(adviceText(one, data), width)),
  );
  while (lines.at(-1) === "") lines.pop();
  return lines.join("\n");
}

const MOST_FUNCTIONS = 12;

/** The text with a line for each function under it, by the time spent in it. */
export function withTable(text: string, { functions }: TimelineStats): string {
  if (functions.length === 0) return text;
  const rows = functions
    .slice(0, MOST_FUNCTIONS)
    .map(({ name, count, median, p95, max, total }: FunctionStats) => [
      name,
      count.toLocaleString("en"),
      ...[median, p95, max, total].map(formatTime),
    ]);
  const table = [["function", "runs", "median", "p95", "max", "total"], ...rows];
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  const lines = table.map((row) =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join("  "),
  );
  const others = functions.length - MOST_FUNCTIONS;
  return [text, "", ...lines, ...(others > 0 ? [`and ${others} more`] : [])].join("\n");
}

function joinWithin(parts: readonly string[], separator: string, width: number): string[] {
  const lines: string[] = [];
  for (const part of parts) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + separator.length + part.length <= width)
      lines[lines.length - 1] = last + separator + part;
    else lines.push(part);
  }
  return lines;
}

interface LaneEntry {
  task: TimelineTask;
  attempt: TimelineAttempt;
}

/** What a lane holds, line by line: tasks that a worker has at the same time do not cover each other. */
function inTracks(entries: readonly LaneEntry[], tracks: ReadonlyMap<TimelineAttempt, number>): LaneEntry[][] {
  const lines: LaneEntry[][] = [[]];
  for (const entry of entries) {
    const track = tracks.get(entry.attempt) ?? 0;
    while (lines.length <= track) lines.push([]);
    lines[track]!.push(entry);
  }
  return lines;
}

function attemptsByLane(data: TimelineData): Map<number, LaneEntry[]> {
  const lanes = new Map<number, LaneEntry[]>();
  const add = (lane: number, entry: LaneEntry): void => {
    const entries = lanes.get(lane);
    if (entries) entries.push(entry);
    else lanes.set(lane, [entry]);
  };
  const notRun = data.lanes.findIndex((lane) => lane.kind === "notRun");
  for (const task of data.tasks) {
    for (const attempt of task.attempts) add(attempt.lane, { task, attempt });
    if (task.attempts.length > 0 || task.endedAt === undefined || notRun < 0) continue;
    const state = task.state === "failed" ? "failed" : "cancelled";
    add(notRun, {
      task,
      attempt: {
        number: 0,
        lane: notRun,
        workerId: "",
        start: task.endedAt,
        end: task.endedAt,
        executedAt: task.endedAt,
        state,
        error: undefined,
        blocked: [],
      },
    });
  }
  for (const entries of lanes.values()) entries.sort((a, b) => a.attempt.start - b.attempt.start);
  return lanes;
}

/** `0         200 ms    400 ms`, each label beginning at its place. */
function axisLine(data: TimelineData, columns: number): string {
  const length = data.end - data.start;
  let line = "";
  for (const { value, label } of timeTicks(length, columns / 14)) {
    const at = Math.round((value / Math.max(1e-9, length)) * columns) + (value === 0 ? 1 : 0);
    if (at >= line.length + 1 || value === 0) if (at + label.length <= columns + 2) line = line.padEnd(at) + label;
  }
  return line;
}

/** `-` in wait, `=` in get, `v` an early return, `t` a wait that timed out; nothing while the driver runs. */
function driverLine(calls: readonly TimelineCall[], columns: number, column: (time: number) => number): string {
  const row = new Array<string>(columns).fill(" ");
  for (const { kind, start, end } of calls) row.fill(kind === "wait" ? "-" : "=", column(start), column(end) + 1);
  for (const call of calls) if (isEarlyReturn(call)) row[column(call.end)] = call.outcome === "timeout" ? "t" : "v";
  return row.join("");
}

function laneLine(entries: readonly LaneEntry[], columns: number, column: (time: number) => number): string {
  const row = new Array<string>(columns).fill(" ");
  for (const { attempt } of entries) {
    const [from, to] = [column(attempt.start), Math.max(column(attempt.start), column(attempt.end))];
    row.fill(MARKS[attempt.state], from, to + 1);
    const fetched = column(attempt.executedAt);
    if (fetched > from && attempt.state !== "cancelled") row.fill(MARKS.fetching, from, fetched);
    for (const pause of attempt.blocked) row.fill(MARKS.blocked, column(pause.start) + 1, column(pause.end));
    if (to - from < 2) continue;
    row[from] = "[";
    if (attempt.state !== "running") row[to] = "]";
  }
  entries.forEach(({ task, attempt }, index) => {
    const name = `${task.name}${attempt.number > 0 ? `(retry ${attempt.number})` : ""}`;
    const [from, to] = [column(Math.max(attempt.start, attempt.executedAt)), column(attempt.end)];
    const next = entries[index + 1];
    // One mark stays on each side, so that the state of the task can be seen.
    if (to - from - 1 >= name.length) write(row, from + 1, name);
    else if (to + 2 + name.length < (next ? column(next.attempt.start) : columns)) write(row, to + 2, name);
  });
  return row.join("");
}

function write(row: string[], at: number, text: string): void {
  [...text].forEach((character, index) => {
    row[at + index] = character;
  });
}

function returnLines(data: TimelineData): string[] {
  const names = new Map(data.tasks.map((task) => [task.id, task.name]));
  const returns = data.calls.filter(isEarlyReturn);
  if (returns.length === 0) return [];
  const rows = returns.slice(0, MOST_RETURNS).map((call) => {
    const [label] = returnLabels(call, (id) => names.get(id));
    const pending = call.pending === 0 ? "" : `, ${call.pending.toLocaleString("en")} pending`;
    return `${formatTime(call.end - data.start).padStart(9)}  ${call.outcome === "timeout" ? "t" : "v"} ${label}${pending}`;
  });
  if (returns.length > MOST_RETURNS) rows.push(`           and ${returns.length - MOST_RETURNS} more`);
  return ["early returns", ...rows, ""];
}

/** Lines of at most `width`, the first with a mark. */
function wrapped(text: string, width: number): string[] {
  const lines = joinWithin(text.split(" "), " ", width - 2);
  return lines.map((line, index) => `${index === 0 ? "!" : " "} ${line}`);
}

function failureLines(data: TimelineData, width: number): string[] {
  const failed = data.tasks.filter((task) => task.state === "failed");
  if (failed.length === 0) return [];
  const rows = failed.slice(0, 5).map((task) => {
    const error = task.attempts.at(-1)?.error;
    const line = `  x ${task.name}${error ? `: ${error.name}: ${error.message.split("\n")[0]}` : ": did not run"}`;
    return line.length <= width ? line : `${line.slice(0, width - 1)}…`;
  });
  if (failed.length > 5) rows.push(`    and ${(failed.length - 5).toLocaleString("en")} more`);
  return ["failed", ...rows, ""];
}
