/** What a session promises its owner: values, errors, output, its end. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { isAlive, SessionHarness } from "../support/session-harness.ts";

describe("a value", () => {
  test.each([
    ["a number", "6 * 7", { "text/plain": "42" }],
    ["a string", '"it\'s"', { "text/plain": '"it\'s"' }],
    ["a map", "new Map([[1, { a: 2 }]])", { "text/plain": "Map(1) { 1 => { a: 2 } }" }],
    ["a set", "new Set([1])", { "text/plain": "Set(1) { 1 }" }],
    ["a typed array", "new Float64Array(2)", { "text/plain": "Float64Array(2) [ 0, 0 ]" }],
    ["a promise, awaited", "Promise.resolve(5)", { "text/plain": "5" }],
    ["null", "null", { "text/plain": "null" }],
    ["a bigint", "10n", { "text/plain": "10n" }],
    ["minus zero", "-0", { "text/plain": "-0" }],
    [
      "its own form",
      '({ [Symbol.for("Jupyter.display")]: () => ({ "text/markdown": "*x*" }) })',
      { "text/markdown": "*x*" },
    ],
    ["an object with toHTML", '({ toHTML: () => "<b>x</b>" })', { "text/html": "<b>x</b>" }],
    ["a DOM element", '({ outerHTML: "<svg></svg>" })', { "image/svg+xml": "<svg></svg>" }],
    ["a GIF", 'Buffer.from("GIF89a-and-so-on")', { "image/gif": Buffer.from("GIF89a-and-so-on").toString("base64") }],
    [
      "a Plotly figure",
      "({ data: [{ y: [1] }], layout: {} })",
      { "application/vnd.plotly.v1+json": { data: [{ y: [1] }], layout: {} } },
    ],
    [
      "a Vega-Lite chart",
      '({ $schema: "https://vega.github.io/schema/vega-lite/v5.json", mark: "bar" })',
      { "application/vnd.vegalite.v5+json": { mark: "bar" } },
    ],
    ["a table", '[{ a: 1, b: "<" }]', { "text/html": expect.stringContaining("<td>&lt;</td>") }],
  ])("is shown: %s", async (_kind, source, data) => {
    await using harness = new SessionHarness();
    expect((await harness.run(source)).outcome).toMatchObject({ status: "ok", data });
  });

  test("that is undefined, or followed by a semicolon, is not shown", async () => {
    await using harness = new SessionHarness();
    expect((await harness.run("undefined")).outcome).toEqual({ status: "ok" });
    expect((await harness.run("42;")).outcome).toEqual({ status: "ok" });
  });

  test("of user expressions comes beside the cell's own", async () => {
    await using harness = new SessionHarness();
    const { outcome, expressions } = await harness.run("let n = 1; n", {
      expressions: { two: "n + 1", bad: "missing" },
    });
    expect(outcome).toMatchObject({ data: { "text/plain": "1" } });
    expect(expressions).toMatchObject({
      two: { data: { "text/plain": "2" } },
      bad: { error: { name: "ReferenceError" } },
    });
  });
});

describe("an error", () => {
  test("has name, message, cause and a stack of the cells alone", async () => {
    await using harness = new SessionHarness();
    const { outcome } = await harness.run(
      'function fail() { throw new Error("outer", { cause: new TypeError("inner") }) }\nfail()',
    );
    expect(outcome).toMatchObject({
      status: "error",
      error: { name: "Error", message: "outer", cause: { name: "TypeError", message: "inner" } },
    });
    const stack = outcome.status === "error" ? outcome.error.stack : undefined;
    expect(stack).toMatch(/at fail \(cell-1\.ts:1:\d+\)\n\s+at cell-1\.ts:2:\d+$/);
  });

  test("may be any thrown value", async () => {
    await using harness = new SessionHarness();
    expect((await harness.run('throw "text"')).outcome).toMatchObject({ error: { name: "string", message: "'text'" } });
    expect((await harness.run("throw null")).outcome).toMatchObject({ error: { name: "null" } });
    expect((await harness.run("await Promise.any([Promise.reject(new Error('a'))])")).outcome).toMatchObject({
      error: { name: "AggregateError", errors: [{ message: "a" }] },
    });
  });

  test("that nobody awaits is told under its cell, and the session goes on", async () => {
    await using harness = new SessionHarness();
    await harness.run(
      'let x = 1; setTimeout(() => { throw new Error("in a timer") }, 1); void Promise.reject(new Error("unhandled"))',
    );
    for (const message of ["in a timer", "unhandled"]) {
      expect(
        await harness.message((said) => said.type === "lateError" && said.error.message === message),
      ).toMatchObject({ cell: "1" });
    }
    expect(await harness.value("x")).toBe("1");
  });
});

describe("output", () => {
  test("keeps the order of stdout, stderr and displays", async () => {
    await using harness = new SessionHarness();
    await harness.run(
      'import { display } from "heddle/notebook"; console.log(1); console.error(2); await display(3); console.log(4)',
    );
    const order = harness.messages.map((message) =>
      message.type === "stream" ? `${message.name} ${message.text}` : message.type,
    );
    expect(order).toEqual(["ready", "stdout 1\n", "stderr 2\n", "display", "stdout 4\n"]);
  });

  test("of a synchronous loop is seen while it runs", async () => {
    await using harness = new SessionHarness();
    const running = harness.run('console.log("seen"); for (;;) {}');
    await harness.printed(1, "seen");
    await harness.session.interrupt();
    expect((await running).outcome.status).toBe("interrupted");
  });

  test("of 10,000 lines and of 100 MB is whole before the cell's end", { timeout: 120_000 }, async () => {
    await using harness = new SessionHarness();
    await harness.run("for (let i = 0; i < 10_000; i++) console.log(i)");
    expect(harness.text(1)).toBe(`${[...Array(10_000).keys()].join("\n")}\n`);
    await harness.run('process.stdout.write("é".repeat(50 * 1024 * 1024));');
    expect(harness.text(2)).toHaveLength(50 * 1024 * 1024);
  });

  test("of child processes is there at the cell's end", async () => {
    await using harness = new SessionHarness();
    await harness.run('import { execSync } from "node:child_process"; execSync("seq 1 20000", { stdio: "inherit" });');
    expect(harness.text(1)).toBe(`${[...Array(20_000).keys()].map((i) => i + 1).join("\n")}\n`);
  });

  test.each([
    ["a timer", 'setTimeout(() => console.log("late"), 20);'],
    ["an interval", 'const id = setInterval(() => { clearInterval(id); console.log("late") }, 20);'],
    [
      "an async function",
      'void (async () => { await new Promise((done) => setTimeout(done, 20)); console.log("late") })();',
    ],
    [
      "timers/promises",
      'import { setTimeout as sleep } from "node:timers/promises"; void sleep(20).then(() => console.log("late"));',
    ],
    [
      "an async generator",
      'void (async () => { async function* g() { await new Promise((done) => setTimeout(done, 20)); yield 1 } for await (const _ of g()) console.log("late") })();',
    ],
    [
      "a child process",
      'import { spawn } from "node:child_process"; spawn("sh", ["-c", "sleep 0.02; echo late"]).stdout.on("data", (data) => console.log(String(data)));',
    ],
    [
      "an emitter",
      'import { EventEmitter } from "node:events"; const emitter = new EventEmitter(); emitter.once("x", () => console.log("late")); setTimeout(() => emitter.emit("x"), 20);',
    ],
    [
      "a socket",
      'import net from "node:net"; const server = net.createServer((socket) => setTimeout(() => socket.end("x"), 20)); server.listen(0, "127.0.0.1", () => net.connect(server.address().port).on("data", () => { server.close(); console.log("late") }));',
    ],
    [
      "a stream",
      'import { createReadStream } from "node:fs"; createReadStream("/proc/self/status").on("end", () => setTimeout(() => console.log("late"), 20)).resume();',
    ],
    [
      "setImmediate",
      'let turns = 0; const turn = () => (++turns > 500 ? console.log("late") : setImmediate(turn)); turn();',
    ],
  ])("of %s lands under the cell that started it", async (_kind, source) => {
    await using harness = new SessionHarness();
    await harness.run(source);
    await harness.run('console.log("other")');
    await harness.message((message) => message.type === "stream" && message.text.includes("late"));
    expect(harness.text(1)).toContain("late");
    expect(harness.text(2)).toBe("other\n");
  });
});

describe("input", () => {
  test("asks the owner and gives the cell the answer", async () => {
    await using harness = new SessionHarness();
    const running = harness.run('import { input } from "heddle/notebook"; await input("name? ", { password: true })', {
      allowStdin: true,
    });
    const request = await harness.message((message) => message.type === "inputRequest");
    expect(request).toMatchObject({ prompt: "name? ", password: true, cell: "1" });
    harness.session.sendInput(request.type === "inputRequest" ? request.id : 0, "Ada");
    expect((await running).outcome).toMatchObject({ data: { "text/plain": "'Ada'" } });
  });

  test("is refused where nobody can be asked", async () => {
    await using harness = new SessionHarness();
    expect((await harness.run('import { input } from "heddle/notebook"; await input("name? ")')).outcome).toMatchObject(
      { status: "error", error: { message: expect.stringContaining("takes no input") } },
    );
  });
});

describe("the end of a session process", () => {
  test.each([
    ["process.exit", 'console.log("last words"); process.exit(3)', { reason: "exit", code: 3 }],
    ["process.abort", "process.abort()", { reason: "crash", signal: "SIGABRT" }],
    [
      "kill -SEGV",
      'process.kill(process.pid, "SIGSEGV"); await new Promise(() => {})',
      { reason: "crash", signal: "SIGSEGV" },
    ],
    ["kill -9", 'process.kill(process.pid, "SIGKILL"); for (;;) {}', { reason: "signal", signal: "SIGKILL" }],
    [
      "a heap that is full",
      "const all = []; for (;;) all.push(new Array(1e5).fill(all.length))",
      { reason: "outOfMemory" },
    ],
  ])("by %s settles the cell with the reason, and restart gives a fresh one", async (kind, source, exit) => {
    await using harness = new SessionHarness({ nodeFlags: ["--max-old-space-size=64"] });
    const { outcome } = await harness.run(source);
    expect(outcome).toMatchObject({ status: "lost", exit });
    expect(harness.exits).toMatchObject([exit]);
    if (kind === "process.exit") expect(harness.text(1)).toBe("last words\n");
    expect(() => harness.session.evaluate({ cell: "2", code: "1", silent: false, allowStdin: false })).toThrow(
      "restart()",
    );
    await harness.session.restart();
    expect(await harness.value("1 + 1")).toBe("2");
  });

  test("by shutdown leaves no process, not even one that a cell started", async () => {
    await using harness = new SessionHarness();
    const pid = Number(await harness.value('import { spawn } from "node:child_process"; spawn("sleep", ["1000"]).pid'));
    const sessionPid = harness.session.pid ?? 0;
    expect(isAlive(pid)).toBe(true);
    await harness.session.shutdown();
    expect(isAlive(sessionPid)).toBe(false);
    await expect.poll(() => isRunning(pid), { timeout: 4_000 }).toBe(false);
  });

  test("comes when the kernel process dies, even while a cell computes", async () => {
    await using harness = new SessionHarness();
    const script = join(harness.folder, "kernel.mjs");
    const session = new URL("../../dist/kernel/session/session.js", import.meta.url).href;
    writeFileSync(
      script,
      `import { Session } from ${JSON.stringify(session)}; const session = new Session({ cwd: process.cwd() });
       session.on("message", (message) => { if (message.type === "stream") console.log(session.pid); });
       session.evaluate({ cell: "1", code: 'await __heddle__.turn(); console.log("go"); for (;;) {}', silent: false, allowStdin: false });`,
    );
    const kernel = spawn(process.execPath, [script], { cwd: harness.folder, stdio: ["ignore", "pipe", "inherit"] });
    const [line] = (await once(kernel.stdout, "data")) as [Buffer];
    const pid = Number(line);
    kernel.kill("SIGKILL");
    await expect.poll(() => isAlive(pid), { timeout: 8_000 }).toBe(false);
  });
});

describe("imports", () => {
  test("find files beside the notebook, in TypeScript, and again after an edit", async () => {
    await using harness = new SessionHarness();
    writeFileSync(join(harness.folder, "part.ts"), "export const n: number = 1; export enum E { A = 5 }");
    expect(await harness.value('import { n, E } from "./part"; [n, E.A]')).toBe("[ 1, 5 ]");
    writeFileSync(join(harness.folder, "part.ts"), "export const n: number = 22; export enum E { A = 5 }");
    expect(await harness.value('(await import("./part.ts")).n')).toBe("22");
  });

  test("go by the paths of the folder's tsconfig.json", async () => {
    await using harness = new SessionHarness();
    mkdirSync(join(harness.folder, "source"));
    writeFileSync(join(harness.folder, "source/part.ts"), "export const n: number = 3");
    writeFileSync(join(harness.folder, "source/one.ts"), "export const n: number = 4");
    const paths = { "@lib/*": ["./nowhere/*", "./source/*"], "@lib/exact": ["./source/one.ts"] };
    writeFileSync(join(harness.folder, "tsconfig.json"), JSON.stringify({ compilerOptions: { paths } }));
    expect(await harness.value('import { n } from "@lib/part"; import { n as m } from "@lib/exact"; [n, m]')).toBe(
      "[ 3, 4 ]",
    );
    expect((await harness.run('import "@lib/missing"')).outcome).toMatchObject({
      error: { message: expect.stringContaining("@lib/missing") },
    });
  });

  test("of what is not there say so", async () => {
    await using harness = new SessionHarness();
    expect((await harness.run('import "no-such-package"')).outcome).toMatchObject({
      error: { message: expect.stringContaining("no-such-package") },
    });
    expect((await harness.run('import "./missing"')).outcome).toMatchObject({
      error: { message: expect.stringContaining("./missing") },
    });
  });

  test("of JSON need no attribute, and require and import.meta work", async () => {
    await using harness = new SessionHarness();
    writeFileSync(join(harness.folder, "data.json"), '{"a":1}');
    expect(await harness.value('import data from "./data.json"; data.a + require("./data.json").a')).toBe("2");
    expect(await harness.value("[__dirname === process.cwd(), import.meta.url.startsWith('file:')]")).toBe(
      "[ true, true ]",
    );
  });
});

/** Whether it runs: a killed child without a parent may stay a zombie for as long as the machine's first process likes. */
function isRunning(pid: number): boolean {
  const stat = `/proc/${pid}/stat`;
  return existsSync(stat) ? !/\) [ZX] /.test(readFileSync(stat, "utf8")) : process.platform !== "linux" && isAlive(pid);
}
