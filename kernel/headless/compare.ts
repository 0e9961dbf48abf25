/**
 * Compares what a cell shows now with what the notebook has stored: the same text on each stream, then the same other
 * outputs in the same order, once times, dates and ids are left out. Of pictures and pages only their kind is compared;
 * where a picture stands between the lines of a stream depends on the moment, and whether a cell with a short task has a chart at all.
 */
import { type Cell, hasTag, joined, type Output } from "./notebook.ts";

/** A cell with one of these tags shows something else each time; nbval's name works too. */
const optOut = ["no-check", "nbval-ignore-output"];

const time = "<time>";
const normalisers: readonly (readonly [RegExp, string])[] = [
  [/\u001b\[[0-9;]*m/g, ""],
  [/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?/g, time],
  [/\b\d+([.,]\d+)?\s?(ns|µs|us|ms|s|seconds|min|minutes)(?![\w])/g, time],
  [/\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/gi, "<id>"],
  [/\b0x[0-9a-f]+\b/gi, "<id>"],
  // A worker's, which one takes a task being chance; an object's or a task's.
  [/\b(w\d+|[ot][0-9a-f]{9,})\b/g, "<id>"],
  [/[ \t]+$/gm, ""],
];

/** The text without what differs from run to run. */
export function normalise(text: string): string {
  return normalisers.reduce((rest, [pattern, replacement]) => rest.replace(pattern, replacement), text).trimEnd();
}

/** Says in one line how the outputs differ; undefined when they do not, or when the cell asks not to be compared. */
export function differenceOf(cell: Cell, stored: readonly Output[]): string | undefined {
  if (hasTag(cell, ...optOut)) return undefined;
  const before = describeAll(stored);
  const now = describeAll(cell.outputs ?? []);
  for (let index = 0; index < Math.max(before.length, now.length); index++) {
    const place = `output ${index + 1}`;
    const [old, fresh] = [before[index], now[index]];
    if (old === undefined) return `${place} is new: ${shorten(fresh!)}`;
    if (fresh === undefined) return `${place} is missing: ${shorten(old)}`;
    if (old !== fresh) return firstDifference(place, old, fresh);
  }
  return undefined;
}

function describeAll(outputs: readonly Output[]): string[] {
  const texts = { stdout: "", stderr: "" };
  const others: string[] = [];
  for (const output of outputs) {
    if (output.output_type === "stream") texts[output.name] += joined(output.text);
    else if (!isChart(output)) others.push(describe(output));
  }
  const streams = Object.entries(texts).filter(([, text]) => text !== "");
  return [...streams.map(([name, text]) => `${name}\n${normalise(text)}`), ...others];
}

function isChart(output: Exclude<Output, { output_type: "stream" }>): boolean {
  return output.output_type === "display_data" && joined(output.data["text/html"]).includes('class="heddle-timeline"');
}

function describe(output: Exclude<Output, { output_type: "stream" }>): string {
  switch (output.output_type) {
    case "error":
      return `error\n${output.ename}: ${normalise(output.evalue)}`;
    default: {
      const kinds = Object.keys(output.data).sort();
      const isPicture = kinds.some((kind) => kind.startsWith("image/"));
      const text = isPicture ? "" : normalise(joined(output.data["text/plain"]));
      return `${output.output_type} of ${kinds.join(", ")}\n${text}`;
    }
  }
}

function firstDifference(place: string, old: string, fresh: string): string {
  const [before, now] = [old.split("\n"), fresh.split("\n")];
  const line = before.findIndex((text, index) => text !== now[index]);
  const at = line < 0 ? before.length : line;
  const where = at === 0 ? place : `${place}, line ${at}`;
  return `${where} was ${shorten(before[at] ?? "absent")} and is ${shorten(now[at] ?? "absent")}`;
}

function shorten(text: string): string {
  const line = JSON.stringify(text.replace("\n", ": "));
  return line.length > 80 ? `${line.slice(0, 78)}…"` : line;
}
