/** Which code is the user's, under what path a client knows it, and where a place of a script stands in its source. */
import type { Debugger, Runtime } from "node:inspector";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { CellSyntaxError } from "../language/compiler.ts";
import { type Names, readCommands } from "../language/line-commands.ts";
import type { NotebookNames } from "../language/visible-names.ts";
import type { RunCell } from "../traceback.ts";
import { CellFiles } from "./cell-files.ts";
import type { Source } from "./dap.ts";

/** A place in a source; line and column count from 1. */
export interface Place {
  source: Source;
  line: number;
  column: number;
  /** The label of the cell that the place is in. */
  cell?: string;
}

interface Script {
  id: string;
  url: string;
}

/** Where heddle itself lives: nothing of it is ever shown. */
const ownFolder = new URL("../../", import.meta.url).href;

/** Patterns of scripts that V8 steps over. */
export const skippedScripts: readonly string[] = ["^node:", `^${ownFolder.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")}`];

export class Sources {
  readonly files = new CellFiles();
  /** Names that the notebook has now. */
  readonly names: Names;
  /** What they are called in scripts. */
  readonly visibleNames: NotebookNames;
  readonly #cells: ReadonlyMap<string, RunCell>;
  readonly #paths = new WeakMap<RunCell, string>();
  readonly #scripts = new Map<string, Script>();

  /** `cells`: those that ran, by label. */
  constructor(cells: ReadonlyMap<string, RunCell>, names: Names, visibleNames: NotebookNames) {
    this.#cells = cells;
    this.names = names;
    this.visibleNames = visibleNames;
  }

  noteScript({ scriptId, url }: Debugger.ScriptParsedEventDataType): void {
    const isUsers = url.startsWith("cell-") || (url.startsWith("file:") && !url.startsWith(ownFolder));
    if (isUsers) this.#scripts.set(scriptId, { id: scriptId, url });
  }

  /** A new session has its own scripts. */
  forgetScripts(): void {
    this.#scripts.clear();
  }

  /** The place in the source that the user knows; undefined for code that is not the user's. */
  locate({ columnNumber = 0, lineNumber, scriptId }: Debugger.Location | Runtime.CallFrame): Place | undefined {
    const url = this.#scripts.get(scriptId)?.url;
    if (url === undefined) return undefined;
    const label = /^cell-(.+)\.ts$/.exec(url)?.[1];
    if (label === undefined) {
      const path = pathOfUrl(url);
      return { source: { name: basename(path), path }, line: lineNumber + 1, column: columnNumber + 1 };
    }
    const cell = this.#cells.get(label);
    const position = cell?.compiled.originalPosition(lineNumber + 1, columnNumber + 1);
    if (cell === undefined || position === undefined) return undefined;
    return { source: { name: `Cell In[${label}]`, path: this.pathOfCell(cell) }, ...position, cell: label };
  }

  pathOfCell(cell: RunCell): string {
    let path = this.#paths.get(cell);
    if (path === undefined) {
      path = this.files.note(cell.source);
      this.#paths.set(cell, path);
    }
    return path;
  }

  /** The cells that ran with the source of this path, by label. */
  cellsAt(path: string): [label: string, cell: RunCell][] {
    return [...this.#cells].filter(([, cell]) => this.pathOfCell(cell) === path);
  }

  cell(label: string): RunCell | undefined {
    return this.#cells.get(label);
  }

  /** The source of a cell; undefined for other paths and cells that nobody has told of. */
  sourceOfCell(path: string): string | undefined {
    return this.files.sourceOf(path) ?? this.cellsAt(path)[0]?.[1].source;
  }

  /** A cell's source without its line commands; every other character is where it was. */
  typescriptOf(source: string): string {
    try {
      return readCommands(source, this.names)?.source ?? source;
    } catch (error) {
      if (error instanceof CellSyntaxError) return source;
      throw error;
    }
  }

  /** The last script that was loaded from a file. */
  scriptAt(path: string): Script | undefined {
    return [...this.#scripts.values()].findLast(({ url }) => url.startsWith("file:") && pathOfUrl(url) === path);
  }

  /** What those names are called in scripts that stand for a value. */
  scriptNames(names: Names): string[] {
    return [...names].flatMap(([name, kind]) => (kind === "type" ? [] : [this.visibleNames.scriptName(name)]));
  }

  /** The files that the user's code was loaded from. */
  get modules(): { id: string; name: string; path: string }[] {
    const paths = new Set([...this.#scripts.values()].filter(({ url }) => url.startsWith("file:")).map(pathOfScript));
    return [...paths].map((path) => ({ id: path, name: basename(path), path }));
  }
}

const pathOfScript = ({ url }: Script): string => pathOfUrl(url);

/** A file that was edited and imported again has a mark behind its name. */
function pathOfUrl(url: string): string {
  const address = new URL(url);
  address.search = "";
  return fileURLToPath(address);
}
