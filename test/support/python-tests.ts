/** Python tests as tests of this runner: each keeps its own name and its own failure. */
import { describe, expect, test } from "vitest";
import { pythonMissing, pythonProgram, runPython, strict } from "./python.ts";
import { jupyterHome } from "./python-jupyter.ts";

interface Outcome {
  name: string;
  outcome: "passed" | "failed" | "skipped";
  detail: string | null;
}

export interface PythonTests {
  /** A program in `test/python/` that prints an `Outcome` a line. */
  program: string;
  /** How many tests it has at least; fewer outcomes mean that it broke off. */
  atLeast: number;
  /** Tests that do not apply, with the reason. */
  notOffered?: ReadonlyMap<string, string>;
  /** ms for all of them. */
  timeout: number;
}

/** Runs the program once, with the kernel installed, and declares a test for each of its outcomes. */
export function describePythonTests(title: string, { program, atLeast, notOffered, timeout }: PythonTests): void {
  if (pythonMissing && !strict) {
    describe.skip(title, () => test(`not run: ${pythonMissing}`, () => {}));
    return;
  }
  describe(title, async () => {
    const { outcomes, stderr } = await run(program, timeout);
    test(`all ${atLeast} tests of ${program} came to an end`, () =>
      expect(outcomes.length, stderr).toBeGreaterThanOrEqual(atLeast));
    for (const { name, outcome, detail } of outcomes) {
      const reason = notOffered?.get(name);
      if (reason) test.skip(`${name}: ${reason}`, () => {});
      else test(name, () => expect({ outcome, detail }, detail ?? "").toEqual({ outcome: "passed", detail: null }));
    }
  });
}

async function run(program: string, timeout: number): Promise<{ outcomes: Outcome[]; stderr: string }> {
  using home = await jupyterHome();
  const { stdout, stderr } = await runPython([pythonProgram(program)], { env: home.env, timeout });
  const lines = stdout.split("\n").filter((line) => line.startsWith("{"));
  return { outcomes: lines.map((line) => JSON.parse(line) as Outcome), stderr };
}
