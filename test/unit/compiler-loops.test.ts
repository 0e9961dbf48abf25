/** Loops of the top level that become functions: nobody can tell but by the clock. */
import { afterAll, describe, expect, test } from "vitest";
import { compileCell } from "../../kernel/language/compiler.ts";
import { NotebookNames } from "../../kernel/language/visible-names.ts";
import { type Case, casesOf, closeRepl, runCell, runCells } from "../support/cell-repl.ts";

afterAll(closeRepl);

/** The variables that the loops of the last cell keep, loop by loop; the cells before it count as run. */
function kept(...cells: string[]): string[] {
  const notebook = new NotebookNames();
  let code = "";
  for (const [index, source] of cells.entries()) {
    const cell = compileCell(source, { cell: String(index), notebook });
    notebook.add(cell, !source.includes("throw"));
    code = cell.code;
  }
  return [...code.matchAll(/const __heddle_loop__ = \((.*?)\) =>/g)].map(([, names]) => String(names));
}

describe("a loop keeps the variables that it writes", () => {
  test.each([
    ["a float loop", ["let s = 0; for (let i = 0; i < 9; i++) { s += i * 0.5; }"], ["s"]],
    [
      "a typed-array loop",
      ["const f = new Float64Array(9); let s = 0", "for (let i = 0; i < 9; i++) s += f[i]!"],
      ["s"],
    ],
    ["a string loop", ["let h = 0; const t = 'abc'; for (const c of t) h = h * 31 + c.charCodeAt(0)"], ["h"]],
    [
      "a Map loop",
      ["let n = 0; const m = new Map([[1, 2]])", "for (const [k, v] of m) { n += k * v; if (n > 9) break }"],
      ["n"],
    ],
    [
      "a loop that calls",
      ["function half(x: number) { return x / 2 }; let s = 0", "for (let i = 0; i < 9; i++) s += half(i)"],
      ["s"],
    ],
    ["a while loop", ["let n = 0; while (n < 5) n++"], ["n"]],
    ["a do loop", ["let n = 0; do { n++ } while (n < 5)"], ["n"]],
    ["a for-in loop", ["let k = ''; for (k in { a: 1 }) ;"], ["k"]],
    ["a loop in a block", ["let n = 0; if (true) { try { for (;;) { if (n++ > 3) break } } finally {} }"], ["n"]],
    ["a loop over a variable of a block", ["{ let n = 0; for (;;) { if (n++ > 3) break } }"], ["n"]],
    ["a loop with labels", ["let n = 0; outer: inner: for (;;) { for (;;) { if (n++ > 3) break outer } }"], ["n"]],
    ["a loop with var", ["for (var i = 0; i < 3; i++) { var last = i }"], ["i, last"]],
    ["a destructuring loop", ["let a = 1, b = 1; for (let i = 0; i < 5; i++) [a, b] = [b, a + b]"], ["a, b"]],
    [
      "a loop inside one with an await",
      ["let s = 0; for (;;) { await null; for (let i = 0; i < 3; i++) s += i; break }"],
      ["s"],
    ],
    [
      "beside a function with a variable of that name",
      ["function other(s: number) { let n = s; return n }; let s = 0, n = 0; while (n < 3) { s += n++ }"],
      ["s, n"],
    ],
    [
      "with the name of a global, which the cell has taken for itself",
      ["let performance = 0 as any; while (performance < 3) performance++"],
      ["__heddle_user_performance"],
    ],
  ] satisfies [string, string[], string[]][])("%s", (_name, cells, names) => {
    expect(kept(...cells)).toEqual(names);
  });
});

describe("a variable that somebody else may look at is not kept", () => {
  test.each([
    ["a function of the cell", ["let s = 0; const show = () => s; for (let i = 0; i < 9; i++) s += i"]],
    [
      "a function of an earlier cell",
      ["let s = 0", "function show() { return s }", "for (let i = 0; i < 9; i++) s += i"],
    ],
    [
      "a function of an earlier cell that threw",
      ["let s = 0", "function show() { return s }; throw 1", "for (let i = 0; i < 9; i++) s += i"],
    ],
    [
      "a closure made in the loop",
      ["let s = 0; const fs: (() => number)[] = []; for (let i = 0; i < 9; i++) { s += i; fs.push(() => s) }"],
    ],
    ["a method", ["let s = 0; class A { get now() { return s } }; while (s < 3) s++"]],
    ["a field", ["let s = 0; class A { now = s }; while (s < 3) s++"]],
    ["a namespace", ["let s = 0; namespace N { export const now = () => s }; while (s < 3) s++"]],
    ["a generator", ["let s = 0; function* all() { yield s }; while (s < 3) s++"]],
    ["a default value of a parameter", ["let s = 0; function show(x = s) { return x }; while (s < 3) s++"]],
    ["eval", ["let s = 0; while (s < 3) { s++; eval('s') }"]],
    ["the constructor of functions", ["let s = 0; const show = new Function('return s')", "while (s < 3) s++"]],
    [
      "a constructor that is found",
      ["let s = 0; const show = (() => {}).constructor('return s')", "while (s < 3) s++"],
    ],
    ["another script", ["import vm from 'node:vm'; let s = 0", "while (s < 3) s++"]],
  ] satisfies [string, string[]][])("%s", (_name, cells) => {
    expect(kept(...cells)).toEqual([]);
  });
});

describe("a loop is left alone", () => {
  test.each([
    ["that awaits", ["let n = 0; for (;;) { await null; if (n++ > 3) break }"]],
    ["that is a for await", ["let n = 0; for await (const x of [1]) n += x"]],
    ["out of which a jump leads", ["let n = 0; out: { for (;;) { if (n++ > 3) break out } }"]],
    ["in a function", ["function f() { let n = 0; while (n < 3) n++; return n }"]],
    ["whose variable has no value yet", ["while (false) late++; let late = 0"]],
    ["whose variable belongs to a cell that threw", ["throw 1; let lost = 0", "while (false) lost++"]],
    ["whose variable is nowhere", ["while (false) nowhere++"]],
    ["that writes nothing", ["let n = 1; for (const x of [1]) console.log(x, n)"]],
  ] satisfies [string, string[]][])("%s", (_name, cells) => {
    expect(kept(...cells)).toEqual([]);
  });
});

const values: Case[] = [
  ["at the end", ["let a1 = 0; for (let i = 0; i < 5; i++) a1 += i", "a1"], 10],
  ["in the same cell", ["let a2 = 0; for (let i = 0; i < 5; i++) { a2 += i }\na2"], 10],
  [
    "for a function called after it",
    ["let a3 = 0; for (let i = 0; i < 5; i++) a3 += i", "function f3() { return a3 }; f3()"],
    10,
  ],
  [
    "for a function called in it",
    [
      "let a4 = 0; const l4: number[] = []; const f4 = () => a4; for (let i = 0; i < 3; i++) { a4 += i; l4.push(f4()) } l4",
    ],
    [0, 1, 3],
  ],
  [
    "that a function called in it has written",
    ["let a5 = 0; function f5() { a5 += 10 }; for (let i = 0; i < 3; i++) { a5++; f5() } a5"],
    33,
  ],
  [
    "for a timer",
    [
      "let a6 = 0; const p6 = new Promise((done) => setTimeout(() => done(a6), 1)); for (let i = 0; i < 5; i++) a6 += i",
      "await p6",
    ],
    10,
  ],
  [
    "for an async function",
    [
      "let a7 = 0; const p7 = (async () => { await null; return a7 })(); for (let i = 0; i < 5; i++) a7 += i",
      "await p7",
    ],
    10,
  ],
  [
    "for a getter",
    [
      "let a8 = 0; const o8 = { get now() { return a8 } }; const l8: number[] = []; for (let i = 0; i < 3; i++) { a8 += i; l8.push(o8.now) } l8",
    ],
    [0, 1, 3],
  ],
  ["after a break", ["let a9 = 0; for (;;) { if (++a9 === 7) break } a9"], 7],
  [
    "after a continue",
    ["let b1 = 0, b2 = 0; while (b1 < 6) { b1++; if (b1 % 2) continue; b2 += b1 } [b1, b2]"],
    [6, 12],
  ],
  ["after a break to a label", ["let b3 = 0; out: for (;;) for (;;) { if (++b3 > 4) break out } b3"], 5],
  [
    "after a continue to a label",
    ["let b4 = 0; next: for (let i = 0; i < 3; i++) for (;;) { b4++; continue next } b4"],
    3,
  ],
  ["of nested loops", ["let b5 = 0; for (let i = 0; i < 3; i++) for (let j = 0; j < 3; j++) b5 += i * j; b5"], 9],
  ["of var, seen after the loop", ["for (var b6 = 0, c6 = 1; b6 < 3; b6++) { c6 *= 2 }", "[b6, c6]"], [3, 8]],
  [
    "of a variable of a block",
    ["let b7 = 0; { let inner = 0; for (let i = 0; i < 3; i++) inner += i; b7 = inner } b7"],
    3,
  ],
  ["of a switch", ["let b8 = 0; switch (1) { case 1: { let k = 1; while (k < 3) b8 += k++ } } b8"], 3],
  [
    "declared again after the loop",
    ["let b9 = 0; for (;;) { if (b9++ > 2) break }", "let b9 = 'again'", "b9"],
    "again",
  ],
  ["that was a constant before", ["const c1 = 5", "let c1 = 1; while (c1 < 4) c1++; c1"], 4],
  ["written by the head of a for-of", ["let c2 = 0; for (c2 of [1, 2, 3]) ; c2"], 3],
  [
    "written by a pattern",
    ["let c3 = 0, c4: number[] = []; for (const x of [[1, 2, 3]]) { [c3, ...c4] = x as any } [c3, c4]"],
    [1, [2, 3]],
  ],
  ["drawn from a generator", ["function* g5() { yield 1; yield 2 }; let c5 = 0; for (const x of g5()) c5 += x; c5"], 3],
  [
    "of a generator that looks at it",
    [
      "let c7 = 0; function* g7() { yield c7; yield c7 }; const l7: number[] = []; for (const x of g7()) { c7 += 5; l7.push(x) } l7",
    ],
    [0, 5],
  ],
  [
    "for each iteration's own closures",
    [
      "const c8: (() => number)[] = []; let n8 = 0; for (let i = 0; i < 3; i++) { n8++; c8.push(() => i) } [c8.map((f) => f()), n8]",
    ],
    [[0, 1, 2], 3],
  ],
  [
    "with an await in the loop",
    [
      "let c9 = 0; const p9 = (async () => { await null; c9 = 100 })(); for (let i = 0; i < 5; i++) { await null; c9++ } c9 > 100",
    ],
    true,
  ],
  [
    "with using in the loop",
    ["let d1 = ''; for (let i = 0; i < 2; i++) { using r = { [Symbol.dispose]() { } }; d1 += i } d1"],
    "01",
  ],
  [
    "of two loops in one cell",
    ["let d2 = 0, d3 = 0; for (let i = 0; i < 3; i++) d2++; for (let i = 0; i < 3; i++) d3 += d2; [d2, d3]"],
    [3, 9],
  ],
  ["with this", ["let d4: unknown; for (let i = 0; i < 1; i++) d4 = this === globalThis; d4"], true],
  ["followed by a type", ["let d5 = 0; for (let i = 0; i < 3; i++) d5++\ntype D5 = number\nd5 as D5"], 3],
];

describe("the value of a variable is right", () => {
  casesOf(values);

  test("after a throw: the one written last", async () => {
    await runCells("let e1 = 0");
    expect((await runCell("for (;;) { if (++e1 === 5) throw new Error('five') }")).error).toContain("five");
    expect(await runCells("e1")).toBe(5);
  });

  test("after a throw of a function that the loop calls", async () => {
    await runCells("let e2 = 0; function fails(n: number) { if (n === 4) throw new Error('four') }");
    expect((await runCell("for (;;) fails(++e2)")).error).toContain("four");
    expect(await runCells("e2")).toBe(4);
  });

  test("after a throw that is caught around the loop", async () => {
    expect(await runCells("let e3 = 0; try { for (;;) { if (++e3 === 5) throw 1 } } catch { e3 *= 10 } e3")).toBe(50);
  });
});
