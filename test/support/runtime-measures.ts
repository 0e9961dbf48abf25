/** What the runtime's conformance tests measure with, and the runtime they run in. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { get, type InitOptions, init, shutdown } from "heddle";
import { afterAll, beforeAll } from "vitest";
import { sleep } from "./runtime-tasks.ts";

/** A file for `countIn`, gone at the end of the test file. */
export function countingFile(): string {
  const folder = mkdtempSync(join(tmpdir(), "heddle-count-"));
  folders.push(folder);
  return join(folder, "count");
}

/** How often `countIn` was called. */
export function countOf(path: string): number {
  try {
    return readFileSync(path).length;
  } catch {
    return 0;
  }
}

const folders: string[] = [];

/** Starts a runtime for the tests of a file, two slots unless said otherwise, and warms its threads up. */
export function useRuntime(options: InitOptions = { numCpus: 2 }): void {
  beforeAll(async () => {
    await init(options);
    await startWorkers(options.numCpus ?? 2);
  });
  afterAll(async () => {
    await shutdown();
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
  });
}

/** Waits until each worker thread has run something, so that what follows is not timed with their start. */
export async function startWorkers(count: number): Promise<void> {
  await get(Array.from({ length: count }, () => sleep.remote(50, 0)));
}

/** Milliseconds until a promise settles. */
export async function timed(promise: Promise<unknown>): Promise<number> {
  const start = performance.now();
  await promise.catch(() => {});
  return performance.now() - start;
}

/** What a promise rejects with; fails when it does not. */
export async function rejection<E = Error>(promise: Promise<unknown>): Promise<E> {
  const value = await promise.then(
    (result) => ({ result }),
    (error: unknown) => ({ error }),
  );
  if ("error" in value) return value.error as E;
  throw new Error(`resolved with a value of type ${typeof value.result} instead of rejecting`);
}

/** Resolves when the condition holds; looks again at each turn of the event loop. Fails after ten seconds. */
export async function until(condition: () => boolean): Promise<void> {
  const limit = performance.now() + 10_000;
  while (!condition()) {
    if (performance.now() > limit) throw new Error(`after ten seconds still not: ${String(condition)}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
