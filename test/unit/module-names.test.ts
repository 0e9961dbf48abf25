import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { completeModule } from "../../kernel/language/module-names.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "heddle-modules-"));
  for (const inner of ["book/lib", "node_modules/above", "book/node_modules/@scope/inner", "book/node_modules/.bin"])
    mkdirSync(join(folder, inner), { recursive: true });
  for (const file of [
    "book/part.ts",
    "book/part.d.ts",
    "book/data.json",
    "book/notes.md",
    "book/lib/deep.ts",
    "top.ts",
  ])
    writeFileSync(join(folder, file), "");
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Completes at the `|`; the texts, and the source with the part that is replaced in brackets. */
function complete(marked: string): [string[], string] | undefined {
  const offset = marked.indexOf("|");
  const source = marked.replace("|", "");
  const list = completeModule(source, offset, join(folder, "book"));
  if (list === undefined) return undefined;
  const { start, end } = list;
  const replaced = `${source.slice(0, start)}[${source.slice(start, end)}]${source.slice(end)}`;
  return [list.items.map(({ text }) => text), replaced];
}

test("a path: the files and folders there that can be imported", () => {
  expect(complete("import { a } from './|'")).toEqual([
    ["./data.json", "./lib/", "./part.ts"],
    "import { a } from '[./]'",
  ]);
  expect(complete('await import("./lib/|')?.[0]).toEqual(["./lib/deep.ts"]);
  expect(complete("require('../t|')")?.[0]).toEqual(["../top.ts"]);
  expect(complete("import './nowhere/|'")?.[0]).toEqual([]);
});

test("a name: Node's modules, the kernel's own, packages here and above", () => {
  expect(complete("import fs from 'node:fs|'")?.[0]).toEqual(["node:fs", "node:fs/promises"]);
  expect(complete("import 'hedd|")?.[0]).toEqual(["heddle", "heddle/notebook"]);
  expect(complete("import x from 'abo|'")?.[0]).toEqual(["above"]);
  expect(complete("import x from '@|'")?.[0]).toEqual(["@scope/inner"]);
});

test("the whole name is replaced where its quotes are closed, and only what is typed where they are not", () => {
  expect(complete("import x from 'abo|ut'; f('y')")?.[1]).toBe("import x from '[about]'; f('y')");
  expect(complete("import x from 'abo|; f()")?.[1]).toBe("import x from '[abo]; f()");
});

test("nothing elsewhere", () => {
  for (const source of ["const a = 'node:|'", "Buffer.from('he|')", "import { a| } from 'node:fs'", "from('x|')"])
    expect(complete(source), source).toBeUndefined();
});
