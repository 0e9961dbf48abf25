/** Runs several notebooks, some of them side by side, and writes each as soon as it is done. */
import type { NotebookReport } from "./junit.ts";
import { isRunnable, type Notebook, NotebookError, type NotebookFile } from "./notebook.ts";
import { type CellReport, type RunOptions, runNotebook } from "./notebook-run.ts";
import type { Progress } from "./progress.ts";

export interface BatchOptions extends RunOptions {
  /** How many notebooks run at a time. */
  jobs: number;
  progress: Progress;
  /** Writes what is asked for of a notebook that has run, to its end or not. */
  write(path: string, notebook: Notebook): Promise<void>;
}

export interface BatchResult {
  /** In the order of the notebooks. */
  reports: NotebookReport[];
  /** What could not be written, and why. */
  unwritten: NotebookError[];
}

/** Resolves when all have run; a notebook that has not begun when `signal` fires is left as it is. */
export async function runBatch(files: readonly NotebookFile[], options: BatchOptions): Promise<BatchResult> {
  const reports: NotebookReport[] = [];
  const unwritten: NotebookError[] = [];
  const waiting = [...files.entries()];
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [index, { lineOf, notebook, path }] = next;
      const began = new Date();
      const cells = options.signal.aborted ? notRun(notebook) : await runOne(path, notebook, options, unwritten);
      reports[index] = { path, began, cells, lineOf };
    }
  };
  await Promise.all(Array.from({ length: options.jobs }, work));
  return { reports, unwritten };
}

async function runOne(
  path: string,
  notebook: Notebook,
  options: BatchOptions,
  unwritten: NotebookError[],
): Promise<CellReport[]> {
  const progress = options.progress.notebook(path, notebook);
  const cells = await runNotebook(path, notebook, options, progress);
  progress.end(cells);
  try {
    await options.write(path, notebook);
  } catch (error) {
    if (!(error instanceof NotebookError)) throw error;
    unwritten.push(error);
  }
  return cells;
}

function notRun({ cells }: Notebook): CellReport[] {
  return [...cells.entries()]
    .filter(([, cell]) => isRunnable(cell))
    .map(([index, cell]) => ({ index, cell, outcome: "not run", duration: 0 }));
}
