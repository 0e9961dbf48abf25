/** progress: a bar that follows a loop. */
import { workerSide } from "./current.ts";
import { currentHost } from "./host.ts";
import { isObjectRef, type ObjectRef } from "./object-ref.ts";
import { checkOptions, showValue } from "./options.ts";
import { asCompleted } from "./runtime.ts";

const FRAME_MS = 100;
const BAR = 24;

/** Options of `progress`. */
export interface ProgressOptions {
  /** What stands before the bar. */
  label?: string;
}

/**
 * Yields what it is given and shows how far the loop has come: refs in the order in which they become ready, anything
 * else in its own order. A bar that moves in a notebook and in a terminal, one line at the end elsewhere. The total is
 * known of lists, sets and maps; of a stream or generator it counts. Throws `TypeError` for what cannot be iterated.
 *
 * @example
 * for await (const ref of progress(refs, { label: "pages" })) save(await get(ref));
 */
export function progress<R extends ObjectRef<unknown>>(refs: readonly R[], options?: ProgressOptions): AsyncIterable<R>;
export function progress<T>(items: Iterable<T> | AsyncIterable<T>, options?: ProgressOptions): AsyncIterable<T>;
/** What it is given, with a bar; the overloads above say more. */
export function progress(items: unknown, options: ProgressOptions = {}): AsyncIterable<unknown> {
  checkOptions(options, { label: { expected: "a text", accepts: (value) => typeof value === "string" } }, "progress");
  if (!isIterable(items))
    throw new TypeError(`progress: expected refs or something to iterate, not ${showValue(items)}`);
  const refs = Array.isArray(items) && items.length > 0 && items.every(isObjectRef);
  return follow(refs ? asCompleted(items as ObjectRef<unknown>[]) : items, totalOf(items), options.label ?? "");
}

type AnyIterable = Iterable<unknown> | AsyncIterable<unknown>;

const isIterable = (value: unknown): value is AnyIterable =>
  typeof value === "string" ||
  (typeof value === "object" && value !== null && (Symbol.iterator in value || Symbol.asyncIterator in value));

function totalOf(items: AnyIterable): number | undefined {
  const { length, size } = items as { length?: unknown; size?: unknown };
  const total = length ?? size;
  return typeof total === "number" ? total : undefined;
}

async function* follow(items: AnyIterable, total: number | undefined, label: string): AsyncGenerator<unknown> {
  const show = openDisplay();
  const began = performance.now();
  let shownAt = began;
  let done = 0;
  show(progressLine(label, 0, total, 0), false);
  try {
    for await (const item of items) {
      yield item;
      done++;
      const now = performance.now();
      if (now - shownAt < FRAME_MS) continue;
      shownAt = now;
      show(progressLine(label, done, total, now - began), false);
    }
  } finally {
    show(progressLine(label, done, total, performance.now() - began), true);
  }
}

/** Where the bar goes: one line that is written over and over where somebody watches, else its last state. */
function openDisplay(): (line: string, last: boolean) => void {
  const inTask = workerSide() !== undefined;
  const stream = currentHost() === undefined ? process.stderr : process.stdout;
  const live = !inTask && (currentHost() !== undefined || stream.isTTY === true);
  let longest = 0;
  return (line, last) => {
    if (!live && !last) return;
    longest = Math.max(longest, line.length);
    // Blanks cover what is left of a longer line before.
    stream.write(`${live ? `\r${line.padEnd(longest)}` : line}${last ? "\n" : ""}`);
  };
}

/** One state of the bar as a line of text. */
export function progressLine(label: string, done: number, total: number | undefined, ms: number): string {
  const parts = label === "" ? [] : [label];
  if (total === undefined) parts.push(String(done));
  else {
    const part = total === 0 ? 1 : Math.min(1, done / total);
    const filled = Math.floor(part * BAR);
    parts.push(`${"█".repeat(filled)}${"░".repeat(BAR - filled)} ${Math.floor(part * 100)} %`, `${done}/${total}`);
  }
  parts.push(seconds(ms));
  if (total !== undefined && done > 0 && done < total) parts.push(`${seconds((ms / done) * (total - done))} left`);
  return parts.join("  ");
}

function seconds(ms: number): string {
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
}
