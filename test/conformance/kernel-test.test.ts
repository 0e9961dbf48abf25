/** The Jupyter project's own kernel tests (`jupyter_kernel_test`), each under its own name. */
import { describe, expect, test } from "vitest";
import { pythonMissing, pythonProgram, runPython, strict } from "../support/python.ts";
import { jupyterHome } from "../support/python-jupyter.ts";

interface Outcome {
  name: string;
  outcome: "passed" | "failed" | "skipped";
  detail: string | null;
}

/** What the package covers and this kernel does not offer, with the reason. */
const notOffered = new Map([["test_pager", "the kernel has no pager: help is shown as the cell's output"]]);

describe("jupyter_kernel_test", async () => {
  if (pythonMissing && !strict) {
    test.skip(`not run: ${pythonMissing}`);
    return;
  }
  const { outcomes, stderr } = await runKernelTests();
  test("the package's tests ran", () => expect(outcomes.length, stderr).toBeGreaterThanOrEqual(12));
  for (const { name, outcome, detail } of outcomes) {
    const reason = notOffered.get(name);
    if (reason) test.skip(`${name}: ${reason}`);
    else test(name, () => expect.soft({ outcome, detail }, detail ?? "").toEqual({ outcome: "passed", detail: null }));
  }
});

async function runKernelTests(): Promise<{ outcomes: Outcome[]; stderr: string }> {
  using home = await jupyterHome();
  const run = await runPython([pythonProgram("kernel_conformance.py")], { env: home.env, timeout: 150_000 });
  const lines = run.stdout.split("\n").filter((line) => line.startsWith("{"));
  return { outcomes: lines.map((line) => JSON.parse(line) as Outcome), stderr: run.stderr };
}
