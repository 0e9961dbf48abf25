/**
 * The kernel as VS Code's Jupyter extension starts and drives it: found by its kernelspec in the user's folder, started
 * without a Jupyter server, cells with `cellId` and without `stop_on_error`, interrupts as messages, restart as a new process.
 */
import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { heddleProgram } from "../support/python-jupyter.ts";
import { type Content, KernelProcess, type Received, WireClient } from "../support/wire-client.ts";

let home: string;
let kernelspec: { argv: string[]; display_name: string; language: string; interrupt_mode: string };

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), "heddle-home-"));
  const env = { ...process.env, HOME: home, XDG_DATA_HOME: "", JUPYTER_DATA_DIR: "" };
  await promisify(execFile)(process.execPath, [heddleProgram, "install", "--user"], { env });
  const folder = process.platform === "darwin" ? "Library/Jupyter" : ".local/share/jupyter";
  kernelspec = JSON.parse(readFileSync(join(home, folder, "kernels/heddle/kernel.json"), "utf8"));
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

/** What the extension sends for a cell of a notebook. */
async function runCell(
  client: WireClient,
  code: string,
  number: number,
): Promise<{ id: string; reply: Promise<Received> }> {
  const id = randomUUID();
  const cellId = `vscode-notebook-cell:/home/ada/a.ipynb#W${number}sZmlsZQ%3D%3D`;
  const content = {
    code,
    silent: false,
    stop_on_error: false,
    allow_stdin: true,
    store_history: true,
    user_expressions: {},
  };
  const metadata = { cellId, deletedCells: [], recordTiming: true };
  await client.sendRaw("shell", client.frames("execute_request", content, id, metadata));
  return { id, reply: client.replyTo(id) };
}

const shown = (messages: readonly Received[]): unknown[] =>
  messages.flatMap(({ content, header }) =>
    header.msg_type === "execute_result" ? [(content.data as Content)["text/plain"]] : [],
  );

test("kernelspec in the user's folder, cells, an interrupt by message, a restart", { timeout: 60_000 }, async () => {
  expect(kernelspec).toMatchObject({
    display_name: "TypeScript (heddle)",
    language: "typescript",
    interrupt_mode: "message",
  });
  const env = { HOME: home, XDG_DATA_HOME: "" };
  const start = () => KernelProcess.start(env, { argv: kernelspec.argv });
  {
    await using kernel = await start();
    using client = await WireClient.connect(kernel);
    expect(await client.ask("shell", "kernel_info_request")).toMatchObject({
      status: "ok",
      language_info: { name: "typescript", file_extension: ".ts" },
    });
    expect(await client.ask("shell", "comm_info_request", { target_name: "jupyter.widget" })).toMatchObject({
      comms: {},
    });
    const first = await runCell(client, 'const who = "Ada";\nthrow new Error("first")', 0);
    // "Run all": the next cell is on its way before the first has failed, and runs all the same.
    const second = await runCell(client, "who.length", 1);
    expect((await first.reply).content).toMatchObject({ status: "error", evalue: "first" });
    expect((await second.reply).content).toMatchObject({ status: "ok" });
    expect(shown(await client.published(second.id))).toEqual(["3"]);
    const endless = await runCell(client, 'console.log("begun"); for (;;);', 2);
    await client.next(({ content, parent }) => parent.msg_id === endless.id && content.text === "begun\n");
    expect(await client.ask("control", "interrupt_request")).toEqual({ status: "ok" });
    expect((await endless.reply).content).toMatchObject({ status: "error", ename: "KeyboardInterrupt" });
    const after = await runCell(client, "who", 3);
    expect((await after.reply).content.status).toBe("ok");
    expect(shown(await client.published(after.id))).toEqual(["'Ada'"]);
    expect(await client.ask("control", "shutdown_request", { restart: true })).toEqual({ status: "ok", restart: true });
    expect(await kernel.exited).toEqual([0, null]);
  }
  await using kernel = await start();
  using client = await WireClient.connect(kernel);
  const forgotten = await runCell(client, "typeof globalThis.who", 0);
  expect((await forgotten.reply).content.status).toBe("ok");
  expect(shown(await client.published(forgotten.id))).toEqual(["'undefined'"]);
  expect(kernel.stderr).toBe("");
});
