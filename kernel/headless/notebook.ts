/** The notebook file: reading with clear refusals, writing whole or not at all. Format: nbformat 4. */
import { randomUUID } from "node:crypto";
import { chmod, readFile, realpath, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

export type Output =
  | { output_type: "stream"; name: "stdout" | "stderr"; text: string | string[] }
  | { output_type: "display_data"; data: Record<string, unknown>; metadata: Record<string, unknown> }
  | {
      output_type: "execute_result";
      execution_count: number;
      data: Record<string, unknown>;
      metadata: Record<string, unknown>;
    }
  | { output_type: "error"; ename: string; evalue: string; traceback: string[] };

export interface Cell {
  id?: string;
  cell_type: "code" | "markdown" | "raw";
  source: string | string[];
  metadata: { tags?: string[]; [key: string]: unknown };
  outputs?: Output[];
  execution_count?: number | null;
}

export interface Notebook {
  nbformat: number;
  nbformat_minor: number;
  metadata: {
    kernelspec?: { name?: string; display_name?: string; language?: string };
    language_info?: Record<string, unknown>;
    [key: string]: unknown;
  };
  cells: Cell[];
}

/** The file is not a notebook that heddle can run; the message is one line for the user. */
export class NotebookError extends Error {}

/** Reads a notebook. Throws `NotebookError`. */
export async function readNotebook(path: string): Promise<Notebook> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new NotebookError(code === "ENOENT" ? `${path}: no such file` : `${path}: cannot be read: ${message}`);
  }
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (error) {
    throw new NotebookError(`${path}: not a notebook: ${(error as Error).message}`);
  }
  checkNotebook(path, content);
  return content;
}

function checkNotebook(path: string, content: unknown): asserts content is Notebook {
  const notebook = content as Partial<Notebook> | null;
  if (typeof notebook !== "object" || notebook === null || typeof notebook.nbformat !== "number") {
    throw new NotebookError(`${path}: not a notebook: it has no nbformat`);
  }
  if (notebook.nbformat !== 4) {
    throw new NotebookError(
      `${path}: nbformat ${notebook.nbformat} is not supported, only 4; convert it with jupyter nbconvert --to notebook --nbformat 4`,
    );
  }
  if (!Array.isArray(notebook.cells)) throw new NotebookError(`${path}: not a notebook: it has no cells`);
  notebook.metadata ??= {};
  const language =
    notebook.metadata.kernelspec?.language ?? (notebook.metadata.language_info?.name as string | undefined);
  if (language !== undefined && !/^(typescript|javascript|deno)$/i.test(language)) {
    throw new NotebookError(`${path}: the notebook is written in ${language}; heddle runs TypeScript and JavaScript`);
  }
  for (const [index, cell] of notebook.cells.entries()) checkCell(`${path}: not a notebook: cell ${index + 1}`, cell);
}

function checkCell(where: string, cell: Partial<Cell> | null): void {
  if (typeof cell !== "object" || cell === null) throw new NotebookError(`${where} is not an object`);
  const { cell_type, source } = cell;
  if (cell_type !== "code" && cell_type !== "markdown" && cell_type !== "raw")
    throw new NotebookError(`${where} is of the type ${JSON.stringify(cell_type)}, not code, markdown or raw`);
  if (typeof source !== "string" && !(Array.isArray(source) && source.every((line) => typeof line === "string")))
    throw new NotebookError(`${where} has no source`);
  cell.metadata ??= {};
}

/** A cell's source as one text. */
export function sourceOf(cell: Cell): string {
  return Array.isArray(cell.source) ? cell.source.join("") : cell.source;
}

/** Text as the format stores it: lines with their ends. */
export function splitLines(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

/**
 * Writes a file by way of a temporary one beside it, so that nobody ever sees half of it. A file that is there keeps its
 * rights, and a link to it stays one.
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

/** The notebook as Jupyter writes it: one space of indent, keys in its order, texts as lines. */
export function formatNotebook(notebook: Notebook): string {
  const cells = notebook.cells.map((cell) => formatCell(cell, notebook.nbformat_minor));
  return `${JSON.stringify({ cells, metadata: sortKeys(notebook.metadata), nbformat: 4, nbformat_minor: notebook.nbformat_minor }, null, 1)}\n`;
}

function formatCell(cell: Cell, minor: number): object {
  const { cell_type, execution_count = null, id, metadata, outputs = [] } = cell;
  const attachments = cell["attachments" as keyof Cell];
  return {
    ...(attachments === undefined ? {} : { attachments }),
    cell_type,
    ...(cell_type === "code" ? { execution_count } : {}),
    ...(minor >= 5 ? { id: id ?? randomUUID().slice(0, 8) } : {}),
    metadata,
    ...(cell_type === "code" ? { outputs: outputs.map(formatOutput) } : {}),
    source: splitLines(sourceOf(cell)),
  };
}

function formatOutput(output: Output): object {
  if (output.output_type === "stream") {
    const { name, output_type, text } = output;
    return { name, output_type, text: splitLines(Array.isArray(text) ? text.join("") : text) };
  }
  if (output.output_type === "error") return sortKeys(output);
  const data = Object.fromEntries(
    Object.entries(output.data)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([type, value]) => [type, formatData(type, value)]),
  );
  return sortKeys({ ...output, data });
}

const formatData = (type: string, value: unknown): unknown =>
  typeof value === "string" && !type.startsWith("image/") ? splitLines(value) : value;

function sortKeys<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) as T;
}
