/** What front ends do with a kernel beside running cells: leave and come back, tag cells, ask for secrets, send and get much. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Content, KernelProcess, type Received, WireClient } from "../support/wire-client.ts";

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

const textOf = (messages: Received[]): string =>
  messages.map(({ content, header }) => (header.msg_type === "stream" ? String(content.text) : "")).join("");
const resultOf = (messages: Received[]): unknown =>
  (messages.find(({ header }) => header.msg_type === "execute_result")?.content.data as Content | undefined)?.[
    "text/plain"
  ];

describe("a page that is reloaded while a cell runs", () => {
  // A test that failed may have left its cell running.
  afterEach(() => client.ask("control", "interrupt_request"));

  async function leaveRunning(code: string): Promise<string> {
    using leaving = await WireClient.connect(kernel);
    const id = await leaving.send("shell", "execute_request", { code, allow_stdin: true });
    await leaving.next(({ content, parent }) => parent.msg_id === id && content.text === "begun\n");
    return id;
  }

  test("gets what the cell prints from then on, its result and its end, under the old request", async () => {
    const signal = crypto.randomUUID();
    const id = await leaveRunning(
      `console.log('begun'); const { existsSync } = await import('node:fs'); while (!existsSync('${signal}')) await new Promise((done) => setTimeout(done, 10)); console.log('after'); 6 * 7`,
    );
    using back = await WireClient.connect(kernel);
    expect(await back.ask("control", "kernel_info_request")).toMatchObject({ status: "ok" });
    expect(await back.ask("shell", "kernel_info_request")).toMatchObject({ status: "ok" });
    expect(await back.ask("shell", "comm_info_request")).toEqual({ status: "ok", comms: {} });
    // Each answer has a busy and an idle of its own; the last word is that the cell still runs.
    await back.next(() => {
      const states = back.received.filter(({ header }) => header.msg_type === "status");
      const last = states.at(-1);
      const answered = states.filter(({ content }) => content.execution_state === "idle").length;
      return answered === 3 && last?.parent.msg_id === id && last.content.execution_state === "busy";
    });
    const waiting = client.send("shell", "execute_request", { code: "await 0; 'behind'" });
    await client.ask("control", "kernel_info_request");
    const writer = back.next(({ content, parent }) => parent.msg_id === id && content.execution_state === "idle");
    (await import("node:fs")).writeFileSync(join(kernel.folder, signal), "");
    await writer;
    const late = back.received.filter(({ channel, parent }) => channel === "iopub" && parent.msg_id === id);
    expect(textOf(late)).toBe("after\n");
    expect(resultOf(late)).toBe("42");
    expect((await client.replyTo(await waiting)).content.status).toBe("ok");
  });

  test("can interrupt the cell, and one that asked the page that is gone for input", async () => {
    for (const body of ["for (;;);", "import { input } from 'heddle/notebook'; await input('anybody? ');"]) {
      const id = await leaveRunning(`console.log('begun'); ${body}`);
      using back = await WireClient.connect(kernel);
      const ended = back.next(({ content, parent }) => parent.msg_id === id && content.execution_state === "idle");
      await back.ask("control", "interrupt_request");
      await ended;
      expect((await back.run("1")).reply.status).toBe("ok");
    }
  });

  test("finds variables, history and open comms as they were", async () => {
    const id = await leaveRunning(
      "import { openComm } from 'heddle/notebook'; const kept = openComm('widget'); let state = 5; console.log('begun');",
    );
    using back = await WireClient.connect(kernel);
    await back.run("0");
    expect(resultOf((await back.run("state")).outputs)).toBe("5");
    const comms = Object.values((await back.ask("shell", "comm_info_request")).comms as Content);
    expect(comms).toEqual([{ target_name: "widget" }]);
    const asked = { hist_access_type: "search", pattern: "*let state = 5*", n: 1, raw: true, output: false };
    expect((await back.ask("shell", "history_request", asked)).history).toHaveLength(1);
    expect(id).not.toBe("");
  });
});

test("VS Code's cellId, JupyterLab's recordTiming: carried along, and the reply says when the cell began", async () => {
  const before = Date.now();
  const id = crypto.randomUUID();
  const metadata = { cellId: "vscode-notebook-cell:/a.ipynb#W0sZmlsZQ%3D%3D", recordTiming: true, deletedCells: [] };
  await client.sendRaw("shell", client.frames("execute_request", { code: "throw new Error('tagged')" }, id, metadata));
  const reply = await client.replyTo(id);
  expect(reply.content).toMatchObject({ status: "error", evalue: "tagged" });
  expect((reply.content.traceback as string[]).join("\n")).toContain("Cell In[");
  const started = Date.parse(String(reply.metadata.started));
  expect(started).toBeGreaterThanOrEqual(before - 1);
  expect(started).toBeLessThanOrEqual(Date.now());
  for (const { header, metadata: own, parent } of await client.published(id)) {
    expect(parent.msg_id).toBe(id);
    expect(own, header.msg_type).toEqual({});
  }
});

test("a password is asked for as one", async () => {
  const running = client.run(
    "import { input } from 'heddle/notebook';\n(await input('secret: ', { password: true })).length",
  );
  const question = await client.next(({ header }) => header.msg_type === "input_request");
  expect(question.content).toEqual({ prompt: "secret: ", password: true });
  await client.send("stdin", "input_reply", { value: "hunter2" });
  const { outputs } = await running;
  expect(resultOf(outputs)).toBe("7");
  expect(JSON.stringify(outputs)).not.toContain("hunter2");
});

test("two questions at once are asked one after the other, each gets its answer", async () => {
  const running = client.run(
    "import { input } from 'heddle/notebook';\n(await Promise.all([input('first? '), input('second? ')])).join()",
  );
  for (const [prompt, value] of [
    ["first? ", "1"],
    ["second? ", "2"],
  ]) {
    await client.next(({ content, header }) => header.msg_type === "input_request" && content.prompt === prompt);
    if (value === "1") expect(client.received.some(({ content }) => content.prompt === "second? ")).toBe(false);
    await client.send("stdin", "input_reply", { value });
  }
  expect(resultOf((await running).outputs)).toBe("'1,2'");
});

test("a question that was interrupted takes no answer away from the next one", async () => {
  const asking = client.run("import { input } from 'heddle/notebook';\nawait input('left open? ')");
  await client.next(({ content }) => content.prompt === "left open? ");
  await client.ask("control", "interrupt_request");
  expect((await asking).reply.ename).toBe("KeyboardInterrupt");
  const again = client.run("await input('again? ')");
  await client.next(({ content }) => content.prompt === "again? ");
  await client.send("stdin", "input_reply", { value: "yes" });
  expect(resultOf((await again).outputs)).toBe("'yes'");
});

test("input where the front end takes none is an error that says so", async () => {
  const { reply } = await client.run("import { input } from 'heddle/notebook';\nawait input()", { allow_stdin: false });
  expect(reply.evalue).toContain("takes no input");
});

test("clear_output with wait stands in order with what is printed", async () => {
  const { outputs } = await client.run(
    "import { clearOutput } from 'heddle/notebook'; console.log(1); clearOutput({ wait: true }); console.log(2); clearOutput();",
  );
  const said = outputs.filter(({ header }) => header.msg_type === "stream" || header.msg_type === "clear_output");
  expect(said.map(({ content }) => content.text ?? content.wait)).toEqual(["1\n", true, "2\n", false]);
});

test("10,000 lines are there whole and in order before idle", async () => {
  const { outputs } = await client.run("for (let i = 0; i < 10_000; i++) console.log(i);");
  expect(textOf(outputs)).toBe(`${[...Array(10_000).keys()].join("\n")}\n`);
});

test("100 MB of output are there whole before idle", { timeout: 120_000 }, async () => {
  using own = await WireClient.connect(kernel);
  const id = await own.send("shell", "execute_request", {
    code: "const line = 'x'.repeat(1023) + '\\n'; for (let i = 0; i < 100 * 1024; i++) process.stdout.write(line); process.stdout.write('end');",
  });
  const output = await own.published(id);
  const pieces = output.filter(({ header }) => header.msg_type === "stream").map(({ content }) => String(content.text));
  expect(pieces.reduce((sum, text) => sum + text.length, 0)).toBe(100 * 1024 * 1024 + 3);
  expect(pieces.at(-1)!.endsWith("end")).toBe(true);
  expect((await own.replyTo(id)).content.status).toBe("ok");
});

test("a cell of 9 MB runs, and the next one too", { timeout: 120_000 }, async () => {
  const { outputs, reply } = await client.run(`const big = "${"x".repeat(9_000_000)}";\nbig.length`);
  expect(reply.status).toBe("ok");
  expect(resultOf(outputs)).toBe("9000000");
  expect(resultOf((await client.run("big.length + 1")).outputs)).toBe("9000001");
});

test("history outlives the kernel: the next one finds it by search, and by session from the end", async () => {
  const home = mkdtempSync(join(tmpdir(), "heddle-home-"));
  for (const round of [1, 2]) {
    await using own = await KernelProcess.start({ XDG_DATA_HOME: home });
    using asking = await WireClient.connect(own);
    if (round === 2) {
      const found = await asking.ask("shell", "history_request", {
        hist_access_type: "search",
        pattern: "*first life*",
        output: true,
        raw: true,
      });
      expect(found.history).toEqual([[1, 1, ["'first life'", "'first life'"]]]);
      const before = await asking.ask("shell", "history_request", {
        hist_access_type: "range",
        session: -1,
        start: 1,
        stop: 2,
        output: false,
        raw: true,
      });
      expect(before.history).toEqual([[1, 1, "'first life'"]]);
      const tail = await asking.ask("shell", "history_request", {
        hist_access_type: "tail",
        n: 1,
        output: false,
        raw: true,
      });
      expect(tail.history).toEqual([[1, 1, "'first life'"]]);
    } else await asking.run("'first life'");
  }
  rmSync(home, { recursive: true });
});
