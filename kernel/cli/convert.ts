/** heddle convert: a notebook as a page, as a script or as Markdown; a script as a notebook. */
import { existsSync } from "node:fs";
import { extname } from "node:path";
import { NotebookError, readNotebook, readText } from "../headless/notebook.ts";
import { checkWritable, writeWhole } from "../headless/whole-file.ts";
import { EXIT_OK, parseCommand, UsageError } from "./usage.ts";

const help = `heddle convert FILE… --to html|ts|md|ipynb [--output F]

Writes a notebook in another form, beside it or to F; nothing is run.
  --to html     a page that needs nothing else, with the outputs and the interactive charts
  --to ts       a script: a line "// %%" before each cell, texts and line commands as comments (also: script)
  --to md       Markdown, with the outputs as text (also: markdown)
  --to ipynb    FILE is such a script: the notebook of it
  --output F    where to write; without it a file that is there already is left alone`;

const forms: Record<string, { extension: string; convert(path: string): Promise<string> }> = {
  html: {
    extension: ".html",
    async convert(path) {
      const { renderPage } = await import("../headless/page.ts");
      return renderPage(path, (await readNotebook(path)).notebook);
    },
  },
  ts: {
    extension: ".ts",
    async convert(path) {
      const { scriptOf } = await import("../headless/script.ts");
      return scriptOf((await readNotebook(path)).notebook);
    },
  },
  md: {
    extension: ".md",
    async convert(path) {
      const { markdownOf } = await import("../headless/markdown-text.ts");
      return markdownOf((await readNotebook(path)).notebook);
    },
  },
  ipynb: { extension: ".ipynb", convert: convertScript },
};

/** Names that nbconvert uses. */
const otherNames: Record<string, string> = { script: "ts", markdown: "md", notebook: "ipynb" };

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
  if (positionals.length === 0) throw new UsageError("heddle convert: expected a file; see heddle convert --help");
  if (values.output !== undefined && positionals.length > 1)
    throw new UsageError("heddle convert: --output takes one file");
  const asked = values.to ?? "";
  const name = Object.hasOwn(otherNames, asked) ? otherNames[asked]! : asked;
  const form = Object.hasOwn(forms, name) ? forms[name] : undefined;
  if (form === undefined)
    throw new UsageError(`heddle convert: --to must be html, ts, md or ipynb, not ${JSON.stringify(asked)}`);
  try {
    for (const path of positionals) {
      const text = await form.convert(path);
      const output = values.output ?? targetBeside(path, form.extension);
      await checkWritable("output", output);
      await writeWhole(output, text);
      console.log(`Wrote ${output}`);
    }
    return EXIT_OK;
  } catch (error) {
    if (error instanceof NotebookError) throw new UsageError(`heddle convert: ${error.message}`);
    throw error;
  }
}

/** The file beside the given one; never one that is there, for it may hold somebody's work. */
function targetBeside(path: string, extension: string): string {
  const target = `${path.slice(0, path.length - extname(path).length)}${extension}`;
  if (existsSync(target)) throw new NotebookError(`${target} is there already; name it with --output to replace it`);
  return target;
}

async function convertScript(path: string): Promise<string> {
  if (!/\.[cm]?[jt]sx?$/.test(path))
    throw new NotebookError(`${path}: --to ipynb expects a script, such as --to ts writes; it ends in .ts or .js`);
  const script = await readText(path);
  const [{ notebookOf }, { formatNotebook }] = await Promise.all([
    import("../headless/script.ts"),
    import("../headless/notebook-format.ts"),
  ]);
  return formatNotebook(notebookOf(script));
}
