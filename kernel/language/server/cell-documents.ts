/** The documents of a notebook that the compiler sees: their names, and what each looks like. */

/** The document through which a cell sees the names of the cells before it. */
export const NAMES = "names.ts";
/** The cell that is being checked. */
export const SCRATCH = "scratch.ts";
/** The cell that is being written and asked about. */
export const QUERY = "query.ts";
/** So many modules come into being at once. */
export const BATCH = 32;
/** The text of a document that a cell will become. */
export const EMPTY = "export {};\n";

/** The document of a committed cell. */
export const documentOf = (module: number): string => `cell-${module}.ts`;

/** The text of `names`: for each module the names that are seen of it. */
export function namesText(modules: Iterable<[module: number, names: readonly string[]]>): string {
  return Array.from(modules, ([module, names]) => `export {${names.join(",")}} from "./cell-${module}";\n`).join("");
}

/** The text of a cell that is checked or asked about, with the names that it uses of other cells. */
export function openText(text: string, imports: readonly string[], declarations: string): string {
  return `${text}\n;${declarations}import { ${imports.join(", ")} } from "./names";\n`;
}

/** What is open while no cell has run. */
export function firstTexts(): Map<string, string> {
  const modules = Array.from({ length: BATCH }, (_, module): [number, string[]] => [module, []]);
  const empty = openText("", [], "");
  return new Map([
    [NAMES, namesText(modules)],
    [SCRATCH, empty],
    [QUERY, empty],
  ]);
}
