/** The debugger over real sockets, as JupyterLab asks it: breakpoints, steps, variables, exceptions. */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { DebugClient } from "../support/debug-client.ts";
import { KernelProcess, WireClient } from "../support/wire-client.ts";

let kernel: KernelProcess;
let client: WireClient;
let debug: DebugClient;

beforeAll(async () => {
  kernel = await KernelProcess.start();
  client = await WireClient.connect(kernel);
  debug = new DebugClient(client);
});
afterAll(async () => {
  client?.[Symbol.dispose]();
  await kernel?.[Symbol.asyncDispose]();
});
beforeEach(() => debug.start());
afterEach(() => debug.ask("disconnect"));

/** The reply to a cell that was sent off. */
async function replyTo(cell: string): Promise<Record<string, unknown>> {
  return (await client.replyTo(cell)).content;
}

/** Lets the thread go on; resolves with the status of the cell that it was paused in. */
async function goOn(cell: string): Promise<unknown> {
  await debug.ask("continue", { threadId: 1 });
  return (await replyTo(cell)).status;
}

const walk = `interface Point { x: number; y: number }
const scale: number = 3; const start: Point = { x: 1 as number, y: 2 };
function grow(p: Point, by: number): Point {
  const grown: Point = { x: p.x * by, y: p.y * by };
  return grown;
}
const end: Point = grow(start, scale);
end.x + end.y`;

describe("a breakpoint", () => {
  test("pauses behind types on its line, with the frames and variables of the source", async () => {
    expect(await debug.breakAt(walk, 4)).toEqual([4]);
    const cell = await debug.run(walk);
    const { frameIds, frames, reason } = await debug.stopped();
    const { execution_count } = (
      await client.next(({ header, parent }) => header.msg_type === "execute_input" && parent.msg_id === cell)
    ).content;
    expect({ frames, reason }).toEqual({ reason: "breakpoint", frames: ["grow:4", `Cell In[${execution_count}]:7`] });
    const inside = await debug.scopes(frameIds[0]!);
    expect(inside.Locals).toMatchObject({ p: "{x: 1, y: 2}", by: "3" });
    expect(inside.Globals).toMatchObject({ scale: "3", start: "{x: 1, y: 2}" });
    const outside = await debug.scopes(frameIds[1]!);
    expect(Object.keys(outside.Locals!)).toEqual(["scale", "start", "grow"]);
    await debug.ask("next", { threadId: 1 });
    const next = await debug.stopped();
    expect(next).toMatchObject({ reason: "step", frames: ["grow:5", expect.stringMatching(/:7$/)] });
    const grown = { p: "{x: 1, y: 2}", by: "3", grown: "{x: 3, y: 6}" };
    expect((await debug.scopes(next.frameIds[0]!)).Locals).toEqual(grown);
    expect(await goOn(cell)).toBe("ok");
  });

  test("in a line without code moves to the next one that has some, or is refused", async () => {
    const code = "let a = 1;\n\ninterface A { b: string }\n// a comment\na += 1;\ntype B = A;";
    const { sourcePath: path } = await debug.ask("dumpCell", { code });
    const { breakpoints } = await debug.ask("setBreakpoints", {
      source: { path },
      breakpoints: [{ line: 1 }, { line: 2 }, { line: 6 }],
    });
    expect(breakpoints.map(({ line, verified }: { line: number; verified: boolean }) => [line, verified])).toEqual([
      [1, true],
      [5, true],
      [6, false],
    ]);
    const { breakpoints: told } = await debug.ask("debugInfo");
    expect(told).toEqual([{ source: path, breakpoints: [{ line: 1 }, { line: 5 }] }]);
  });

  test("holds where it is set in a function of a cell that has run, and goes when it is taken away", async () => {
    const code = "function late(n: number) {\n  return n + 1;\n}";
    await client.run(code);
    await debug.breakAt(code, 2);
    const caller = await debug.run("const called: number = late(4); called");
    expect((await debug.stopped()).frames[0]).toBe("late:2");
    await debug.breakAt(code);
    expect(await goOn(caller)).toBe("ok");
    expect((await client.run("late(5)")).reply.status).toBe("ok");
  });

  test("holds in a function that stands at the end of the cell and is moved to its front", async () => {
    const code = "const n: number = twice(4);\n\nfunction twice(m: number): number {\n  return m * 2;\n}";
    expect(await debug.breakAt(code, 4)).toEqual([4]);
    const cell = await debug.run(code);
    expect((await debug.stopped()).frames).toEqual(["twice:4", expect.stringMatching(/:1$/)]);
    expect(await goOn(cell)).toBe("ok");
  });

  test("holds in a cell that has line commands", async () => {
    const code = "%%time\nlet timed: number = 1;\n!echo shell\ntimed += 1;";
    expect(await debug.breakAt(code, 1, 4)).toEqual([2, 4]);
    const cell = await debug.run(code);
    for (const line of [2, 4]) {
      expect((await debug.stopped()).frames).toEqual([expect.stringMatching(new RegExp(`:${line}$`))]);
      await debug.ask("continue");
    }
    expect((await replyTo(cell)).status).toBe("ok");
  });

  test("with a condition pauses only where it holds", async () => {
    const code = "let sum = 0;\nfor (let i = 0; i < 10; i++) {\n  sum += i;\n}";
    const { sourcePath: path } = await debug.ask("dumpCell", { code });
    await debug.ask("setBreakpoints", {
      source: { path },
      breakpoints: [{ line: 3, condition: "(i as number) === 7" }],
    });
    const cell = await debug.run(code);
    const { frameIds } = await debug.stopped();
    expect((await debug.scopes(frameIds[0]!)).Locals).toMatchObject({ i: "7", sum: "21" });
    expect(await goOn(cell)).toBe("ok");
  });

  test("a debugger statement is one", async () => {
    const cell = await debug.run("let seen = 1;\ndebugger;\nseen = 2;");
    expect(await debug.stopped()).toMatchObject({ reason: "breakpoint", frames: [expect.stringMatching(/:2$/)] });
    expect(await goOn(cell)).toBe("ok");
  });
});

test("a file that a cell imports is shown, and paused in", async () => {
  const path = join(kernel.folder, "imported.mjs");
  const text = "export function imported(n) {\n  const doubled = n * 2;\n  return doubled;\n}\n";
  writeFileSync(path, text);
  await client.run("import { imported } from './imported.mjs';");
  expect((await debug.ask("modules")).modules).toContainEqual({ id: path, name: "imported.mjs", path });
  expect((await debug.ask("source", { source: { path } })).content).toBe(text);
  await debug.ask("setBreakpoints", { source: { path }, breakpoints: [{ line: 3 }] });
  const cell = await debug.run("imported(4)");
  const { frameIds, frames } = await debug.stopped();
  expect(frames).toEqual(["imported:3", expect.stringMatching(/:1$/)]);
  expect((await debug.scopes(frameIds[0]!)).Locals).toEqual({ n: "4", doubled: "8" });
  expect(await goOn(cell)).toBe("ok");
});

describe("steps", () => {
  const code = `function inner(n: number) {
  return n * 2;
}
const a = inner(1);
const b = await Promise.resolve(a + 1);
a + b;`;

  test("lead into a function and out of it", async () => {
    await debug.breakAt(code, 4);
    const cell = await debug.run(code);
    await debug.stopped();
    await debug.ask("stepIn");
    expect((await debug.stopped()).frames[0]).toBe("inner:2");
    await debug.ask("stepOut");
    expect((await debug.stopped()).frames).toEqual([expect.stringMatching(/:5$/)]);
    expect(await goOn(cell)).toBe("ok");
  });

  test("lead over an await and end with the cell; the next cell runs freely", async () => {
    await debug.breakAt(code, 5);
    const cell = await debug.run(code);
    await debug.stopped();
    await debug.ask("next");
    expect((await debug.stopped()).frames).toEqual([expect.stringMatching(/:6$/)]);
    await debug.ask("next");
    expect((await replyTo(cell)).status).toBe("ok");
    expect((await client.run("const free = 1;\nfree")).reply.status).toBe("ok");
    expect((await debug.ask("debugInfo")).stoppedThreads).toEqual([]);
  });

  test("never lead into heddle or Node", async () => {
    const modules = "import { basename } from 'node:path';\nconst name = basename('/a/b');\nname.length;";
    await debug.breakAt(modules, 2);
    const cell = await debug.run(modules);
    await debug.stopped();
    await debug.ask("stepIn");
    expect((await debug.stopped()).frames).toEqual([expect.stringMatching(/:3$/)]);
    expect(await goOn(cell)).toBe("ok");
  });

  test("pause finds the line that runs", async () => {
    const cell = await debug.run("let spin = true;\nconsole.log('spinning');\nwhile (spin) {\n  Math.random();\n}");
    await client.next(({ content, parent }) => parent.msg_id === cell && content.text === "spinning\n");
    await debug.ask("pause", { threadId: 1 });
    const { frameIds, frames, reason } = await debug.stopped();
    expect(reason).toBe("pause");
    expect(frames).toEqual([expect.stringMatching(/:[34]$/)]);
    await debug.ask("evaluate", { expression: "spin = false", frameId: frameIds[0] });
    expect(await goOn(cell)).toBe("ok");
  });
});

test("pause while nothing runs stops the next cell at its first line", async () => {
  await debug.ask("pause", { threadId: 1 });
  const cell = await debug.run("interface A {}\nconst first: number = 1;\nfirst");
  expect(await debug.stopped()).toMatchObject({ reason: "pause", frames: [expect.stringMatching(/:2$/)] });
  expect(await goOn(cell)).toBe("ok");
});

test("breakpoints are set while the thread is in native code", async () => {
  const lines = "let native = 1;\nnative = 2;";
  const pipe = join(kernel.folder, "pipe");
  execFileSync("mkfifo", [pipe]);
  const cell = await debug.run(`console.log('native');\nrequire('node:fs').readFileSync(${JSON.stringify(pipe)}); 1`);
  await client.next(({ content, parent }) => parent.msg_id === cell && content.text === "native\n");
  expect(await debug.breakAt(lines, 2)).toEqual([2]);
  await debug.ask("setExceptionBreakpoints", { filters: [] });
  // The cell reads until somebody has written.
  await writeFile(pipe, "");
  expect((await replyTo(cell)).status).toBe("ok");
  const stopping = await debug.run(lines);
  expect((await debug.stopped()).frames).toEqual([expect.stringMatching(/:2$/)]);
  expect(await goOn(stopping)).toBe("ok");
});

describe("exceptions", () => {
  const caught = "try {\n  throw new RangeError('handled');\n} catch {}";
  const uncaught = "const risky = (n: number) => {\n  throw new RangeError('no ' + n);\n};\nrisky(3);";

  test("that nobody catches pause where they are thrown", async () => {
    await debug.ask("setExceptionBreakpoints", { filters: ["uncaught"] });
    expect((await client.run(caught)).reply.status).toBe("ok");
    const cell = await debug.run(uncaught);
    expect(await debug.stopped()).toMatchObject({ reason: "exception", frames: ["risky:2", expect.any(String)] });
    expect(await debug.ask("exceptionInfo", { threadId: 1 })).toMatchObject({
      exceptionId: "RangeError",
      breakMode: "unhandled",
      description: expect.stringContaining("no 3"),
    });
    expect(await goOn(cell)).toBe("error");
  });

  test("that what awaits them catches are caught", async () => {
    await debug.ask("setExceptionBreakpoints", { filters: ["uncaught"] });
    const code =
      "const fails = async () => {\n  await null;\n  throw new Error('later');\n};\ntry { await fails(); } catch {}\n1";
    expect((await client.run(code)).reply.status).toBe("ok");
  });

  test("all of them pause where a client wants it, and none by default", async () => {
    expect((await client.run(caught)).reply.status).toBe("ok");
    await debug.ask("setExceptionBreakpoints", { filters: ["all"] });
    const cell = await debug.run(caught);
    expect((await debug.stopped()).reason).toBe("exception");
    expect((await debug.ask("exceptionInfo")).breakMode).toBe("always");
    expect(await goOn(cell)).toBe("ok");
  });
});

test.each([
  ["no command at all", {}],
  ["a command nobody knows", { command: "fly", seq: 1 }],
  ["one that every object has", { command: "constructor", seq: 1 }],
  ["arguments of the wrong type", { command: "dumpCell", seq: 1, arguments: { code: 5 } }],
  ["arguments that are no object", { command: "setBreakpoints", seq: 1, arguments: "all" }],
  ["no arguments", { command: "source", seq: 1 }],
  ["a file that was never loaded", { command: "source", seq: 1, arguments: { source: { path: "/etc/passwd" } } }],
  ["a move while nothing is paused", { command: "next", seq: 1, arguments: { threadId: 1 } }],
  ["a frame that is not there", { command: "scopes", seq: 1, arguments: { frameId: 77 } }],
  ["a breakpoint without a line", { command: "setBreakpoints", seq: 1, arguments: { breakpoints: [null] } }],
])("a request with %s is refused in words", async (_, content) => {
  const reply = await client.ask("control", "debug_request", content);
  expect(reply).toMatchObject({ type: "response", success: false, message: expect.stringMatching(/\w+ /) });
  expect((await client.run("1")).reply.status).toBe("ok");
});
