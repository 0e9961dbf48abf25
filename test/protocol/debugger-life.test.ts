/** What the debugger must not disturb, and what must not disturb it: interrupts, questions, restarts, the end. */
import { existsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { DebugClient } from "../support/debug-client.ts";
import { KernelProcess, WireClient } from "../support/wire-client.ts";

let kernel: KernelProcess;
let client: WireClient;
let debug: DebugClient;

beforeEach(async () => {
  kernel = await KernelProcess.start();
  client = await WireClient.connect(kernel);
  debug = new DebugClient(client);
});
afterEach(async () => {
  client?.[Symbol.dispose]();
  await kernel?.[Symbol.asyncDispose]();
});

const steps = "let at = 1;\nconsole.log('before');\nat = 2;\nat = 3;\nat";

/** Runs the cell above up to its third line; resolves with the id of its request. */
async function pauseInCell(): Promise<string> {
  await debug.start();
  await debug.breakAt(steps, 3);
  const cell = await debug.run(steps);
  await debug.stopped();
  return cell;
}

async function resultOf(code: string): Promise<Record<string, unknown>> {
  const { outputs } = await client.run(code);
  return outputs.find(({ header }) => header.msg_type === "execute_result")?.content.data as Record<string, unknown>;
}

/** Runs a cell that gives the session's process id, to its end, and then sends that process a signal. */
async function sendSignal(code: string): Promise<void> {
  process.kill(Number((await resultOf(code))["text/plain"]), "SIGUSR2");
}

describe("an interrupt of a paused cell", () => {
  test("ends it where it stands, and the next cell runs and can be paused again", async () => {
    const cell = await pauseInCell();
    await client.ask("control", "interrupt_request");
    expect((await client.replyTo(cell)).content).toMatchObject({ status: "error", ename: "KeyboardInterrupt" });
    await debug.event("continued");
    expect((await debug.ask("debugInfo")).stoppedThreads).toEqual([]);
    expect(await resultOf("at")).toEqual({ "text/plain": "1" });
    const again = await debug.run(steps);
    expect((await debug.stopped()).reason).toBe("breakpoint");
    await debug.ask("continue");
    expect((await client.replyTo(again)).content.status).toBe("ok");
  });

  test("in a loop leaves its variables at the value they had there", async () => {
    await debug.start();
    const code = "let turns = 0;\nfor (;;) {\n  turns++;\n  if (turns === 3) {\n    turns += 0.5;\n  }\n}";
    await debug.breakAt(code, 5);
    const cell = await debug.run(code);
    const { frameIds, frames } = await debug.stopped();
    expect(frames).toEqual([expect.stringMatching(/^Cell In\[\d+\]:5$/)]);
    expect((await debug.scopes(frameIds[0]!)).Locals).toMatchObject({ turns: "3" });
    await client.ask("control", "interrupt_request");
    expect((await client.replyTo(cell)).content).toMatchObject({ ename: "KeyboardInterrupt" });
    expect(await resultOf("turns")).toEqual({ "text/plain": "3" });
  });

  test("ends its pending awaits, and pauses nowhere on the way", async () => {
    await debug.start();
    const code = `let done = false;
const pending = (async () => {
  try { await new Promise(() => {}); } finally {
    done = true;
  }
})();
setTimeout(() => {
  console.log('timer');
}, 1);
await pending;`;
    await debug.breakAt(code, 4, 8);
    const cell = await debug.run(code);
    await debug.stopped();
    await client.ask("control", "interrupt_request");
    expect((await client.replyTo(cell)).content).toMatchObject({ ename: "KeyboardInterrupt" });
    expect(await resultOf("done")).toEqual({ "text/plain": "true" });
  });
});

test("an interrupt ends a listener that is paused while no cell runs", async () => {
  await debug.start();
  const code = "let ticks = 0;\nprocess.on('SIGUSR2', () => {\n  ticks = 1;\n  ticks = 2;\n});\nprocess.pid";
  await debug.breakAt(code, 4);
  await sendSignal(code);
  await debug.stopped();
  await client.ask("control", "interrupt_request");
  await debug.event("continued");
  expect(await resultOf("ticks")).toEqual({ "text/plain": "1" });
});

test("a breakpoint in a listener pauses while no cell runs, and what it prints belongs to its cell", async () => {
  await debug.start();
  const code = "process.on('SIGUSR2', () => {\n  console.log('heard');\n});\nprocess.pid";
  await debug.breakAt(code, 2);
  await sendSignal(code);
  expect((await debug.stopped()).frames).toEqual(["(anonymous):2"]);
  const cell = client.received.findLast(({ header }) => header.msg_type === "execute_input")?.parent.msg_id;
  await debug.ask("continue");
  await client.next(({ content, parent }) => content.text === "heard\n" && parent.msg_id === cell);
});

test("while a cell is paused its output is shown, and everything is answered", async () => {
  const cell = await pauseInCell();
  await client.next(({ content, parent }) => parent.msg_id === cell && content.text === "before\n");
  await client.heartbeat.send("still there?");
  expect(String((await client.heartbeat.receive()).at(-1))).toBe("still there?");
  for (const channel of ["control", "shell"] as const) {
    expect(await client.ask(channel, "kernel_info_request")).toMatchObject({ debugger: true });
    const { matches } = await client.ask(channel, "complete_request", { code: "at.toFi", cursor_pos: 7 });
    expect(matches).toContain("toFixed");
    const found = await client.ask(channel, "inspect_request", { code: "at", cursor_pos: 1, detail_level: 0 });
    expect(found).toMatchObject({ status: "ok", found: true });
  }
  await debug.ask("continue");
  expect((await client.replyTo(cell)).content.status).toBe("ok");
});

test("disconnect lets a paused cell go on, and nothing pauses any more", async () => {
  const cell = await pauseInCell();
  await debug.ask("disconnect", { restart: false, terminateDebuggee: false });
  expect((await client.replyTo(cell)).content.status).toBe("ok");
  expect(await debug.ask("debugInfo")).toMatchObject({ isStarted: false, breakpoints: [], stoppedThreads: [] });
  expect((await client.run(`debugger;\n${steps}`)).reply.status).toBe("ok");
  expect(await debug.request("stackTrace", { threadId: 1 })).toMatchObject({
    success: false,
    message: expect.stringContaining("initialize"),
  });
});

test("a page that is loaded again finds the pause and the breakpoints", async () => {
  const cell = await pauseInCell();
  using later = await WireClient.connect(kernel);
  const reloaded = new DebugClient(later);
  const { breakpoints, isStarted, stoppedThreads } = await reloaded.ask("debugInfo");
  expect({ isStarted, stoppedThreads }).toEqual({ isStarted: true, stoppedThreads: [1] });
  expect(breakpoints).toEqual([{ source: expect.stringMatching(/\d+\.ts$/), breakpoints: [{ line: 3 }] }]);
  await reloaded.start();
  expect((await reloaded.ask("stackTrace", { threadId: 1 })).totalFrames).toBe(1);
  await reloaded.ask("continue", { threadId: 1 });
  expect((await client.replyTo(cell)).content.status).toBe("ok");
});

test("a session that is replaced while it is paused is debugged on", async () => {
  const cell = await pauseInCell();
  const { result } = await debug.ask("evaluate", { expression: "process.pid" });
  process.kill(Number(result), "SIGKILL");
  expect((await client.replyTo(cell)).content).toMatchObject({ status: "error" });
  await debug.event("continued");
  const again = await debug.run(steps);
  expect((await debug.stopped()).frames).toEqual([expect.stringMatching(/:3$/)]);
  await debug.ask("continue");
  expect((await client.replyTo(again)).content.status).toBe("ok");
});

test("a kernel that is shut down while a cell is paused ends without running on, and its files of cells are gone", async () => {
  const file = join(kernel.folder, "ran-on");
  await debug.start();
  const cell = `let held = 1;\nheld = 2;\nrequire("node:fs").writeFileSync(${JSON.stringify(file)}, "");`;
  await debug.breakAt(cell, 2);
  await debug.run(cell);
  await debug.stopped();
  const { sourcePath } = await debug.ask("dumpCell", { code: "1 + 1" });
  expect(statSync(sourcePath).mode & 0o777).toBe(0o600);
  expect(statSync(dirname(sourcePath)).mode & 0o777).toBe(0o700);
  expect((await debug.ask("source", { source: { path: sourcePath } })).content).toBe("1 + 1");
  await client.ask("control", "shutdown_request", { restart: false });
  await kernel.exited;
  expect(existsSync(file)).toBe(false);
  expect(existsSync(dirname(sourcePath))).toBe(false);
});
