import { pathToFileURL } from "node:url";
import type {
  CellSource,
  CheckResult,
  Completion,
  CompletionList,
  Diagnostic,
  Inspection,
  LanguageEngine,
} from "./engine.ts";
import { completeModule } from "./module-names.ts";
import { CellSyntaxError, parseCell } from "./parse.ts";
import { EMPTY, NAMES, QUERY, SCRATCH } from "./server/cell-documents.ts";
import { CellScope, type CellText, plainNames } from "./server/cell-scope.ts";
import { type LspCompletion, toCompletions, wordAt } from "./server/completion.ts";
import { DeclarationEmit } from "./server/declaration-emit.ts";
import { type LspDiagnostic, toDiagnostics } from "./server/diagnostics.ts";
import { type Documents, type LanguageOptions, type StartedServer, startLanguageServer } from "./server/documents.ts";
import { type LspHover, type LspLocation, type LspSignatureHelp, toInspection } from "./server/inspection.ts";
import { LocalFiles } from "./server/local-files.ts";
import { LanguageServerError } from "./server/lsp.ts";
import { UncheckedEngine } from "./unchecked.ts";

/**
 * TypeScript 7's language server behind the kernel's interface; `started` is one that has been started for the same
 * folder. The process starts at once; nothing here blocks on it.
 */
export function createLanguageEngine(
  options: LanguageOptions,
  started: StartedServer = startLanguageServer(options),
): LanguageEngine & { readonly serverPid: number | undefined } {
  return "missing" in started ? new UncheckedEngine(started.missing) : new TypeScriptEngine(started);
}

/** So many completions get their types; more are a list to narrow down first. */
const MAX_DETAILED = 16;

class TypeScriptEngine implements LanguageEngine {
  readonly #documents: Documents;
  readonly #scope = new CellScope();
  readonly #files: LocalFiles;
  readonly #emit: DeclarationEmit;
  /** Questions about `query.ts` come one after another, so that each is asked of its own text. */
  #lastQuery: Promise<unknown> = Promise.resolve();
  #lastCheck: Promise<unknown> = Promise.resolve();

  constructor(documents: Documents) {
    this.#documents = documents;
    this.#emit = new DeclarationEmit(documents.compiler, documents.workspace);
    this.#files = new LocalFiles(documents.workspace.notebookFolder);
  }

  get serverPid(): number | undefined {
    return this.#documents.serverPid;
  }

  check(cell: CellSource): Promise<CheckResult> {
    const answer = this.#lastCheck.then(() => this.#check(cell));
    this.#lastCheck = answer;
    return answer;
  }

  async #check({ source }: CellSource): Promise<CheckResult> {
    const syntaxError = findSyntaxError(source);
    if (syntaxError !== undefined)
      return {
        diagnostics: [
          { severity: "error", message: syntaxError.message, start: syntaxError.start, end: syntaxError.end },
        ],
      };
    try {
      const diagnostics = await this.#diagnose(source);
      if (!this.#installedSince(diagnostics)) return { diagnostics };
      this.#documents.resolveAnew();
      return { diagnostics: await this.#diagnose(source) };
    } catch (error) {
      return {
        diagnostics: [],
        unchecked: `The cell was not type-checked: ${error instanceof Error ? error.message : String(error)}.`,
      };
    }
  }

  async #diagnose(source: string): Promise<Diagnostic[]> {
    const open = this.#scope.openText(source);
    const report = (await this.#ask(SCRATCH, open, source, "textDocument/diagnostic", {})) as {
      items: LspDiagnostic[];
    };
    return toDiagnostics(report.items, open, source, { allowImplicitAny: this.#documents.workspace.allowsImplicitAny });
  }

  /** Whether a package that was not found is there now. */
  #installedSince(diagnostics: readonly Diagnostic[]): boolean {
    return diagnostics.some(({ message }) => {
      const specifier = /^Cannot find module '([^'./][^']*)'/.exec(message)?.[1];
      return specifier !== undefined && this.#documents.workspace.hasPackage(specifier);
    });
  }

  commit({ cell, source }: CellSource): void {
    if (this.#documents.closed) return;
    const committed = this.#scope.commit({ cell, source });
    if (committed === undefined) return;
    this.#documents.change(committed.document, committed.text);
    this.#takeIn();
    this.#publishNames();
    void this.#writeTypes();
  }

  reset(): void {
    this.#scope.clear();
    if (!this.#documents.closed) this.#publishNames();
  }

  #publishNames(): void {
    const full = this.#scope.takeFull();
    for (const document of full) this.#documents.leave(document);
    if (full.length > 0) this.#writeEmptyDocuments();
    this.#documents.change(NAMES, this.#scope.namesText());
    this.#takeIn();
  }

  /** What `names` mentions is there: as files, since each open document makes the server's start slower. */
  #writeEmptyDocuments(): void {
    for (const document of this.#scope.nextDocuments()) this.#documents.workspace.write(document, EMPTY);
  }

  /** Replaces the cells of a long chain by their declarations. */
  async #writeTypes(): Promise<void> {
    const documents = this.#emit.running ? [] : this.#scope.inferredDocuments();
    if (documents.length === 0) return;
    const written = await this.#emit.emit(documents, this.#documents.texts);
    if (this.#documents.closed) return;
    this.#scope.typesWritten(documents, written);
    const { texts, workspace } = this.#documents;
    const onDisk = [...written].filter(([document]) => !texts.has(document));
    for (const [document, text] of onDisk) workspace.write(document, text);
    this.#documents.filesChanged(onDisk.map(([document]) => workspace.uri(document)));
    for (const [document, text] of written) if (texts.has(document)) this.#documents.change(document, text);
    this.#takeIn();
  }

  /**
   * The compiler takes in what changed now, while a cell runs, and not when the next cell is checked; one document at a
   * time, as only then it keeps its program.
   */
  #takeIn(): void {
    this.#documents.ask(SCRATCH, "textDocument/hover", { position: { line: 0, character: 0 } }).catch(() => {});
  }

  async complete(source: string, offset: number): Promise<CompletionList> {
    const modules = completeModule(source, offset, this.#documents.workspace.notebookFolder);
    if (modules !== undefined) return modules;
    const word = wordAt(source, offset);
    const list = await this.#query(source, offset, "textDocument/completion").catch(() => null);
    const answer = toCompletions(list as LspCompletion | null, source, word, this.#scope.names());
    if (list === null || answer.items.length > MAX_DETAILED) return answer;
    return {
      ...answer,
      items: await Promise.all(answer.items.map((item) => this.#detail(item, list as LspCompletion))),
    };
  }

  /** Adds the type to an item; without it where the server gives none in time. */
  async #detail(item: Completion, list: LspCompletion): Promise<Completion> {
    const asked = list.items.find(({ label }) => label === item.text || label === `${item.text}?`);
    if (asked === undefined || item.detail !== undefined) return item;
    const resolved = (await this.#documents.request("completionItem/resolve", asked).catch(() => null)) as {
      detail?: string;
    } | null;
    const detail = plainNames(resolved?.detail ?? "")
      .replace(/^\(alias\) /, "")
      .split("\n")[0];
    return detail === undefined || detail === "" ? item : { ...item, detail };
  }

  async inspect(source: string, offset: number, detail: 0 | 1): Promise<Inspection | undefined> {
    try {
      const hover = (await this.#query(source, offset, "textDocument/hover")) as LspHover | null;
      const signatures =
        hover === null
          ? ((await this.#query(source, offset, "textDocument/signatureHelp")) as LspSignatureHelp | null)
          : null;
      const definition =
        hover !== null && detail === 1
          ? ((await this.#query(source, offset, "textDocument/definition")) as LspLocation[] | LspLocation | null)
          : null;
      return toInspection(hover, signatures, definition, {
        cellOf: (document) => this.#scope.cellOf(document),
        textOf: (document) => this.#documents.texts.get(document),
      });
    } catch {
      return undefined;
    }
  }

  async close(): Promise<void> {
    this.#emit.close();
    await this.#documents.close();
  }

  #query(source: string, offset: number, method: string): Promise<unknown> {
    const open = this.#scope.openText(source);
    const position = positionAt(open.text, offset + open.shift);
    const answer = this.#lastQuery.then(() => this.#ask(QUERY, open, source, method, { position }));
    this.#lastQuery = answer.catch(() => {});
    return answer;
  }

  /** Gives a document its text and asks about it; asks again, once, where the server's process ended under the question. */
  async #ask(document: string, { text }: CellText, source: string, method: string, params: object): Promise<unknown> {
    const request = () => {
      this.#tellOfFiles(source);
      this.#documents.change(document, text);
      return this.#documents.ask(document, method, params);
    };
    try {
      return await request();
    } catch (error) {
      if (!(error instanceof LanguageServerError) || error.reason !== "stopped" || this.#documents.closed) throw error;
      return request();
    }
  }

  #tellOfFiles(source: string): void {
    const { edited, gone, resolution } = this.#files.changes();
    this.#files.follow(source);
    this.#documents.filesChanged(edited.map(uriOf), gone.map(uriOf));
    if (resolution) this.#documents.resolveAnew();
  }
}

const uriOf = (path: string): string => pathToFileURL(path).href;

function findSyntaxError(source: string): CellSyntaxError | undefined {
  try {
    parseCell(source);
    return undefined;
  } catch (error) {
    if (error instanceof CellSyntaxError) return error;
    throw error;
  }
}

function positionAt(text: string, offset: number): { line: number; character: number } {
  const lineStart = text.lastIndexOf("\n", offset - 1) + 1;
  const line = text.slice(0, lineStart).split("\n").length - 1;
  return { line, character: offset - lineStart };
}
