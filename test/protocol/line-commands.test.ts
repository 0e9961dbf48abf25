/** Line commands over real sockets. */
import { execFileSync } from "node:child_process";
import { randomInt } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { KernelProcess, type Received, WireClient } from "../support/wire-client.ts";

let kernel: KernelProcess;
let client: WireClient;

beforeAll(async () => {
  kernel = await KernelProcess.start();
  client = await WireClient.connect(kernel);
});
afterAll(async () => {
  client?.[Symbol.dispose]();
  await kernel?.[Symbol.asyncDispose]();
});

const text = (outputs: Received[], name: string): string =>
  outputs
    .flatMap(({ content, header }) => (header.msg_type === "stream" && content.name === name ? [content.text] : []))
    .join("");
const result = (outputs: Received[]): unknown =>
  outputs.find(({ header }) => header.msg_type === "execute_result")?.content.data;

test("!command: both streams of a shell, in the notebook's folder, and how it ended", async () => {
  const { outputs, reply } = await client.run("!pwd\n!echo é; echo wrong >&2; exit 3\n!ls connection.json | wc -l\n7");
  expect(reply.status).toBe("ok");
  expect(
    text(outputs, "stdout")
      .split("\n")
      .map((line) => line.trim()),
  ).toEqual([kernel.folder, "é", "1", ""]);
  expect(text(outputs, "stderr")).toBe("wrong\nheddle: the command ended with code 3\n");
  expect(result(outputs)).toEqual({ "text/plain": "7" });
});

test("%install: the package can be imported at once, with its types; a failure is an error", {
  timeout: 60_000,
}, async () => {
  mkdirSync(join(kernel.folder, "local-package"));
  const manifest = { name: "local-package", version: "1.0.0", type: "module", main: "index.js", types: "index.d.ts" };
  writeFileSync(join(kernel.folder, "local-package/package.json"), JSON.stringify(manifest));
  writeFileSync(join(kernel.folder, "local-package/index.js"), "export const answer = 42;");
  writeFileSync(join(kernel.folder, "local-package/index.d.ts"), "export declare const answer: number;");
  expect((await client.run("%install --offline ./local-package")).reply.status).toBe("ok");
  const { outputs, reply } = await client.run('import { answer } from "local-package";\nanswer');
  expect(reply.status).toBe("ok");
  expect(result(outputs)).toEqual({ "text/plain": "42" });
  expect((await client.run("const text: string = answer;")).reply.ename).toBe("TypeScriptError");
  const { reply: failed } = await client.run("%install --offline ./no-such-folder");
  expect(failed.evalue).toMatch(/^npm install --offline .\/no-such-folder ended with code \d+$/);
});

test("%time: the value stays the result, a promise counts until it settles", async () => {
  const { outputs } = await client.run("%time 6 * 7");
  expect(text(outputs, "stdout")).toMatch(/^Wall time: [\d.e-]+ ms\n$/);
  expect(result(outputs)).toEqual({ "text/plain": "42" });
  const { outputs: later } = await client.run("%time new Promise((done) => setTimeout(done, 120, 'done'))");
  expect(Number(/^Wall time: ([\d.]+) ms/.exec(text(later, "stdout"))![1])).toBeGreaterThan(100);
  expect(result(later)).toEqual({ "text/plain": "'done'" });
});

test("%%time: the whole cell, before its result", async () => {
  const { outputs } = await client.run(
    "%%time\nconst slept = await new Promise((done) => setTimeout(done, 120, 5));\nslept",
  );
  expect(Number(/^Wall time: ([\d.]+) ms/.exec(text(outputs, "stdout"))![1])).toBeGreaterThan(100);
  expect(outputs.map(({ header }) => header.msg_type).slice(-3)).toEqual(["stream", "execute_result", "status"]);
});

test("%%capture: nothing is shown, the variable has it all", async () => {
  const { outputs, reply } = await client.run(
    "%%capture out\nimport { display, html, json } from 'heddle/notebook';\nconsole.log('a'); console.error('b');\ndisplay(html('<b>c</b>'));\n!echo shell\n'value'",
  );
  expect(reply.status).toBe("ok");
  expect(outputs.map(({ header }) => header.msg_type)).toEqual(["status", "execute_input", "status"]);
  const { outputs: shown } = await client.run("json(out)");
  expect((result(shown) as Record<string, unknown>)["application/json"]).toEqual({
    stdout: "a\nshell\n",
    stderr: "b\n",
    outputs: [{ "text/html": "<b>c</b>", "text/plain": "c" }, { "text/plain": "'value'" }],
  });
  const { outputs: failing } = await client.run("%%capture\nconsole.log('hidden');\nthrow new Error('seen')");
  expect(failing.map(({ header }) => header.msg_type)).toEqual(["status", "execute_input", "error", "status"]);
  expect(text((await client.run("console.log('shown')")).outputs, "stdout")).toBe("shown\n");
});

test("%who lists names with kind and value; %reset forgets them, and their types", async () => {
  await client.run("%reset");
  await client.run("const number = 5; function twice(n: number) { return 2 * n } interface Shape {} class Circle {}");
  const { outputs } = await client.run("%who");
  expect(text(outputs, "stdout")).toBe(
    "number  const     5\ntwice   function  [Function: twice]\nShape   type\nCircle  class     [class Circle]\n",
  );
  const { reply } = await client.run("%reset\nconst number = 'text';");
  expect(reply.status).toBe("ok");
  expect(text((await client.run("%who")).outputs, "stdout")).toBe("number  const  'text'\n");
  expect((await client.run("twice(1)")).reply.evalue).toBe("Cannot find name 'twice'.");
});

test("%help names every command", async () => {
  const { outputs } = await client.run("%help");
  for (const name of ["%install", "%time", "%who", "%reset", "%help", "!command", "%%time", "%%capture"])
    expect(text(outputs, "stdout")).toContain(`${name}`);
});

test("types around commands are checked, and errors point at the user's lines", async () => {
  const { reply } = await client.run("!echo\nconst wrong: string = 5;");
  expect(reply.ename).toBe("TypeScriptError");
  expect((reply.traceback as string[])[0]).toContain("line 2, column 7");
  const { reply: thrown } = await client.run("!echo\n%time (() => { throw new Error('here') })()");
  expect((thrown.traceback as string[]).join("\n")).toContain("line 2, column 22");
  const { reply: unknown } = await client.run("1;\n%nope");
  expect(unknown).toMatchObject({ ename: "SyntaxError", evalue: "%nope is not a command; %help lists them" });
  expect((unknown.traceback as string[])[0]).toContain("line 2, column 1");
});

test("a name of a cell after ! is negated, not run", async () => {
  await client.run("const ready = false;");
  expect(result((await client.run("!ready")).outputs)).toEqual({ "text/plain": "true" });
});

test("completion, inspection and is_complete know commands", async () => {
  const ask = (type: string, code: string): Promise<object> =>
    client.ask("shell", type, { code, cursor_pos: code.length });
  expect(await ask("complete_request", "'😀';\n%ins")).toMatchObject({
    matches: ["%install"],
    cursor_start: 5,
    cursor_end: 9,
  });
  expect(await ask("complete_request", "!ls\nMath.hyp")).toMatchObject({ matches: ["hypot"] });
  expect(await ask("complete_request", "%time Math.hyp")).toMatchObject({ matches: ["hypot"] });
  expect(await ask("inspect_request", "%time")).toMatchObject({ found: true });
  expect(await ask("is_complete_request", "!ls | sort")).toEqual({ status: "complete" });
  expect(await ask("is_complete_request", "%time f(")).toMatchObject({ status: "incomplete" });
  expect(await ask("is_complete_request", "%nope")).toEqual({ status: "invalid" });
});

test("an interrupt ends a shell command and what it started", async () => {
  const sleep = `sleep 6${randomInt(1e6)}`;
  const running = client.run(`!echo begun; ${sleep}; echo never`);
  await client.next(({ content }) => content.text === "begun\n");
  await client.ask("control", "interrupt_request");
  const { outputs, reply } = await running;
  expect(reply.ename).toBe("KeyboardInterrupt");
  expect(text(outputs, "stdout")).not.toContain("never");
  // A process that has its signal may take a moment to end.
  const { outputs: after } = await client.run(
    `!while ps -A -o args= | grep -q '^${sleep}'; do sleep 0.05; done; echo gone`,
  );
  expect(text(after, "stdout")).toBe("gone\n");
});

test("a shell command ends with the kernel", async () => {
  const sleep = `sleep 6${randomInt(1e6)}`;
  await client.send("shell", "execute_request", { code: `!echo started; ${sleep}; echo never` });
  await client.next(({ content }) => content.text === "started\n");
  await client.ask("control", "shutdown_request", { restart: false });
  await kernel.exited;
  await expect
    .poll(() => execFileSync("ps", ["-A", "-o", "args="], { encoding: "utf8" }), { timeout: 20_000 })
    .not.toContain(`\n${sleep}\n`);
});

test("a shell command ends with a session that is killed", async () => {
  await using killed = await KernelProcess.start();
  using other = await WireClient.connect(killed);
  await other.run("const pid = process.pid;");
  const sleep = `sleep 6${randomInt(1e6)}`;
  const id = await other.send("shell", "execute_request", { code: `console.log(pid);\n!echo started; ${sleep}` });
  await other.next(({ content }) => content.text === "started\n");
  const { content } = other.received.find(
    (message) => message.header.msg_type === "stream" && message.parent.msg_id === id,
  )!;
  process.kill(Number(content.text), "SIGKILL");
  expect((await other.replyTo(id)).content).toMatchObject({ ename: "SessionLostError" });
  await expect
    .poll(() => execFileSync("ps", ["-A", "-o", "args="], { encoding: "utf8" }), { timeout: 20_000 })
    .not.toContain(`\n${sleep}\n`);
});
