/**
 * `npm run simulate`: a million seeds on all cores; `--seeds N` as many, `--from S` from there on, `--seed S` one, whose
 * minimal story is printed when it goes wrong. Ends with status 1 when any seed went wrong.
 */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { isMainThread, parentPort, Worker } from "node:worker_threads";
import { findingText } from "./report.ts";
import { simulateSeed } from "./simulation.ts";

const PART = 1000;
const MOST_SHOWN = 5;

interface Part {
  from: number;
  to: number;
}

function simulatePart({ from, to }: Part): number[] {
  const failed: number[] = [];
  for (let seed = from; seed < to; seed++) if (simulateSeed(seed) !== undefined) failed.push(seed);
  return failed;
}

function readNumber(name: string, text: string | undefined, otherwise: number): number {
  const value = text === undefined ? otherwise : Number(text);
  if (Number.isInteger(value) && value >= 0) return value;
  throw new TypeError(`--${name} takes a whole number of at least 0, not ${text}`);
}

async function simulateAll(from: number, to: number): Promise<number[]> {
  const failed: number[] = [];
  let [next, done] = [from, 0];
  const work = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL(import.meta.url));
      const goOn = (): void => {
        if (next >= to) return void worker.terminate().then(() => resolve());
        worker.postMessage({ from: next, to: Math.min(next + PART, to) } satisfies Part);
        next += PART;
      };
      worker.on("message", (seeds: number[]) => {
        failed.push(...seeds);
        done = Math.min(done + PART, to - from);
        if (process.stdout.isTTY) process.stdout.write(`\r${done} of ${to - from} seeds, ${failed.length} failed`);
        goOn();
      });
      worker.on("error", reject);
      goOn();
    });
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), 8) }, work));
  return failed.sort((a, b) => a - b);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { seeds: { type: "string" }, seed: { type: "string" }, from: { type: "string" } },
  });
  const start = performance.now();
  let failed: number[];
  let count = 1;
  if (values.seed !== undefined) {
    const seed = readNumber("seed", values.seed, 0);
    failed = simulatePart({ from: seed, to: seed + 1 });
  } else {
    const from = readNumber("from", values.from, 0);
    count = readNumber("seeds", values.seeds, 1_000_000);
    failed = await simulateAll(from, from + count);
  }
  for (const seed of failed.slice(0, MOST_SHOWN)) console.log(`\n${findingText(seed)}`);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`\n${count} seeds, ${failed.length} failed, ${seconds} s`);
  if (failed.length > 0) process.exitCode = 1;
}

if (isMainThread) await main();
else parentPort!.on("message", (part: Part) => parentPort!.postMessage(simulatePart(part)));
