import { describe, expect, test } from "vitest";
import { isComplete } from "../../kernel/language/complete-check.ts";

const complete = [
  "",
  "// only a comment",
  "/* one */",
  "const a = 1",
  "let b",
  "{a: 1}",
  "{a: 1, b: 2}",
  '"a\\\nb"',
  "const q = <T,>(x: T) => x",
  "await f()",
  "if (a) {\n  b()\n}",
  "async",
  "for await (const x of y) z(x)",
  "enum A { B }",
  "using x = f()",
  "@dec class A {}",
  "5;",
];

const incomplete = [
  "let",
  "interface",
  "if (a) {\n  let",
  "function f() {",
  "const a = [1,",
  "a +",
  "`abc",
  "/* c",
  "if (x) {} else",
  "class A { m() {",
  "x => {",
  "for (const a of",
  "a?.",
  "@dec",
  "type A =",
  "{a:1",
  "{a: 1,\n b: {",
  "import x from",
  "import",
  "import { a",
  "export",
  "await",
  "await f(",
  "f(x)(",
  "() =>",
  "`${a",
  "`a ${",
  "f`x",
  "`a`.",
  "try {}",
  "try { x() } catch (e)",
  "do x()",
  "switch(a){",
  "new",
  "new Foo(",
  "let x: number\n= ",
  "async function* g() { yield",
  "throw",
  '"a\\',
  "interface I { a: string;",
  "enum A {",
  "namespace A {",
  "const f = async (x: number): Promise<",
  "remote(async (x: number) => {\n  return x",
  "@dec class A {",
  "foo(1, {a: 2}",
  "f(\n// c",
  "a ? b :",
  "x.\n",
  "x as",
  "let x = y as {",
  "class A extends",
  "type A<T> = T extends",
  "while (true)",
  "for (;;",
  "a = {",
  "({a: 1, ",
  "(a, b",
  "!",
  "a &&",
  "[",
  "{",
  "label:",
];

const invalid = [
  "const x = ;",
  "foo(]",
  "}",
  '"abc',
  "'abc",
  "/re",
  "let enum = 1",
  "return 5",
  "a b",
  "function (",
  "const x",
  "let x; let x",
  "let a = 1)",
  "yield 1",
  "case 1:",
  "...",
  "await using x",
];

for (const [status, sources] of Object.entries({ complete, incomplete, invalid })) {
  describe(status, () => {
    for (const source of sources) {
      test(JSON.stringify(source), () => {
        expect(isComplete(source).status).toBe(status);
      });
    }
  });
}

describe("the indent of the next line", () => {
  const cases: [string, string][] = [
    ["function f() {", "  "],
    ["  if (x) {\n    y(", "      "],
    ["a +", ""],
    ["x => { // why", "  "],
    ["const f = () =>", "  "],
    ["switch (a) {\n  case 1:", "    "],
    ["[\n  1,", "  "],
  ];
  for (const [source, indent] of cases) {
    test(JSON.stringify(source), () => {
      expect(isComplete(source)).toEqual({ status: "incomplete", indent });
    });
  }
});
