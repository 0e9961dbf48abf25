/** What a client can ask while a cell runs, and what becomes of the cells that wait behind it; over real sockets. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Content, KernelProcess, type Received, WireClient } from "../support/wire-client.ts";

let kernel: KernelProcess;
let client: WireClient;

beforeAll(async () => {
  kernel = await KernelProcess.start();
  client = await WireClient.connect(kernel);
  await client.run("const earlier = 'text';");
});
afterAll(async () => {
  client?.[Symbol.dispose]();
  await kernel?.[Symbol.asyncDispose]();
});

const statesOf = (messages: Received[]): unknown[] =>
  messages.flatMap(({ content, header }) => (header.msg_type === "status" ? [content.execution_state] : []));

describe.each([
  ["computes", "while (true);"],
  ["awaits", "await new Promise(() => {});"],
])("while a cell %s", (_, body) => {
  let request: string;

  beforeAll(async () => {
    request = await client.send("shell", "execute_request", { code: `let local = 5; console.log('begun'); ${body}` });
    await client.next(({ content, parent }) => parent.msg_id === request && content.text === "begun\n");
  });
  afterAll(async () => {
    await client.ask("control", "interrupt_request");
    expect((await client.replyTo(request)).content).toMatchObject({ ename: "KeyboardInterrupt" });
  });

  test("the heartbeat beats", async () => {
    await client.heartbeat.send("still there?");
    expect(String((await client.heartbeat.receive()).at(-1))).toBe("still there?");
  });

  const questions: [type: string, content: Content, answer: Content][] = [
    ["kernel_info_request", {}, { status: "ok", implementation: "heddle" }],
    ["complete_request", { code: "earl", cursor_pos: 4 }, { matches: ["earlier"] }],
    ["complete_request", { code: "earlier.toUpp", cursor_pos: 13 }, { matches: ["toUpperCase"] }],
    ["complete_request", { code: "loca", cursor_pos: 4 }, { matches: expect.arrayContaining(["local"]) }],
    ["inspect_request", { code: "earlier", cursor_pos: 3 }, { found: true }],
    ["inspect_request", { code: "local", cursor_pos: 3 }, { found: true }],
    ["is_complete_request", { code: "f(" }, { status: "incomplete" }],
    ["history_request", { hist_access_type: "tail", n: 1 }, { history: [[1, expect.any(Number), expect.any(String)]] }],
    ["comm_info_request", {}, { comms: {} }],
  ];
  test.each(questions)("shell answers %s %o", async (type, content, answer) => {
    expect(await client.ask("shell", type, content)).toMatchObject(answer);
  });
  test.each(questions)("control answers %s %o", async (type, content, answer) => {
    expect(await client.ask("control", type, content)).toMatchObject(answer);
  });

  test("busy and idle stand around each answer, and the cell's busy is said again", async () => {
    const id = await client.send("shell", "kernel_info_request");
    expect(statesOf(await client.published(id))).toEqual(["busy", "idle"]);
    const after = client.received.findIndex(
      ({ content, parent }) => parent.msg_id === id && content.execution_state === "idle",
    );
    await client.next(
      (message) => client.received.indexOf(message) > after && message.content.execution_state === "busy",
    );
    expect(client.received.findLast(({ header }) => header.msg_type === "status")).toMatchObject({
      parent: { msg_id: request },
      content: { execution_state: "busy" },
    });
  });
});

test("a question sent right behind a cell knows the names of that cell", async () => {
  await client.send("shell", "execute_request", { code: "const justNow = 1;" });
  const reply = await client.ask("shell", "complete_request", { code: "justN", cursor_pos: 5 });
  expect(reply.matches).toEqual(["justNow"]);
});

describe("behind a cell that fails", () => {
  test("thirty cells on the wire are aborted, with the count as it is; the next one runs", async () => {
    const ids: string[] = [];
    for (const code of ["throw new Error('first')", ...Array.from({ length: 30 }, (_, n) => `'cell ${n}'`)])
      ids.push(await client.send("shell", "execute_request", { code }));
    const [first, ...others] = await Promise.all(ids.map((id) => client.replyTo(id)));
    expect(first!.content.status).toBe("error");
    expect(others.map(({ content }) => content)).toEqual(
      others.map(() => ({ status: "aborted", execution_count: first!.content.execution_count })),
    );
    const published = await Promise.all(ids.slice(1).map((id) => client.published(id)));
    expect(published.map(statesOf)).toEqual(published.map(() => ["busy", "idle"]));
    const { reply } = await client.run("1 + 1");
    expect(reply).toMatchObject({ status: "ok", execution_count: (first!.content.execution_count as number) + 1 });
  });

  test("a cell sent as soon as the failure is known runs, every time", async () => {
    for (let round = 0; round < 10; round++) {
      const failing = await client.send("shell", "execute_request", { code: "throw new Error('again')" });
      await client.next(({ header, parent }) => header.msg_type === "error" && parent.msg_id === failing);
      expect((await client.run(`${round}`)).reply.status).toBe("ok");
    }
  });

  test("other requests and comms are not aborted", async () => {
    const failing = await client.send("shell", "execute_request", { code: "throw new Error('stop')" });
    const opened = await client.send("shell", "comm_open", { comm_id: "behind", target_name: "nobody", data: {} });
    const asked = client.ask("shell", "kernel_info_request");
    expect((await client.replyTo(failing)).content.status).toBe("error");
    expect(await asked).toMatchObject({ status: "ok" });
    expect((await client.published(opened)).map(({ header }) => header.msg_type)).toContain("comm_close");
  });

  test("nothing is aborted where stop_on_error is false", async () => {
    const failing = await client.send("shell", "execute_request", {
      code: "throw new Error('stop')",
      stop_on_error: false,
    });
    const next = await client.send("shell", "execute_request", { code: "1" });
    expect((await client.replyTo(failing)).content.status).toBe("error");
    expect((await client.replyTo(next)).content.status).toBe("ok");
  });

  test("a type error and an interrupt abort what is queued, too", async () => {
    const typed = await client.send("shell", "execute_request", { code: "const wrong: string = 5;" });
    const behindTyped = await client.send("shell", "execute_request", { code: "1" });
    expect((await client.replyTo(typed)).content.ename).toBe("TypeScriptError");
    expect((await client.replyTo(behindTyped)).content.status).toBe("aborted");
    const endless = await client.send("shell", "execute_request", { code: "console.log('endless'); for (;;);" });
    const behindEndless = await client.send("shell", "execute_request", { code: "1" });
    await client.next(({ content }) => content.text === "endless\n");
    await client.ask("control", "interrupt_request");
    expect((await client.replyTo(endless)).content.ename).toBe("KeyboardInterrupt");
    expect((await client.replyTo(behindEndless)).content.status).toBe("aborted");
  });
});

test.each(["create_subshell_request", "delete_subshell_request", "list_subshell_request"])(
  "%s: a plain no, as kernel_info says",
  async (type) => {
    expect(await client.ask("control", "kernel_info_request")).not.toHaveProperty(
      "supported_features",
      expect.arrayContaining(["kernel subshells"]),
    );
    const reply = await client.ask("control", type, { subshell_id: "1" });
    expect(reply).toMatchObject({ status: "error", evalue: `${type}: this kernel has no subshells` });
  },
);

test("shutdown on control is answered while a cell computes", async () => {
  const running = await client.send("shell", "execute_request", { code: "console.log('last'); while (true);" });
  await client.next(({ content, parent }) => parent.msg_id === running && content.text === "last\n");
  expect(await client.ask("control", "shutdown_request", { restart: false })).toEqual({ status: "ok", restart: false });
  expect(await kernel.exited).toEqual([0, null]);
});
