/** Loops of the top level that the compiler makes functions: whoever can see a variable sees each value it has. */
import { describe, expect, test } from "vitest";
import { SessionHarness } from "../support/session-harness.ts";

/** Endless loops that begin to count `n` and `x`, `x` always half of `n`. */
const cutLoops: [where: string, source: string][] = [
  ["in the loop itself", "for (;;) { n++; x += 0.5; if (n === 1_000) console.log('go'); }"],
  ["in a while loop with continue", "while (true) { n++; x += 0.5; if (n !== 1_000) continue; console.log('go'); }"],
  [
    "in a function that it calls",
    "function spin(k: number) { while (k < 0); } for (;;) { n++; x += 0.5; if (n === 100_000) { console.log('go'); spin(-1); } }",
  ],
  [
    "in a callback of a builtin",
    "for (;;) { n++; x += 0.5; console.log('go'); [3, 1, 2].sort((a, b) => { while (a === 2) ; return a - b; }); }",
  ],
  [
    "in a long regular expression",
    "for (;;) { n++; x += 0.5; console.log('go'); /(a+)+$/.test('a'.repeat(40) + 'b'); }",
  ],
  [
    "in an inner loop",
    "outer: for (;;) { for (let k = 0; ; k++) { n++; x += 0.5; if (n === 1_000) console.log('go'); if (k < 0) break outer; } }",
  ],
  [
    "in a wait on shared memory",
    "for (;;) { n++; x += 0.5; console.log('go'); Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0); }",
  ],
  ["in a printing loop", "for (;;) { n++; x += 0.5; console.log('go'); }"],
];

describe("after an interrupt a variable has the value that was written last", () => {
  test.each(cutLoops)("%s", async (_where, source) => {
    await using harness = new SessionHarness();
    await harness.run("let n = 0; let x = 0.5 - 0.5");
    const running = harness.run(source);
    await harness.printed(harness.cell, "go");
    await harness.session.interrupt();
    expect((await running).outcome).toEqual({ status: "interrupted", how: "terminated" });
    expect(await harness.value("[n > 0, x * 2 >= n - 1 && x * 2 <= n].join()")).toBe("'true,true'");
  });
});

test("an error that is thrown in a loop shows the cell once, at its place", async () => {
  await using harness = new SessionHarness();
  await harness.run("let n = 0");
  const { outcome } = await harness.run("while (true) {\n  if (++n > 3) throw new Error('four');\n}");
  if (outcome.status !== "error") throw new Error(outcome.status);
  expect(outcome.error.stack?.split("\n")).toEqual(["Error: four", expect.stringMatching(/^ {4}at cell-2\.ts:2:\d+$/)]);
});
