/** heddle run: notebooks headless, without Jupyter and without Python. */
import { mkdir } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { basename, join } from "node:path";
import { githubStep } from "../environment.ts";
import { runBatch } from "../headless/batch.ts";
import { annotations, summarise } from "../headless/github.ts";
import { formatJunit, type NotebookReport } from "../headless/junit.ts";
import { type Notebook, NotebookError, type NotebookFile, readNotebook } from "../headless/notebook.ts";
import { formatNotebook } from "../headless/notebook-format.ts";
import { injectParameters, parametersOf, parseParameters } from "../headless/parameters.ts";
import { Progress } from "../headless/progress.ts";
import { checkWritable, writeWhole } from "../headless/whole-file.ts";
import {
  EXIT_FAILED,
  EXIT_INTERRUPTED,
  EXIT_OK,
  EXIT_TIME,
  EXIT_USAGE,
  parseCommand,
  parseMilliseconds,
  UsageError,
} from "./usage.ts";

const help = `heddle run NOTEBOOK… [options]

Runs all code cells in order and shows what they print; writes only what is asked for.
  -p name=value       a parameter, for a variable of the cell with the tag "parameters"; the value is JSON, else
                      text (several -p are fine)
  --output F          write the notebook with its outputs to F
  --output-dir D      write each notebook with its outputs into D
  --inplace           write the outputs into the notebook itself
  --html F            write a page that needs nothing else, with the interactive charts, to F
  --junit F           write a JUnit report to F
  --cell-timeout MS   milliseconds one cell may take
  --timeout MS        milliseconds each notebook may take
  --allow-errors      go on after a cell that failed
  --check             compare with the stored outputs; times, dates, ids and pictures may differ, and what a
                      cell with the tag no-check shows
  --jobs N            notebooks side by side, default 1
  --quiet             no progress, no output of cells
A cell with the tag skip is left as it is; one with the tag raises-exception may fail. Ctrl-C and SIGTERM end the
running cell and write what was done so far.
Exit codes: 0 all cells ran, 1 a cell failed or differs, 2 wrong use, 3 a time limit, 130 interrupted.`;

const options = {
  p: { type: "string", short: "p", multiple: true },
  output: { type: "string", short: "o" },
  "output-dir": { type: "string" },
  inplace: { type: "boolean" },
  html: { type: "string" },
  junit: { type: "string" },
  "cell-timeout": { type: "string" },
  timeout: { type: "string" },
  "allow-errors": { type: "boolean" },
  check: { type: "boolean" },
  jobs: { type: "string", short: "j" },
  quiet: { type: "boolean", short: "q" },
  help: { type: "boolean", short: "h" },
} as const;

type Values = ReturnType<typeof parseCommand<typeof options>>["values"];

interface Plan {
  paths: string[];
  parameters: Map<string, unknown>;
  /** Where a notebook's outputs go; undefined for nowhere. */
  outputOf(path: string): string | undefined;
  cellTimeout: number | undefined;
  timeout: number | undefined;
  jobs: number;
  values: Values;
}

export async function command(args: string[]): Promise<number> {
  const { positionals, values } = parseCommand("run", args, options);
  if (values.help === true) {
    console.log(help);
    return EXIT_OK;
  }
  const plan = makePlan(positionals, values);
  try {
    const files = await Promise.all(plan.paths.map(readNotebook));
    takeParameters(files, plan.parameters);
    await checkTargets(plan);
    return await run(plan, files);
  } catch (error) {
    if (error instanceof NotebookError) throw new UsageError(`heddle run: ${error.message}`);
    throw error;
  }
}

function makePlan(paths: string[], values: Values): Plan {
  if (paths.length === 0) throw new UsageError("heddle run: expected a notebook; see heddle run --help");
  const { inplace, output, "output-dir": folder } = values;
  if ([output, folder, inplace].filter((one) => one !== undefined).length > 1)
    throw new UsageError("heddle run: --output, --output-dir and --inplace exclude each other");
  if (output !== undefined && paths.length > 1)
    throw new UsageError("heddle run: --output takes one notebook; use --output-dir for several");
  if (values.html !== undefined && paths.length > 1)
    throw new UsageError("heddle run: --html takes one notebook; use heddle convert --to html for several");
  const names = paths.map((path) => basename(path));
  const twice = names.find((name, index) => names.indexOf(name) < index);
  if (folder !== undefined && twice !== undefined)
    throw new UsageError(`heddle run: --output-dir: two notebooks are named ${twice}; run them one at a time`);
  const jobs = Number(values.jobs ?? "1");
  if (!Number.isInteger(jobs) || jobs < 1)
    throw new UsageError(`heddle run: --jobs must be a whole number of at least 1, not ${JSON.stringify(values.jobs)}`);
  return {
    paths,
    parameters: parameters(values.p ?? []),
    outputOf: (path) =>
      output ?? (folder === undefined ? (inplace === true ? path : undefined) : join(folder, basename(path))),
    cellTimeout: parseMilliseconds("run", "cell-timeout", values["cell-timeout"]),
    timeout: parseMilliseconds("run", "timeout", values.timeout),
    jobs: Math.min(jobs, paths.length, availableParallelism() * 2),
    values,
  };
}

function parameters(texts: readonly string[]): Map<string, unknown> {
  try {
    return parseParameters(texts);
  } catch (error) {
    throw new UsageError(`heddle run: ${(error as Error).message}`);
  }
}

/** Gives each notebook those parameters that it has; one that no notebook has is a mistake. */
function takeParameters(files: readonly NotebookFile[], given: ReadonlyMap<string, unknown>): void {
  const known = files.map(({ notebook }) => parametersOf(notebook));
  const taken = new Set(files.flatMap(({ notebook }) => injectParameters(notebook, given)));
  const unknown = [...given.keys()].find((name) => !taken.has(name));
  if (unknown === undefined) return;
  const names = [...new Set(known.flatMap((one) => one ?? []))];
  const place = files.length === 1 ? files[0]!.path : "none of the notebooks";
  throw new NotebookError(
    known.every((one) => one === undefined)
      ? `-p ${unknown}: ${place} has ${files.length === 1 ? "no" : "a"} cell with the tag "parameters"`
      : `-p ${unknown}: ${place} has ${files.length === 1 ? "no" : "a"} parameter of this name; there is ${names.join(", ") || "none"}`,
  );
}

/** Before anything runs: a place that cannot be written would waste the whole run. */
async function checkTargets({ outputOf, paths, values }: Plan): Promise<void> {
  const { html, inplace, junit, "output-dir": folder } = values;
  if (folder !== undefined) {
    await mkdir(folder, { recursive: true }).catch((error: Error) => {
      throw new NotebookError(`--output-dir: ${folder} cannot be made: ${error.message}`);
    });
  }
  const option = folder === undefined ? (inplace === true ? "inplace" : "output") : "output-dir";
  for (const path of paths) {
    const target = outputOf(path);
    if (target !== undefined) await checkWritable(option, target);
  }
  if (html !== undefined) await checkWritable("html", html);
  if (junit !== undefined) await checkWritable("junit", junit);
}

async function run(plan: Plan, files: readonly NotebookFile[]): Promise<number> {
  const { cellTimeout, jobs, outputOf, timeout, values } = plan;
  const { isAction, repository, summaryFile } = githubStep();
  const controller = new AbortController();
  const interrupt = (): void => {
    // Who asks twice does not want to wait.
    if (controller.signal.aborted) process.exit(EXIT_INTERRUPTED);
    controller.abort();
  };
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", interrupt);
  const quiet = values.quiet ?? false;
  const colors = process.stdout.isTTY || isAction;
  const { reports, unwritten } = await runBatch(files, {
    cellTimeout,
    timeout,
    allowErrors: values["allow-errors"] ?? false,
    check: values.check ?? false,
    signal: controller.signal,
    jobs,
    progress: new Progress({ out: process.stdout, live: process.stderr, quiet, colors }),
    write: (path, notebook) => write(path, notebook, outputOf(path), values.html),
  });
  process.off("SIGINT", interrupt);
  process.off("SIGTERM", interrupt);
  if (isAction) for (const line of annotations(reports, repository)) console.log(line);
  for (const error of unwritten) console.error(`heddle run: ${error.message}`);
  if (summaryFile !== undefined) await summarise(reports, summaryFile);
  if (values.junit !== undefined) await writeWhole(values.junit, formatJunit(reports));
  return unwritten.length > 0 ? EXIT_USAGE : exitCode(reports, controller.signal.aborted, values["allow-errors"]);
}

async function write(
  path: string,
  notebook: Notebook,
  output: string | undefined,
  html: string | undefined,
): Promise<void> {
  if (output !== undefined) await writeWhole(output, formatNotebook(notebook));
  if (html === undefined) return;
  const { renderPage } = await import("../headless/page.ts");
  await writeWhole(html, await renderPage(path, notebook));
}

function exitCode(reports: readonly NotebookReport[], interrupted: boolean, allowErrors = false): number {
  if (interrupted) return EXIT_INTERRUPTED;
  const outcomes = reports.flatMap((report) => report.cells.map((cell) => cell.outcome));
  if (outcomes.includes("timeout")) return EXIT_TIME;
  return outcomes.includes("differs") || (outcomes.includes("failed") && !allowErrors) ? EXIT_FAILED : EXIT_OK;
}
