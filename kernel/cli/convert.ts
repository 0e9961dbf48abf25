/** heddle convert: a notebook as a script. */
import { extname } from "node:path";
import { NotebookError, readNotebook, sourceOf, writeWhole } from "../headless/notebook.ts";
import { EXIT_OK, parseCommand, UsageError } from "./usage.ts";

const help = `heddle convert NOTEBOOK --to ts [--output F]

Writes the notebook's code cells as a TypeScript file, its text as comments.`;

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
    const parts = notebook.cells
      .filter((cell) => cell.cell_type !== "raw")
      .map((cell) => (cell.cell_type === "code" ? sourceOf(cell) : commentOf(sourceOf(cell))));
    const output = values.output ?? `${path.slice(0, path.length - extname(path).length)}.ts`;
    await writeWhole(output, `${parts.join("\n\n")}\n`);
    console.log(`Wrote ${output}`);
    return EXIT_OK;
  } catch (error) {
    if (error instanceof NotebookError) throw new UsageError(`heddle convert: ${error.message}`);
    throw error;
  }
}

const commentOf = (text: string): string =>
  text
    .split("\n")
    .map((line) => `// ${line}`.trimEnd())
    .join("\n");
