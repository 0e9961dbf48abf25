/** Plain programs in processes of their own, as a user without a notebook writes them. */
import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const packageEntry = new URL("../../dist/runtime/index.js", import.meta.url).href;

export interface ProgramResult {
  /** Exit code; null when it was killed because it did not end in time. */
  code: number | null;
  stdout: string;
  stderr: string;
  /** From its start to its exit. */
  ms: number;
}

/** Runs a program until it exits by itself; one that does not within `limitMs` is killed. `within` is a command that runs the rest of its line. */
export async function runProgram(
  source: string,
  nodeFlags: string[] = [],
  limitMs = 20_000,
  within: readonly string[] = [],
): Promise<ProgramResult> {
  const folder = await mkdtemp(join(tmpdir(), "heddle-program-"));
  try {
    const file = join(folder, "main.mjs");
    await writeFile(file, source.replaceAll('from "heddle"', `from ${JSON.stringify(packageEntry)}`));
    return await runFile(file, nodeFlags, limitMs, [], within);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Runs a file likewise. */
export function runFile(
  file: string,
  nodeFlags: string[],
  limitMs: number,
  args: readonly string[] = [],
  within: readonly string[] = [],
): Promise<ProgramResult> {
  const start = performance.now();
  const [command = "", ...line] = [...within, process.execPath, ...nodeFlags, file, ...args];
  const child = spawn(command, line, { stdio: ["ignore", "pipe", "pipe"] });
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const limit = setTimeout(() => child.kill("SIGKILL"), limitMs);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => {
      clearTimeout(limit);
      resolve({ code, stdout, stderr, ms: performance.now() - start });
    });
  });
}
