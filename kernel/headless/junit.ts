/** The run as JUnit XML, in the form that Jenkins, GitLab and GitHub's report actions read: a suite a notebook, a case a code cell. */
import { stripVTControlCharacters } from "node:util";
import { escapeHtml } from "../display/tables.ts";
import { problemOf } from "./github.ts";
import { type Cell, joined, sourceOf } from "./notebook.ts";
import type { CellReport } from "./notebook-run.ts";

export interface NotebookReport {
  path: string;
  /** When its run began. */
  began: Date;
  cells: CellReport[];
  /** The line of the file in which a cell begins, from 1; undefined where it cannot be told. */
  lineOf(cell: Cell): number | undefined;
}

type Attributes = Record<string, string | number>;

/** The XML of several notebooks. */
export function formatJunit(reports: readonly NotebookReport[]): string {
  const counts = countsOf(reports.flatMap(({ cells }) => cells));
  const root = element("testsuites", { name: "heddle run", ...counts }, reports.map(formatSuite));
  return `<?xml version="1.0" encoding="UTF-8"?>\n${root}\n`;
}

function formatSuite({ began, cells, path }: NotebookReport): string {
  const attributes = { name: path, timestamp: began.toISOString().slice(0, 19), ...countsOf(cells) };
  return element(
    "testsuite",
    attributes,
    cells.map((cell) => formatCase(path, cell)),
  );
}

function countsOf(cells: readonly CellReport[]): Attributes {
  return {
    tests: cells.length,
    failures: cells.filter((cell) => problemOf(cell) !== undefined).length,
    errors: 0,
    skipped: cells.filter(isSkipped).length,
    time: seconds(cells.reduce((sum, cell) => sum + cell.duration, 0)),
  };
}

const isSkipped = ({ outcome }: CellReport): boolean => outcome === "skipped" || outcome === "not run";

function formatCase(path: string, report: CellReport): string {
  const { cell, duration, error, index, outcome } = report;
  const problem = problemOf(report);
  const title = sourceOf(cell).trim().split("\n", 1)[0]!.slice(0, 60);
  // Dots part packages from classes where reports show them as a tree.
  const classname = path.replace(/\.ipynb$/, "").replaceAll("/", ".");
  const content: string[] = [];
  if (isSkipped(report)) content.push(element("skipped", { message: outcome }));
  if (problem !== undefined) {
    const text = escapeXml(error?.traceback.join("\n") ?? problem);
    content.push(element("failure", { message: problem, type: error?.ename ?? outcome }, [text]));
  }
  for (const [name, tag] of streams) {
    const text = printed(cell, name);
    if (text !== "") content.push(element(tag, {}, [escapeXml(text)]));
  }
  const attributes = { classname, name: `cell ${index + 1}: ${title}`, file: path, time: seconds(duration) };
  return element("testcase", attributes, content);
}

const streams = [
  ["stdout", "system-out"],
  ["stderr", "system-err"],
] as const;

function printed(cell: Cell, name: "stdout" | "stderr"): string {
  const outputs = cell.outputs ?? [];
  return outputs.map((one) => (one.output_type === "stream" && one.name === name ? joined(one.text) : "")).join("");
}

function element(name: string, attributes: Attributes, content: readonly string[] = []): string {
  const pairs = Object.entries(attributes).map(([key, value]) => ` ${key}="${escapeXml(String(value))}"`);
  const open = `<${name}${pairs.join("")}`;
  return content.length === 0 ? `${open}/>` : `${open}>${content.join("\n")}</${name}>`;
}

/** Colours go, and so do the characters that XML 1.0 cannot hold. */
function escapeXml(text: string): string {
  return escapeHtml(stripVTControlCharacters(text).toWellFormed()).replace(
    /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g,
    "",
  );
}

const seconds = (ms: number): string => (ms / 1000).toFixed(3);
