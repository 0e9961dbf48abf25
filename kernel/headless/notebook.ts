/** The notebook file, nbformat 4: what it holds, and reading it with clear refusals. */
import { readFile } from "node:fs/promises";

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
  /** Pictures of a Markdown cell: name → MIME type → base64. */
  attachments?: Record<string, Record<string, unknown>>;
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

/** What heddle says of its kernel where a notebook says nothing. */
export const heddleKernelspec = { display_name: "TypeScript (heddle)", language: "typescript", name: "heddle" };

/** The file is not a notebook that heddle can run; the message is one line for the user. */
export class NotebookError extends Error {}

/** A notebook and the file it came from. */
export interface NotebookFile {
  path: string;
  notebook: Notebook;
  /** The line in which a cell begins, from 1; undefined where the file does not tell. */
  lineOf(cell: Cell): number | undefined;
}

/** Reads a file. Throws `NotebookError`. */
export async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new NotebookError(code === "ENOENT" ? `${path}: no such file` : `${path}: cannot be read: ${message}`);
  }
}

/** Reads a notebook. Throws `NotebookError`. */
export async function readNotebook(path: string): Promise<NotebookFile> {
  const text = await readText(path);
  let content: unknown;
  try {
    content = JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch (error) {
    throw new NotebookError(`${path}: not a notebook: ${(error as Error).message}`);
  }
  checkNotebook(path, content);
  return { path, notebook: content, lineOf: (cell) => lineOf(text, cell) };
}

function lineOf(text: string, { id }: Cell): number | undefined {
  const line = text.split("\n").findIndex((one) => one.includes(`"id": ${JSON.stringify(id)}`));
  return line < 0 ? undefined : line + 1;
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
  const language = languageOf(notebook.metadata);
  if (language !== undefined && !/^(typescript|javascript|deno)$/i.test(language)) {
    throw new NotebookError(`${path}: the notebook is written in ${language}; heddle runs TypeScript and JavaScript`);
  }
  for (const [index, cell] of notebook.cells.entries()) checkCell(`${path}: not a notebook: cell ${index + 1}`, cell);
}

/** Notebooks need not say their language; the names of the commonest other kernels do. */
function languageOf({ kernelspec, language_info }: Notebook["metadata"]): string | undefined {
  const { language = language_info?.name as string | undefined, name } = kernelspec ?? {};
  return language ?? /^(python|julia|ir\b|rust|bash|octave|ruby)/i.exec(name ?? "")?.[0].toLowerCase();
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

/** A text of the file, which may be stored as a list of lines; "" for what is no text. */
export function joined(text: unknown): string {
  return Array.isArray(text) ? text.join("") : typeof text === "string" ? text : "";
}

/** A cell's source as one text. */
export function sourceOf(cell: Cell): string {
  return joined(cell.source);
}

/** Whether the cell has one of these tags. */
export function hasTag(cell: Cell, ...tags: readonly string[]): boolean {
  return cell.metadata.tags?.some((tag) => tags.includes(tag)) ?? false;
}

/** Whether there is anything in the cell to run. */
export function isRunnable(cell: Cell): boolean {
  return cell.cell_type === "code" && sourceOf(cell).trim() !== "";
}
