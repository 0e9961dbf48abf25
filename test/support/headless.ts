/** `heddle run` and its fellows on notebooks in a folder of the test's own. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("../../dist/kernel/cli/main.js", import.meta.url));

export interface StoredCell {
  cell_type: string;
  source: string | string[];
  metadata: Record<string, unknown>;
  execution_count: number | null;
  outputs: { output_type: string; [field: string]: unknown }[];
}

export interface StoredNotebook {
  nbformat: number;
  metadata: Record<string, unknown>;
  cells: StoredCell[];
}

export interface Finished {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface Started {
  child: ChildProcess;
  finished: Promise<Finished>;
  /** Resolves when it has printed `text`. */
  printed(text: string): Promise<void>;
}

export class Workshop {
  readonly folder: string = mkdtempSync(join(tmpdir(), "heddle-headless-"));

  /** Writes a notebook with these code cells; a cell may have tags. */
  notebook(name: string, cells: readonly (string | { source: string; tags: string[] })[]): string {
    const stored = cells.map((cell, index) => {
      const { source, tags } = typeof cell === "string" ? { source: cell, tags: [] } : cell;
      return { cell_type: "code", execution_count: null, id: `c${index}`, metadata: { tags }, outputs: [], source };
    });
    const kernelspec = { name: "heddle", display_name: "TypeScript (heddle)", language: "typescript" };
    return this.write(
      name,
      JSON.stringify({ cells: stored, metadata: { kernelspec }, nbformat: 4, nbformat_minor: 5 }),
    );
  }

  write(name: string, text: string): string {
    writeFileSync(join(this.folder, name), text);
    return name;
  }

  read(name: string): string {
    return readFileSync(join(this.folder, name), "utf8");
  }

  readNotebook(name: string): StoredNotebook {
    return JSON.parse(this.read(name)) as StoredNotebook;
  }

  /** Starts `heddle` with these arguments in the folder; `env` adds to the environment. */
  start(args: readonly string[], env: NodeJS.ProcessEnv = {}): Started {
    const child = spawn(process.execPath, [program, ...args], {
      cwd: this.folder,
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    const finished = once(child, "close").then(([code]) => ({ code: code as number | null, stdout, stderr }));
    const printed = async (text: string): Promise<void> => {
      while (!stdout.includes(text)) await once(child.stdout, "data");
    };
    return { child, finished, printed };
  }

  /** Runs `heddle` with these arguments to its end. */
  heddle(...args: string[]): Promise<Finished> {
    return this.start(args).finished;
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 3 });
  }
}
