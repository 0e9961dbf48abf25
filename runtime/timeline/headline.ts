import type { Advice } from "./advice.ts";
import { isEarlyReturn, type TimelineCall, type TimelineData } from "./data.ts";
import { describe, formatPart, formatRatio, formatTime, plural, type TimelineStats } from "./statistics.ts";

/** A figure at the head of a chart. */
export interface Figure {
  name: string;
  value: string;
  bad?: boolean;
}

/** What happened in few words: `8 tasks · wait(numReturns: 2)`. */
export function titleOf(data: TimelineData): string {
  const own = data.tasks.reduce((sum, task) => sum + (task.foreign ? 0 : 1), 0);
  const parts = own > 0 ? [plural(own, "task")] : [];
  parts.push(...callNames(data.calls));
  if (data.submittedIn.length > 0) parts.push(`submitted in ${data.submittedIn.map((cell) => `[${cell}]`).join(" ")}`);
  return parts.length === 0 ? "no tasks" : parts.join(" · ");
}

/** The label of the cell as Jupyter writes it; empty for the chart of a session. */
export function cellLabel(data: TimelineData): string {
  return data.cell === undefined ? "" : `[${data.cell}]`;
}

/** The figures in the order in which they are shown; those that say nothing here are left out. */
export function figuresOf(data: TimelineData, stats: TimelineStats): Figure[] {
  const figures: Figure[] = [
    { name: "wall", value: formatTime(stats.wall) },
    { name: "task time", value: formatTime(stats.taskTime) },
    { name: "speed-up", value: formatRatio(stats.speedUp) },
    { name: "capacity used", value: formatPart(stats.capacityUsed) },
    { name: "lower bound", value: formatTime(stats.lowerBound) },
  ];
  const used = data.lanes.filter((lane) => lane.kind === "worker" || lane.kind === "actor").length;
  if (used > 0 && used < stats.workers) figures.push({ name: "workers", value: `${used} of ${stats.workers}` });
  if (stats.savedByEarlyReturns > stats.wall * 0.05)
    figures.push({ name: "saved by early returns", value: formatTime(stats.savedByEarlyReturns) });
  if (stats.running > 0) figures.push({ name: "running", value: stats.running.toLocaleString("en") });
  if (stats.waiting > 0) figures.push({ name: "waiting", value: stats.waiting.toLocaleString("en") });
  if (stats.failed > 0) figures.push({ name: "failed", value: stats.failed.toLocaleString("en"), bad: true });
  if (stats.retried > 0) figures.push({ name: "retried", value: stats.retried.toLocaleString("en") });
  if (stats.cancelled > 0) figures.push({ name: "cancelled", value: stats.cancelled.toLocaleString("en") });
  return figures;
}

/** An advice with where it applies, as far as that is known: `Line 3: …`, `[4] line 3: …`, `main.mjs:3: …`. */
export function adviceText({ cell, line, message, place }: Advice, data: TimelineData): string {
  const outside = data.cell === undefined && cell !== undefined ? `[${cell}]` : "";
  if (line === undefined) return outside === "" ? message : `${outside} ${message}`;
  const file = /([^/]+):\d+:\d+$/.exec(place ?? "")?.[1];
  if (file !== undefined && !/^cell-[^/]+\.ts$/.test(file)) return `${file}:${line}: ${message}`;
  return outside === "" ? `Line ${line}: ${message}` : `${outside} line ${line}: ${message}`;
}

/** What was left out of the drawing; empty where nothing was. */
export function pausesText({ pauses = [] }: TimelineData): string {
  if (pauses.length === 0) return "";
  const time = formatTime(pauses.reduce((sum, { length }) => sum + length, 0));
  return `${time} between cells left out`;
}

/** The text alternative: what a reader who cannot see the picture needs to know. */
export function sentenceOf(data: TimelineData, stats: TimelineStats): string {
  const early = data.calls.filter((call) => isEarlyReturn(call) && call.outcome !== "timeout").length;
  const where = data.cell === undefined ? "" : ` of cell ${data.cell}`;
  return `Timeline${where}: ${describe(stats)}${early > 0 ? ` ${plural(early, "early return")}.` : ""}`;
}

/** What a call is labelled with where there is room, longest first. */
export function callLabels(call: TimelineCall): string[] {
  const { kind, total, numReturns, timeout } = call;
  if (kind === "get") return total === 1 ? ["get"] : [`get(${total.toLocaleString("en")})`, "get"];
  const count = `${(numReturns ?? 1).toLocaleString("en")} of ${total.toLocaleString("en")}`;
  const limit = call.outcome === "timeout" && timeout !== undefined ? [`wait(${count}, ${formatTime(timeout)})`] : [];
  return [...limit, `wait(${count})`, `wait(${(numReturns ?? 1).toLocaleString("en")})`, "wait"];
}

/** What a `wait` gave back, longest first: the names of its tasks, or how many. */
export function returnLabels(call: TimelineCall, nameOf: (taskId: string) => string | undefined): string[] {
  if (call.outcome === "timeout" && call.returnedTotal === 0) return ["timed out"];
  const names = call.returned.map(nameOf).filter((name) => name !== undefined);
  const count = plural(call.returnedTotal, "ref");
  const labels = names.length === call.returnedTotal && names.length <= 3 ? [names.join(" "), count] : [count];
  const short = call.returnedTotal.toLocaleString("en");
  return call.outcome === "timeout"
    ? [...labels.map((label) => `timed out, ${label}`), "timed out"]
    : [...labels, short];
}

function callNames(calls: readonly TimelineCall[]): string[] {
  const waits = calls.filter((call) => call.kind === "wait");
  const gets = calls.length - waits.length;
  // Beside `wait`, `get` of what came back says nothing more.
  if (waits.length === 0) return gets === 0 ? [] : [gets === 1 ? "get" : `get × ${gets.toLocaleString("en")}`];
  const counts = new Set(waits.map((call) => call.numReturns ?? 1));
  const [count] = counts;
  if (counts.size === 1) return [`wait(numReturns: ${count!.toLocaleString("en")})`];
  return [`wait × ${waits.length.toLocaleString("en")}`];
}
