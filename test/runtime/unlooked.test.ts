import { describe, expect, it } from "vitest";
import { runProgram } from "../support/runtime-program.ts";

describe("failures that nobody looks at", () => {
  const imports = `
    import { get, init, put, remote, settled, shutdown, wait } from "heddle";
    await init({ numCpus: 2 });
    const fails = remote(function fails(n) { throw new RangeError("no " + n); });
    const needs = remote(function needs(value) { return value; });
    const pause = () => new Promise((resolve) => setTimeout(resolve, 5));
  `;
  const report = (n: number) =>
    expect.stringMatching(
      new RegExp(`^Task fails\\(${n}\\) \\(attempt 1, worker w\\d+\\) failed, and nobody .* RangeError: no ${n}$`),
    );

  it("err-10 each is reported once, when the last ref goes or at the end", async () => {
    const { stderr } = await runProgram(
      `${imports}
      const kept = fails.remote(1);
      (() => { fails.remote(2); })();
      fails.options({ numReturns: 3 }).remote(3);
      fails.options({ numReturns: 0 }).remote(4);
      await get(needs.remote("x"));
      for (let n = 0; n < 40; n++) { gc(); await pause(); }
      await shutdown();
      void kept;`,
      ["--expose-gc"],
    );
    expect(stderr.trim().split("\n").toSorted()).toEqual([report(1), report(2), report(3), report(4)]);
  });

  it("err-10 what was got, settled, waited for or passed on is not; of a chain only the end", async () => {
    const { stderr } = await runProgram(`${imports}
      await get([fails.remote(1), fails.remote(2)]).catch(() => {});
      await settled([fails.remote(3)]);
      await wait([fails.remote(4)]);
      await get(needs.remote(fails.remote(5))).catch(() => {});
      put([fails.remote(6)]);
      const end = needs.remote(fails.remote(7));
      await get(needs.remote("x"));
      await wait([fails.remote(8), needs.remote(1)], { numReturns: 2 });
      await shutdown();
      void end;
    `);
    expect(stderr).toMatch(/^Task needs\(.*\) \(attempt 1\) failed because of fails\(7\) .*: RangeError: no 7\n$/);
  });
});
