/** Texts that nest: those too deep for the parser are found before it sees them, others compile. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { CellSyntaxError, compileCell } from "../../kernel/language/compiler.ts";
import { isComplete } from "../../kernel/language/complete-check.ts";
import { findExcess } from "../../kernel/language/excess.ts";

const repeated = (part: string, end: string) => (n: number) => part.repeat(n) + end;

const kinds: [kind: string, text: (depth: number) => string][] = [
  ["parentheses", (n) => `${"(".repeat(n)}0${")".repeat(n)}`],
  ["brackets", (n) => `${"[".repeat(n)}${"]".repeat(n)}`],
  ["blocks", (n) => `${"{".repeat(n)}${"}".repeat(n)}`],
  ["blocks in lines", (n) => `${"{\n".repeat(n)}${"}\n".repeat(n)}`],
  ["functions", (n) => `${"(() => {".repeat(n)}${"})".repeat(n)}`],
  ["templates", (n) => `${"`${".repeat(n)}0${"}`".repeat(n)}`],
  ["not", repeated("!", "x")],
  ["minus", repeated("- ", "x")],
  ["typeof", repeated("typeof ", "x")],
  ["await", repeated("await ", "0")],
  ["new", repeated("new ", "X")],
  ["assignments", (n) => `let a: any; ${"a = ".repeat(n)}0`],
  ["assignments in lines", (n) => `let a: any\n${"a =\n".repeat(n)}0`],
  ["assignments of a property", (n) => `let a: any; ${"a.default = ".repeat(n)}0`],
  ["arrow functions", repeated("x => ", "0")],
  ["arrow functions in lines", repeated("x =>\n", "0")],
  ["conditions", repeated("0 ? 0 : ", "0")],
  ["conditions within", (n) => `${"0 ? ".repeat(n)}0${" : 0".repeat(n)}`],
  ["sums", repeated("1 + ", "1")],
  ["texts put together in lines", repeated('"line\\n" +\n', '""')],
  ["powers", repeated("1 ** ", "1")],
  ["members", (n) => `let a: any\na${".b".repeat(n)}`],
  ["members in lines", (n) => `let a: any\na${"\n.b".repeat(n)}`],
  ["calls", (n) => `let a: any\na${"()".repeat(n)}`],
  ["tags", (n) => `let a: any\na${"``".repeat(n)}`],
  ["if", repeated("if (0) ", "0")],
  ["if in lines", repeated("if (0)\n", "0")],
  ["else if", repeated("if (0) {} else ", "{}")],
  ["else if in lines", repeated("if (0) {\n}\nelse\n", "{}")],
  ["labels", (n) => `${Array.from({ length: n }, (_, i) => `l${i}:`).join("")} 0`],
  ["labels in lines", (n) => `${Array.from({ length: n }, (_, i) => `if (0)\nl${i}:`).join("\n")} 0`],
  ["labels named as declarations", (n) => `${"if (0)\ntype:\n".repeat(n)} 0`],
  ["for", repeated("for (;0;) ", "0")],
  ["while in lines", repeated("while (0)\n", "0")],
  ["do", (n) => `${"do ".repeat(n)}0;${" while (0)".repeat(n)}`],
  ["types of functions", (n) => `let a: ${"() => ".repeat(n)}0`],
  ["conditional types", (n) => `type A = ${"0 extends 0 ? 0 : ".repeat(n)}0`],
  ["keyof", (n) => `let a: ${"keyof ".repeat(n)}{}`],
  ["types of arrays", (n) => `let a: 0${"[]".repeat(n)}`],
  ["as", (n) => `0${" as any".repeat(n)}`],
  ["not null", (n) => `let a: any\na${"!".repeat(n)}`],
  ["namespaces", (n) => `namespace ${"a.".repeat(n)}b {}`],
];

describe("20,000 deep is an error, not a crash", () => {
  test.each(kinds)("%s", (_kind, text) => {
    expect(() => compileCell(text(20_000), { cell: "1" })).toThrow(CellSyntaxError);
    expect(isComplete(text(20_000)).status).not.toBe("complete");
  });
});

describe("as deep as it may be, it compiles", () => {
  test.each(kinds)("%s", (_kind, text) => {
    let [fits, deep] = [1, 20_000];
    while (deep - fits > 1) {
      const middle = (fits + deep) >> 1;
      if (findExcess(text(middle)) === undefined) fits = middle;
      else deep = middle;
    }
    expect(fits).toBeGreaterThanOrEqual(300);
    try {
      compileCell(text(fits), { cell: "1" });
    } catch (error) {
      // Wrong for other reasons, as labels that come twice are.
      expect(error).toBeInstanceOf(CellSyntaxError);
      expect((error as Error).message).not.toContain("nested");
    }
  });
});

describe("what is only long", () => {
  test.each([
    ["statements", "a(b + c);\n"],
    ["statements without semicolons", "a(b + c)\n"],
    ["statements with blocks", "if (a) {\n  b()\n}\n"],
    ["declarations", "const { a } = b(c)\n"],
    ["assignments of members", "a.b = c\n"],
    ["cases", "switch (a) {\ncase 1: return b\ndefault: return c\n}\n"],
    ["regular expressions", "a = /[`'\"/({]/\n"],
    ["templates of quotes", "a = `it's (`\n"],
    ["comments", "// it's ((( a - b - c\n/* ((( ` */\n"],
    ["classes", "class A {\n  a = 1\n  b() {\n  }\n}\n"],
    ["elements", "[1, -2, 'x'],\n"],
  ])("%s", (_kind, line) => {
    expect(findExcess(line.repeat(10_000))).toBeUndefined();
  });

  test("all files of this project", () => {
    const root = join(import.meta.dirname, "../..");
    const files = ["kernel", "runtime", "test"].flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).map((file) => join(root, folder, file)),
    );
    const sources = files.filter((file) => /\.[cm]?[jt]s$/.test(file));
    expect(sources.length).toBeGreaterThan(100);
    for (const file of sources) expect(findExcess(readFileSync(file, "utf8")), file).toBeUndefined();
  });
});
