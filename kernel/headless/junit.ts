/** The run as JUnit XML, as common CI systems show it: a suite a notebook, a case a code cell. */
import { problemOf } from "./github.ts";
import { sourceOf } from "./notebook.ts";
import type { CellReport } from "./notebook-run.ts";

export interface NotebookReport {
  path: string;
  cells: CellReport[];
}

const escapes: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
// Characters that XML 1.0 cannot hold go.
const escapeXml = (text: string): string =>
  text
    .replace(/[&<>"]/g, (char) => escapes[char]!)
    .replace(/\u001b\[[0-9;]*m/g, "")
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, "");

const seconds = (ms: number): string => (ms / 1000).toFixed(3);

/** The XML of several notebooks. */
export function formatJunit(reports: readonly NotebookReport[]): string {
  const suites = reports.map(({ cells, path }) => {
    const failed = cells.filter((cell) => problemOf(cell) !== undefined).length;
    const skipped = cells.filter((cell) => cell.outcome === "skipped" || cell.outcome === "not run").length;
    const time = seconds(cells.reduce((sum, cell) => sum + cell.duration, 0));
    return `  <testsuite name="${escapeXml(path)}" tests="${cells.length}" failures="${failed}" skipped="${skipped}" time="${time}">\n${cells.map((cell) => formatCase(path, cell)).join("\n")}\n  </testsuite>`;
  });
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n${suites.join("\n")}\n</testsuites>\n`;
}

function formatCase(path: string, report: CellReport): string {
  const { cell, duration, error, index, outcome } = report;
  const problem = problemOf(report);
  const title = sourceOf(cell).split("\n", 1)[0]!.slice(0, 60);
  const open = `    <testcase classname="${escapeXml(path)}" name="${escapeXml(`cell ${index + 1}: ${title}`)}" time="${seconds(duration)}"`;
  if (problem !== undefined)
    return `${open}>\n      <failure message="${escapeXml(problem)}">${escapeXml(error?.traceback.join("\n") ?? problem)}</failure>\n    </testcase>`;
  return outcome === "ok" ? `${open}/>` : `${open}>\n      <skipped/>\n    </testcase>`;
}
