import { readFileSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { mappedUrl } from "./path-mappings.ts";
import { probeExtensions } from "./typescript-modules.ts";

interface LocalFile {
  stamp: string;
  /** 0 until the file has been edited, then a number that no edit before had. */
  edit: number;
  imports: readonly string[];
}

const specifier = /\b(?:from|import|require)\s*\(?\s*["']([^"'\n]+)["']/g;
/** More files than this are not followed. */
const most = 1_000;

/**
 * The user's files that cells import, and the files that those import. Node loads a file once; one that was edited, or that
 * imports one that was, has a URL of its own from then on.
 */
export class LocalFiles {
  readonly #folder: string;
  readonly #files = new Map<string, LocalFile>();
  #edits = 0;

  /** `folder`: whose `tsconfig.json` says what specifiers mean. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Looks at a file and at all that it imports, as they are now: URL → which edit it has, 0 for none. */
  look(url: string): Map<string, number> {
    const reached = this.#reach(url, (file) => this.#read(file)?.imports);
    return new Map([...reached].map((file) => [file, this.#editOf(file)]));
  }

  /** The last edit in a file or in what it imports. */
  #editOf(url: string): number {
    const reached = this.#reach(url, (file) => this.#files.get(file)?.imports);
    return Math.max(0, ...[...reached].map((file) => this.#files.get(file)?.edit ?? 0));
  }

  #reach(url: string, importsOf: (file: string) => readonly string[] | undefined): Set<string> {
    const reached = new Set([url]);
    for (const file of reached) {
      for (const imported of importsOf(file) ?? []) if (reached.size < most) reached.add(imported);
    }
    return reached;
  }

  #read(url: string): LocalFile | undefined {
    const path = fileURLToPath(url);
    const entry = statSync(path, { throwIfNoEntry: false });
    if (entry === undefined) return undefined;
    const stamp = `${entry.mtimeMs}:${entry.size}:${entry.ino}`;
    const known = this.#files.get(url);
    if (known?.stamp === stamp) return known;
    const edit = known === undefined ? 0 : ++this.#edits;
    const file = { stamp, edit, imports: /\.[cm]?[jt]sx?$/.test(path) ? this.#importsIn(path, url) : [] };
    this.#files.set(url, file);
    return file;
  }

  #importsIn(path: string, url: string): string[] {
    const names = [...readFileSync(path, "utf8").matchAll(specifier)].map(([, name = ""]) => name);
    return names.flatMap((name) => {
      const target = resolveLocal(name, url, this.#folder);
      return target === undefined || !isLocal(target) ? [] : [target];
    });
  }
}

/** The file that a specifier means in a file of the user's, where it is a path or `tsconfig.json` maps it to one. */
export function resolveLocal(name: string, parent: string, folder: string): string | undefined {
  return /^(\.{1,2}(\/|$)|\/|file:)/.test(name) ? probeExtensions(new URL(name, parent)) : mappedUrl(name, folder);
}

/** Whether a URL is that of a file which the user may edit. */
export function isLocal(url: string): boolean {
  return url.startsWith("file:") && !url.includes("/node_modules/");
}

/** The URL of a file that has this edit. */
export function editedUrl(url: string, edit: number | undefined): string {
  return edit === undefined || edit === 0 ? url : `${url}?edited=${edit}`;
}
