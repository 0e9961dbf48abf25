/** Files that are written whole or not at all. */
import { randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { access, chmod, realpath, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { NotebookError } from "./notebook.ts";

/** Throws a `NotebookError` when nothing could be written there, so that nobody waits for a run to learn it. */
export async function checkWritable(option: string, path: string): Promise<void> {
  const target = await realpath(path).catch(() => path);
  const folder = dirname(target);
  const found = await stat(target).catch(() => undefined);
  if (found?.isDirectory()) throw new NotebookError(`--${option}: ${path} is a folder, not a file`);
  const around = await stat(folder).catch(() => undefined);
  if (!around?.isDirectory()) throw new NotebookError(`--${option}: there is no folder ${folder}`);
  for (const place of found === undefined ? [folder] : [folder, target]) {
    await access(place, constants.W_OK).catch(() => {
      throw new NotebookError(`--${option}: ${place} cannot be written: permission denied`);
    });
  }
}

/**
 * Writes a file by way of a temporary one beside it, so that nobody ever sees half of it. A file that is there keeps its
 * rights, and a link to it stays one. Throws `NotebookError`.
 */
export async function writeWhole(path: string, text: string): Promise<void> {
  const target = await realpath(path).catch(() => path);
  const rights = await stat(target).catch(() => undefined);
  const draft = join(dirname(target), `.${basename(target)}.${process.pid}.${randomUUID().slice(0, 8)}.tmp`);
  try {
    await writeFile(draft, text, rights && { mode: rights.mode });
    if (rights !== undefined) await chmod(draft, rights.mode);
    await rename(draft, target);
  } catch (error) {
    await rm(draft, { force: true });
    throw new NotebookError(`${path}: cannot be written: ${(error as Error).message}`);
  }
}
