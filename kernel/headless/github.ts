/** What GitHub shows of a run: an annotation for each cell that failed, and a summary with the charts as text. */
import { appendFile } from "node:fs/promises";
import type { NotebookReport } from "./junit.ts";
import { sourceOf } from "./notebook.ts";
import type { CellReport } from "./notebook-run.ts";

/** Prints a workflow command for each bad cell. */
export function annotate(reports: readonly NotebookReport[]): void {
  for (const { path, cells } of reports) {
    for (const report of cells) {
      const message = problemOf(report);
      if (message === undefined) continue;
      const title = `cell ${report.index + 1}`;
      console.log(`::error file=${property(path)},title=${property(title)}::${data(message)}`);
    }
  }
}

/** Adds a table of the notebooks, and the charts of their cells, to the file with the summary of the step. */
export async function summarise(reports: readonly NotebookReport[], file: string): Promise<void> {
  const rows = reports.map(({ path, cells }) => {
    const bad = cells.filter((cell) => problemOf(cell) !== undefined);
    const time = cells.reduce((sum, cell) => sum + cell.duration, 0) / 1000;
    return `| ${bad.length === 0 ? "✅" : "❌"} | ${path} | ${cells.length} | ${bad.length} | ${time.toFixed(1)} s |`;
  });
  const charts = reports.flatMap(({ path, cells }) => cells.flatMap((report) => chartsOf(path, report)));
  const table = ["| | notebook | cells | failed | time |", "|---|---|---:|---:|---:|", ...rows];
  await appendFile(file, `${[...table, "", ...charts].join("\n")}\n`);
}

/** What went wrong with the cell, in a line; undefined when nothing did. */
export function problemOf({ difference, error, outcome }: CellReport): string | undefined {
  if (outcome === "differs") return difference ?? outcome;
  if (outcome === "failed") return error === undefined ? outcome : `${error.ename}: ${error.evalue}`;
  return outcome === "timeout" || outcome === "interrupted" ? outcome : undefined;
}

function chartsOf(path: string, { cell, index }: CellReport): string[] {
  return (cell.outputs ?? []).flatMap((output) => {
    if (output.output_type !== "display_data" || output.data["image/png"] === undefined) return [];
    const text = output.data["text/plain"];
    if (typeof text !== "string" || !text.includes("\n")) return [];
    const title = sourceOf(cell).split("\n", 1)[0] ?? "";
    return [`**${path}, cell ${index + 1}** \`${title.replaceAll("`", "'")}\``, "", "```text", text, "```", ""];
  });
}

const data = (text: string): string => text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
const property = (text: string): string => data(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
