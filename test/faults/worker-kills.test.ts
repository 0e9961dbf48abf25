/** A worker is killed at step 1, 2, 3 … of a mixed workload until the workload passes unharmed; no task is worse off than its own maxRetries says. */
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { runFile } from "../support/runtime-program.ts";

const here = (name: string): string => fileURLToPath(new URL(`worker-kills/${name}`, import.meta.url));

test("a worker killed at any step of a mixed workload", { timeout: 300_000 }, async () => {
  const { code, stderr, stdout } = await runFile(here("workload.mjs"), ["--import", here("kill-hook.mjs")], 280_000);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const { faults, problems, unharmed } = JSON.parse(stdout);
  expect(problems, `with a fault at step ${faults}`).toEqual([]);
  expect(unharmed).toBe(true);
  // A loop in which no fault fired has shown nothing, and neither has one of a few steps.
  expect(faults).toBeGreaterThan(50);
});
