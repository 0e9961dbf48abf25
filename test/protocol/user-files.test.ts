/** Files beside the notebook that cells import: edits, paths, TypeScript by `require`, and what their tsconfig.json says. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { KernelClient } from "../support/kernel-client.ts";

let client: KernelClient;

beforeAll(() => {
  client = new KernelClient({ configuration: { timeline: "off" } });
  write("tsconfig.json", '{"compilerOptions":{"strict":true,"paths":{"@lib/*":["./lib/*"]}}}');
});
afterAll(() => client[Symbol.asyncDispose]());

function write(name: string, text: string): void {
  const path = join(client.folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

async function shown(code: string): Promise<string> {
  const { outputs, reply } = await client.run(code);
  if (reply.status !== "ok") return `${String(reply.ename)}: ${String(reply.evalue)}`;
  const result = outputs.find(([type]) => type === "execute_result")?.[1].data as Record<string, unknown> | undefined;
  return String(result?.["text/plain"]);
}

describe("an edited file is loaded anew", () => {
  test("behind another file", async () => {
    write("behind.ts", "export const n: number = 1;");
    write("before.ts", "export * from './behind';");
    expect(await shown("import { n } from './before'; n")).toBe("1");
    write("behind.ts", "export const n: number = 22;");
    expect(await shown("import { n } from './before'; n")).toBe("22");
  });

  test("behind two others, in JavaScript", async () => {
    write("third.mjs", "export const n = 1;");
    write("second.mjs", "import { n } from './third.mjs'; export const m = n + 1;");
    write("first.mjs", "export { m } from './second.mjs';");
    expect(await shown("(await import('./first.mjs')).m")).toBe("2");
    write("third.mjs", "export const n = 40;");
    expect(await shown("(await import('./first.mjs')).m")).toBe("41");
  });

  test("and is the same module for all that import it", async () => {
    write("shared.ts", "export const marks: string[] = [];");
    write("user.ts", "import { marks } from './shared.ts'; export const mark = () => marks.push('by user');");
    await client.run("import { mark } from './user'");
    write("shared.ts", "export const marks: string[] = ['edited'];");
    expect(await shown("import { marks } from './shared'; import { mark } from './user'; mark(); marks")).toBe(
      "[ 'edited', 'by user' ]",
    );
  });

  test("while one that was not keeps its state", async () => {
    write("counts.ts", "export const state = { n: 0 };");
    write("changes.ts", "import { state } from './counts'; export const count = () => ++state.n;");
    expect(await shown("import { count } from './changes'; count()")).toBe("1");
    write("changes.ts", "import { state } from './counts'; export const count = () => (state.n += 10);");
    expect(await shown("import { count } from './changes'; count()")).toBe("11");
  });

  test("of a circle of files", async () => {
    write("a.ts", "import { b } from './b'; export const a = () => 1; export const sum = () => a() + b();");
    write("b.ts", "import { a } from './a'; export const b = () => a() * 10;");
    expect(await shown("import { sum } from './a'; sum()")).toBe("11");
    write("b.ts", "import { a } from './a'; export const b = () => a() * 100;");
    expect(await shown("import { sum } from './a'; sum()")).toBe("101");
  });

  test("of JSON, behind a file", async () => {
    write("data.json", '{"n": 1}');
    write("reads.ts", "import data from './data.json' with { type: 'json' }; export const n = data.n;");
    expect(await shown("import { n } from './reads'; n")).toBe("1");
    write("data.json", '{"n": 23}');
    expect(await shown("import { n } from './reads'; n")).toBe("23");
  });
});

describe("require in a cell", () => {
  test("of TypeScript with exports", async () => {
    write("exports.ts", "export const n: number = 5; export enum E { A = 4 }");
    expect(await shown("const { n: fifth, E: Kinds } = require('./exports.ts'); [fifth, Kinds.A]")).toBe("[ 5, 4 ]");
    write("exports.ts", "export const n: number = 66; export enum E { A = 4 }");
    expect(await shown("require('./exports').n")).toBe("66");
  });

  test("of TypeScript that imports TypeScript: where Node cannot, it says what can", async () => {
    write("inner.ts", "export const n: number = 7;");
    write("outer.ts", "import { n } from './inner'; export const twice = n * 2;");
    expect(await shown("require('./outer').twice")).toMatch(/^14$|use import, or await import/);
    expect(await shown("(await import('./outer')).twice")).toBe("14");
  });

  test("of TypeScript in CommonJS, and of what that requires", async () => {
    write("plain.cts", "const n: number = 8; module.exports = { n };");
    write("plainer.cts", "const { n } = require('./plain.cts'); module.exports = { m: n + 1 };");
    expect(await shown("require('./plainer.cts').m")).toBe("9");
    write("plain.cts", "const n: number = 80; module.exports = { n };");
    expect(await shown("require('./plainer.cts').m")).toBe("81");
  });

  test("of JSON that was edited", async () => {
    write("values.json", '{"n": 1}');
    expect(await shown("require('./values.json').n")).toBe("1");
    write("values.json", '{"n": 24}');
    expect(await shown("require('./values.json').n")).toBe("24");
  });

  test("of a file that is not there, and of a package", async () => {
    expect(await shown("require('./nowhere')")).toMatch(/^Error: Cannot find module '.\/nowhere'/);
    expect(await shown("require('node:path').sep + typeof require.resolve")).toBe("'/function'");
  });
});

describe("paths of tsconfig.json", () => {
  test("in an imported file", async () => {
    write("lib/deep.ts", "export const d: number = 7;");
    write("mapped.ts", "import { d } from '@lib/deep'; export const e = d + 1;");
    expect(await shown("import { e } from './mapped'; e")).toBe("8");
    write("lib/deep.ts", "export const d: number = 70;");
    expect(await shown("import { e } from './mapped'; e")).toBe("71");
  });

  test("in require", async () => {
    write("lib/required.ts", "export const r: number = 9;");
    expect(await shown("require('@lib/required').r")).toBe("9");
  });
});

test("what a cell declares global is known forty cells later", async () => {
  await client.run(
    "declare global { var everywhere: number; interface Array<T> { second(): T } }\n" +
      "globalThis.everywhere = 5; Array.prototype.second = function () { return this[1]; };",
  );
  for (let i = 0; i < 40; i++) await client.run(`const v${i} = ${i};`);
  expect(await shown("everywhere.toFixed(1) + [1, 2].second()")).toBe("'5.02'");
});

describe("with experimentalDecorators", () => {
  let old: KernelClient;
  beforeAll(() => {
    old = client;
    client = new KernelClient({ configuration: { timeline: "off" } });
    write("tsconfig.json", '{"compilerOptions":{"experimentalDecorators":true,"strict":true}}');
  });
  afterAll(async () => {
    await client[Symbol.asyncDispose]();
    client = old;
  });

  test("every kind of decorator, in TypeScript's order, with its arguments", async () => {
    const cell = `const log: string[] = [];
      const note = (name: string) => (target: any, key?: any, third?: any): any => {
        log.push([name, typeof target, String(key), typeof third === "number" ? third : typeof third].join(" "));
      };
      @note("class 1") @note("class 2")
      class All {
        constructor(@note("of new") public given: number) {}
        @note("static field") static one = 1;
        @note("field") two = 2;
        @note("method 1") @note("method 2") sum(@note("first") a: number, @note("second") b = 2) { return a + b + this.two; }
        @note("getter") get three() { return 3; }
        @note("static method") static self() { return All; }
      }
      log.join(", ")`;
    expect((await shown(cell)).replaceAll(/' \+\n +'/g, "").slice(1, -1)).toBe(
      [
        "field object two undefined",
        "second object sum 1",
        "first object sum 0",
        "method 2 object sum object",
        "method 1 object sum object",
        "getter object three object",
        "static field function one undefined",
        "static method function self object",
        "of new function undefined 0",
        "class 2 function undefined undefined",
        "class 1 function undefined undefined",
      ].join(", "),
    );
    expect(await shown("[new All(5).sum(1), new All(5).given, All.self() === All, new All(0).three]")).toBe(
      "[ 5, 5, true, 3 ]",
    );
  });

  test.each([
    [
      "of a method changes it",
      `const twice = (t: object, k: string, d: PropertyDescriptor) => { const f = d.value; d.value = () => 2 * f(); };
       class A { @twice n() { return 21; } }
       new A().n()`,
      "42",
    ],
    [
      "of a class replaces it, inside of it too",
      `const more = <T extends new (...a: any[]) => object>(C: T) => class extends C { extra = 9 } as T;
       @more class B { own() { return B; } }
       [(new B() as any).extra, new B().own() === B, B.name]`,
      "[ 9, true, '' ]",
    ],
    [
      "of a field gives the prototype an accessor",
      `const fixed = (t: object, k: string): any => ({ get: () => 7, configurable: true });
       class C { @fixed declare n: number; }
       new C().n`,
      "7",
    ],
    [
      "of a computed name",
      `const seen: any[] = []; const see = (t: object, k: any) => { seen.push(k); }; const key = Symbol("key");
       class D { @see [key] = 1; }
       seen`,
      "[ Symbol(key) ]",
    ],
    [
      "of a private name is refused",
      "const d: any = 1; class E { @d #n = 1; }",
      /Decorators are not valid here|private/,
    ],
  ])("one %s", async (_what, code, value) => {
    if (typeof value === "string") expect(await shown(code)).toBe(value);
    else expect(await shown(code)).toMatch(value);
  });

  test("in a file, with types for metadata", async () => {
    write("tsconfig.json", '{"compilerOptions":{"experimentalDecorators":true,"emitDecoratorMetadata":true}}');
    write(
      "marks.ts",
      "export const seen: string[] = []; export const mark = (n: string): any => () => { seen.push(n); };",
    );
    write(
      "marked.ts",
      "import { mark } from './marks'; @mark('C') export class C { @mark('m') m(@mark('p') n: number) { return n; } }",
    );
    expect(await shown("import { C } from './marked'; import { seen } from './marks'; [new C().m(4), ...seen]")).toBe(
      "[ 4, 'p', 'm', 'C' ]",
    );
  });

  test("an error in such a file is at its place", async () => {
    write(
      "throws.ts",
      "import { mark } from './marks';\nexport class C {\n  @mark('m')\n  m() {\n    throw new Error('x');\n  }\n}",
    );
    const { reply } = await client.run("import { C as Throws } from './throws'; new Throws().m()");
    expect((reply.traceback as string[]).join("\n")).toMatch(/throws\.ts:5:11/);
  });
});
