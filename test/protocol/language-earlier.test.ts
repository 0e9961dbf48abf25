/** Names of earlier cells, declared again over their own value: `let n = n + 1`. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { createLanguageEngine } from "../../kernel/language/tsgo.ts";

const folder = mkdtempSync(join(tmpdir(), "heddle-earlier-"));
const engine = createLanguageEngine({ folder, timeout: 20_000 });
let count = 0;

afterAll(async () => {
  await engine.close();
  rmSync(folder, { recursive: true });
});

async function errorsIn(source: string): Promise<string[]> {
  const { diagnostics, unchecked } = await engine.check({ cell: "0", source });
  expect(unchecked).toBeUndefined();
  return diagnostics.map(({ code, start, end }) => `${code}@${source.slice(start, end)}`);
}

async function run(...sources: string[]): Promise<void> {
  for (const source of sources) {
    expect(await errorsIn(source)).toEqual([]);
    engine.commit({ cell: String(++count), source });
  }
}

test("a declaration over a variable of another cell may use it", async () => {
  await run(
    "let step = 1; const held = { a: 'x' }",
    "let step = step + 1, after = step.toFixed()",
    "const step = [step, 'text'] as const",
    "const { a: held, ...rest } = held",
    "held.toUpperCase(); step[0].toFixed(); step[1].length",
  );
  expect(await errorsIn("const held: number = held.toUpperCase()")).toEqual(["2322@held"]);
  const { diagnostics } = await engine.check({ cell: "0", source: "let step = step.nothing" });
  expect(diagnostics).toMatchObject([{ code: 2339, start: 16, end: 23 }]);
  expect((await engine.inspect("let held = held.length", 13, 0))?.text).toContain("held: string");
});

test("a function of the declaring cell means the new variable, a block its own", async () => {
  await run("let later = 1");
  expect(await errorsIn("let later = 'a'; const f = () => later.toUpperCase()")).toEqual([]);
  expect(await errorsIn("let later = 'a'; { const later = 2; later.toFixed() }")).toEqual([]);
  expect(await errorsIn("let unknown = unknown + 1")).not.toEqual([]);
});

test("a cell that was not committed leaves no names", async () => {
  await engine.check({ cell: "0", source: "const neverRun = 1" });
  expect(await errorsIn("neverRun")).toEqual(["2304@neverRun"]);
});
