/** What the line commands of cells do; `kernel/language/line-commands.ts` writes the calls. */
import { type SpawnOptions, spawn } from "node:child_process";
import { inspect } from "node:util";
import { interruptible } from "./interrupted-awaits.ts";
import { endGroup } from "./process-group.ts";
import { wallTime } from "./wall-time.ts";

/** A process group that a command runs in has begun, or ended. */
export type NoteGroup = (leader: number, isRunning: boolean) => void;

type WhoEntry = [name: string, kind: string, value: (() => unknown) | undefined];

const longestValue = 60;

/** The commands; `noteGroup` hears of what has to be ended when this process is ended from outside. */
export const createCommands = (noteGroup: NoteGroup) => ({
  async shell(command: string): Promise<void> {
    const end = await run(command, [], { shell: true }, noteGroup);
    if (end !== "code 0") process.stderr.write(`heddle: the command ended with ${end}\n`);
  },

  async install(text: string): Promise<void> {
    const words = ["install", "--no-fund", "--no-audit", ...text.split(/\s+/)];
    const end = await run("npm", words, { shell: process.platform === "win32" }, noteGroup);
    if (end !== "code 0") throw new Error(`npm install ${text} ended with ${end}`);
  },

  help(lines: string[]): void {
    process.stdout.write(`${lines.join("\n")}\n`);
  },

  who(entries: WhoEntry[]): void {
    if (entries.length === 0) process.stdout.write("No cell has declared a name.\n");
    const rows = entries.map(([name, kind, value]) => [name, kind, value === undefined ? "" : preview(value)] as const);
    const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column as 0 | 1].length)));
    for (const [name, kind, value] of rows)
      process.stdout.write(`${`${name.padEnd(widths[0] ?? 0)}  ${kind.padEnd(widths[1] ?? 0)}  ${value}`.trimEnd()}\n`);
  },

  startTime(): void {
    begun = performance.now();
  },

  stopTime<T>(value: T): T | Promise<unknown> {
    const since = begun;
    const isThenable = typeof (value as { then?: unknown } | null | undefined)?.then === "function";
    if (isThenable) return Promise.resolve(value).finally(() => tellTime(since));
    tellTime(since);
    return value;
  },
});

let begun = 0;

function tellTime(since: number): void {
  process.stdout.write(wallTime(performance.now() - since));
}

function preview(value: () => unknown): string {
  try {
    const text = inspect(value(), { depth: 0, breakLength: Number.POSITIVE_INFINITY, maxArrayLength: 8 });
    const line = text.replaceAll(/\s+/g, " ");
    return line.length > longestValue ? `${line.slice(0, longestValue)}…` : line;
  } catch {
    return "(not assigned yet)";
  }
}

/** Runs a program to its end and says how it ended; what it prints is the cell's. An interrupt ends it. */
async function run(command: string, words: string[], options: SpawnOptions, noteGroup: NoteGroup): Promise<string> {
  // A group of its own, since a shell does not take what it has started along. To end it must take no time: an
  // interrupt soon cuts what the cell still does.
  const child = spawn(command, words, {
    ...options,
    detached: process.platform !== "win32",
    stdio: ["ignore", "pipe", "pipe"],
  });
  const end = (signal: NodeJS.Signals): void => {
    if (child.pid !== undefined) endGroup(child.pid, signal);
  };
  const endWithSession = (): void => end("SIGKILL");
  const note = (isRunning: boolean): void => {
    if (child.pid !== undefined) noteGroup(child.pid, isRunning);
  };
  note(true);
  process.once("exit", endWithSession);
  child.stdout?.on("data", (bytes: Buffer) => process.stdout.write(bytes));
  child.stderr?.on("data", (bytes: Buffer) => process.stderr.write(bytes));
  const ended = new Promise<string>((resolve, reject) => {
    child.once("close", (code, signal) => resolve(signal === null ? `code ${code}` : `signal ${signal}`));
    child.once("error", (error: NodeJS.ErrnoException) =>
      reject(error.code === "ENOENT" ? new Error(`${command} is not installed, or not in PATH`) : error),
    );
  });
  void ended
    .catch(() => {})
    .then(() => {
      process.off("exit", endWithSession);
      note(false);
    });
  try {
    return await interruptible(ended);
  } catch (error) {
    end("SIGTERM");
    throw error;
  }
}
