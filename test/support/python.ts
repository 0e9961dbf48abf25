/** The Python side of the tests: a private virtual environment from `test/python/requirements.txt`, and programs run in it. */
import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

export const projectFolder = fileURLToPath(new URL("../../", import.meta.url));

/** True on a machine that must have everything: there a missing tool fails the tests that need it instead of skipping them. */
export const strict = Boolean(process.env.CI);

/** Why Python tests cannot run here; undefined where they can. */
export const pythonMissing = reasonAgainstPython();

function reasonAgainstPython(): string | undefined {
  try {
    execFileSync("python3", ["-c", "import sys, venv, ensurepip, fcntl; assert sys.version_info >= (3, 11)"], {
      stdio: "pipe",
    });
    return undefined;
  } catch (error) {
    return `no usable Python: the real-client tests need python3 (3.11 or later) with venv (${(error as Error).message.split("\n").at(-2) ?? error})`;
  }
}

/** The path of the environment's Python. Makes the environment when it is not there yet, which takes up to a minute. */
export async function pythonEnvironment(): Promise<string> {
  if (pythonMissing) throw new Error(pythonMissing);
  const { stdout } = await promisify(execFile)("python3", [pythonProgram("make_environment.py")]);
  return stdout.trim();
}

/** The path of a program in `test/python/`. */
export function pythonProgram(name: string): string {
  return join(projectFolder, "test/python", name);
}

export interface PythonRun {
  status: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** Runs the environment's Python to its end. Rejects only when it cannot be started; past `timeout` (ms) it is ended with SIGTERM. */
export async function runPython(
  args: readonly string[],
  options: { env?: NodeJS.ProcessEnv; cwd?: string; timeout?: number } = {},
): Promise<PythonRun> {
  const child = spawn(await pythonEnvironment(), args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: options.timeout ?? 120_000,
  });
  return collect(child);
}

async function collect(child: ChildProcess): Promise<PythonRun> {
  let stdout = "";
  let stderr = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (status, signal) => resolve({ status, signal, stdout, stderr }));
  });
}
