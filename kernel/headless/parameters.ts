/** Parameters of a run, put in as papermill does: a cell of its own after the one tagged `parameters`. */
import { type DeclarationKind, declaredNames } from "../language/declarations.ts";
import { parseText } from "../language/parse.ts";
import { type Cell, hasTag, type Notebook, sourceOf } from "./notebook.ts";

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

/**
 * Puts a cell with those values that the notebook takes into it, in place of the one an earlier run put there, and
 * returns their names. A notebook takes what its cell with the tag `parameters` declares.
 */
export function injectParameters(notebook: Notebook, parameters: ReadonlyMap<string, unknown>): string[] {
  const at = notebook.cells.findIndex((cell) => hasTag(cell, "parameters"));
  const declared = at < 0 ? new Map<string, DeclarationKind>() : namesOf(notebook.cells[at]!);
  const taken = [...parameters].filter(([name]) => declared.has(name));
  if (taken.length === 0) return [];
  // A variable is assigned to, so that it keeps its declared type and the value is checked against it.
  const lines = taken.map(
    ([name, value]) => `${declared.get(name) === "let" ? "" : "var "}${name} = ${JSON.stringify(value)};`,
  );
  const cell: Cell = {
    cell_type: "code",
    id: "injected-parameters",
    metadata: { tags: ["injected-parameters"] },
    source: `// Parameters\n${lines.join("\n")}`,
    outputs: [],
    execution_count: null,
  };
  const before = notebook.cells.findIndex((one) => hasTag(one, "injected-parameters"));
  if (before >= 0) notebook.cells.splice(before, 1, cell);
  else notebook.cells.splice(at + 1, 0, cell);
  return taken.map(([name]) => name);
}

/** What the notebook's cell with the tag `parameters` declares; undefined where there is no such cell. */
export function parametersOf(notebook: Notebook): string[] | undefined {
  const cell = notebook.cells.find((one) => hasTag(one, "parameters"));
  return cell && [...namesOf(cell).keys()];
}

const namesOf = (cell: Cell): Map<string, DeclarationKind> => declaredNames(parseText(sourceOf(cell)).program);
