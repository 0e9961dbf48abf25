/**
 * A notebook as a TypeScript file and back, in the "percent" form that editors and Jupytext know: a line `// %%` before
 * each cell, texts as comments.
 */
import { type DeclarationKind, declaredNames } from "../language/declarations.ts";
import { commentCommands } from "../language/line-commands.ts";
import { CellSyntaxError, parseText } from "../language/parse.ts";
import { type Cell, heddleKernelspec, type Notebook, sourceOf } from "./notebook.ts";

/** The notebook as a script: code as it is, but its line commands are comments. */
export function scriptOf({ cells }: Notebook): string {
  const names = new Map<string, DeclarationKind>();
  const parts = cells.map((cell) => {
    const body = cell.cell_type === "code" ? codeOf(sourceOf(cell), names) : commented(sourceOf(cell));
    return `${markOf(cell)}\n${body}`.trimEnd();
  });
  return `${parts.join("\n\n")}\n`;
}

function markOf({ cell_type, metadata: { tags = [] } }: Cell): string {
  const kind = cell_type === "code" ? "" : ` [${cell_type}]`;
  return `// %%${kind}${tags.length === 0 ? "" : ` tags=${JSON.stringify(tags)}`}`;
}

/** The code of a cell, with its commands as comments; `names` gets what it declares. */
function codeOf(source: string, names: Map<string, DeclarationKind>): string {
  let code = source;
  try {
    code = commentCommands(source, names);
  } catch (error) {
    // Wrong commands stay as they are, as wrong TypeScript does.
    if (!(error instanceof CellSyntaxError)) throw error;
  }
  for (const [name, kind] of declaredNames(parseText(code).program)) names.set(name, kind);
  return code;
}

function commented(text: string): string {
  return text
    .split("\n")
    .map((line) => `// ${line}`.trimEnd())
    .join("\n");
}

/** A script as a notebook without outputs. One without `// %%` is a single cell. */
export function notebookOf(script: string): Notebook {
  // The whole mark is no piece, what it says of its cell is.
  const [before = "", ...rest] = script.replaceAll("\r\n", "\n").split(/^\/\/ ?%%(.*)\n?/m);
  const cells = before.trim() === "" ? [] : [cellOf("", before)];
  for (let at = 0; at < rest.length; at += 2) cells.push(cellOf(rest[at]!, rest[at + 1]!));
  return { cells, metadata: { kernelspec: { ...heddleKernelspec } }, nbformat: 4, nbformat_minor: 5 };
}

function cellOf(mark: string, body: string): Cell {
  const kind = /\[(markdown|md|raw)\]/.exec(mark)?.[1];
  const tags = tagsOf(mark);
  const metadata = tags.length === 0 ? {} : { tags };
  const text = body.replace(/^\n+/, "").trimEnd();
  if (kind === undefined)
    return { cell_type: "code", metadata, source: uncommented(text), outputs: [], execution_count: null };
  const source = text.replaceAll(/^\/\/ ?/gm, "");
  return { cell_type: kind === "raw" ? "raw" : "markdown", metadata, source };
}

function tagsOf(mark: string): string[] {
  const found = /\btags=(\[.*?\])/.exec(mark)?.[1];
  try {
    const tags = JSON.parse(found ?? "[]") as unknown[];
    return tags.filter((tag) => typeof tag === "string");
  } catch {
    return [];
  }
}

/** Line commands as they were before they became comments. */
function uncommented(code: string): string {
  return code.replaceAll(/^\/\/ ([%!]\S)/gm, "$1").replaceAll(/^\/\* (%%?\w+) \*\//gm, "$1");
}
