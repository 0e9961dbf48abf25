/** Comms over real sockets, opened from either side. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Content, KernelProcess, type Received, WireClient } from "../support/wire-client.ts";

let kernel: KernelProcess;
let client: WireClient;

beforeAll(async () => {
  kernel = await KernelProcess.start();
  client = await WireClient.connect(kernel);
  expect((await client.run("import { openComm, registerCommTarget } from 'heddle/notebook';")).reply.status).toBe("ok");
});
afterAll(async () => {
  client?.[Symbol.dispose]();
  await kernel?.[Symbol.asyncDispose]();
});

const types = (messages: Received[]): string[] => messages.map(({ header }) => header.msg_type);

/** Runs a cell that must be ok; the id of its request. */
async function cell(code: string): Promise<string> {
  const { outputs, reply } = await client.run(code);
  expect(reply).toMatchObject({ status: "ok" });
  return outputs[0]!.parent.msg_id!;
}

async function openComm(target: string, data: Content = {}): Promise<{ id: string; said: Received[] }> {
  const id = randomUUID();
  const request = await client.send("shell", "comm_open", { comm_id: id, target_name: target, data });
  return { id, said: await client.published(request) };
}

const onComm = (id: string, type: string): Promise<Received> =>
  client.next(
    ({ channel, content, header }) => channel === "iopub" && header.msg_type === type && content.comm_id === id,
  );

test("a target registered in a cell: opened, spoken to, answered before idle, closed", async () => {
  const registered = await cell(`
    registerCommTarget("echo", (comm, { data }) => {
      console.log("opened", data);
      comm.onMessage((message) => comm.send({ echo: message.data }));
      comm.onClose(({ data }) => console.log("closed", data));
    });`);
  const { id, said } = await openComm("echo", { a: 1 });
  expect(types(said)).toEqual(["status", "status"]);
  const printed = await client.next(({ content }) => String(content.text).includes("opened { a: 1 }"));
  expect(printed.parent.msg_id).toBe(registered);
  expect(await client.ask("shell", "comm_info_request", { target_name: "echo" })).toEqual({
    status: "ok",
    comms: { [id]: { target_name: "echo" } },
  });
  expect(await client.ask("shell", "comm_info_request", { target_name: "other" })).toEqual({ status: "ok", comms: {} });

  const request = await client.send("shell", "comm_msg", { comm_id: id, data: ["x", { deep: null }] });
  await client.published(request);
  const answer = client.received.find(
    ({ content, header }) => header.msg_type === "comm_msg" && content.comm_id === id,
  );
  expect(answer).toMatchObject({ content: { data: { echo: ["x", { deep: null }] } }, parent: { msg_id: registered } });

  await client.published(await client.send("shell", "comm_close", { comm_id: id, data: { why: "done" } }));
  await client.next(({ content }) => String(content.text).includes("closed { why: 'done' }"));
  expect(await client.ask("shell", "comm_info_request")).toEqual({ status: "ok", comms: {} });
});

test("a comm opened by a cell: open, messages and close in order with what is printed, under that cell", async () => {
  const { outputs } = await client.run(`
    console.log("before");
    const mine = openComm("widget", { value: 1 }, { metadata: { version: "2" } });
    mine.send({ value: 2 });
    console.log("between");
    mine.close({ bye: true });`);
  const shown = outputs.filter(({ header }) => header.msg_type !== "status" && header.msg_type !== "execute_input");
  expect(types(shown)).toEqual(["stream", "comm_open", "comm_msg", "stream", "comm_close"]);
  const id = shown[1]!.content.comm_id;
  expect(shown[1]).toMatchObject({
    content: { target_name: "widget", data: { value: 1 } },
    metadata: { version: "2" },
  });
  expect(shown[2]!.content).toEqual({ comm_id: id, data: { value: 2 } });
  expect(shown[4]!.content).toEqual({ comm_id: id, data: { bye: true } });
});

test("what the front end sends on a cell's comm arrives, also before the cell listens", async () => {
  const { outputs } = await client.run('const asked = openComm("asked");');
  const id = outputs.find(({ header }) => header.msg_type === "comm_open")!.content.comm_id as string;
  await client.published(await client.send("shell", "comm_msg", { comm_id: id, data: { n: 1 } }));
  const listening = await cell("asked.onMessage(({ data }) => console.log('got', data));");
  await client.next(({ content, parent }) => content.text === "got { n: 1 }\n" && parent.msg_id === listening);
  await client.published(await client.send("shell", "comm_msg", { comm_id: id, data: { n: 2 } }));
  await client.next(({ content, parent }) => content.text === "got { n: 2 }\n" && parent.msg_id === listening);
});

test("bytes go both ways as they are", async () => {
  await cell(`
    registerCommTarget("bytes", (comm) => comm.onMessage(({ buffers }) =>
      comm.send({ lengths: buffers.map((one) => one.length) }, { buffers: [...buffers, new Float32Array([1.5])] })));`);
  const { id } = await openComm("bytes");
  const all = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
  await client.send("shell", "comm_msg", { comm_id: id, data: {} }, [all, Buffer.alloc(0)]);
  const answer = await onComm(id, "comm_msg");
  expect(answer.content.data).toEqual({ lengths: [256, 0] });
  expect(answer.buffers).toEqual([all, Buffer.alloc(0), Buffer.from(new Float32Array([1.5]).buffer)]);
});

test("a cell that runs can await a message: open comms do not wait for it", async () => {
  const running = client.run(`
    const question = openComm("question");
    await new Promise((resolve) => question.onMessage(({ data }) => resolve(data)))`);
  const opened = await client.next(
    ({ content, header }) => header.msg_type === "comm_open" && content.target_name === "question",
  );
  await client.send("shell", "comm_msg", { comm_id: opened.content.comm_id, data: 42 });
  const { outputs } = await running;
  expect(outputs.find(({ header }) => header.msg_type === "execute_result")!.content.data).toEqual({
    "text/plain": "42",
  });
});

test("a comm opened behind a cell that registers its target waits for that cell", async () => {
  const id = randomUUID();
  const registering = client.run(`
    await new Promise((done) => setTimeout(done, 20));
    registerCommTarget("soon", (comm) => comm.onMessage(({ data }) => comm.send(data)));`);
  await client.send("shell", "comm_open", { comm_id: id, target_name: "soon", data: {} });
  for (const n of [1, 2, 3]) await client.send("shell", "comm_msg", { comm_id: id, data: n });
  await registering;
  await client.next(({ content }) => content.comm_id === id && content.data === 3);
  const echoes = client.received.filter(
    ({ content, header }) => header.msg_type === "comm_msg" && content.comm_id === id,
  );
  expect(echoes.map(({ content }) => content.data)).toEqual([1, 2, 3]);
});

test.each([
  ["that opens", '(() => { throw new RangeError("at open") })', "at open"],
  ["of messages", '((comm) => comm.onMessage(() => { throw new RangeError("at message") }))', "at message"],
  ["of the close", '((comm) => comm.onClose(() => { throw new RangeError("at close") }))', "at close"],
  ["that is async", '((comm) => comm.onMessage(async () => { await null; throw new RangeError("later") }))', "later"],
])(
  "an error in a handler %s is shown under the cell that set it, and the comm goes on",
  async (kind, handler, text) => {
    const target = `fails ${kind}`;
    const registered = await cell(`registerCommTarget(${JSON.stringify(target)}, ${handler});`);
    await cell("'another cell'");
    const { id } = await openComm(target);
    await client.published(await client.send("shell", "comm_msg", { comm_id: id, data: {} }));
    await client.published(await client.send("shell", "comm_close", { comm_id: id, data: {} }));
    const shown = await client.next(({ content }) => String(content.text).includes(text));
    expect(shown).toMatchObject({ parent: { msg_id: registered }, content: { name: "stderr" } });
    expect(shown.content.text).toContain("RangeError");
    expect((await client.run("1")).reply.status).toBe("ok");
  },
);

test.each([
  ["registerCommTarget('x')", "takes a name and a function"],
  ["openComm('')", "takes the target's name"],
  ["openComm('x', () => 1)", "cannot be shown as JSON"],
  ["openComm('x', {}, { buffers: ['text'] })", "ArrayBuffers or views"],
  ["{ const c = openComm('x'); c.close(); c.send(1); }", "is closed"],
])("%s says what is wrong", async (code, complaint) => {
  const { reply } = await client.run(`// @ts-nocheck\n${code}`);
  expect(reply.evalue).toContain(complaint);
});

test("a target that was disposed is unknown again; a second registration takes the first one's place", async () => {
  await cell(`
    const first = registerCommTarget("twice", () => console.log("the first"));
    const second = registerCommTarget("twice", (comm) => comm.send("the second"));
    first[Symbol.dispose]();`);
  const { id } = await openComm("twice");
  expect((await onComm(id, "comm_msg")).content.data).toBe("the second");
  await cell("second[Symbol.dispose]();");
  const { said } = await openComm("twice");
  expect(types(said)).toEqual(["status", "comm_close", "status"]);
});

test("an interrupt ends a handler that does not return, and its message is over", async () => {
  await cell(`
    registerCommTarget("endless", (comm) => comm.onMessage(() => { console.log("in the handler"); for (;;); }));`);
  const { id } = await openComm("endless");
  const request = await client.send("shell", "comm_msg", { comm_id: id, data: {} });
  await client.next(({ content }) => content.text === "in the handler\n");
  await client.ask("control", "interrupt_request");
  await client.published(request);
  expect((await client.run("1")).reply.status).toBe("ok");
});

test("comms are closed when the session is lost, and their targets are gone", async () => {
  await cell('registerCommTarget("lost", () => {});');
  const { id } = await openComm("lost");
  expect((await client.run("process.exit(3)")).reply).toMatchObject({ ename: "SessionLostError" });
  await onComm(id, "comm_close");
  expect(await client.ask("shell", "comm_info_request")).toEqual({ status: "ok", comms: {} });
  expect(types((await openComm("lost")).said)).toEqual(["status", "comm_close", "status"]);
});

test("comms are closed when the kernel restarts", async () => {
  await cell('import { registerCommTarget as again } from "heddle/notebook"; again("last", () => {});');
  const { id } = await openComm("last");
  await client.send("control", "shutdown_request", { restart: true });
  await onComm(id, "comm_close");
  expect(await kernel.exited).toEqual([0, null]);
});
