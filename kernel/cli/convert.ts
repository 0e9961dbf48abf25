/** heddle convert: a notebook as a script. */
import { extname } from "node:path";
import { NotebookError, readNotebook, sourceOf, writeWhole } from "../headless/notebook.ts";
import { type DeclarationKind, declaredNames } from "../language/declarations.ts";
import { commentCommands } from "../language/line-commands.ts";
import { CellSyntaxError, parseText } from "../language/parse.ts";
import { EXIT_OK, parseCommand, UsageError } from "./usage.ts";

const help = `heddle convert NOTEBOOK --to ts [--output F]

Writes the notebook's code cells as a TypeScript file, its text and its line commands as comments.`;

export async function command(args: string[]): Promise<number> {
  const { values, positionals } = parseCommand("convert", args, {
    to: { type: "string" },
    output: { type: "string", short: "o" },
    help: { type: "boolean", short: "h" },
  } as const);
  if (values.help === true) {
    console.log(help);
    return EXIT_OK;
  }
  const [path] = positionals;
  if (path === undefined || positionals.length > 1)
    throw new UsageError("heddle convert: expected one notebook; see heddle convert --help");
  if (values.to !== "ts")
    throw new UsageError(`heddle convert: --to must be ts, not ${JSON.stringify(values.to ?? "")}`);
  try {
    const notebook = await readNotebook(path);
    const names = new Map<string, DeclarationKind>();
    const parts = notebook.cells
      .filter((cell) => cell.cell_type !== "raw")
      .map((cell) => (cell.cell_type === "code" ? codeOf(sourceOf(cell), names) : commentOf(sourceOf(cell))));
    const output = values.output ?? `${path.slice(0, path.length - extname(path).length)}.ts`;
    await writeWhole(output, `${parts.join("\n\n")}\n`);
    console.log(`Wrote ${output}`);
    return EXIT_OK;
  } catch (error) {
    if (error instanceof NotebookError) throw new UsageError(`heddle convert: ${error.message}`);
    throw error;
  }
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

const commentOf = (text: string): string =>
  text
    .split("\n")
    .map((line) => `// ${line}`.trimEnd())
    .join("\n");
