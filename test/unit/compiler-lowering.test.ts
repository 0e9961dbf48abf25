import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { compileCell } from "../../kernel/language/compiler.ts";
import { casesOf, closeRepl, hostCalls, runCell, runCells } from "../support/cell-repl.ts";

afterAll(closeRepl);
beforeEach(() => {
  hostCalls.length = 0;
});

describe("decorators", () => {
  const log = `var log: string[] = [];
    function m(value: any, context: any) {
      log.push([context.kind, String(context.name), context.static, context.private].join(" "));
      context.addInitializer(function () { log.push("init " + String(context.name)); });
      if (context.kind === "method") return function (this: any, ...a: any[]) { return "wrapped " + value.apply(this, a); };
      if (context.kind === "getter") return function (this: any) { return value.call(this) * 10; };
      if (context.kind === "field") return (x: number) => x * 2;
      if (context.kind === "accessor") return { init: (x: number) => x + 1 };
    }
    function plus(n: number) { return (value: any, context: any) => (x: number) => x + n; }
    function sub(value: any, context: any) { log.push("class " + context.name); return class extends value { extra = true }; }`;
  casesOf([
    [
      "of a method",
      [log, "class A { @m foo() { return 'foo' } }", "[new A().foo(), log]"],
      ["wrapped foo", ["method foo false false", "init foo"]],
    ],
    [
      "of a static method",
      [log, "class A { @m static foo() { return 'foo' } }", "[A.foo(), log]"],
      ["wrapped foo", ["method foo true false", "init foo"]],
    ],
    ["of a getter", [log, "class A { #x = 4; @m get x() { return this.#x } }", "new A().x"], 40],
    [
      "of a field, with and without a value or type",
      [log, "class A { @m x: number = 2; @m y?: number; @m\n z; }", "const a = new A(); [a.x, a.y, a.z]"],
      [4, Number.NaN, Number.NaN],
    ],
    ["of a static field", [log, "class A { @m static x = 3 }", "[A.x, log]"], [6, ["field x true false", "init x"]]],
    [
      "of a private field",
      [log, "class A { @m #x = 5; get x() { return this.#x } }", "[new A().x, log]"],
      [10, ["field #x false true", "init #x"]],
    ],
    [
      "of an accessor field",
      [
        log,
        "class A { @m accessor x = 1; @m static accessor s = 2 }",
        "const a = new A(); a.x += 10; [a.x, A.s, 'x' in a]",
      ],
      [12, 3, true],
    ],
    [
      "several on one field: the last is called first, the first changes the value first",
      [log, "class A { @plus(1) @m x = 5 }", "new A().x"],
      12,
    ],
    [
      "of a computed name, evaluated once",
      [log, "var times = 0; class A { @m ['n' + ++times]() { return 1 } }", "[new A().n1(), times]"],
      ["wrapped 1", 1],
    ],
    [
      "of a class, which it may replace",
      [log, "@sub class A { static self() { return A } }", "[new A().extra, A.self() === A, log]"],
      [true, true, ["class A"]],
    ],
    [
      "of an exported, a default and a nested class, and of an expression",
      [
        log,
        "@sub export class A {}\nfunction f() { @sub class B {}; return new B().extra }\nconst C = @sub class {};\n[new A().extra, f(), new C().extra]",
        "log.length",
      ],
      3,
    ],
    [
      "initializers of methods run before the fields",
      [log, "class A { x = log.push('field x'); @m foo() {} }", "log.length = 0; new A(); log"],
      ["init foo", "field x"],
    ],
    [
      "metadata is shared by the class",
      [
        "function meta(value: any, context: any) { context.metadata[context.name] = true }\nclass A { @meta a = 1; @meta b() {} }",
        "Object.keys(A[Symbol.metadata ?? Symbol.for('Symbol.metadata')])",
      ],
      ["b", "a"],
    ],
    [
      "access reads and writes the member",
      [
        "var got: any; function take(value: any, context: any) { got = context.access }\nclass A { @take #x = 1; read() { return this.#x } }\nconst a = new A(); got.set(a, got.get(a) + 5)",
        "[a.read(), got.has(a), got.has({})]",
      ],
      [6, true, false],
    ],
    [
      "accessor fields need no decorator",
      [
        "class A { accessor a = 1; static accessor b; accessor #c = 3; accessor 'd-e' = 4; sum() { return this.a + this.#c + this['d-e'] } }",
        "new A().sum()",
      ],
      8,
    ],
  ]);

  test("what is no decorator is refused", async () => {
    expect((await runCell("class A { @(5 as any) foo() {} }")).error).toContain("A decorator is a function");
  });

  test("a decorated private method is refused in words", () => {
    expect(() => compileCell("class A { @m #foo() {} }", { cell: "1" })).toThrow(
      "A decorated private method is not supported",
    );
  });
});

describe("using", () => {
  const log =
    "var log: string[] = []; const res = (name: string) => ({ name, [Symbol.dispose]() { log.push(name) } }); const ares = (name: string) => ({ name, async [Symbol.asyncDispose]() { await null; log.push(name) } });";
  casesOf([
    [
      "in a block, last first",
      [log, "{ using a = res('a'), b = res('b'); log.push('body') }\nlog"],
      ["body", "b", "a"],
    ],
    [
      "in a function, after its return value",
      [log, "function u() { using a = res('a'); return log.length }\n[u(), log]"],
      [0, ["a"]],
    ],
    [
      "at top level: at the cell's end, names kept",
      [
        log,
        "using top = res('top')\nconst seen = log.length; function f() { return top.name }\nclass K {}",
        "[f(), seen, log, typeof K]",
      ],
      ["top", 0, ["top"], "function"],
    ],
    [
      "at top level with a result",
      [log, "using top = res('top')\nlet { x } = { x: 5 }\nx + log.length", "log"],
      ["top"],
    ],
    ["null and undefined are no resources", ["{ using a = null, b = undefined }\n1"], 1],
    [
      "in a loop over resources",
      [log, "for (using a of [res('1'), res('2')]) log.push('x')\nlog"],
      ["x", "1", "x", "2"],
    ],
    [
      "in a for loop's head",
      [log, "for (using a = res('h'), b = null; log.length < 1;) log.push('x')\nlog"],
      ["x", "h"],
    ],
    [
      "await using in an async function",
      [
        log,
        "async function u() { await using a = ares('a'); await using b = res('b'); log.push('body') }\nawait u(); log",
      ],
      ["body", "b", "a"],
    ],
    ["await using at top level", [log, "await using top = ares('top')", "log"], ["top"]],
  ]);

  test("an error while disposing suppresses the earlier one", async () => {
    const cell =
      "try { using a = { [Symbol.dispose]() { throw new Error('late') } }; throw new Error('early') } catch (error) { var caught: any = error }\n[caught.name, caught.error.message, caught.suppressed.message]";
    expect(await runCells(cell)).toEqual(["SuppressedError", "late", "early"]);
  });

  test("a value without a dispose method is refused", async () => {
    expect((await runCell("{ using a = 5 as any }")).error).toContain("Symbol.dispose");
  });

  test("disposal awaits through the host", async () => {
    await runCells("{ await using a = { async [Symbol.asyncDispose]() {} } }");
    expect(hostCalls.filter((call) => call === "await").length).toBeGreaterThanOrEqual(2);
  });
});

describe("what goes through the host", () => {
  test("every await, in nested functions too", () => {
    const { code } = compileCell(
      "await a; async () => await b(await c); class X { async m() { await d } }; for await (const x of e) await x",
      { cell: "1" },
    );
    expect(code.match(/(?<!for )await (?!__heddle__)/g)).toBeNull();
    expect([...code.matchAll(/await __heddle__\.await\(/g)]).toHaveLength(5);
    expect(code).toContain("for await (const x of __heddle__.iterate(e))");
  });

  test("the script begins with a turn of its own and ends with its name", () => {
    const { code } = compileCell("1", { cell: "12" });
    expect(code).toMatch(/^"use strict"; await __heddle__\.turn\(\);/);
    expect(code).toMatch(/\n\/\/# sourceURL=cell-12\.ts$/);
  });

  casesOf([
    [
      "default, named, renamed and namespace imports",
      [
        "import path1, { sep, join as j1 } from 'node:path'\nimport * as ns1 from 'node:path'",
        "[path1.sep === sep, j1('a', 'b'), ns1.sep === sep]",
      ],
      [true, "a/b", true],
    ],
    ["a default together with a namespace", ["import path2, * as ns2 from 'node:path'", "path2.sep === ns2.sep"], true],
    ["imports serve the lines before them", ["const r3 = sep3\nimport { sep as sep3 } from 'node:path'\nr3"], "/"],
    ["import = require", ["import fs4 = require('node:path')", "fs4.sep"], "/"],
    ["dynamic import", ["(await import('node:path')).sep"], "/"],
    [
      "require, __dirname and __filename",
      ["[require('node:path').sep, __dirname, __filename, typeof require]"],
      ["/", "/notebook", "/notebook/cell.ts", "function"],
    ],
    ["a shorthand property of them", ["const o6 = { __dirname }; o6"], { __dirname: "/notebook" }],
    [
      "a name of the user's own is left alone",
      [
        "function f7(require: any) { const __dirname = 2; return [require, __dirname, { require }.require, ({} as any).require] }",
        "f7(1)",
      ],
      [1, 2, 1, undefined],
    ],
    [
      "import.meta",
      ["[import.meta.url, import.meta.dirname, import.meta.filename]"],
      ["file:///notebook/cell.ts", "/notebook", "/notebook/cell.ts"],
    ],
    [
      "an import used as a type alone needs no module",
      ["import { Shape } from './nowhere'; let s8: Shape | number = 8", "s8"],
      8,
    ],
  ]);

  test("attributes are handed on, type imports are not made", async () => {
    const { code } = compileCell(
      "import data from './d.json' with { type: 'json' }\nimport type { A } from 'a'; import { type B } from 'b'; import 'side'; export * from 'all'",
      { cell: "1" },
    );
    expect(code).toContain("__heddle__.import('./d.json', { with: { type: 'json' } })");
    expect(code).not.toContain("'a'");
    expect(code).not.toContain("'b'");
    expect(code).toContain("__heddle__.import('side')");
    expect(code).toContain("__heddle__.import('all')");
  });

  test("a missing module fails the cell", async () => {
    expect((await runCell("import { gone } from 'no-such-package-anywhere'; gone")).error).toContain(
      "no-such-package-anywhere",
    );
  });
});
