/** progress: a bar that follows a loop. */
import { randomUUID } from "node:crypto";
import type { Backend } from "./backend.ts";
import { workerSide } from "./current.ts";
import { currentHost, type Host } from "./host.ts";
import { isObjectRef, type ObjectRef, ownRefNumber } from "./object-ref.ts";
import { checkOptions, showValue } from "./options.ts";
import { type ProgressState, progressHtml, progressLine } from "./progress-bar.ts";
import { asCompleted, backend } from "./runtime.ts";

const FRAME_MS = 100;
/** Where lines stay, as in a log, one in so many milliseconds is enough. */
const LOG_MS = 10_000;

/** Options of `progress`. */
export interface ProgressOptions {
  /** What stands before the bar. */
  label?: string;
}

/**
 * Yields what it is given and shows how far the loop has come, with rate, time left and failed tasks: refs in the order
 * in which they become ready, anything else in its own order. A bar in a notebook, a line that moves in a terminal,
 * elsewhere a plain line every ten seconds and at the end. The total is known of lists, sets and maps; of a stream or
 * generator it counts. Throws `TypeError` for what cannot be iterated.
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
  const label = options.label ?? "";
  const total = totalOf(items);
  if (!Array.isArray(items) || items.length === 0 || !items.every(isObjectRef))
    return follow(items, { label, total }, () => false);
  const refs = items as ObjectRef<unknown>[];
  const owner = backend();
  return follow(asCompleted(refs), { label, total }, (ref) => hasFailed(ref as ObjectRef<unknown>, owner));
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

function hasFailed(ref: ObjectRef<unknown>, owner: Backend): boolean {
  const number = ownRefNumber(ref, owner);
  return number !== undefined && owner.hasFailed(number);
}

async function* follow(
  items: AnyIterable,
  { label, total }: Pick<ProgressState, "label" | "total">,
  failedItem: (item: unknown) => boolean,
): AsyncGenerator<unknown> {
  const { interval, show } = openDisplay();
  const began = performance.now();
  let shownAt = began;
  let done = 0;
  let failed = 0;
  const state = (): ProgressState => ({ label, done, failed, total, time: performance.now() - began });
  show(state(), "first");
  try {
    for await (const item of items) {
      // Before the loop's body, which may let go of the ref.
      if (failedItem(item)) failed++;
      yield item;
      done++;
      const now = performance.now();
      if (now - shownAt < interval) continue;
      shownAt = now;
      show(state(), "next");
    }
  } finally {
    show(state(), "last");
  }
}

/** Where the bar goes: at most one state in `interval` milliseconds, and always the first and the last. */
interface Display {
  interval: number;
  show(state: ProgressState, place: "first" | "next" | "last"): void;
}

function openDisplay(): Display {
  const host = currentHost();
  if (host !== undefined) return notebookDisplay(host);
  const isWatched = workerSide() === undefined && process.stderr.isTTY === true;
  return isWatched ? terminalDisplay(process.stderr) : logDisplay(process.stderr);
}

function notebookDisplay(host: Host): Display {
  const id = randomUUID();
  return {
    interval: FRAME_MS,
    show(state, place) {
      host.display(id, { "text/html": progressHtml(state), "text/plain": progressLine(state) }, place !== "first");
    },
  };
}

/** One line that is written over and over. */
function terminalDisplay(stream: NodeJS.WriteStream): Display {
  let longest = 0;
  return {
    interval: FRAME_MS,
    show(state, place) {
      const line = progressLine(state).slice(0, Math.max(20, (stream.columns ?? 80) - 1));
      longest = Math.max(longest, line.length);
      // Blanks cover what is left of a longer line before.
      stream.write(`\r${line.padEnd(longest)}${place === "last" ? "\n" : ""}`);
    },
  };
}

function logDisplay(stream: NodeJS.WriteStream): Display {
  return {
    interval: LOG_MS,
    show(state, place) {
      if (place !== "first") stream.write(`${progressLine(state)}\n`);
    },
  };
}
