import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { CellSyntaxError, compileCell } from "../../kernel/language/compiler.ts";
import { casesOf, closeRepl, hostCalls, runCell, runCells } from "../support/cell-repl.ts";

afterAll(closeRepl);
beforeEach(() => {
  hostCalls.length = 0;
});

describe("redeclaration of anything as anything", () => {
  const kinds: [string, string][] = [
    ["const", "const again = 'const'"],
    ["let", "let again = 'let'"],
    ["var", "var again = 'var'"],
    ["function", "function again() {}"],
    ["async generator", "async function* again() {}"],
    ["class", "class again {}"],
    ["enum", "enum again { A }"],
    ["namespace", "namespace again { export const a = 1 }"],
    ["import", "import again from 'node:path'"],
    ["namespace import", "import * as again from 'node:path'"],
    ["named import", "import { sep as again } from 'node:path'"],
    ["destructured const", "const { again } = { again: 1 }"],
  ];
  for (const [before, first] of kinds) {
    test(`${before} as every other kind`, async () => {
      for (const [after, second] of kinds) {
        const outcome = await runCell(first);
        expect(outcome.error, `${before} again`).toBeUndefined();
        expect((await runCell(second)).error, `${before} as ${after}`).toBeUndefined();
      }
    });
  }
});

describe("names live from cell to cell", () => {
  casesOf([
    ["a function sees a later assignment", ["let n1 = 0; function inc1() { return ++n1 }", "n1 = 10", "inc1()"], 11],
    [
      "a function sees a later redefinition",
      [
        "function inner2() { return 1 }; function outer2() { return inner2() }",
        "function inner2() { return 2 }",
        "outer2()",
      ],
      2,
    ],
    [
      "a recursive function calls what its name stands for",
      [
        "function fact3(n: number): number { return n < 2 ? 1 : n * fact3(n - 1) }",
        "const old3 = fact3",
        "function fact3() { return 100 }",
        "old3(5)",
      ],
      500,
    ],
    ["a function can be replaced by an assignment", ["function f4() { return 1 }", "f4 = () => 2", "f4()"], 2],
    ["a function keeps its name", ["function named5() {}", "named5.name"], "named5"],
    [
      "functions are callable before their line",
      ["const r6 = before6(2); function before6(n: number) { return n * 2 }", "r6"],
      4,
    ],
    [
      "functions call each other before their lines",
      ["const r7 = a7()\nfunction a7() { return b7() + 1 }\nfunction b7() { return 1 }\nr7"],
      2,
    ],
    ["a var keeps its value when its cell runs again", ["var c8 = (c8 || 0) + 1", "var c8 = (c8 || 0) + 1", "c8"], 2],
    ["a var is there before its line", ["const t9 = typeof v9; var v9 = 1;", "t9"], "undefined"],
    [
      "a var of a block belongs to the cell",
      [
        "if (true) { var deep10 = 1 } for (var i10 = 0; i10 < 3; i10++) {} for (var k10 of [7]) {}",
        "[deep10, i10, k10]",
      ],
      [1, 3, 7],
    ],
    ["a var in a function does not", ["var own11 = 1; (function () { var own11 = 2 })()", "own11"], 1],
    ["two vars of one name", ["var twice12 = 1; var twice12 = 2; var twice12", "twice12"], 2],
    [
      "destructured vars",
      ["var { a13, b13: [c13 = 3] } = { a13: 1, b13: [] } as any, d13", "[a13, c13, d13]"],
      [1, 3, undefined],
    ],
    ["a later cell may shadow a global", ["const fetch = 5", "[fetch, typeof globalThis.fetch]"], [5, "function"]],
  ]);

  test("names of a cell that threw half way are kept", async () => {
    expect(
      (
        await runCell(
          "const kept14 = 1; function alsoKept14() { return kept14 }\nthrow new Error('half way')\nconst lost14 = 2",
        )
      ).error,
    ).toContain("half way");
    expect(await runCells("alsoKept14()")).toBe(1);
    expect(await runCells("let lost14 = 3; lost14")).toBe(3);
  });
});

describe("the result", () => {
  const results: [string, string, boolean, unknown][] = [
    ["of an expression", "1 + 1", true, 2],
    ["of a promise is awaited", "Promise.resolve(3)", true, 3],
    ["of an await", "await Promise.resolve(4)", true, 4],
    ["is suppressed by a semicolon", "5;", false, undefined],
    ["is suppressed by a semicolon before a comment", "5; // five", false, undefined],
    ["with a comment behind it", "5 // five", true, 5],
    ["of a sequence", "(1, 2)", true, 2],
    ["of a string that looks like a directive", '"use nothing"', true, "use nothing"],
    ["of an object literal", "{a: 1}", true, { a: 1 }],
    ["of an object literal after a comment", "// c\n{a: 1, b: {c: [2]}} // d", true, { a: 1, b: { c: [2] } }],
    ["of an empty object literal", "{}", true, {}],
    ["of a block is none", "{ let x = 1; x }", false, undefined],
    ["of a declaration is none, whatever stood before", "5\nlet decl = 1", false, undefined],
    ["of a loop is none", "for (const x of [1]) x", false, undefined],
    ["of a function declaration is none", "1\nfunction fnResult() {}", false, undefined],
    ["of an assignment", "assigned = 5; var assigned; assigned", true, 5],
    ["of an exported default", "export default 6", true, 6],
    ["of an exported default object", "export default { suites: [1] }", true, { suites: [1] }],
    ["of an exported default with a semicolon is none", "export default 6;", false, undefined],
    ["of a cast", "<number>7 as any satisfies number", true, 7],
    ["of an empty cell is none", "", false, undefined],
    ["of a comment is none", "// nothing", false, undefined],
    ["of a type is none", "type Nothing = 1", false, undefined],
  ];
  for (const [name, source, hasResult, value] of results) {
    test(name, async () => {
      const outcome = await runCell(source);
      expect(outcome.error).toBeUndefined();
      expect(outcome.cell.hasResult).toBe(hasResult);
      expect(outcome.value).toEqual(value);
    });
  }
});

describe("TypeScript's own syntax", () => {
  casesOf([
    [
      "annotations, casts, assertions",
      ["let a1: number = <any>1; const b1 = a1 as unknown as number; (b1! satisfies number)"],
      1,
    ],
    [
      "optional and this parameters",
      [
        "function f2(this: number, a?: string, { b }?: any, ...c: any[]): string { return this + a! }",
        "f2.call(1, 'x', {})",
      ],
      "1x",
    ],
    ["generic arrow with a return type over lines", ["const f3 = async <T,>(x: T): Promise<\n T\n> => x", "f3(3)"], 3],
    [
      "a cast at a line's end stays apart from the next line",
      ["let a4 = [1] as any\n(function () { a4 = 2 })()\na4"],
      2,
    ],
    ["a type between two lines leaves them apart", ["const a5 = [3]\ninterface I5 {}\n[0].length"], 1],
    [
      "parameter properties",
      [
        "class P6 { constructor(public a: number, private readonly b = 2, c?: string) {} }",
        "JSON.stringify(new P6(1))",
      ],
      '{"a":1,"b":2}',
    ],
    [
      "parameter properties after super",
      [
        "class B7 { x = 1 }; class D7 extends B7 { constructor(public y: number) { super(); this.y += this.x } }",
        "new D7(1).y",
      ],
      2,
    ],
    [
      "abstract classes, overloads, index signatures, declared fields",
      [
        "abstract class A8 { abstract f(): number; declare z: string; [key: string]: any; g(): void; g(a?: any) { return 8 } }",
        "new (class extends A8 { f() { return 1 } })().g()",
      ],
      8,
    ],
    [
      "modifiers never join members",
      [
        "class M9 { private a = 1\n private ['b'] = 2\n static s?: number\n protected get: any\n readonly c() { return 3 } }".replace(
          "readonly c",
          "public c",
        ),
        "const m9 = new M9() as any; [m9.a, m9.b, m9.c()]",
      ],
      [1, 2, 3],
    ],
    [
      "private members",
      [
        "class Q10 { #p = 5; static #s = 6; get p() { return this.#p } static has(o: any) { return #p in o && this.#s } }",
        "[new Q10().p, Q10.has(new Q10())]",
      ],
      [5, 6],
    ],
    [
      "const type parameters",
      ["function t11<const T extends readonly unknown[]>(x: T): T { return x }", "t11([1])"],
      [1],
    ],
    [
      "numeric enums count on, and map back",
      ["enum E12 { A, B = 5, C, 'd-e' = 1 << 3, F }", "[E12.A, E12.B, E12.C, E12['d-e'], E12.F, E12[6]]"],
      [0, 5, 6, 8, 9, "C"],
    ],
    [
      "string and computed enums",
      ["enum E13 { A = 'a', B = A + 'b', C = 'xyz'.length, D = E13.C * 2 }", "JSON.stringify(E13)"],
      '{"3":"C","6":"D","A":"a","B":"ab","C":3,"D":6}',
    ],
    ["an enum with a member of its own name", ["enum E14 { Red, E14 }", "[E14.Red, E14.E14]"], [0, 1]],
    ["const enums", ["const enum E15 { A = 4 }", "E15.A"], 4],
    ["merged enums", ["enum E16 { A = 1 } enum E16 { B = A + 1 }", "E16.B"], 2],
    ["an enum in a function", ["function f17() { enum L { A = 3 } return L.A }", "f17()"], 3],
    [
      "a namespace with values that change on both sides",
      [
        "namespace N18 { export let count = 1; export function add() { count += 1; return count } }",
        "N18.count = 10; N18.add(); N18.count",
      ],
      11,
    ],
    [
      "a namespace's functions before their line",
      ["namespace N19 { export const r = f(); export function f() { return 2 } }", "N19.r + N19.f()"],
      4,
    ],
    [
      "nested, dotted and merged namespaces",
      [
        "namespace N20.M { export const x = 1; export namespace D { export class C {} ; export enum E { A = 7 } } }\nnamespace N20 { export const y = M.x + 1 }",
        "[N20.M.x, N20.y, N20.M.D.E.A, N20.M.D.C.name]",
      ],
      [1, 2, 7, "C"],
    ],
    [
      "a namespace that merges with a function",
      ["function N21() { return N21.extra }\nnamespace N21 { export const extra = 5 }", "N21()"],
      5,
    ],
    [
      "a namespace with a member of its own name",
      ["namespace N22 { export class N22 { v = 1 } }", "new N22.N22().v"],
      1,
    ],
    ["a namespace of types leaves nothing", ["namespace N23 { export type T = 1 }\n1"], 1],
    [
      "ambient declarations leave nothing",
      ["declare const d24: number; declare function e24(): void; declare global { interface X24 {} }\n1"],
      1,
    ],
    [
      "function overloads",
      ["function o25(a: string): 1\nfunction o25(a: number): 2\nfunction o25(a: any): any { return a }", "o25(9)"],
      9,
    ],
    [
      "export in every form is tolerated",
      [
        "export const a26 = 1; export function b26() {} export class C26 {} export enum D26 { X } export { a26 as z26 }; export type { T26 }; type T26 = 1\na26",
      ],
      1,
    ],
    [
      "instantiation expressions and type arguments",
      ["const m27 = new Map<string, number>([['a', 1]]); const I27 = Array<number>; new I27(2).length + m27.size"],
      3,
    ],
    ["import alias of a namespace", ["namespace N28 { export const v = 3 }\nimport alias28 = N28.v;\nalias28"], 3],
  ]);
});

describe("what a cell declares", () => {
  test("each kind by its word", () => {
    const source =
      "const a = 1; let b; var c; function d() {} class e {} enum f {} namespace g { export const x = 1 } import h, { i } from 'x'; interface j {} type k = 1; const { l, m: [n] } = x; if (1) { var o }";
    const kinds = Object.fromEntries(compileCell(source, { cell: "1" }).declares);
    expect(kinds).toEqual({
      a: "const",
      b: "let",
      c: "let",
      d: "function",
      e: "class",
      f: "enum",
      g: "namespace",
      h: "import",
      i: "import",
      j: "type",
      k: "type",
      l: "const",
      n: "const",
      o: "let",
    });
  });
});

describe("syntax errors", () => {
  const errors: [string, string, number][] = [
    ["an unexpected token", "const x = ;", 10],
    ["a missing bracket", "foo(1", 5],
    ["a second declaration of a name", "let x; let x", 11],
    ["return outside a function", "return 1", 0],
    ["await in a function that is not async", "function f() { await x }", 15],
    ["break outside a loop", "\nbreak", 1],
    ["a const without a value", "const x", 6],
  ];
  for (const [name, source, start] of errors) {
    test(name, () => {
      const error = catchError(() => compileCell(source, { cell: "1" }));
      expect(error).toBeInstanceOf(CellSyntaxError);
      expect((error as CellSyntaxError).name).toBe("SyntaxError");
      expect((error as CellSyntaxError).start).toBe(start);
      expect((error as CellSyntaxError).end).toBeGreaterThanOrEqual(start);
    });
  }
});

function catchError(body: () => unknown): unknown {
  try {
    body();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}

test("many comments in front cost no time", () => {
  const start = performance.now();
  compileCell(`${"/* c */\n".repeat(200)}const a = 1`, { cell: "1" });
  expect(performance.now() - start).toBeLessThan(1_000);
});

test("a warm 20-line cell compiles in a millisecond", () => {
  const cell = `import { readFile } from "node:fs/promises"\n${Array.from({ length: 18 }, (_, i) => `const v${i}: number = await f(${i} as number); interface I${i} { a: string }`).join("\n")}\nv1`;
  const times = Array.from({ length: 60 }, (_, i) => {
    const start = performance.now();
    compileCell(`${cell} // ${i}`, { cell: "1" });
    return performance.now() - start;
  });
  expect(Math.min(...times.slice(20))).toBeLessThan(4);
});
