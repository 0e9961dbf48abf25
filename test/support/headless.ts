/** `heddle run` and its fellows on notebooks in a folder of the test's own. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { heddleProgram } from "./python-jupyter.ts";

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

  /** Writes a notebook with these cells, code as texts; a cell may have tags. */
  notebook(name: string, cells: readonly (string | { source: string; tags?: string[]; markdown?: boolean })[]): string {
    const stored = cells.map((cell, index) => {
      const { markdown = false, source, tags = [] } = typeof cell === "string" ? { source: cell } : cell;
      const id = `c${index}`;
      return markdown
        ? { cell_type: "markdown", id, metadata: {}, source }
        : { cell_type: "code", execution_count: null, id, metadata: { tags }, outputs: [], source };
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

  /** Starts `heddle` with these arguments in the folder; `env` adds to the environment; with `group` it leads a process group. */
  start(args: readonly string[], env: NodeJS.ProcessEnv = {}, { group = false, folder = "." } = {}): Started {
    const child = spawn(process.execPath, [heddleProgram, ...args], {
      cwd: join(this.folder, folder),
      detached: group,
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
