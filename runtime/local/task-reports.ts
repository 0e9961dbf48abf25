/** What a worker tells the scheduler of its tasks: started, an item more, how the attempt ended. */
import { now } from "../clock.ts";
import { TaskTimeoutError } from "../errors.ts";
import { blockContent, type Prepared, pasteBlock, writeBlock } from "./block.ts";
import type { Client } from "./client.ts";
import type { Handovers } from "./handovers.ts";
import type { Locator } from "./locator.ts";
import * as protocol from "./protocol.ts";
import { isRetryable } from "./retry-rule.ts";
import type { TaskArguments } from "./task-arguments.ts";
import type { WorkerTask } from "./worker-task.ts";

/** Characters of an error's name or message that the event log keeps. */
const LONGEST_TEXT = 1000;
/** A call below this need not begin where it may be cut. */
const QUICK_MS = 1;
/** A longer text is sent in pieces. */
const OUTPUT_BYTES = 16_384;

export class TaskReports {
  readonly #client: Client;
  readonly #handovers: Handovers;

  constructor(client: Client, handovers: Handovers) {
    this.#client = client;
    this.#handovers = handovers;
  }

  /** The task begins now. */
  started(task: WorkerTask): void {
    task.startedAt = now();
    const to = this.#client.line.begin(2);
    to.f64[to.word] = task.id;
    to.f64[to.word + 1] = task.startedAt;
    // The task's end will wake the scheduler, or the thread's rest; it looks by itself while neither comes.
    this.#client.line.commitSilently(protocol.Started, 2);
  }

  /** Its arguments and inputs are read: nothing of them in the store is needed any more but what there are views on. */
  argumentsRead(task: WorkerTask, { copiedBytes, viewedBytes, why }: TaskArguments): void {
    const text = why === undefined ? undefined : Buffer.from(shortened(why));
    const words = 4 + (((text?.length ?? 0) + 7) >> 3);
    const to = this.#client.line.begin(words);
    const { f64, i32, word } = to;
    f64[word] = task.id;
    i32[word * 2 + 2] = task.attempt;
    i32[word * 2 + 3] = text?.length ?? 0;
    f64[word + 2] = viewedBytes;
    f64[word + 3] = copiedBytes;
    if (text !== undefined) to.u8.set(text, (word + 4) * 8);
    this.#client.line.commitSilently(protocol.Decoded, words);
  }

  /** The task was told that its time is over, and ends by itself or is let go. */
  timeOver(task: WorkerTask): void {
    const to = this.#client.line.begin(1);
    to.f64[to.word] = task.id;
    this.#client.line.commit(protocol.TimeOver, 1);
  }

  /** A task is skipped: it was taken back, or an input of it is not there. */
  dropped({ id, slot }: WorkerTask): void {
    const to = this.#client.line.begin(2);
    to.f64[to.word] = id;
    to.i32[to.word * 2 + 2] = slot;
    this.#client.line.commit(protocol.Dropped, 2);
  }

  /** A generator produced an item; with `waits` it stops until it is told to go on. Throws when the item cannot travel. */
  yielded(task: WorkerTask, index: number, value: unknown, waits: boolean): void {
    const block = this.#client.seal(value, `item ${index} of ${task.name}`);
    const words = 5 + block.words;
    const item = this.#client.newId();
    const to = this.#client.line.begin(words);
    const { i32, f64, word } = to;
    f64[word] = task.id;
    f64[word + 1] = item;
    f64[word + 2] = now();
    i32[word * 2 + 6] = task.attempt;
    i32[word * 2 + 7] = index;
    i32[word * 2 + 8] = waits ? 1 : 0;
    writeBlock(to, word + 5, block);
    this.#client.line.commit(protocol.Yielded, words);
  }

  /** The function gave a value. Throws when it cannot travel, or is not what `numReturns` says. */
  returned(task: WorkerTask, value: unknown): void {
    const { numReturns } = task.options;
    const label = `the result of ${task.name}`;
    if (numReturns === 0) this.#ended(task, protocol.TaskOk, undefined, []);
    else if (numReturns === 1) {
      const block = this.#client.seal(value, label);
      this.#ended(task, protocol.TaskOk, block, []);
      this.#handovers.made(task.id, block);
    } else {
      this.#ended(task, protocol.TaskOk, undefined, this.#contents(manyResults(value, numReturns, task.name), label));
    }
  }

  /** Blocks of several values, all or none. */
  #contents(values: readonly unknown[], label: string): Int32Array[] {
    const taken: Locator[] = [];
    try {
      return values.map((value, index) => {
        const block = this.#client.seal(value, `${label} [${index}]`);
        taken.push(...block.locators);
        if (block.mainLocator !== undefined) taken.push(block.mainLocator);
        return blockContent(block);
      });
    } catch (error) {
      for (const locator of taken) this.#client.store.release(locator);
      throw error;
    }
  }

  /** The attempt ended because it was told to, or its function threw. */
  failed(task: WorkerTask, error: unknown): void {
    if (error !== undefined && error === task.stopReason) {
      const outcome = error instanceof TaskTimeoutError ? protocol.TaskTimedOut : protocol.TaskWasCancelled;
      this.#ended(task, outcome, undefined, []);
      return;
    }
    const retryable = isRetryable(error, task.options.retry, (bytes) =>
      this.#client.decodeContent(bytes, [], undefined),
    );
    const blocks = [this.#thrown(error), blockContent(this.#client.prepare(summaryOf(error), "an error"))];
    this.#ended(task, retryable ? protocol.TaskThrewRetryable : protocol.TaskThrew, undefined, blocks);
  }

  /** Sends what a task printed, in pieces that fit into records and end between characters. */
  printed(task: number, stream: "stdout" | "stderr", bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length; ) {
      let end = Math.min(from + OUTPUT_BYTES, bytes.length);
      // UTF-8's continuation bytes belong to the character before them.
      while (end < bytes.length && (bytes[end]! & 0xc0) === 0x80) end--;
      const words = 2 + ((end - from + 7) >> 3);
      const to = this.#client.line.begin(words);
      to.f64[to.word] = task;
      to.i32[to.word * 2 + 2] = stream === "stdout" ? 1 : 2;
      to.i32[to.word * 2 + 3] = end - from;
      to.u8.set(bytes.subarray(from, end), (to.word + 2) * 8);
      this.#client.line.commit(protocol.Output, words);
      from = end;
    }
  }

  /** What was thrown; where it cannot travel, its text. */
  #thrown(error: unknown): Int32Array {
    try {
      return blockContent(this.#client.prepare(error, "the error thrown"));
    } catch (refusal) {
      const [name, message] = summaryOf(error);
      const stand = new Error(`${message} (the error itself could not travel: ${(refusal as Error).message})`);
      stand.name = name;
      if (error instanceof Error && error.stack !== undefined) stand.stack = error.stack;
      return blockContent(this.#client.prepare(stand, "the error thrown"));
    }
  }

  /** Sends the outcome: one block, or several copied ones. */
  #ended(task: WorkerTask, outcome: number, single: Prepared | undefined, blocks: readonly Int32Array[]): void {
    let words = 5 + (single?.words ?? 0);
    for (const block of blocks) words += block.length >> 1;
    const to = this.#client.line.begin(words);
    const { i32, f64, word } = to;
    const time = now();
    task.loaded.quick = time - task.startedAt < QUICK_MS;
    f64[word] = task.id;
    f64[word + 1] = time;
    f64[word + 2] = task.startedAt;
    f64[word + 3] = task.executedAt === 0 ? task.startedAt : task.executedAt;
    i32[word * 2 + 8] = outcome;
    i32[word * 2 + 9] = single === undefined ? blocks.length : 1;
    let at = word + 5;
    if (single !== undefined) writeBlock(to, at, single);
    else for (const block of blocks) at = pasteBlock(to, at, block);
    this.#client.line.commit(protocol.Finished, words);
  }
}

function manyResults(value: unknown, count: number, name: string): readonly unknown[] {
  if (Array.isArray(value) && value.length === count) return value;
  const came = Array.isArray(value) ? `an array of ${value.length}` : `a ${typeof value}`;
  throw new TypeError(
    `${name} has the option numReturns: ${count}, so it must return an array of ${count}; it returned ${came}`,
  );
}

/** Name and message for the event log, which keeps many. */
function summaryOf(error: unknown): [string, string] {
  const [name, message] = error instanceof Error ? [error.name, error.message] : ["thrown value", String(error)];
  return [shortened(String(name)), shortened(String(message))];
}

const shortened = (text: string): string => (text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}…` : text);
