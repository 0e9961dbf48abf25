/** Cells as files: the path by which debugger and front end name a cell, and its source under that path. */
import { randomBytes } from "node:crypto";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, sep } from "node:path";
import { murmur2 } from "./murmur2.ts";

export class CellFiles {
  readonly hashMethod = "Murmur2";
  readonly hashSeed = 0x9747b28c;
  readonly suffix = ".ts";
  readonly #folder = join(tmpdir(), `heddle-${randomBytes(6).toString("hex")}`);
  readonly #sources = new Map<string, string>();
  #exists = false;

  /** What all paths begin with. The folder exists once a cell has been written. */
  get prefix(): string {
    return this.#folder + sep;
  }

  pathOf(source: string): string {
    return `${this.prefix}${murmur2(source, this.hashSeed)}${this.suffix}`;
  }

  /** Whether a path is one of a cell, known or not. */
  isCell(path: string): boolean {
    return path === this.prefix + basename(path);
  }

  /** Remembers a cell, so that its path leads to its source. */
  note(source: string): string {
    const path = this.pathOf(source);
    this.#sources.set(path, source);
    return path;
  }

  /** Writes a cell to a file that only this user can read; returns its path. */
  dump(source: string): string {
    const path = this.note(source);
    // Under a name nobody can guess: a folder that is there already is not ours, and an error.
    if (!this.#exists) mkdirSync(this.#folder, { mode: 0o700 });
    this.#exists = true;
    writeFileSync(path, source, { mode: 0o600 });
    return path;
  }

  sourceOf(path: string): string | undefined {
    return this.#sources.get(path);
  }

  /** Removes the folder. */
  remove(): void {
    if (this.#exists) rmSync(this.#folder, { recursive: true, force: true });
    this.#exists = false;
  }
}
