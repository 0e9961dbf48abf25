/** A long chain of cells, each inferred from the one before: its types are written out beside the checks. */
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { LanguageEngine } from "../../kernel/language/engine.ts";
import { createLanguageEngine } from "../../kernel/language/tsgo.ts";

const folder = mkdtempSync(join(tmpdir(), "heddle-chain-"));
let engine: LanguageEngine;
let count = 0;

async function errorsIn(source: string): Promise<string[]> {
  const { diagnostics, unchecked } = await engine.check({ cell: "0", source });
  expect(unchecked).toBeUndefined();
  return diagnostics.map(({ code, start, end }) => `${code}@${source.slice(start, end)}`);
}

async function run(source: string): Promise<void> {
  expect(await errorsIn(source)).toEqual([]);
  engine.commit({ cell: String(++count), source });
}

/** Whether the compiler has begun to write types for an engine of this process. */
function isWriting(): boolean {
  return readdirSync(tmpdir()).some(
    (name) => name.startsWith(`heddle-language-${process.pid}-`) && existsSync(join(tmpdir(), name, ".emitted")),
  );
}

beforeAll(async () => {
  engine = createLanguageEngine({ folder, timeout: 20_000 });
  await run("class Point { #x = 1; get x() { return this.#x } }\nconst p0 = { at: new Point(), n: 0 }");
  for (let i = 1; i <= 70; i++)
    await run(`/** The ${i}th. */ const p${i} = { ...p${i - 1}, n: p${i - 1}.n + 1, of: () => p${i - 1}.at }`);
  // Another cell asks again; the test's own bound ends it.
  while (!isWriting()) await errorsIn("p70.n");
}, 120_000);

afterAll(async () => {
  await engine.close();
  rmSync(folder, { recursive: true });
});

test("errors are the same", async () => {
  expect(await errorsIn("p70.of().x.toFixed(); p70.n.toUpperCase()")).toEqual(["2339@toUpperCase"]);
  expect(await errorsIn("p3.at satisfies Point; const wrong: string = p40.of")).toEqual(["2322@wrong"]);
});

test("types are shown in the names of the notebook", async () => {
  const text = (await engine.inspect("p40", 2, 0))?.text;
  expect(text).toContain("at: Point");
  expect(text).toContain("The 40th.");
});

test("a declaration is shown as it was written", async () => {
  const found = await engine.inspect("p40", 2, 1);
  expect(found?.text).toContain("Declared in cell 41");
  expect(found?.text).toContain("const p40 = { ...p39, n: p39.n + 1, of: () => p39.at }");
});

test("a name declared again has its new type, and a chain over the old one keeps the old", async () => {
  await run("const p70 = 'text'");
  expect(await errorsIn("p70.toUpperCase(); p69.n.toFixed()")).toEqual([]);
  await run("let n = p69.n");
  expect(await errorsIn("n = 'text'")).toEqual(["2322@n"]);
});
