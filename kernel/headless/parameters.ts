/** Parameters of a run, put in as papermill does: a cell of its own after the one tagged `parameters`. */
import { parseText } from "../language/parse.ts";
import type { Cell, Notebook } from "./notebook.ts";

/** `name=value` texts → values; a value is JSON where it can be read as such, else text. Throws an `Error` for the user. */
export function parseParameters(texts: readonly string[]): Map<string, unknown> {
  const parameters = new Map<string, unknown>();
  for (const text of texts) {
    const at = text.indexOf("=");
    const name = text.slice(0, at);
    if (!isName(name)) throw new Error(`-p must be name=value with a TypeScript name, not ${JSON.stringify(text)}`);
    parameters.set(name, parseValue(text.slice(at + 1)));
  }
  return parameters;
}

function isName(text: string): boolean {
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(text) && parseText(`var ${text};`).errors.length === 0;
}

function parseValue(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/** Puts a cell with the values into the notebook, in place of the one an earlier run put there. */
export function injectParameters(notebook: Notebook, parameters: ReadonlyMap<string, unknown>): void {
  if (parameters.size === 0) return;
  const tagged = (tag: string): number =>
    notebook.cells.findIndex((cell) => cell.metadata.tags?.includes(tag) === true);
  const lines = [...parameters].map(([name, value]) => `var ${name} = ${JSON.stringify(value)};`);
  const cell: Cell = {
    cell_type: "code",
    metadata: { tags: ["injected-parameters"] },
    source: `// Parameters\n${lines.join("\n")}`,
    outputs: [],
    execution_count: null,
  };
  const injected = tagged("injected-parameters");
  if (injected >= 0) notebook.cells.splice(injected, 1, cell);
  else notebook.cells.splice(tagged("parameters") + 1, 0, cell);
}
