import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { childProcesses, KernelClient } from "../support/kernel-client.ts";

const types = (outputs: [string, unknown][]): string[] => outputs.map(([type]) => type);

test("a cell: busy, its input, its outputs, its result, then the reply, then idle", async () => {
  await using client = new KernelClient();
  const { outputs, reply } = await client.run("console.log('hello'); 6 * 7");
  expect(types(outputs)).toEqual(["status", "execute_input", "stream", "execute_result", "status"]);
  expect(outputs[3]![1]).toEqual({ execution_count: 1, data: { "text/plain": "42" }, metadata: {} });
  expect(reply).toEqual({ status: "ok", execution_count: 1, payload: [], user_expressions: {} });
  const last = client.received.slice(-2).map(({ header }) => header.msg_type);
  expect(last).toEqual(["execute_reply", "status"]);
});

test("an error shows the places in the sources of the cells it went through", async () => {
  await using client = new KernelClient();
  await client.run(
    "function f(n: number): number {\n  if (n > 2)\n    throw new RangeError('too much');\n  return n;\n}",
  );
  const { reply } = await client.run("// the call\nf(3)");
  expect(reply).toMatchObject({ status: "error", ename: "RangeError", evalue: "too much" });
  const traceback = (reply.traceback as string[]).join("\n");
  expect(traceback).toContain("at f (Cell In[1], line 3, column 11)");
  expect(traceback).toContain("→ 3 │     throw new RangeError('too much');");
  expect(traceback).toContain("at Cell In[2], line 2, column 1");
});

test("an error of an async function names the functions that await it, cell by cell", async () => {
  await using client = new KernelClient();
  await client.run("async function inner() { await 1; throw new Error('deep'); }");
  await client.run("async function outer() { await inner(); }");
  const { reply } = await client.run("await Promise.all([outer()])");
  const traceback = (reply.traceback as string[]).join("\n");
  const places = ["at inner (Cell In[1], line 1, column 41)", "at async outer (Cell In[2], ", "at async Cell In[3], "];
  const found = places.map((place) => traceback.indexOf(place));
  expect(found.every((at, index) => at > (found[index - 1] ?? 0))).toBe(true);
});

test("an error in an imported TypeScript file has that file's line and column", async () => {
  await using client = new KernelClient();
  const file =
    "export interface Unused { a: number }\n\nexport function fail(n: number): never {\n  throw new Error(String(n));\n}\n";
  writeFileSync(join(client.folder, "part.ts"), file);
  const { reply } = await client.run('import { fail } from "./part.ts";\nfail(3)');
  expect((reply.traceback as string[]).join("\n")).toMatch(/at fail \(.*\/part\.ts:4:9\)\n\s+at Cell In\[1\], line 2/);
});

test("an error while a value is shown has no frame of the kernel, and hostile stacks hide no message", async () => {
  await using client = new KernelClient();
  const { reply } = await client.run('({ [Symbol.for("Jupyter.display")]() { throw new Error("shown") } })');
  expect((reply.traceback as string[]).filter((line) => /^\s+at /.test(line))).toEqual([
    expect.stringContaining("Cell In[1], line 1"),
  ]);
  const hostile = 'Error.prepareStackTrace = () => { throw 1 }; throw new RangeError("still there")';
  expect((await client.run(hostile)).reply).toMatchObject({ ename: "RangeError", evalue: "still there" });
});

test("a cell nested too deep for any parser is an error, and the kernel goes on", async () => {
  await using client = new KernelClient();
  for (const [open, close] of [
    ["(", ")"],
    ["[", "]"],
    ["`${", "}`"],
  ] as const) {
    const { reply } = await client.run(`${open.repeat(30_000)}1${close.repeat(30_000)}`);
    expect(reply).toMatchObject({ ename: "SyntaxError", evalue: expect.stringContaining("nested") });
  }
  expect((await client.run(`"${"(".repeat(5000)}".length // ${"[".repeat(5000)}`)).reply).toMatchObject({
    status: "ok",
  });
});

test("a display as a cell's value shows nothing more", async () => {
  await using client = new KernelClient();
  const { outputs } = await client.run('import { display } from "heddle/notebook"; display(5)');
  expect(types(outputs)).toEqual(["status", "execute_input", "display_data", "status"]);
});

test("type errors and syntax errors stop a cell before it runs, and the names of it stay unknown", async () => {
  await using client = new KernelClient();
  const { reply: typed } = await client.run("console.log('ran');\nconst wrong: string = 5;");
  expect(typed).toMatchObject({
    ename: "TypeScriptError",
    evalue: "Type 'number' is not assignable to type 'string'.",
  });
  expect((typed.traceback as string[])[0]).toContain("Cell In[1], line 2, column 7");
  const { outputs, reply } = await client.run("const = 3");
  expect(types(outputs)).toEqual(["status", "execute_input", "error", "status"]);
  expect(reply).toMatchObject({ ename: "SyntaxError", execution_count: 2 });
  expect((await client.run("wrong")).reply).toMatchObject({ evalue: "Cannot find name 'wrong'." });
});

test("a silent cell publishes nothing and does not count, but its names stay", async () => {
  await using client = new KernelClient();
  const { outputs, reply } = await client.run("const hidden = 7; hidden", { silent: true });
  expect(types(outputs)).toEqual(["status", "status"]);
  expect(reply).toMatchObject({ status: "ok", execution_count: 0 });
  const { reply: next } = await client.run("hidden", { user_expressions: { twice: "hidden * 2", bad: "(" } });
  expect(next).toMatchObject({
    execution_count: 1,
    user_expressions: { twice: { data: { "text/plain": "14" } }, bad: { status: "error", ename: "SyntaxError" } },
  });
});

test("what is queued behind a failing cell is aborted, other requests and later cells are not", async () => {
  await using client = new KernelClient();
  const failing = client.run("throw new Error('stop')");
  const queued = client.run("1");
  const asked = client.ask("kernel_info_request");
  expect((await failing).reply.status).toBe("error");
  expect((await queued).reply).toEqual({ status: "aborted", execution_count: 1 });
  expect((await asked).status).toBe("ok");
  expect((await client.run("2")).reply.status).toBe("ok");
  const goesOn = client.run("const = 1", { stop_on_error: false });
  const after = client.run("3");
  expect((await goesOn).reply.status).toBe("error");
  expect((await after).reply.status).toBe("ok");
});

test("an interrupt ends the cell, and the variables stay", async () => {
  await using client = new KernelClient();
  const running = client.run("let x = 1; console.log('looping'); while (true) x++;");
  await client.next(({ content }) => content.text === "looping\n");
  await client.send("control", "interrupt_request");
  expect((await running).reply).toMatchObject({ status: "error", ename: "KeyboardInterrupt" });
  expect((await client.run("x > 1")).outputs).toContainEqual([
    "execute_result",
    expect.objectContaining({ data: { "text/plain": "true" } }),
  ]);
});

/** A busy machine may have made the language server late: then cells ran unchecked, and that is not said a second time. */
async function isChecked(client: KernelClient): Promise<void> {
  await expect.poll(async () => (await client.run("x.nope")).reply.ename, { timeout: 25_000 }).toBe("TypeScriptError");
}

test("an interrupt that comes as the cell leaves its type check is not lost", async () => {
  await using client = new KernelClient({ languageTimeout: 2_000 });
  await client.run("let x = 1");
  await isChecked(client);
  // Stopped, the language server lets the check run into its limit; what is said of that comes just before the cell begins.
  for (const pid of client.languageServers()) process.kill(pid, "SIGSTOP");
  const running = client.run("while (true) x++;");
  await client.next(
    ({ content, header }) => header.msg_type === "stream" && String(content.text).includes("not checked"),
  );
  await client.send("control", "interrupt_request");
  expect((await running).reply).toMatchObject({ status: "error", ename: "KeyboardInterrupt" });
});

test("a cell that is being checked when the kernel shuts down never runs", async () => {
  const client = new KernelClient({ languageTimeout: 2_000 });
  await client.run("let x = 1");
  await isChecked(client);
  for (const pid of client.languageServers()) process.kill(pid, "SIGSTOP");
  const running = client.run("while (true) x++;");
  await client.send("control", "shutdown_request", { restart: false });
  expect((await running).reply).toMatchObject({ status: "aborted" });
  await client[Symbol.asyncDispose]();
  expect(childProcesses(process.pid).filter(({ command }) => command.includes("session/process.js"))).toEqual([]);
});

test("a session that ends under a cell is replaced, its names are unknown, the next cell works", async () => {
  await using client = new KernelClient();
  await client.run("const before = 1");
  const { reply } = await client.run("process.exit(3)");
  expect(reply).toMatchObject({ ename: "SessionLostError", evalue: expect.stringContaining("exited with code 3") });
  expect((await client.run("before")).reply).toMatchObject({ evalue: "Cannot find name 'before'." });
  expect((await client.run("1 + 1")).reply).toMatchObject({ status: "ok", execution_count: 4 });
});

test("a session that ends between cells says so under the last one", async () => {
  await using client = new KernelClient();
  await client.run("void setImmediate(() => process.exit(1))");
  const notice = await client.next(({ content }) => String(content.text).includes("the session exited with code 1"));
  expect(notice.content.name).toBe("stderr");
  expect((await client.run("1 + 1")).reply.status).toBe("ok");
});

test("input is asked for on stdin and answered there", async () => {
  await using client = new KernelClient();
  const running = client.run("import { input } from 'heddle/notebook';\nawait input('how many?')");
  const question = await client.next(({ channel }) => channel === "stdin");
  expect(question).toMatchObject({
    header: { msg_type: "input_request" },
    content: { prompt: "how many?", password: false },
  });
  await client.send("stdin", "input_reply", { value: "forty" });
  expect((await running).outputs).toContainEqual([
    "execute_result",
    expect.objectContaining({ data: { "text/plain": "'forty'" } }),
  ]);
});

test("tasks are drawn under their cell, first as display_data, then as updates of the same display", async () => {
  await using client = new KernelClient();
  const { outputs } = await client.run(
    "import { get, remote } from 'heddle';\n" +
      "const slow = remote(async function slow(n: number) { await new Promise((done) => setTimeout(done, 300)); return n; });\n" +
      "await get([slow.remote(1), slow.remote(2)])",
  );
  const charts = outputs.filter(([type]) => type.endsWith("display_data"));
  expect(types(charts).slice(0, 2)).toEqual(["display_data", "update_display_data"]);
  expect(new Set(charts.map(([, content]) => (content.transient as { display_id: string }).display_id)).size).toBe(1);
  const [, final] = charts.at(-1)!;
  expect(Object.keys(final.data as object)).toEqual(["text/html", "image/png", "text/plain"]);
  expect(types(outputs).at(-2)).toBe("execute_result");
});

test("a display that nobody awaits stands in order with what is printed", async () => {
  await using client = new KernelClient();
  const { outputs } = await client.run(
    "import { display } from 'heddle/notebook';\nconsole.log(1); display({ a: 1 }); console.log(2); display([2]); void 0;",
  );
  const shown = ["stream", "display_data", "stream", "display_data"];
  expect(types(outputs)).toEqual(["status", "execute_input", ...shown, "status"]);
});

test("positions of completions count code points", async () => {
  await using client = new KernelClient();
  const reply = await client.ask("complete_request", { code: "'😀'; Math.hyp", cursor_pos: 13 });
  expect(reply).toMatchObject({ matches: ["hypot"], cursor_start: 10, cursor_end: 13 });
});

test("history is kept in a private file and found by pattern", async () => {
  await using client = new KernelClient();
  const historyFile = join(client.folder, "history", "history.jsonl");
  await using first = new KernelClient({ historyFile });
  await first.run("1 + 1");
  expect(statSync(historyFile).mode & 0o777).toBe(0o600);
  expect(readFileSync(historyFile, "utf8")).toContain("1 + 1");
  await using second = new KernelClient({ historyFile });
  const found = await second.ask("history_request", {
    hist_access_type: "search",
    pattern: "1*",
    output: true,
    raw: true,
  });
  expect(found.history).toEqual([[1, 1, ["1 + 1", "2"]]]);
});

test("a request with a wrong field is answered with an error that names it", async () => {
  await using client = new KernelClient();
  const evalue = "execute_request: code must be a text, got 5";
  expect(await client.ask("execute_request", { code: 5 })).toMatchObject({
    status: "error",
    ename: "RequestError",
    evalue,
  });
});

test("shutdown ends a running cell, is answered and told to all", async () => {
  let restart: boolean | undefined;
  await using client = new KernelClient({
    onShutdown: (asked) => {
      restart = asked;
    },
  });
  const running = client.run("console.log('on'); await new Promise(() => {})");
  await client.next(({ header }) => header.msg_type === "stream");
  await client.send("control", "shutdown_request", { restart: true });
  expect((await running).reply).toMatchObject({ status: "error", ename: "SessionLostError" });
  const replies = client.received.filter(({ header }) => header.msg_type === "shutdown_reply");
  expect(replies.map(({ channel, content }) => [channel, content.restart])).toEqual([
    ["control", true],
    ["iopub", true],
  ]);
  expect(restart).toBe(true);
});
