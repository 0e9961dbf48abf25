/** heddle run: notebooks headless, without Jupyter and without Python. */
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { basename, dirname, join } from "node:path";
import { githubStep } from "../environment.ts";
import { annotate, summarise } from "../headless/github.ts";
import { formatJunit, type NotebookReport } from "../headless/junit.ts";
import { formatNotebook, type Notebook, NotebookError, readNotebook, writeWhole } from "../headless/notebook.ts";
import { runNotebook } from "../headless/notebook-run.ts";
import { injectParameters, parseParameters } from "../headless/parameters.ts";
import { Progress } from "../headless/progress.ts";
import {
  EXIT_FAILED,
  EXIT_INTERRUPTED,
  EXIT_OK,
  EXIT_TIME,
  parseCommand,
  parseMilliseconds,
  UsageError,
} from "./usage.ts";

const help = `heddle run NOTEBOOK… [options]

Runs all code cells in order and shows what they print; writes only what is asked for.
  -p name=value       a parameter; the value is JSON, else text (several -p are fine)
  --output F          write the notebook with its outputs to F
  --output-dir D      write each notebook with its outputs into D
  --inplace           write the outputs into the notebook itself
  --junit F           write a JUnit report to F
  --cell-timeout MS   milliseconds one cell may take
  --timeout MS        milliseconds each notebook may take
  --allow-errors      go on after a cell that failed
  --check             compare with the stored outputs; times, dates, ids and pictures may differ, and what a
                      cell with the tag no-check shows
  --jobs N            notebooks side by side, default 1
  --quiet             no progress, no output of cells
Exit codes: 0 all cells ran, 1 a cell failed or differs, 2 wrong use, 3 a time limit, 130 interrupted.`;

const options = {
  p: { type: "string", short: "p", multiple: true },
  output: { type: "string", short: "o" },
  "output-dir": { type: "string" },
  inplace: { type: "boolean" },
  junit: { type: "string" },
  "cell-timeout": { type: "string" },
  timeout: { type: "string" },
  "allow-errors": { type: "boolean" },
  check: { type: "boolean" },
  jobs: { type: "string", short: "j" },
  quiet: { type: "boolean", short: "q" },
  help: { type: "boolean", short: "h" },
} as const;

interface Plan {
  paths: string[];
  parameters: Map<string, unknown>;
  /** Where a notebook's outputs go; undefined for nowhere. */
  outputOf(path: string): string | undefined;
  /** To be made for the outputs. */
  folder: string | undefined;
  junit: string | undefined;
  cellTimeout: number | undefined;
  timeout: number | undefined;
  allowErrors: boolean;
  check: boolean;
  jobs: number;
  quiet: boolean;
}

export async function command(args: string[]): Promise<number> {
  const { positionals, values } = parseCommand("run", args, options);
  if (values.help === true) {
    console.log(help);
    return EXIT_OK;
  }
  const plan = makePlan(positionals, values);
  const notebooks = new Map<string, Notebook>();
  try {
    for (const path of plan.paths) notebooks.set(path, await readNotebook(path));
    if (plan.folder !== undefined) await makeFolder(plan.folder);
    return await runAll(plan, notebooks);
  } catch (error) {
    if (error instanceof NotebookError) throw new UsageError(`heddle run: ${error.message}`);
    throw error;
  }
}

function makePlan(paths: string[], values: ReturnType<typeof parseCommand<typeof options>>["values"]): Plan {
  if (paths.length === 0) throw new UsageError("heddle run: expected a notebook; see heddle run --help");
  const { inplace, output, "output-dir": folder } = values;
  if ([output, folder, inplace].filter((one) => one !== undefined).length > 1)
    throw new UsageError("heddle run: --output, --output-dir and --inplace exclude each other");
  if (output !== undefined && paths.length > 1)
    throw new UsageError("heddle run: --output takes one notebook; use --output-dir for several");
  for (const [option, file] of [
    ["output", output],
    ["junit", values.junit],
  ] as const) {
    if (file !== undefined && !existsSync(dirname(file)))
      throw new UsageError(`heddle run: --${option}: there is no folder ${dirname(file)}`);
  }
  const names = paths.map((path) => basename(path));
  const twice = names.find((name, index) => names.indexOf(name) < index);
  if (folder !== undefined && twice !== undefined)
    throw new UsageError(`heddle run: --output-dir: two notebooks are named ${twice}; run them one at a time`);
  const jobs = Number(values.jobs ?? "1");
  if (!Number.isInteger(jobs) || jobs < 1)
    throw new UsageError(`heddle run: --jobs must be a whole number of at least 1, not ${JSON.stringify(values.jobs)}`);
  let parameters: Map<string, unknown>;
  try {
    parameters = parseParameters(values.p ?? []);
  } catch (error) {
    throw new UsageError(`heddle run: ${(error as Error).message}`);
  }
  return {
    paths,
    parameters,
    outputOf: (path) =>
      output ?? (folder === undefined ? (inplace === true ? path : undefined) : join(folder, basename(path))),
    folder,
    junit: values.junit,
    cellTimeout: parseMilliseconds("run", "cell-timeout", values["cell-timeout"]),
    timeout: parseMilliseconds("run", "timeout", values.timeout),
    allowErrors: values["allow-errors"] ?? false,
    check: values.check ?? false,
    jobs: Math.min(jobs, Math.max(1, availableParallelism() * 2)),
    quiet: values.quiet ?? false,
  };
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    throw new NotebookError(`--output-dir: ${folder} cannot be made: ${(error as Error).message}`);
  }
}

async function runAll(plan: Plan, notebooks: ReadonlyMap<string, Notebook>): Promise<number> {
  const controller = new AbortController();
  const interrupt = (): void => controller.abort();
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", interrupt);
  const reports: NotebookReport[] = [];
  const waiting = [...notebooks];
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
      reports.push(await runOne(plan, next[0], next[1], controller.signal));
  };
  await Promise.all(Array.from({ length: Math.min(plan.jobs, waiting.length) }, work));
  process.off("SIGINT", interrupt);
  process.off("SIGTERM", interrupt);
  const { isAction, summaryFile } = githubStep();
  if (isAction) annotate(reports);
  if (summaryFile !== undefined) await summarise(reports, summaryFile);
  if (plan.junit !== undefined) await writeWhole(plan.junit, formatJunit(reports));
  return exitCode(reports, controller.signal.aborted, plan.allowErrors);
}

async function runOne(plan: Plan, path: string, notebook: Notebook, signal: AbortSignal): Promise<NotebookReport> {
  injectParameters(notebook, plan.parameters);
  const progress = new Progress(path, notebook, plan.quiet);
  const cells = await runNotebook(
    path,
    notebook,
    { cellTimeout: plan.cellTimeout, timeout: plan.timeout, allowErrors: plan.allowErrors, check: plan.check, signal },
    progress,
  );
  progress.end(cells);
  const output = plan.outputOf(path);
  if (output !== undefined) await writeWhole(output, formatNotebook(notebook));
  return { path, cells };
}

function exitCode(reports: readonly NotebookReport[], interrupted: boolean, allowErrors: boolean): number {
  if (interrupted) return EXIT_INTERRUPTED;
  const outcomes = reports.flatMap((report) => report.cells.map((cell) => cell.outcome));
  if (outcomes.includes("timeout")) return EXIT_TIME;
  return outcomes.includes("differs") || (outcomes.includes("failed") && !allowErrors) ? EXIT_FAILED : EXIT_OK;
}
