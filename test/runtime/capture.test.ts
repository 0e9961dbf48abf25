import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import vm from "node:vm";
import { afterAll, beforeAll, expect, it } from "vitest";
import { registerImport } from "../../dist/runtime/capture/imports.js";
import { importingScript } from "../../dist/runtime/capture/modules.js";
import { changedName, largestOf } from "../../dist/runtime/serialization/encode.js";
import { CaptureBench } from "../support/captures.ts";

let bench: CaptureBench;
let folder: string;
const temporary: string[] = [];

beforeAll(async () => {
  bench = new CaptureBench();
  folder = await mkdtemp(join(tmpdir(), "heddle-capture-"));
  const file = join(folder, "local.mjs");
  await writeFile(
    file,
    "let hidden = 3;\nexport function useHidden(x) { return x + hidden++ }\nexport const conf = { a: 1 };\n",
  );
  const globals = globalThis as unknown as Record<string, unknown>;
  for (const [name, url] of [
    ["__local", pathToFileURL(file).href],
    ["__acorn", import.meta.resolve("acorn")],
  ] as const) {
    const namespace = (await import(/* @vite-ignore */ url)) as object;
    registerImport(namespace, url);
    globals[name] = namespace;
    temporary.push(name);
  }
  await bench.cell(
    "let local = globalThis.__local, useHidden = globalThis.__local.useHidden, acorn = globalThis.__acorn, K = 10;",
  );
});

afterAll(async () => {
  for (const name of temporary) delete (globalThis as unknown as Record<string, unknown>)[name];
  await bench[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

interface Case {
  setup?: string;
  fn: string;
  args?: unknown[];
  gives: unknown;
}

const cases: Record<string, Case> = {
  "a constant and a helper": { setup: "let helper = (x) => x * K;", fn: "(x) => helper(x) + K", args: [5], gives: 60 },
  recursion: {
    setup: "let fact = function (n) { return n < 2 ? 1 : n * fact(n - 1) };",
    fn: "fact",
    args: [5],
    gives: 120,
  },
  "recursion of a declared function": {
    setup: "function fib(n) { return n < 2 ? n : fib(n - 1) + fib(n - 2) }",
    fn: "fib",
    args: [10],
    gives: 55,
  },
  "mutual recursion": {
    setup: "let even = (n) => n === 0 ? true : odd(n - 1); let odd = (n) => n === 0 ? false : even(n - 1);",
    fn: "even",
    args: [10],
    gives: true,
  },
  "a class": {
    setup: "class Pt { constructor(x) { this.x = x } dbl() { return this.x * 2 } }",
    fn: "(x) => new Pt(x).dbl()",
    args: [4],
    gives: 8,
  },
  "a class with static and private fields": {
    setup: "class Q { static n = 5; #p = 2; static mk() { return new Q() } sum() { return Q.n + this.#p } } Q.n = 7;",
    fn: "() => Q.mk().sum()",
    gives: 9,
  },
  "inheritance and super": {
    setup: "class Base { hi() { return 'b' } } class Der extends Base { hi() { return super.hi() + 'd' } }",
    fn: "() => new Der().hi()",
    gives: "bd",
  },
  "an instance of a user's class": {
    setup: "let inst = Object.assign(new Pt(21))",
    fn: "() => [inst.dbl(), inst instanceof Pt, inst.constructor === Pt]",
    gives: [42, true, true],
  },
  "many instances of one class": {
    setup: "let points = [new Pt(1), new Pt(2), new Pt(3)];",
    fn: "() => points.map((p) => p.dbl())",
    gives: [2, 4, 6],
  },
  "a factory's closure": {
    setup: "let mk = (n) => { const z = n + 1; return (x) => x + n + z };",
    fn: "mk(7)",
    args: [1],
    gives: 16,
  },
  "closures of a loop": {
    setup: "let fs_ = []; for (let i = 0; i < 3; i++) fs_.push(() => i * 10);",
    fn: "fs_[2]",
    gives: 20,
  },
  "default parameters": { setup: "let dflt = 3;", fn: "(x, y = dflt) => x + y", args: [1], gives: 4 },
  "async functions": {
    setup: "let slow = async (x) => { await null; return x + 1 };",
    fn: "async (x) => await slow(x) * 2",
    args: [1],
    gives: 4,
  },
  "a generator": {
    setup: "let lim = 3;",
    fn: "(function* () { for (let i = 0; i < lim; i++) yield i })",
    gives: [0, 1, 2],
  },
  "an async generator": {
    fn: "(async function* () { for (let i = 0; i < lim; i++) { await null; yield i } })",
    gives: [0, 1, 2],
  },
  "an object with methods": {
    setup: "let obj = { k: 2, mul(x) { return x * this.k }, inner: { f: (x) => x + K } };",
    fn: "(x) => obj.mul(x) + obj.inner.f(1)",
    args: [5],
    gives: 21,
  },
  "an enum as compiled": {
    setup: "var Color; (function (C) { C[C['Red'] = 0] = 'Red' })(Color || (Color = {}));",
    fn: "() => Color.Red + Color[0]",
    gives: "0Red",
  },
  "a namespace as compiled": {
    setup: "var N; (function (N) { N.v = 3; function f(x) { return x + N.v } N.f = f })(N || (N = {}));",
    fn: "(x) => N.f(x)",
    args: [1],
    gives: 4,
  },
  "a package's namespace": { fn: "() => acorn.parse('1+1', { ecmaVersion: 2022 }).body.length", gives: 1 },
  "a local module with hidden state": { fn: "(x) => useHidden(x) + useHidden(x)", args: [1], gives: 9 },
  "a module's exported object": { fn: "() => local.conf.a", gives: 1 },
  "JSON data": { setup: 'let pkg = JSON.parse(\'{"name":"pkgs"}\');', fn: "() => pkg.name", gives: "pkgs" },
  "a redefinition counts at the time of the call": {
    setup: "let factor = 1; let scaled = (x) => x * factor; factor = 100;",
    fn: "(x) => scaled(x)",
    args: [5],
    gives: 500,
  },
  "a let that was changed": { setup: "let cnt = 1; let rd = () => cnt; cnt = 2;", fn: "rd", gives: 2 },
  "two functions share a let": {
    setup: "let acc = 0; let inc = () => { acc++ }; let get = () => acc;",
    fn: "() => { inc(); inc(); return get() }",
    gives: 2,
  },
  "two functions of a factory share a let, two factories do not": {
    setup:
      "let counter = () => { let n = 0; return { inc: () => ++n, get: () => n } }; let c1 = counter(), c2 = counter();",
    fn: "() => { c1.inc(); c1.inc(); c2.inc(); return [c1.get(), c2.get()] }",
    gives: [2, 1],
  },
  "Map, Set, Date, RegExp, BigInt": {
    setup: "let m = new Map([['a', new Set([1])]]), d = new Date(5), re = /x(.)/i, b = 9n;",
    fn: "() => m.get('a').has(1) + ',' + d.getTime() + ',' + re.test('xY') + ',' + (b + 1n)",
    gives: "true,5,true,10",
  },
  "registered and well-known symbols": {
    setup: "let sy = Symbol.for('k'), wk = Symbol.iterator;",
    fn: "() => sy === Symbol.for('k') && wk === Symbol.iterator",
    gives: true,
  },
  "a unique symbol": { setup: "let us = Symbol('u');", fn: "() => us.description", gives: "u" },
  "functions in a Map and cyclic objects": {
    setup: "let cyc = { n: 1 }; cyc.self = cyc; let fm = new Map([['f', (x) => x + cyc.n]]);",
    fn: "() => fm.get('f')(cyc.self.self.n)",
    gives: 2,
  },
  "a typed array on shared memory": {
    setup: "let sab = new Float64Array(new SharedArrayBuffer(80)); sab[3] = 7;",
    fn: "() => sab[3]",
    gives: 7,
  },
  "a bound function": {
    setup: "let bf = function (b) { return this.a + b }.bind({ a: 1 }, 2);",
    fn: "() => bf()",
    gives: 3,
  },
  "this of an arrow function at the top": { fn: "() => typeof this", gives: "object" },
  "an object with a getter": { setup: "let go = { get x() { return 4 } };", fn: "() => go.x", gives: 4 },
  "builtins in variables": {
    setup: "let lg = Math.max; let P2 = Promise; let M = Math;",
    fn: "async () => [lg(1, 2), await P2.resolve(3), M.abs(-4), M === Math]",
    gives: [2, 3, 4, true],
  },
  "an ObjectRef": {
    setup: "class Ref { constructor(id) { this.refId = id } } let ref = new Ref(7);",
    fn: "() => ref.ref",
    gives: 7,
  },
  "an arrow function in a class field": {
    setup: "class W { constructor() { this.k = 2 } f = (x) => x * this.k } let wi = new W();",
    fn: "(x) => wi.f(x)",
    args: [3],
    gives: 6,
  },
  "static initializers use what is around the class": {
    setup:
      "let start = 4; let twice = (x) => x * 2; class S extends (start > 1 ? Base : Object) { static n = twice(start); static { this.m = S.n + 1 } }",
    fn: "() => [S.n, S.m, new S().hi()]",
    gives: [8, 9, "b"],
  },
  "a function with fields, a constructor function with methods": {
    setup: "function Old(x) { this.x = x } Old.prototype.get = function () { return this.x }; Old.kind = 'old';",
    fn: "() => [new Old(3).get(), Old.kind, new Old(1) instanceof Old]",
    gives: [3, "old", true],
  },
  "a method of an object on its own": { fn: "obj.inner.f", args: [1], gives: 11 },
  "an error of a user's class": {
    setup:
      "class AppError extends Error { constructor(m, code) { super(m); this.code = code } } let failed = new AppError('broken', 42);",
    fn: "() => [failed instanceof AppError, failed instanceof Error, failed.message, failed.code]",
    gives: [true, true, "broken", 42],
  },
  "a subclass of Map": {
    setup: "class Bag extends Map { total() { return this.size } } let bag = new Bag([[1, 2]]);",
    fn: "() => [bag.total(), bag.get(1)]",
    gives: [1, 2],
  },
  "an object with a prototype of its own": {
    setup: "let derived = Object.assign(Object.create({ hi() { return this.n } }), { n: 5 });",
    fn: "() => derived.hi()",
    gives: 5,
  },
  "a name hides a global one": {
    setup: "let structuredClone = (x) => x + 1;",
    fn: "() => structuredClone(1)",
    gives: 2,
  },
  "a captured variable called $ or i": { setup: "let $ = 1, i = 2, v = 3;", fn: "() => $ + i + v", gives: 6 },
};

for (const [name, { setup, fn, args, gives }] of Object.entries(cases)) {
  it(name, async () => {
    if (setup !== undefined) await bench.cell(setup);
    expect(await bench.call(await bench.cell(fn), args)).toEqual(gives);
  });
}

it("keeps names, strictness and toString", async () => {
  const fn = await bench.cell(
    '"use strict"; let named = function () { return [named.name, this === undefined, named.toString()] }; named',
  );
  expect(await bench.call(fn)).toEqual([
    "named",
    true,
    "function () { return [named.name, this === undefined, named.toString()] }",
  ]);
});

it("takes names given by hand where it cannot see them", async () => {
  const fn = await bench.cell("(x) => eval('dyn') + x");
  expect(await bench.call(fn, [1], { dyn: 5 })).toBe(6);
});

it("sends errors of the user's classes back with class and frames of the cell", async () => {
  await bench.cell(
    "class TaskFault extends Error {}\n\nlet thrower = (x) => {\n  if (x) throw new TaskFault('no');\n};",
    "cell-3.ts",
  );
  const fn = await bench.cell("(x) =>\n  thrower(x)", "cell-4.ts");
  const error = (await bench.call(fn, [1]).catch((reason: unknown) => reason)) as Error;
  expect(error.message).toBe("no");
  expect(error.constructor).toBe(await bench.cell("TaskFault"));
  expect(error.stack).toContain("thrower (cell-3.ts:4:16)");
  expect(error.stack).toContain("cell-4.ts:2:3");
});

it("refuses what cannot travel and names the way", async () => {
  await bench.cell("let socket = new WeakMap(); let deepHelper = () => socket;");
  const fn = await bench.cell("() => deepHelper()");
  expect(() => bench.encode(fn)).toThrow("retrieve → deepHelper → socket: a WeakMap cannot travel");
  await bench.cell("class P { #secret = 1; get() { return this.#secret } } let secretive = new P();");
  const user = await bench.cell("() => secretive.get()");
  expect(() => bench.encode(user)).toThrow(/retrieve → secretive: P has private fields \(#secret\)/);
});

it("keeps a class one class over several messages", async () => {
  await bench.cell("class Dot { constructor(x) { this.x = x } }");
  await bench.cell(
    "let keepDot = (d) => { globalThis.keptDot ??= d; return d instanceof Dot && globalThis.keptDot.constructor === Dot }",
  );
  const first = await bench.cell("(() => { const d = new Dot(5); return () => keepDot(d) })()");
  const second = await bench.cell("(() => { const d = new Dot(6); return () => keepDot(d) })()");
  expect(await bench.call(first)).toBe(true);
  expect(await bench.call(second)).toBe(true);
  const back = (await bench.call(await bench.cell("() => new Dot(9)"))) as object;
  expect(back.constructor).toBe(await bench.cell("Dot"));
});

it("sends functions that a task made back, with what they use there", async () => {
  await bench.cell("let base = 5; let addBase = (x) => x + base;", "cell-7.ts");
  const fn = await bench.cell(
    "(y) => { let calls = 0; const more = () => { calls++ }; return (x) => { more(); return [addBase(x) + y, calls] } }",
  );
  const made = (await bench.call(fn, [100])) as (x: number) => unknown;
  expect(made(1)).toEqual([106, 1]);
  expect(made(1)).toEqual([106, 2]);
});

it("says which captured name is large and which has changed", async () => {
  await bench.cell("let table = new Float64Array(1000); let lookup = (i) => table[i] + small; let small = 1;");
  const fn = await bench.cell("(i) => lookup(i)");
  const before = bench.encode(fn).captured;
  expect(largestOf(before)).toMatchObject({ name: "lookup → table" });
  expect(largestOf(before)!.bytes).toBeGreaterThan(8000);
  expect(changedName(before, bench.encode(fn).captured)).toBe(undefined);
  await bench.cell("small = 2");
  expect(changedName(before, bench.encode(fn).captured)).toBe("lookup → small");
  await bench.cell("small = 1; table[3] = 1");
  expect(changedName(before, bench.encode(fn).captured)).toBe("lookup → table");
});

/** An import of Node's own, past the test runner's. */
const nativeImport = new vm.Script("(url) => import(url)", importingScript(import.meta.url)).runInThisContext() as (
  url: string,
) => Promise<Record<string, unknown>>;

it("imports again what a plain module imports", async () => {
  const module = await nativeImport(new URL("../support/captured/module.mjs", import.meta.url).href);
  expect(await bench.call(module.useAll, [8])).toEqual([
    4,
    0.5,
    3,
    7,
    "function",
    "function",
    "/",
    "a/b",
    "Program",
    1,
  ]);
  expect(await bench.call(module.useHeddle)).toEqual(["function", "function"]);
  expect(await bench.call(module.strict)).toBe(true);
  expect(bench.encode(module.useHeddle).modules).toEqual([
    new URL("../../dist/runtime/index.js", import.meta.url).href,
  ]);
  const animal = new (module.Animal as new (name: string) => object)("cat");
  expect(await bench.call(await bench.cell("() => animal.speak()"), [], { animal })).toBe("cat 2");
  expect(await bench.call(module.useImport)).toBe(0.5);
  expect(() => bench.encode(module.useMeta)).toThrow("import.meta");
});

it("imports heddle's own functions again, however they came to be in a variable", async () => {
  const heddle = (await nativeImport(new URL("../../dist/runtime/index.js", import.meta.url).href)) as Record<
    string,
    unknown
  >;
  const fn = await bench.cell("() => typeof fetchValue");
  expect(await bench.call(fn, [], { fetchValue: heddle.get })).toBe("function");
  expect(bench.encode(fn, { fetchValue: heddle.get }).modules).toEqual([
    new URL("../../dist/runtime/index.js", import.meta.url).href,
  ]);
});

it("finds again what a CommonJS script requires", async () => {
  const { default: script } = (await nativeImport(new URL("../support/captured/script.cjs", import.meta.url).href)) as {
    default: Record<string, unknown>;
  };
  expect(await bench.call(script.use)).toEqual(["cjs", "b.txt", "function", "function"]);
});
