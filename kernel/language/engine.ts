import type { SeenNames } from "./visible-names.ts";

/**
 * The seam between the kernel and whatever understands TypeScript. `tsgo.ts` implements it with TypeScript 7's own
 * language server; another engine can stand in. Offsets count UTF-16 code units of the cell's source.
 */
export interface LanguageEngine {
  /** Type errors of a cell, seen after all committed cells. Rejects never: an engine that is down or late answers with `unchecked`. */
  check(cell: CellSource): Promise<CheckResult>;
  /** The cell has run (or begun to): from now on later cells see its names and types. Returns at once. */
  commit(cell: CellSource): void;
  /** The session was replaced: the names of earlier cells are gone. Returns at once. */
  reset(): void;
  complete(source: string, offset: number): Promise<CompletionList>;
  /** Signature, type and documentation under the cursor as Markdown; `detail` 1 adds what a reader of the source would want. */
  inspect(source: string, offset: number, detail: 0 | 1): Promise<Inspection | undefined>;
  close(): Promise<void>;
}

export interface CellSource {
  /** The cell's label: its execution count as text. */
  cell: string;
  source: string;
}

export interface Diagnostic {
  severity: "error" | "warning";
  /** TypeScript's number, 2322; absent for a syntax error found by the parser. */
  code?: number;
  message: string;
  start: number;
  end: number;
}

export interface CheckResult {
  diagnostics: Diagnostic[];
  /** Why nothing was checked, in words for the user; absent when the cell was checked. */
  unchecked?: string;
}

export interface Completion {
  text: string;
  /** Jupyter's and LSP's word for what it is: "function", "class", "variable", "property", "keyword", … */
  kind: string;
  /** Its type in one line, where the engine gave one. */
  detail?: string;
}

export interface CompletionList {
  /** The part of the source that a chosen completion replaces. */
  start: number;
  end: number;
  items: Completion[];
}

export interface Inspection {
  markdown: string;
  text: string;
}

/** A cell as a script for V8's REPL mode. */
export interface CompiledCell {
  code: string;
  /** Names the cell declares at top level, with what they are. */
  declares: ReadonlyMap<string, "const" | "let" | "function" | "class" | "import" | "type" | "enum" | "namespace">;
  /** Those of the names that are globals of JavaScript's, too, and have another name in scripts: `NotebookNames.scriptName`. */
  ownGlobals: ReadonlySet<string>;
  /** Whether the last statement is an expression whose value is the cell's result. */
  hasResult: boolean;
  /** Names that functions of the cell may read or write when they are called; worked out at the first question. */
  seen(): SeenNames;
  /** Position in the compiled script → position in the cell, both 1-based line and column; undefined for generated code. */
  originalPosition(line: number, column: number): { line: number; column: number } | undefined;
  /** The other way: the first place of the script that came from there or from behind it on the same line. */
  compiledPosition(line: number, column: number): { line: number; column: number } | undefined;
}

export interface IsComplete {
  status: "complete" | "incomplete" | "invalid";
  /** For `incomplete`: what the next line should be indented with. */
  indent: string;
}
