/** The kernel's process from start to end: whoever ends it, nothing of it is left. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { KernelProcess, WireClient } from "../support/wire-client.ts";

const onLinux = process.platform === "linux";
const program = fileURLToPath(new URL("../../dist/kernel/cli/main.js", import.meta.url));

/** The processes that a process has started, and theirs. */
function descendants(pid: number): number[] {
  const parents = readdirSync("/proc").flatMap((name) => {
    try {
      const [, parent] = /\) \S (\d+)/.exec(readFileSync(`/proc/${name}/stat`, "utf8"))!;
      return [[Number(name), Number(parent)] as const];
    } catch {
      return [];
    }
  });
  const own = parents.filter(([, parent]) => parent === pid).map(([child]) => child);
  return [...own, ...own.flatMap(descendants)];
}

/** Resolves when none of the processes is left; the test's own time limit bounds it. */
async function gone(pids: readonly number[]): Promise<void> {
  while (pids.some((pid) => existsSync(`/proc/${pid}`) && !isZombie(pid))) {
    // No event tells of the end of somebody else's process.
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function isZombie(pid: number): boolean {
  try {
    return /\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return true;
  }
}

test.each([false, true])("shutdown with restart %s: both replies, exit code 0, no process left", async (restart) => {
  await using kernel = await KernelProcess.start();
  using client = await WireClient.connect(kernel);
  const { reply } = await client.run(
    "import { get, remote } from 'heddle';\nawait get(remote(function one() { return 1; }).remote());\n" +
      "import { spawn } from 'node:child_process';\nspawn('sleep', ['600']).pid",
  );
  expect(reply).toMatchObject({ status: "ok" });
  const children = onLinux ? descendants(kernel.process.pid!) : [];
  const id = await client.send("control", "shutdown_request", { restart });
  expect((await client.replyTo(id)).content).toEqual({ status: "ok", restart });
  expect((await client.published(id)).map(({ content, header }) => [header.msg_type, content.restart])).toContainEqual([
    "shutdown_reply",
    restart,
  ]);
  expect(await kernel.exited).toEqual([0, null]);
  if (onLinux) expect(children.length).toBeGreaterThanOrEqual(3);
  await gone(children);
});

test.runIf(onLinux)("a kernel that is killed takes its session and its language server along", async () => {
  await using kernel = await KernelProcess.start();
  using client = await WireClient.connect(kernel);
  await client.run("1 + 1");
  const running = client.send("shell", "execute_request", { code: "console.log('busy'); while (true);" });
  await client.next(({ content }) => content.text === "busy\n");
  await running;
  const children = descendants(kernel.process.pid!);
  expect(children.length).toBeGreaterThanOrEqual(2);
  kernel.process.kill("SIGKILL");
  await kernel.exited;
  await gone(children);
});

test("the kernel ends when the process that Jupyter names as its parent has ended", async () => {
  const parent = spawn(process.execPath, ["-e", "process.stdin.resume()"], { stdio: ["pipe", "ignore", "ignore"] });
  await once(parent, "spawn");
  await using kernel = await KernelProcess.start({ JPY_PARENT_PID: String(parent.pid) });
  using client = await WireClient.connect(kernel);
  expect((await client.run("1")).reply.status).toBe("ok");
  parent.stdin.end();
  expect(await kernel.exited).toEqual([0, null]);
});

test.runIf(onLinux)("the kernel ends when the process that started it is killed", async () => {
  await using kernel = await KernelProcess.start({ JPY_PARENT_PID: "" }, { starter: true });
  using client = await WireClient.connect(kernel);
  expect((await client.run("1")).reply.status).toBe("ok");
  const children = descendants(kernel.process.pid!);
  expect(children.length).toBeGreaterThanOrEqual(3);
  kernel.process.kill("SIGKILL");
  await gone(children);
});

test("SIGTERM ends it in order, SIGINT does not disturb it", async () => {
  await using kernel = await KernelProcess.start();
  using client = await WireClient.connect(kernel);
  kernel.process.kill("SIGINT");
  expect((await client.run("1")).reply.status).toBe("ok");
  kernel.process.kill("SIGTERM");
  expect(await kernel.exited).toEqual([0, null]);
});

test("only the user can read the connection file and the history", async () => {
  await using kernel = await KernelProcess.start();
  using client = await WireClient.connect(kernel);
  await client.run("1");
  expect(statSync(join(kernel.folder, "connection.json")).mode & 0o777).toBe(0o600);
  const history = readdirSync(kernel.folder, { recursive: true, encoding: "utf8" }).find((name) =>
    name.endsWith("history.jsonl"),
  );
  expect(statSync(join(kernel.folder, history!)).mode & 0o777).toBe(0o600);
});

test.each([
  ["no file", undefined, /connection file .*connection\.json: ENOENT/],
  ["not JSON", "{", /connection file .*connection\.json: .*JSON/],
  ["a port is missing", '{"shell_port": 1}', /control_port must be a whole number, not undefined/],
  ["a transport nobody knows", '{"transport": "smoke"}', /transport "smoke" is not supported/],
])("a connection file that cannot be used, %s: one clear line and exit code 1", async (_, content, complaint) => {
  const folder = mkdtempSync(join(tmpdir(), "heddle-connection-"));
  const file = join(folder, "connection.json");
  if (content !== undefined) writeFileSync(file, content);
  const child = spawn(process.execPath, [program, "kernel", "--connection-file", file], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  expect(await once(child, "close")).toEqual([1, null]);
  expect(stderr).toMatch(complaint);
  expect(stderr.trimEnd().split("\n")).toHaveLength(1);
  rmSync(folder, { recursive: true });
});
