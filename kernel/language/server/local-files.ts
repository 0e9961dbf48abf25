import { readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

/** More files than this are not followed; a notebook with so many has left the notebook's scale. */
const MAX_FILES = 1_000;
const SUFFIXES = [
  "",
  ".ts",
  ".tsx",
  ".mts",
  ".cts",
  ".d.ts",
  ".js",
  ".mjs",
  ".cjs",
  ".json",
  "/index.ts",
  "/index.js",
  "/package.json",
];
const SPECIFIER = /\b(?:from|import|require)\s*\(?\s*["'](\.{1,2}\/[^"'\n]*|\.{1,2}|\/[^"'\n]*)["']/g;

export interface FileChanges {
  /** Files whose text is another than before. */
  edited: string[];
  gone: string[];
  /** Files came or went: what an import means may have changed. */
  resolution: boolean;
}

/**
 * The user's files that cells import, followed through their own imports. The language server reads a file once and then
 * waits to be told; telling it at the next question needs no watcher, and no watcher's delay.
 */
export class LocalFiles {
  readonly #folder: string;
  readonly #seen = new Map<string, string | undefined>();

  constructor(folder: string) {
    this.#folder = folder;
    this.#add(join(folder, "tsconfig.json"));
  }

  /** Follows what a cell imports. */
  follow(source: string): void {
    this.#followImports(source, this.#folder);
  }

  /** What has changed since the last call. */
  changes(): FileChanges {
    const found: FileChanges = { edited: [], gone: [], resolution: false };
    for (const [path, before] of [...this.#seen]) {
      const now = stamp(path);
      if (now === before) continue;
      this.#seen.set(path, now);
      if (before === undefined || now === undefined || path.endsWith("tsconfig.json")) found.resolution = true;
      (now === undefined ? found.gone : found.edited).push(path);
      if (now === undefined) continue;
      this.#followFile(path);
    }
    return found;
  }

  #followImports(text: string, folder: string): void {
    for (const [, specifier = ""] of text.matchAll(SPECIFIER)) {
      const target = resolve(folder, specifier);
      for (const suffix of SUFFIXES) this.#add(target + suffix);
      // `./file.js` may mean `file.ts`.
      if (/\.[cm]?jsx?$/.test(target)) this.#add(target.replace(/js(x?)$/, "ts$1"));
    }
  }

  #add(path: string): void {
    if (this.#seen.has(path) || this.#seen.size >= MAX_FILES * SUFFIXES.length) return;
    const now = stamp(path);
    this.#seen.set(path, now);
    if (now !== undefined) this.#followFile(path);
  }

  #followFile(path: string): void {
    if (!/\.[cm]?[jt]sx?$/.test(path)) return;
    try {
      this.#followImports(readFileSync(path, "utf8"), dirname(path));
    } catch {
      // Gone again between the two looks; the next look sees that.
    }
  }
}

/** Changes when a file's text does; undefined where there is no file. */
function stamp(path: string): string | undefined {
  try {
    const entry = statSync(path, { throwIfNoEntry: false, bigint: true });
    return entry?.isFile() === true ? `${entry.mtimeNs}:${entry.size}:${entry.ino}` : undefined;
  } catch {
    // A file where the path needs a folder, a folder that may not be read: no file for us.
    return undefined;
  }
}
