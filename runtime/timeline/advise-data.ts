import { type Advice, costless, grouped } from "./advice.ts";
import type { TimelineData } from "./data.ts";
import { formatBytes, plural } from "./statistics.ts";

/** What was copied for nothing, below which nobody notices. */
const WORTH_TELLING_BYTES = 10_000_000;

/** The same data by value again and again: pass-large-arg-by-value. */
export function largeArgumentAdvice(data: TimelineData): Advice | undefined {
  const copies = data.tasks.flatMap((task) =>
    (task.largeArguments ?? []).map(({ bytes, hash }) => ({ task, bytes, hash })),
  );
  const groups = [...grouped(copies, ({ bytes, hash, task }) => `${hash} ${bytes} ${task.functionName}`).values()];
  const wasted = (group: typeof copies): number => (group.length - 1) * group[0]!.bytes;
  const worst = groups.toSorted((a, b) => wasted(b) - wasted(a))[0];
  if (!worst || worst.length < 3 || wasted(worst) < WORTH_TELLING_BYTES) return undefined;
  const { bytes, task } = worst[0]!;
  const tasks = worst.map((copy) => copy.task);
  const message = `${plural(worst.length, "call")} of ${task.functionName} were given the same ${formatBytes(bytes)} by value, copied each time: ${formatBytes(wasted(worst))} for nothing. Put it once and pass the ref.`;
  return costless("largeArgument", data, { tasks }, message);
}

/** A function that takes much along: closure-capture-large-objects. */
export function largeCaptureAdvice(data: TimelineData): Advice | undefined {
  const capture = data.captures.toSorted((a, b) => b.bytes - a.bytes)[0];
  if (!capture) return undefined;
  const { bytes, functionName, largest } = capture;
  const tasks = data.tasks.filter((task) => task.functionName === functionName);
  const workers = new Set(tasks.flatMap((task) => task.attempts.map((attempt) => attempt.workerId))).size;
  if (workers < 2 || bytes * workers < WORTH_TELLING_BYTES) return undefined;
  const what = largest === undefined ? "" : `, most of it in ${largest}`;
  const message = `${functionName} captures ${formatBytes(bytes)}${what}: each of ${workers} workers made a copy of its own. Put the value and pass its ref as an argument.`;
  return costless("largeCapture", data, { tasks }, message);
}
