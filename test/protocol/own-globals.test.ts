/**
 * Cells that give names of JavaScript's own globals to variables of theirs: neither heddle nor packages in the session
 * notice, and everything that shows a name shows the user's.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { KernelClient } from "../support/kernel-client.ts";

type Content = Record<string, unknown>;

/** What runs in every notebook: a task, an error, an interrupt, a value, output, a package. */
async function works(client: KernelClient): Promise<void> {
  expect((await client.run("await taskResult()")).outputs).toContainEqual([
    "execute_result",
    expect.objectContaining({ data: { "text/plain": "42" } }),
  ]);
  const { reply } = await client.run("(() => {\n  throw fail('shown');\n})()");
  expect(reply).toMatchObject({ ename: "RangeError", evalue: "shown" });
  expect((reply.traceback as string[]).join("\n")).toMatch(/Cell In\[\d+\], line 2/);
  await interrupts(client);
  expect(await shown(client, "[{ a: 1 }]")).toContain("a: 1");
  expect(await shown(client, "packageWorks()")).toBe("true");
}

async function interrupts(client: KernelClient): Promise<void> {
  const before = client.received.length;
  const running = client.run("print('begun'); await new Own.Promise(() => {})");
  await client.next(
    (message) =>
      client.received.indexOf(message) >= before &&
      message.header.msg_type === "stream" &&
      String(message.content.text).includes("begun"),
  );
  await client.send("control", "interrupt_request");
  expect((await running).reply).toMatchObject({ status: "error", ename: "KeyboardInterrupt" });
}

async function shown(client: KernelClient, code: string): Promise<string> {
  const { outputs, reply } = await client.run(code);
  if (reply.status !== "ok") return `${String(reply.ename)}: ${String(reply.evalue)}`;
  const result = outputs.find(([type]) => type === "execute_result")?.[1].data as Content | undefined;
  return String(result?.["text/plain"]);
}

/** A kernel whose cells have what `works` needs, under names that are no globals. */
async function start(): Promise<KernelClient> {
  const client = new KernelClient({ configuration: { check: "off", timeline: "off" } });
  const folder = join(client.folder, "node_modules", "probing");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), '{"name":"probing","main":"index.js"}');
  writeFileSync(
    join(folder, "index.js"),
    `exports.isBrowser = () => typeof window !== "undefined" || typeof document !== "undefined";
     exports.works = () => !exports.isBrowser() && new Map([[1, new URL("a:b").href]]).size === 1 &&
       Array.isArray(JSON.parse("[]")) && Buffer.from("x").length === 1 && process.pid > 0 &&
       Object.keys({}).length === 0 && String(1) === "1" && typeof setTimeout === "function" &&
       new Error("x").message === "x" && performance.now() > 0 && typeof Symbol.iterator === "symbol";`,
  );
  const { reply } = await client.run(`
    import { get, init, remote } from "heddle";
    import probing from "probing";
    await init({ numCpus: 1 });
    const Own = { ...Object.fromEntries(Object.getOwnPropertyNames(globalThis).map((name) => [name, globalThis[name]])) };
    const double = remote((n) => n * 2);
    const taskResult = () => get(double.remote(21));
    const fail = (text) => new Own.RangeError(text);
    const print = (text) => Own.console.log(text);
    const packageWorks = () => probing.works();`);
  expect(reply.status).toBe("ok");
  return client;
}

/** All of Node's, but for words that no program may declare. */
const globals = Object.getOwnPropertyNames(globalThis).filter(
  (name) => name !== "eval" && !/vitest|^__(?!proto__)/.test(name),
);
const others = ["window", "document", "self", "module", "exports", "require", "define", "toString", "constructor"];

describe("a cell's own variable in the place of the global", () => {
  let client: KernelClient;
  beforeAll(async () => {
    client = await start();
  });
  afterAll(() => client[Symbol.asyncDispose]());

  test.each([...globals, ...others])("%s", async (name) => {
    const { reply } = await client.run(`const ${name} = { is: "the cell's ${name}" };`);
    expect(reply.status).toBe("ok");
    expect(await shown(client, `${name}.is`)).toBe(`"the cell's ${name}"`);
    await works(client);
    expect(await shown(client, `(() => ${name}.is)()`)).toBe(`"the cell's ${name}"`);
  });
});

describe("all globals at once, declared as", () => {
  const kinds: [kind: string, cell: (name: string) => string, use: (name: string) => string, value: string][] = [
    ["let", (name) => `let ${name} = 7`, (name) => name, "7"],
    ["var", (name) => `var ${name} = 7`, (name) => name, "7"],
    ["a var in a block", (name) => `if (true) { var ${name} = 7 }`, (name) => name, "7"],
    ["a function", (name) => `function ${name}() { return 7 }`, (name) => `${name}()`, "7"],
    ["a class", (name) => `class ${name} { static is = 7 }`, (name) => `${name}.is`, "7"],
    ["an enum", (name) => `enum ${name} { A = 7 }`, (name) => `${name}.A`, "7"],
    ["a namespace", (name) => `namespace ${name} { export const is = 7 }`, (name) => `${name}.is`, "7"],
    ["an import", (name) => `import { sep as ${name} } from "node:path"`, (name) => name, "'/'"],
    ["a default import", (name) => `import ${name} from "node:path"`, (name) => `${name}.sep`, "'/'"],
    ["a namespace import", (name) => `import * as ${name} from "node:path"`, (name) => `${name}.sep`, "'/'"],
    ["an import by require", (name) => `import ${name} = require("node:path")`, (name) => `${name}.sep`, "'/'"],
    ["a pattern", (name) => `const { ${name} } = { ${name}: 7 }`, (name) => name, "7"],
    ["a pattern with a default", (name) => `const { ${name} = 7 } = {}`, (name) => name, "7"],
    ["a list's pattern", (name) => `const [, ${name}] = [1, 7]`, (name) => name, "7"],
    ["a resource", (name) => `using ${name} = null`, (name) => `${name} ?? 7`, "7"],
    ["the variable of a loop", (name) => `for (var ${name} of [1, 7]);`, (name) => name, "7"],
  ];
  test.each(kinds)("%s", async (kind, cell, use, value) => {
    await using client = await start();
    // TypeScript has no class and no enum of this name.
    const names = globals.filter((name) => name !== "undefined" || !/class|enum/.test(kind));
    for (const name of names)
      expect((await client.run(cell(name))).reply, `${name} declared`).toMatchObject({ status: "ok" });
    for (const name of names) expect(await shown(client, use(name)), `${name} used`).toBe(value);
    await works(client);
  });
});

describe("names are the user's", () => {
  let client: KernelClient;
  beforeAll(async () => {
    client = await start();
  });
  afterAll(() => client[Symbol.asyncDispose]());

  test.each([
    ["of a function", "function fetch() {}\nfetch.name", "'fetch'"],
    ["of an arrow function", "const fetch = () => {};\nfetch.name", "'fetch'"],
    ["of a function that is assigned", "let fetch;\nfetch = () => {};\nfetch.name", "'fetch'"],
    ["of a class", "class Map {}\nnew Map()", "Map {}"],
    ["of a class without a name", "const Map = class {};\nnew Map()", "Map {}"],
    ["in a shorthand", "const URL = 1;\n({ URL })", "{ URL: 1 }"],
    ["in a class that makes itself", "class Set { static one = new Set() }\nSet.one", "Set {}"],
    ["in a function that calls itself", "function Map(n) { return n < 1 ? 0 : Map(n - 1) + 1 }\nMap(3)", "3"],
    ["in an error", "let Map = 1;\nMap()", "TypeError: Map is not a function"],
    ["in an error of an early use", "WeakSet();\nlet WeakSet = 1", "ReferenceError: WeakSet is not defined"],
  ])("%s", async (_what, code, value) => {
    expect(await shown(client, code)).toBe(value);
  });

  test("in the stack of an error", async () => {
    const { reply } = await client.run("function fetch() {\n  throw fail('far');\n}\nfetch()");
    const traceback = (reply.traceback as string[]).join("\n");
    expect(traceback).toMatch(/at fetch \(Cell In\[\d+\], line 2/);
    expect(traceback).not.toContain("__heddle");
  });

  test("in completion and inspection", async () => {
    await client.run("const process = { heddles: 1 };");
    expect(await client.ask("complete_request", { code: "process.hed", cursor_pos: 11 })).toMatchObject({
      matches: ["heddles"],
    });
    const { data } = await client.ask("inspect_request", { code: "process", cursor_pos: 3, detail_level: 0 });
    expect((data as Content)["text/plain"]).toContain("const process: {");
  });

  test("in what %who lists and %%capture fills", async () => {
    await client.run("%%capture Buffer\nprint('kept')");
    expect(await shown(client, "Buffer.stdout")).toBe("'kept\\n'");
    const { outputs } = await client.run("%who");
    const text = outputs.flatMap(([type, { text }]) => (type === "stream" ? [String(text)] : [])).join("");
    expect(text).toMatch(/^Buffer +let/m);
    expect(text).not.toContain("__heddle");
  });

  test("in a user expression", async () => {
    const { reply } = await client.run("const Atomics = 7;", { user_expressions: { one: "Atomics + 1" } });
    expect(reply.user_expressions).toMatchObject({ one: { data: { "text/plain": "8" } } });
  });

  test("in a task, and in the error of one that takes along what cannot travel", async () => {
    await client.run("const Headers = { n: 5 }; const WeakMap = new Own.WeakMap();");
    expect(await shown(client, "get(remote(() => Headers.n).remote())")).toBe("5");
    const { reply } = await client.run("await get(remote(() => WeakMap.has(1)).remote())");
    expect(reply.evalue).toContain("WeakMap");
    expect(reply.evalue).not.toContain("__heddle");
  });
});

describe("where the name means something else", () => {
  let client: KernelClient;
  beforeAll(async () => {
    client = await start();
    await client.run('const URL = "mine"; let Map = 1; function Set() { return "my set" }');
  });
  afterAll(() => client[Symbol.asyncDispose]());

  test.each([
    ["a property of the global object", "typeof globalThis.URL", "'function'"],
    ["a parameter", "((URL) => URL)(2)", "2"],
    ["a parameter of a pattern", "(({ URL }) => URL)({ URL: 3 })", "3"],
    ["a variable of a block", "{ const URL = 4; Own.block = URL }\nOwn.block", "4"],
    ["a var of a function", "(() => { if (true) { var URL = 5 } return URL })()", "5"],
    ["a function of a block", "(() => { return URL(); function URL() { return 6 } })()", "6"],
    ["what a catch catches", "(() => { try { throw 7 } catch (URL) { return URL } })()", "7"],
    ["the variable of a for", "(() => { for (const URL of [8]) return URL })()", "8"],
    ["a case's variable", "(() => { switch (1) { case 1: let URL = 9; return URL } })()", "9"],
    ["a function's own name", "(function URL() { return typeof URL })()", "'function'"],
    ["a class's own name", "(class URL { static own() { return URL.name } }).own()", "'URL'"],
    ["a property", "({ URL: 10 }).URL", "10"],
    ["a method", "({ URL() { return 11 } }).URL()", "11"],
    ["a label", "(() => { URL: for (;;) break URL; return 12 })()", "12"],
    ["a member of an enum", "enum Kind { URL = 13, Next = URL + 1 }\nKind.Next", "14"],
    [
      "an export of a namespace",
      "namespace Space { export const URL = 15; export const two = URL * 2 }\nSpace.two",
      "30",
    ],
    ["a type", "let typed: Map<string, URL> | undefined;\ntyped === undefined", "true"],
    ["a computed key", "({ [URL]: 16 }).mine", "16"],
    ["a default", "(({ a = URL }) => a)({})", "'mine'"],
    ["an assignment by a pattern", "({ Map } = { Map: 17 });\nMap", "17"],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: code of a cell
    ["a template", "`${URL}!`", "'mine!'"],
    ["a loop that keeps its variables", "for (let i = 0; i < 18; i++) Map = i;\nMap", "17"],
    ["a cell's closure", "const closure = () => Set();\nclosure()", "'my set'"],
    ["typeof", "typeof Set", "'function'"],
    ["a declaration for types alone", "declare const structuredClone: any;\ntypeof structuredClone", "'function'"],
  ])("%s", async (_place, code, value) => {
    expect(await shown(client, code)).toBe(value);
  });

  test("a reset gives the globals back", async () => {
    await client.run("%reset");
    expect(await shown(client, "typeof URL")).toBe("'function'");
  });
});

test("types are those of the cell's own variable, with errors at their places", async () => {
  await using client = new KernelClient();
  await client.run("const URL = 5; class Map { mine = 1 }");
  expect(await shown(client, "URL.toFixed(1) + new Map().mine")).toBe("'5.01'");
  const { reply } = await client.run("const text: string = URL;");
  expect(reply).toMatchObject({
    ename: "TypeScriptError",
    evalue: "Type 'number' is not assignable to type 'string'.",
  });
});

describe("a global that a cell takes away", () => {
  const vital =
    "Promise Map Set Error Array Object JSON Buffer process setTimeout console Atomics Uint8Array TextEncoder";
  test.each(vital.split(" "))("%s is back for the next cell", async (name) => {
    await using client = await start();
    await client.run(`globalThis.${name} = undefined;`);
    await client.run("1");
    const said = client.received.map(({ content }) => String(content.text));
    expect(said).toContainEqual(expect.stringContaining(`heddle: the global ${name}`));
    await works(client);
  });

  test("the cell itself still awaits, and its error is shown", async () => {
    await using client = await start();
    const { reply } = await client.run("delete globalThis.Promise;\nawait 1;\nthrow fail('after')");
    expect(reply).toMatchObject({ ename: "RangeError", evalue: "after" });
  });

  test("what replaces it by something of its kind stays", async () => {
    await using client = await start();
    await client.run("globalThis.fetch = () => 'mocked'; globalThis.structuredClone = (value) => value;");
    expect(await shown(client, "fetch() + structuredClone.length")).toBe("'mocked1'");
  });
});
