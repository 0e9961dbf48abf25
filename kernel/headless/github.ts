/** What GitHub shows of a run: an annotation for each cell that failed, and a summary with the charts as text. */
import { appendFile } from "node:fs/promises";
import { relative, resolve } from "node:path";
import { stripVTControlCharacters } from "node:util";
import type { NotebookReport } from "./junit.ts";
import { fenced } from "./markdown-text.ts";
import { joined, NotebookError, sourceOf } from "./notebook.ts";
import type { CellReport } from "./notebook-run.ts";

/** The workflow commands for the bad cells, one a line; `root` is the folder of the repository. */
export function annotations(reports: readonly NotebookReport[], root: string): string[] {
  return reports.flatMap(({ cells, lineOf, path }) =>
    cells.flatMap((report) => {
      const problem = problemOf(report);
      if (problem === undefined) return [];
      const line = lineOf(report.cell);
      const properties = [
        `file=${property(relative(root, resolve(path)))}`,
        ...(line === undefined ? [] : [`line=${line}`]),
        `title=${property(`${path}, cell ${report.index + 1}`)}`,
      ];
      return [`::error ${properties.join(",")}::${data(problem)}`];
    }),
  );
}

/** Adds a table of the notebooks, and the charts of their cells, to the file with the summary of the step. */
export async function summarise(reports: readonly NotebookReport[], file: string): Promise<void> {
  const rows = reports.map(({ path, cells }) => {
    const bad = cells.filter((cell) => problemOf(cell) !== undefined);
    const notRun = cells.filter(({ outcome }) => outcome === "not run");
    const time = cells.reduce((sum, cell) => sum + cell.duration, 0) / 1000;
    const mark = bad.length + notRun.length === 0 ? "✅" : "❌";
    return `| ${mark} | ${path} | ${cells.length} | ${bad.length} | ${time.toFixed(1)} s |`;
  });
  const details = reports.flatMap(({ path, cells }) =>
    cells.flatMap((report) => [...problemLines(path, report), ...chartsOf(path, report)]),
  );
  const table = ["| | notebook | cells | failed | time |", "|---|---|---:|---:|---:|", ...rows];
  try {
    await appendFile(file, `${[...table, "", ...details].join("\n")}\n`);
  } catch (error) {
    throw new NotebookError(`GITHUB_STEP_SUMMARY: ${file} cannot be written: ${(error as Error).message}`);
  }
}

/** What went wrong with the cell, in a line; undefined when nothing did. */
export function problemOf({ difference, error, limit, outcome }: CellReport): string | undefined {
  switch (outcome) {
    case "differs":
      return `differs from what is stored: ${difference}`;
    case "failed":
      return error === undefined ? outcome : stripVTControlCharacters(`${error.ename}: ${error.evalue}`);
    case "timeout":
      return `timeout: ended by the ${limit}`;
    case "interrupted":
      return outcome;
    default:
      return undefined;
  }
}

function problemLines(path: string, report: CellReport): string[] {
  const problem = problemOf(report);
  if (problem === undefined) return [];
  const text = report.error?.traceback.join("\n") ?? problem;
  return [headingOf(path, report), "", fenced("text", text), ""];
}

function chartsOf(path: string, report: CellReport): string[] {
  return (report.cell.outputs ?? []).flatMap((output) => {
    if (output.output_type !== "display_data" || output.data["image/png"] === undefined) return [];
    const text = joined(output.data["text/plain"]);
    return text.includes("\n") ? [headingOf(path, report), "", fenced("text", text), ""] : [];
  });
}

function headingOf(path: string, { cell, index }: CellReport): string {
  const title = sourceOf(cell).trim().split("\n", 1)[0]!.replaceAll("`", "'");
  return `**${path}, cell ${index + 1}** \`${title}\``;
}

const data = (text: string): string => text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
const property = (text: string): string => data(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
