/** By what a debugger finds its way between a cell's source and the script made from it. */
import { describe, expect, test } from "vitest";
import { murmur2 } from "../../kernel/debugger/murmur2.ts";
import { breakablePlaces, isGuarded } from "../../kernel/language/breakable.ts";
import { compileCell } from "../../kernel/language/compiler.ts";

/** Computed with ipykernel's and JupyterLab's own functions, which agree. */
const hashes: [text: string, seed: number, hash: number][] = [
  ["", 0xc70f6907, 3990065800],
  ["a", 0xc70f6907, 2167009006],
  ["abc", 0xc70f6907, 3350977461],
  ["abcd", 0xc70f6907, 804720481],
  ["const x: number = 1;\nx + 1", 0xc70f6907, 869438841],
  ["ünï 🙂 code", 0xc70f6907, 4160524375],
  ["", 0, 0],
  ["a", 0, 2456313694],
  ["ünï 🙂 code", 0, 4204692157],
];
test.each(hashes)("the hash of %j with seed %i is that of other kernels", (text, seed, hash) => {
  expect(murmur2(text, seed)).toBe(hash);
});

describe("a debugger can stop", () => {
  const stops = (source: string): string[] => breakablePlaces(source).map(({ column, line }) => `${line}:${column}`);

  test.each([
    ["at statements, not at what only has types", "interface A {}\nlet a = 1;\ntype B = A;\na++;", ["2:1", "4:1"]],
    ["inside of a function, not at its head", "function f() {\n  return 1;\n}", ["2:3"]],
    ["at declarations that compute something", "let a: number;\nlet b = 1, c;\ndeclare const d: number;", ["2:1"]],
    ["at the body of an arrow function", "const f = (a: number) =>\n  a + 1;", ["1:1", "2:3"]],
    ["at each call of a chain", "x\n  .map(f)\n  .filter(g)", ["1:1", "2:4", "3:4"]],
    ["in an object that is a cell", "{ a: 1 }", ["1:1"]],
    ["nowhere in an empty cell", "// nothing\n", []],
    ["nowhere in what is no program", "let = ;", []],
    ["in methods", "class A {\n  m(n: number) {\n    return n;\n  }\n}", ["3:5"]],
  ])("%s", (_, source, expected) => {
    expect(stops(source)).toEqual(expected);
  });
});

describe("a place of a cell is found in its script", () => {
  test.each([
    ["behind erased types", "const a: Map<string, number> = new Map(); const here = 1;", "here = 1"],
    ["behind a line of types", "interface A { a: string }\nconst here = 1;", "here = 1"],
    ["in a function that is moved to the front", "let a = 1;\nfunction f() {\n  return here();\n}", "here()"],
    ["inside of an await", "await here(1 as number);", "here(1"],
  ])("%s", (_, source, mark) => {
    const { code, compiledPosition, originalPosition } = compileCell(source, { cell: "1" });
    const before = source.slice(0, source.indexOf(mark)).split("\n");
    const place = { line: before.length, column: before.at(-1)!.length + 1 };
    const compiled = compiledPosition(place.line, place.column)!;
    expect(code.split("\n")[compiled.line - 1]!.slice(compiled.column - 1)).toMatch(mark.slice(0, 5));
    expect(originalPosition(compiled.line, compiled.column)).toEqual(place);
  });

  test("a place that is erased leads to what follows it on its line", () => {
    const { code, compiledPosition } = compileCell("let a: number = 7; a++;", { cell: "1" });
    const compiled = compiledPosition(1, 8)!;
    expect(code.slice(compiled.column - 1)).toMatch(/^\s?= 7/);
  });

  test("a line without code leads nowhere", () => {
    expect(compileCell("1;\n\n2;", { cell: "1" }).compiledPosition(2, 1)).toBeUndefined();
    expect(compileCell("1;", { cell: "1" }).compiledPosition(9, 1)).toBeUndefined();
  });
});

test.each([
  ["in a try with a catch", "try {\n  thrown();\n} catch {}", true],
  ["in a try without one", "try {\n  thrown();\n} finally {}", false],
  ["in the catch", "try {} catch {\n  thrown();\n}", false],
  ["in a function inside a try", "try {\n  f(() => thrown());\n} catch {}", true],
  ["at the top level", "1;\nthrown();", false],
])("what is thrown %s is caught there: %s is %s", (_, source, guarded) => {
  const before = source.slice(0, source.indexOf("thrown")).split("\n");
  expect(isGuarded(source, { line: before.length, column: before.at(-1)!.length + 1 })).toBe(guarded);
});
