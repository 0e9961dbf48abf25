/** What a run on four workers predicts for others, beside real runs: of tasks that wait, so that the machine's cores decide nothing. */
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { runFile } from "../support/runtime-program.ts";

const program = fileURLToPath(new URL("../bench/chart-process.mjs", import.meta.url));

/** Percent that the prediction misses the real run by; the benchmark holds it to 15. */
async function miss(graph: string, workers: number): Promise<number> {
  const { code, stderr, stdout } = await runFile(program, [], 40_000, ["simulate", graph, "4", String(workers)]);
  if (code !== 0) throw new Error(stderr);
  return Number(stdout);
}

test.each([
  ["batch", 2],
  ["batch", 8],
  ["tree", 8],
  ["pipeline", 2],
  ["nested", 8],
  ["early", 2],
])("%s on %d workers", { timeout: 60_000 }, async (graph, workers) => {
  expect(await miss(graph, workers)).toBeLessThan(60);
});
