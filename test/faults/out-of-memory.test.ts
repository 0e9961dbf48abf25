/** A worker thread that goes over its memory limit. */
import { expect, it } from "vitest";
import { runProgram } from "../support/runtime-program.ts";

it("ends with OutOfMemoryError for its task, and nothing else is harmed", { timeout: 120_000 }, async () => {
  const program = `
    import { get, init, listWorkers, OutOfMemoryError, remote, settled } from "heddle";
    import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
    import { tmpdir } from "node:os";
    await init({ numCpus: 2 });
    const folder = mkdtempSync(tmpdir() + "/heddle-memory-");
    // It keeps its thread, so the other task is on the other one.
    const other = remote(function other(path) {
      const { existsSync, writeFileSync } = process.getBuiltinModule("node:fs");
      writeFileSync(path + "/begun", "");
      while (!existsSync(path + "/over"));
      return "unharmed";
    }, { maxRetries: 0 });
    const greedy = remote(function greedy() {
      const all = [];
      for (;;) all.push(new Array(1000).fill(all.length));
    }, { maxRetries: 0 });
    const unharmed = other.remote(folder);
    while (!existsSync(folder + "/begun")) await new Promise((resolve) => setTimeout(resolve, 5));
    const [{ reason }] = await settled([greedy.remote()]);
    writeFileSync(folder + "/over", "");
    console.log(reason instanceof OutOfMemoryError, reason.code, reason.message);
    console.log(await get(unharmed), await get(remote(() => "next").remote()), listWorkers().length);
    rmSync(folder, { recursive: true });
  `;
  const { code, stdout } = await runProgram(program, ["--max-old-space-size=64"], 110_000);
  expect(stdout.trim().split("\n")).toEqual([
    expect.stringMatching(
      /^true OUT_OF_MEMORY the worker of task greedy\(\) \(attempt 1, .*went over its memory limit/,
    ),
    "unharmed next 2",
  ]);
  expect(code).toBe(0);
});
