/** The proof: a cell that is type-checked and runs a task, as in any notebook. */
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import type { Cell, Notebook } from "../headless/notebook.ts";
import { joined } from "../headless/notebook.ts";
import { runNotebook } from "../headless/notebook-run.ts";
import type { Finding } from "./doctor.ts";

const what = "a cell";
/** A machine on which this takes longer has other troubles. */
const timeoutMs = 60_000;

const code = (source: string, tags: string[] = []): Cell => ({ cell_type: "code", metadata: { tags }, source });

export async function checkCell(): Promise<Finding> {
  const cells = [
    code(
      'import { get, remote } from "heddle";\nawait get(remote(function doctor(x: number) { return x + 1; }).remote(41))',
    ),
    code('const wrong: number = "no number";', ["raises-exception"]),
  ];
  const notebook: Notebook = { nbformat: 4, nbformat_minor: 5, metadata: {}, cells };
  const began = performance.now();
  const [ran, refused] = await runNotebook(
    join(process.cwd(), "doctor.ipynb"),
    notebook,
    {
      cellTimeout: timeoutMs,
      timeout: timeoutMs,
      allowErrors: true,
      check: false,
      signal: new AbortController().signal,
    },
    { cellBegins: () => {}, cellEnded: () => {} },
  );
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  if (ran?.outcome === "timeout") return { what, state: "broken", detail: `did not end within ${timeoutMs / 1000} s` };
  if (ran?.error !== undefined)
    return { what, state: "broken", detail: `${ran.error.ename}: ${firstLine(ran.error.evalue)}` };
  const said = cells.flatMap(({ outputs = [] }) => outputs).find((output) => output.output_type === "stream");
  if (refused?.error?.ename !== "TypeScriptError")
    return {
      what,
      state: "warning",
      detail: `runs a task, but types are not checked: ${firstLine(joined(said?.text))}`,
    };
  return { what, state: "ok", detail: `is type-checked and runs a task, in ${seconds} s from the kernel's start` };
}

const firstLine = (text: string): string => stripVTControlCharacters(text).trim().split("\n", 1)[0]!;
