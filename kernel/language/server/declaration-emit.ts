/**
 * Types of committed cells, written out. The compiler infers the type of a name anew for every program: in a chain of
 * cells, each using a name of the one before, that grows with the chain. So the cells of a long chain are replaced by
 * their declarations, which the compiler writes in a process of its own, beside what the user does.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import type { Workspace } from "./workspace.ts";

const CONFIG = "tsconfig.emit.json";
const TIMEOUT_MS = 30_000;
/** A type that is longer written out than this is left to be inferred. */
const MAX_DECLARATION_CHARS = 20_000;

export class DeclarationEmit {
  readonly #compiler: string;
  readonly #workspace: Workspace;
  #process: ChildProcess | undefined;

  constructor(compiler: string, workspace: Workspace) {
    this.#compiler = compiler;
    this.#workspace = workspace;
  }

  get running(): boolean {
    return this.#process !== undefined;
  }

  /**
   * The declarations of some documents; a document whose types cannot be written out is missing from the answer. `open`
   * has the texts of those that are not on disk. Never rejects. One call at a time.
   */
  async emit(documents: readonly string[], open: ReadonlyMap<string, string>): Promise<Map<string, string>> {
    try {
      for (const [document, text] of open) this.#workspace.write(document, text);
      this.#workspace.writeEmitConfig(CONFIG, documents);
      const failed = await this.#run();
      const found = documents.flatMap((document): [string, string][] => {
        const text = failed.has(document) ? undefined : readText(this.#workspace.emitted(document));
        return text === undefined || text.length > MAX_DECLARATION_CHARS ? [] : [[document, text]];
      });
      return new Map(found);
    } catch {
      // A full disk, a folder that is gone: the types go on being inferred.
      return new Map();
    }
  }

  /** Ends what runs. */
  close(): void {
    this.#process?.kill("SIGKILL");
  }

  /** Runs the compiler; resolves with the documents it reports an error in. */
  async #run(): Promise<Set<string>> {
    const child = spawn(this.#compiler, ["--project", CONFIG, "--pretty", "false"], {
      cwd: this.#workspace.folder,
      stdio: ["ignore", "pipe", "ignore"],
      timeout: TIMEOUT_MS,
      killSignal: "SIGKILL",
    });
    this.#process = child;
    try {
      let output = "";
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        output += text;
      });
      await once(child, "close");
      if (child.signalCode !== null) throw new Error(`the compiler ended by ${child.signalCode}`);
      return new Set([...output.matchAll(/^([^\s(]+)\(\d+,\d+\): error /gm)].map(([, path = ""]) => basename(path)));
    } finally {
      this.#process = undefined;
    }
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
