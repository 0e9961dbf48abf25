/** Every message over real sockets, and everything that may come in and must not harm. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { KernelProcess, type Received, sign, WireClient } from "../support/wire-client.ts";

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

const types = (messages: Received[]): string[] => messages.map(({ header }) => header.msg_type);
const only = (type: string, messages: Received[]): Received => {
  const found = messages.filter(({ header }) => header.msg_type === type);
  expect(found).toHaveLength(1);
  return found[0]!;
};

describe("messages", () => {
  test.each(["shell", "control"] as const)("kernel_info on %s, between busy and idle", async (channel) => {
    const id = await client.send(channel, "kernel_info_request");
    const reply = await client.replyTo(id);
    expect(reply).toMatchObject({ channel, header: { msg_type: "kernel_info_reply" } });
    expect(reply.content).toMatchObject({
      status: "ok",
      implementation: "heddle",
      language_info: {
        name: "typescript",
        version: expect.stringMatching(/^\d+\.\d+/),
        file_extension: ".ts",
        mimetype: "text/typescript",
        codemirror_mode: "typescript",
        pygments_lexer: "typescript",
        nbconvert_exporter: "script",
      },
    });
    const states = (await client.published(id)).map(({ content }) => content.execution_state);
    expect(states).toEqual(["busy", "idle"]);
  });

  test("execute: input, both streams, result, reply; every message names its request", async () => {
    const { outputs, reply } = await client.run("console.log('out'); console.error('err'); 6 * 7");
    expect(types(outputs)).toEqual(["status", "execute_input", "stream", "stream", "execute_result", "status"]);
    const streams = outputs.filter(({ header }) => header.msg_type === "stream").map(({ content }) => content);
    expect(streams).toEqual([
      { name: "stdout", text: "out\n" },
      { name: "stderr", text: "err\n" },
    ]);
    expect(only("execute_result", outputs).content.data).toEqual({ "text/plain": "42" });
    expect(reply.execution_count).toBe(only("execute_input", outputs).content.execution_count);
  });

  test("execute: an error is published and replied alike", async () => {
    const { outputs, reply } = await client.run("throw new TypeError('no')");
    expect(only("error", outputs).content).toMatchObject({ ename: "TypeError", evalue: "no" });
    expect(reply).toMatchObject({ status: "error", ...only("error", outputs).content });
  });

  test("display, its update, and clear_output", async () => {
    const { outputs } = await client.run(
      "import { clearOutput, display, html } from 'heddle/notebook';\n" +
        'const shown = await display(html("<b>1</b>"));\nawait shown.update(html("<b>2</b>"));\nclearOutput({ wait: true });',
    );
    const [first, second] = [only("display_data", outputs).content, only("update_display_data", outputs).content];
    expect(first).toMatchObject({ data: { "text/html": "<b>1</b>" }, transient: { display_id: expect.any(String) } });
    expect(second).toMatchObject({ data: { "text/html": "<b>2</b>" }, transient: first.transient });
    expect(only("clear_output", outputs).content).toEqual({ wait: true });
  });

  test.each([
    ["1 + 1", { status: "complete" }],
    ["function f() {", { status: "incomplete", indent: "  " }],
    ["const = 1", { status: "invalid" }],
  ])("is_complete: %s", async (code, content) => {
    expect(await client.ask("shell", "is_complete_request", { code })).toEqual(content);
  });

  test("complete and inspect know the names of earlier cells", async () => {
    await client.run("const measured: number = 1;");
    const completed = await client.ask("shell", "complete_request", { code: "measur", cursor_pos: 6 });
    expect(completed).toMatchObject({ status: "ok", matches: ["measured"], cursor_start: 0, cursor_end: 6 });
    const inspected = await client.ask("shell", "inspect_request", { code: "measured", cursor_pos: 3 });
    expect(inspected).toMatchObject({ status: "ok", found: true });
    expect((inspected.data as Record<string, string>)["text/plain"]).toContain("const measured: number");
  });

  test("a comm nobody listens for is closed, and is in no list", async () => {
    const opened = await client.send("shell", "comm_open", { comm_id: "c1", target_name: "nobody", data: { a: 1 } });
    await client.published(opened);
    const closed = await client.next(
      ({ content, header }) => header.msg_type === "comm_close" && content.comm_id === "c1",
    );
    expect(closed.channel).toBe("iopub");
    expect(await client.ask("shell", "comm_info_request", {})).toEqual({ status: "ok", comms: {} });
  });

  test("history: what was executed last, with its result", async () => {
    await client.run("'remembered'");
    const { history } = await client.ask("shell", "history_request", {
      hist_access_type: "tail",
      n: 1,
      output: true,
      raw: true,
    });
    expect(history).toEqual([[expect.any(Number), expect.any(Number), ["'remembered'", "'remembered'"]]]);
  });

  test("input is asked of the client that runs the cell, on its stdin", async () => {
    using other = await WireClient.connect(kernel);
    const running = client.run("import { input } from 'heddle/notebook';\nawait input('name? ')");
    const question = await client.next(({ header }) => header.msg_type === "input_request");
    expect(question).toMatchObject({ channel: "stdin", content: { prompt: "name? ", password: false } });
    // A prompt keeps neither the heartbeat nor control waiting.
    await other.heartbeat.send("ping");
    expect(String((await other.heartbeat.receive()).at(-1))).toBe("ping");
    expect(await other.ask("control", "kernel_info_request")).toMatchObject({ status: "ok" });
    await client.send("stdin", "input_reply", { value: "Ada" });
    const { outputs } = await running;
    expect(only("execute_result", outputs).content.data).toEqual({ "text/plain": "'Ada'" });
    expect(other.received.filter(({ channel }) => channel === "stdin")).toEqual([]);
  });

  test("replies go to the client that asked, publications to all", async () => {
    using other = await WireClient.connect(kernel);
    const id = await client.send("shell", "execute_request", { code: "console.log('for all')" });
    expect((await client.replyTo(id)).content.status).toBe("ok");
    expect(types(await other.published(id))).toEqual(["status", "execute_input", "stream", "status"]);
    expect(other.received.filter(({ channel }) => channel !== "iopub")).toEqual([]);
  });

  test("an endless loop: the heartbeat beats, the interrupt on control ends it in time, variables stay", async () => {
    const running = client.run("let turns = 0; console.log('turning'); while (true) turns++;");
    await client.next(({ content }) => content.text === "turning\n");
    await client.heartbeat.send("still there?");
    expect(String((await client.heartbeat.receive()).at(-1))).toBe("still there?");
    const begun = performance.now();
    await client.ask("control", "interrupt_request");
    expect((await running).reply).toMatchObject({ status: "error", ename: "KeyboardInterrupt" });
    expect(performance.now() - begun).toBeLessThan(400);
    expect(only("execute_result", (await client.run("turns > 0")).outputs).content.data).toEqual({
      "text/plain": "true",
    });
  });

  test("cells sent behind one that fails are aborted, also when they are already on the wire", async () => {
    const ids = [];
    for (const code of ["throw new Error('first')", "'second'", "'third'"]) {
      ids.push(await client.send("shell", "execute_request", { code }));
    }
    const replies = await Promise.all(ids.map((id) => client.replyTo(id)));
    expect(replies.map(({ content }) => content.status)).toEqual(["error", "aborted", "aborted"]);
  });

  test("a megabyte out in many pieces arrives whole and in order", async () => {
    const { outputs } = await client.run("for (let i = 0; i < 20_000; i++) console.log(i + ' ' + 'x'.repeat(48));");
    const text = outputs.map(({ content, header }) => (header.msg_type === "stream" ? content.text : "")).join("");
    const numbers = text.split("\n").map((line) => line.split(" ", 1)[0]);
    expect(numbers).toEqual([...Array.from({ length: 20_000 }, (_, index) => String(index)), ""]);
  });
});

describe("what comes in damaged, forged or senseless is dropped with a reason, and the channel goes on", () => {
  const good = (): string[] => client.frames("kernel_info_request", {});
  // The same frames twice would be a repetition, so each time the last part is another.
  const damaged = (...parts: string[]): string[] => client.signed(...parts, "{}", "{}", JSON.stringify({ n: ++count }));
  let count = 0;
  const cases: [name: string, reason: string, frames: () => (string | Buffer)[]][] = [
    ["a wrong signature", "wrong signature", () => good().with(1, "0".repeat(64))],
    ["an empty signature", "wrong signature", () => good().with(1, "")],
    ["a signature of another length", "wrong signature", () => good().with(1, "abc")],
    ["a signature with another key", "wrong signature", () => good().with(1, sign("other", good().slice(2)))],
    ["a changed part", "wrong signature", () => good().with(5, '{"changed":true}')],
    ["a multipart that breaks off", "truncated", () => good().slice(0, 4)],
    ["no delimiter", "no delimiter", () => good().slice(1)],
    ["an empty frame", "no delimiter", () => [""]],
    ["random bytes", "no delimiter", () => [Buffer.from([0, 255, 254, 1, 128]), Buffer.alloc(1000, 7)]],
    ["a part that is not JSON", "a part is not JSON", () => damaged("{")],
    ["a part that is no object", "a part is not an object", () => damaged("[]")],
    ["a header without a type", "msg_type is not a text", () => damaged('{"msg_id":"1"}')],
    ["a type that is a number", "not a text", () => damaged('{"msg_id":"1","msg_type":3}')],
    ["a type nobody knows", "are not known", () => client.frames("format_disk_request", {})],
    ["a type that is a name of objects", "are not known", () => client.frames("constructor", {})],
  ];

  describe.each(["shell", "control", "stdin"] as const)("%s", (channel) => {
    test.each(cases)("%s", async (_, reason, frames) => {
      const from = kernel.stderr.length;
      await client.sendRaw(channel, frames());
      await kernel.logged(reason, from);
      expect(kernel.stderr.slice(from)).toContain(`heddle kernel: ${channel}: `);
      const asked = channel === "stdin" ? "shell" : channel;
      expect(await client.ask(asked, "kernel_info_request")).toMatchObject({ status: "ok" });
    });

    test("a repeated message", async () => {
      const from = kernel.stderr.length;
      const frames = client.frames("comm_msg", { comm_id: "none", data: {} });
      await client.sendRaw(channel, frames);
      await client.sendRaw(channel, frames);
      await kernel.logged("repeated message", from);
    });
  });

  test("a replayed cell does not run twice", async () => {
    await client.run("let runs = 0;");
    const frames = client.frames("execute_request", { code: "runs++" });
    const from = kernel.stderr.length;
    await client.sendRaw("shell", frames);
    await client.sendRaw("shell", frames);
    await kernel.logged("repeated message", from);
    expect(only("execute_result", (await client.run("runs")).outputs).content.data).toEqual({ "text/plain": "1" });
  });

  test("garbage on the heartbeat comes back as it went, and the beat goes on", async () => {
    for (const beat of [Buffer.alloc(0), Buffer.alloc(70_000, 9), Buffer.from("ping")]) {
      await client.heartbeat.send(beat);
      expect((await client.heartbeat.receive()).at(-1)?.equals(beat)).toBe(true);
    }
  });

  test.each([
    ["execute_request", { code: 5 }, "code must be a text, got 5"],
    ["execute_request", {}, "code must be a text, got undefined"],
    ["execute_request", { code: "1", silent: "yes" }, 'silent must be true or false, got "yes"'],
    ["execute_request", { code: "1", user_expressions: [] }, "user_expressions must be an object, got []"],
    ["complete_request", { code: "a", cursor_pos: "1" }, 'cursor_pos must be a whole number, got "1"'],
    ["complete_request", { code: null, cursor_pos: 1 }, "code must be a text, got null"],
    ["inspect_request", { code: ["a"] }, 'code must be a text, got ["a"]'],
    ["is_complete_request", { code: {} }, "code must be a text, got {}"],
    ["history_request", { hist_access_type: 1 }, "hist_access_type must be a text, got 1"],
    ["history_request", { hist_access_type: "tail", n: 1.5 }, "n must be a whole number, got 1.5"],
    ["comm_info_request", { target_name: 7 }, "target_name must be a text, got 7"],
  ])("%s with %o is answered with what is wrong", async (type, content, complaint) => {
    const reply = await client.ask("shell", type, content);
    expect(reply).toMatchObject({ status: "error", ename: "RequestError", evalue: `${type}: ${complaint}` });
    expect(reply.traceback).toBeInstanceOf(Array);
  });

  test.each([
    { code: "measured", cursor_pos: -5 },
    { code: "measured", cursor_pos: 1e9 },
    { code: "", cursor_pos: 0 },
  ])("a cursor outside of the code, %o, is answered all the same", async (content) => {
    expect(await client.ask("shell", "complete_request", content)).toMatchObject({ status: "ok" });
    expect(await client.ask("shell", "inspect_request", content)).toMatchObject({ status: "ok" });
  });

  test("a cell on control is refused, and not executed", async () => {
    await client.run("let executed = 0;");
    expect(await client.ask("control", "execute_request", { code: "executed++" })).toMatchObject({
      status: "error",
      evalue: "execute_request: cells are executed on shell, not on control",
    });
    expect(await shown("executed")).toBe("0");
  });

  test("a cell on stdin is logged, and not executed", async () => {
    await client.run("let executed = 0;");
    const from = kernel.stderr.length;
    await client.send("stdin", "execute_request", { code: "executed++" });
    await kernel.logged("do not belong on this channel", from);
    expect(await shown("executed")).toBe("0");
  });

  test.each(["shell", "control"] as const)("an answer to a question on %s is logged, and is none", async (channel) => {
    const running = client.run(`import { input } from 'heddle/notebook';\nawait input('${channel}? ')`);
    await client.next(({ content }) => content.prompt === `${channel}? `);
    const from = kernel.stderr.length;
    await client.send(channel, "input_reply", { value: "wrong" });
    await kernel.logged("do not belong on this channel", from);
    await client.send("stdin", "input_reply", { value: "right" });
    expect(only("execute_result", (await running).outputs).content.data).toEqual({ "text/plain": "'right'" });
  });

  test.each([
    [
      "in one text",
      () => `"${"x".repeat(101e6)}"`,
      /^This cell has 101 million characters, and 100 million are the most/,
    ],
    ["of 50 MB of numbers", () => `[${"1234, ".repeat(50e6 / 6)}]`, /^The program is too long: here it has 300,000/],
    ["of statements", () => "f(1);\n".repeat(9e6 / 6), /^The program is too long: here it has 300,000 words and signs/],
  ])("a cell that is far too large, %s: refused with what to do, and others are answered", async (_, code, said) => {
    using other = await WireClient.connect(kernel);
    const text = code();
    const { outputs, reply } = await client.run(text);
    expect(reply).toMatchObject({ status: "error", ename: "SyntaxError", evalue: expect.stringMatching(said) });
    expect(String(reply.evalue)).toContain("put the data into a file");
    for (const { content } of [...outputs, { content: reply }])
      expect(JSON.stringify(content).length).toBeLessThan(text.length > 100e6 ? 10_000 : 2 * text.length);
    await other.heartbeat.send("after");
    expect(String((await other.heartbeat.receive()).at(-1))).toBe("after");
    expect(await shown("1 + 1")).toBe("2");
  });

  test("an input_reply that nobody asked for changes nothing", async () => {
    await client.send("stdin", "input_reply", { value: "uninvited" });
    expect((await client.run("1")).reply.status).toBe("ok");
  });
});

async function shown(code: string): Promise<unknown> {
  const { outputs } = await client.run(code);
  return (only("execute_result", outputs).content.data as Record<string, unknown>)["text/plain"];
}
