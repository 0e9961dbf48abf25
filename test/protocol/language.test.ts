/** The language engine against the real compiler, in folders of its own. */
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { LanguageEngine } from "../../kernel/language/engine.ts";
import { createLanguageEngine } from "../../kernel/language/tsgo.ts";

/** Long enough for a machine that has much else to do: here it is what the engine says that counts. */
const timeout = 20_000;

let folder: string;
let engine: LanguageEngine;
let label = 0;
beforeAll(() => {
  folder = newFolder({});
  engine = createLanguageEngine({ folder, timeout });
});
afterAll(async () => {
  await engine.close();
  rmSync(folder, { recursive: true });
});

function newFolder(files: Record<string, string>): string {
  const made = mkdtempSync(join(tmpdir(), "heddle-notebook-"));
  for (const [name, text] of Object.entries(files)) write(made, name, text);
  return made;
}

function write(base: string, name: string, text: string): void {
  const path = join(base, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

async function withFolder(
  files: Record<string, string>,
  body: (engine: LanguageEngine, folder: string) => Promise<void>,
): Promise<void> {
  const made = newFolder(files);
  const own = createLanguageEngine({ folder: made, timeout });
  try {
    await body(own, made);
  } finally {
    await own.close();
    rmSync(made, { recursive: true });
  }
}

/** Errors of a cell as `code@text`, the text being what is underlined. */
async function errorsIn(on: LanguageEngine, source: string): Promise<string[]> {
  const { diagnostics, unchecked } = await on.check({ cell: "0", source });
  expect(unchecked).toBeUndefined();
  return diagnostics.map(({ code, start, end }) => `${code ?? "syntax"}@${source.slice(start, end)}`);
}

/** Takes in cells as the kernel does: checked, then committed. */
async function run(on: LanguageEngine, ...sources: string[]): Promise<void> {
  for (const source of sources) {
    label += 1;
    expect(await errorsIn(on, source)).toEqual([]);
    on.commit({ cell: String(label), source });
  }
}

describe("types flow from cell to cell", () => {
  test("values, functions, classes, interfaces, enums, namespaces", async () => {
    await run(
      engine,
      "const c1 = 2; let l1 = 'a'; function f1(a: string) { return a.length } class K1 { a = 1 } interface I1 { z: number } enum E1 { A } namespace N1 { export const q = 1; export type T = string }",
      "let k1: K1 = new K1(); k1.a.toFixed(c1); const i1: I1 = { z: E1.A + N1.q }; let t1: N1.T = l1; f1(t1)",
    );
    expect(await errorsIn(engine, "f1(c1)")).toEqual(["2345@c1"]);
    expect(await errorsIn(engine, "const i: I1 = { z: 'no' }")).toEqual(["2322@z"]);
  });

  test("redeclaration as another type, and of a constant", async () => {
    await run(
      engine,
      "const again = 1",
      "const again = 'text'",
      "again.toUpperCase()",
      "class again {}",
      "new again()",
      "let again: number[] = []",
      "again.push(1)",
    );
  });

  test("a let of another cell can be assigned to, with its type", async () => {
    await run(engine, "let total = 0", "total += 2; total++; [total] = [3]");
    expect(await errorsIn(engine, "total = 'x'")).toEqual(["2322@total"]);
  });

  test("a constant of another cell cannot, and is called a constant", async () => {
    await run(engine, "const fixed = 0");
    const { diagnostics } = await engine.check({ cell: "0", source: "fixed = 1" });
    expect(diagnostics).toMatchObject([
      { code: 2588, message: "Cannot assign to 'fixed' because it is a constant.", start: 0, end: 5 },
    ]);
  });

  test("a cell with type errors that ran anyway has its names", async () => {
    engine.commit({ cell: "w1", source: "const wrong: number = 'text'; function usable() { return 1 }" });
    expect(await errorsIn(engine, "usable().toFixed() + wrong.toFixed()")).toEqual([]);
  });

  test("exports in a cell", async () => {
    await run(engine, "export const ex1 = 1; export default class {} ", "ex1.toFixed(); export { ex1 }");
  });

  test("a chain of fifty cells", async () => {
    await run(
      engine,
      "const v0 = { n: 0 }",
      ...Array.from({ length: 50 }, (_, i) => `const v${i + 1} = { n: v${i}.n + 1, before: v${i} }`),
    );
    expect(await errorsIn(engine, "v50.before.before.n.foo")).toEqual(["2339@foo"]);
  });
});

describe("what is no error in a notebook", () => {
  const fine: [string, string][] = [
    ["top-level await", "await Promise.resolve(1)"],
    ["top-level for await", "for await (const x of [Promise.resolve(1)]) x.toFixed()"],
    ["top-level using", "using u = { [Symbol.dispose]() {} }; await using v = { async [Symbol.asyncDispose]() {} }"],
    ["an object literal as a cell", "{a: 1, b: 'x'}"],
    ["implicit any", "function loose(a, b) { return a + b }\nloose(1, 'x')"],
    [
      "a list that begins empty",
      "const list = []; list.push(1); list.push('x'); list[0]; const other = []; other.push({ a: 1 })",
    ],
    [
      "implicit any of each kind",
      "let late; late = 1; const self = () => self(); const o = {}; o['x']; function rest(...r) { const { a, b: [c] } = r[0]; return (x) => x + a + c } function around(n) { return n === 0 ? 0 : around(n - 1) }",
    ],
    ["implicit this", "function Point(x) { this.x = x }"],
    ["import by require", "import fs = require('node:fs'); fs.readFileSync('x').length"],
    ["unused names, labels and unreachable code", "const unused = 1; label: 1; function f(p) { return; p() }"],
    [
      "Node's globals and modules, without packages of the notebook's own",
      "import { readFileSync } from 'node:fs'; readFileSync('x').length; process.argv; Buffer.from('x'); setTimeout(() => {}, 1); URL",
    ],
    ["CommonJS names and import.meta", "require('fs'); __dirname; __filename; import.meta.url; import.meta.dirname"],
    [
      "decorators and accessors",
      "function dec(v: any, c: ClassMethodDecoratorContext) {}\nclass D { @dec m() {} accessor a = 1 }",
    ],
    ["a type import of what the kernel offers", "import 'heddle'; import 'heddle/notebook'"],
    ["an empty cell", ""],
    ["a comment", "// nothing"],
  ];
  for (const [name, source] of fine) {
    test(name, async () => {
      expect(await errorsIn(engine, source)).toEqual([]);
    });
  }
});

describe("errors", () => {
  const wrong: [string, string, string[]][] = [
    ["two errors, in order", "const a: string = 1;\nconst b: number = 'x'", ["2322@a", "2322@b"]],
    ["after astral characters", "const s = '😀😀'; s.nope", ["2339@nope"]],
    ["in an object literal cell", "{a: 1, b: (1).nope}", ["2339@nope"]],
    ["on a later line with CRLF", "1;\r\n(2).nope", ["2339@nope"]],
    ["an unknown name", "unknownName", ["2304@unknownName"]],
    ["an unknown module", "import { x } from 'no-such-package-anywhere'", ["2307@'no-such-package-anywhere'"]],
    ["a syntax error", "const x = ;", ["syntax@;"]],
    ["an await where none may be", "function f() { await 1 }", ["syntax@await"]],
  ];
  for (const [name, source, errors] of wrong) {
    test(name, async () => {
      expect(await errorsIn(engine, source)).toEqual(errors);
    });
  }
});

describe("completion", () => {
  const texts = async (source: string, offset = source.length) =>
    (await engine.complete(source, offset)).items.map(({ text }) => text);

  test("members, typed through the cells", async () => {
    await run(engine, "const shape1 = { width: 1, height: 2 }");
    expect(await engine.complete("shape1.", 7)).toMatchObject({
      start: 7,
      end: 7,
      items: [
        { text: "height", kind: "field", detail: "(property) height: number" },
        { text: "width", kind: "field" },
      ],
    });
    expect(await texts("shape1.wi")).toEqual(["width"]);
    expect(await texts("shape1.width.toFi")).toEqual(["toFixed"]);
  });

  test("names of all cells with their kinds", async () => {
    await run(
      engine,
      "const zebraConst = 1; let zebraLet = 1; function zebraFn() {} class ZebraClass {}",
      "enum ZebraEnum {} ; interface ZebraType {}",
    );
    const { items } = await engine.complete("zebra", 5);
    expect(Object.fromEntries(items.map(({ text, kind }) => [text, kind]))).toEqual({
      zebraConst: "constant",
      zebraLet: "variable",
      zebraFn: "function",
      ZebraClass: "class",
      ZebraEnum: "enum",
      ZebraType: "interface",
    });
  });

  test("names of the cell itself, globals and keywords", async () => {
    expect(await texts("const localName = 1; localN")).toContain("localName");
    expect(await texts("struc")).toContain("structuredClone");
    expect(await texts("awa")).toContain("await");
  });

  test("right after astral characters", async () => {
    expect(await engine.complete("'😀'.leng", 9)).toMatchObject({ start: 5, end: 9, items: [{ text: "length" }] });
  });

  test("in the middle of a cell that is no program yet", async () => {
    const source = "const shape2 = { depth: 1 }\nif (shape2.) {\n  foo(";
    expect(await texts(source, source.indexOf(".)") + 1)).toEqual(["depth"]);
  });

  test("no names of cells after a dot, in a string or in a comment", async () => {
    await run(engine, "const quagga = 1");
    for (const source of ["({}).quag", "'quag", "// quag"]) expect(await texts(source)).not.toContain("quagga");
  });

  test("what an import offers", async () => {
    const source = "import { readFileS } from 'node:fs'";
    expect(await texts(source, source.indexOf(" }"))).toContain("readFileSync");
  });
});

test("a replaced session's names are gone", async () => {
  await withFolder({}, async (own) => {
    await run(own, "const before = 1");
    own.reset();
    expect(await errorsIn(own, "before")).toEqual(["2304@before"]);
    expect((await own.complete("befo", 4)).items).toEqual([]);
    await run(own, "const before = 'again'", "before.trim()");
  });
});

describe("inspection", () => {
  test("signature and documentation of a name of another cell", async () => {
    await run(engine, "/** Adds one.\n * @param n the number */\nfunction addOne(n: number): number { return n + 1 }");
    const found = await engine.inspect("addOne(1)", 3, 0);
    expect(found?.markdown).toContain("function addOne(n: number): number");
    expect(found?.text).toContain("Adds one.");
    expect(found?.text).toContain("the number");
    expect(found?.text).not.toContain("alias");
    expect(found?.text).not.toContain("import ");
    expect(found?.text).not.toContain("Declared in");
  });

  test("detail 1 adds the declaration and its cell", async () => {
    const found = await engine.inspect("addOne", 6, 1);
    expect(found?.text).toMatch(/Declared in cell \d+/);
    expect(found?.text).toContain("return n + 1");
  });

  test("inside a call's parentheses: the signature and the parameter", async () => {
    const found = await engine.inspect("addOne( )", 7, 0);
    expect(found?.text).toContain("addOne(n: number): number");
    expect(found?.text).toContain("the number");
    expect((await engine.inspect("'a'.padStart(3, )", 16, 0))?.text).toContain("padString");
  });

  test("a variable of another cell shows its type", async () => {
    await run(engine, "let counted = new Map<string, number>()");
    expect((await engine.inspect("counted", 2, 0))?.text).toBe("let counted: Map<string, number>");
  });

  test("Node's own functions, without paths of this machine", async () => {
    const found = await engine.inspect("import { readFileSync } from 'node:fs'", 12, 0);
    expect(found?.text).toContain("readFileSync(path");
    expect(found?.markdown).not.toContain("file://");
  });

  test("nothing where nothing is", async () => {
    expect(await engine.inspect("  1 + 2", 0, 0)).toBeUndefined();
    expect(await engine.inspect("", 0, 1)).toBeUndefined();
  });
});

describe("the notebook's folder", () => {
  test("relative imports, with and without extension, JSON, and from above", async () => {
    await withFolder(
      { "a.ts": "export const a = 1", "sub/b.ts": "export const b = 'x'", "d.json": '{ "n": 1 }' },
      async (own, made) => {
        await run(
          own,
          "import { a } from './a'; import { a as a2 } from './a.ts'; import { b } from './sub/b'; import d from './d.json'; d.n.toFixed(a + a2); b.trim()",
        );
        const inSub = createLanguageEngine({ folder: join(made, "sub"), timeout });
        try {
          await run(inSub, "import { a } from '../a'; a.toFixed()");
        } finally {
          await inSub.close();
        }
      },
    );
  });

  test("a file that was edited, came or went since", async () => {
    await withFolder(
      { "a.ts": "export { value } from './deep.ts'", "deep.ts": "export const value = 1" },
      async (own, made) => {
        await run(own, "import { value } from './a'; value.toFixed()");
        write(made, "deep.ts", "export const value = 'now a string'");
        expect(await errorsIn(own, "import { value } from './a'; value.toFixed()")).toEqual(["2551@toFixed"]);
        expect(await errorsIn(own, "import { late } from './late'")).toEqual(["2307@'./late'"]);
        write(made, "late.ts", "export const late = 1");
        expect(await errorsIn(own, "import { late } from './late'; late.toFixed()")).toEqual([]);
        rmSync(join(made, "late.ts"));
        expect(await errorsIn(own, "import { late } from './late'")).toEqual(["2307@'./late'"]);
      },
    );
  });

  test("packages of the folder and of those above, one installed later too", async () => {
    const files = {
      "node_modules/above/package.json": '{ "name": "above", "exports": { ".": { "types": "./types.d.ts" } } }',
      "node_modules/above/types.d.ts": "export const up: number",
      "sub/x.txt": "",
    };
    await withFolder(files, async (_, made) => {
      const own = createLanguageEngine({ folder: join(made, "sub"), timeout });
      try {
        await run(own, "import { up } from 'above'; up.toFixed()");
        expect(await errorsIn(own, "import { more } from 'later'")).toEqual(["2307@'later'"]);
        write(made, "sub/node_modules/later/package.json", '{ "name": "later", "types": "./index.d.ts" }');
        write(made, "sub/node_modules/later/index.d.ts", "export const more: string");
        expect(await errorsIn(own, "import { more } from 'later'; more.trim(); more.nope")).toEqual(["2339@nope"]);
      } finally {
        await own.close();
      }
    });
  });

  test("its tsconfig.json is honoured, comments and edits too", async () => {
    const config = {
      "base.json": '{ "compilerOptions": { "strict": false } }',
      "tsconfig.json":
        '{ "extends": "./base.json", /* c */ "compilerOptions": { "paths": { "@lib/*": ["./lib/*"] }, "noUnusedLocals": true, }, }',
      "lib/q.ts": "export const q = 1",
    };
    await withFolder(config, async (own, made) => {
      await run(own, "let maybe: string = null; import { q } from '@lib/q'; q.toFixed()");
      write(made, "tsconfig.json", '{ "compilerOptions": { "strict": true, "noImplicitAny": true } }');
      expect(await errorsIn(own, "let never: string = null; function f(a) {}")).toEqual(["2322@never", "7006@a"]);
    });
  });

  test("nothing is written into it, and nothing is left elsewhere", async () => {
    const mine = () => readdirSync(tmpdir()).filter((name) => name.startsWith(`heddle-language-${process.pid}-`));
    const before = mine();
    await withFolder({ "a.ts": "export const a = 1" }, async (own, made) => {
      await run(own, "import { a } from './a'; a");
      expect(readdirSync(made)).toEqual(["a.ts"]);
      expect(mine()).toHaveLength(before.length + 1);
    });
    expect(mine()).toEqual(before);
  });

  test("folders of kernels that are gone are swept", async () => {
    const stale = join(tmpdir(), "heddle-language-2147483646-stale");
    mkdirSync(stale, { recursive: true });
    const own = createLanguageEngine({ folder, timeout });
    try {
      await expect.poll(() => readdirSync(tmpdir()).includes("heddle-language-2147483646-stale")).toBe(false);
    } finally {
      await own.close();
    }
  });
});

test("the language server never runs npm: no start fetches anything from a registry", async () => {
  const programs = newFolder({ npm: '#!/bin/sh\necho "$@" >> "$(dirname "$0")/called"\nexit 1\n' });
  const { PATH } = process.env;
  chmodSync(join(programs, "npm"), 0o755);
  process.env.PATH = `${programs}:${PATH}`;
  try {
    await withFolder({ "package.json": '{"dependencies":{"lodash":"4"}}' }, async (own) => {
      // Type acquisition, where it is on, has called npm before the first check is answered.
      expect((await own.check({ cell: "1", source: "const a: string = 5;" })).diagnostics).toHaveLength(1);
      expect((await own.check({ cell: "2", source: 'import "lodash";' })).unchecked).toBeUndefined();
    });
    expect(readdirSync(programs)).toEqual(["npm"]);
  } finally {
    process.env.PATH = PATH;
    rmSync(programs, { recursive: true });
  }
});
