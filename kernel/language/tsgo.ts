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
import { findCompiler } from "./native-compiler.ts";
import { CellSyntaxError, parseCell } from "./parse.ts";
import { CellScope, type CellText, NAMES_MODULE, plainNames } from "./server/cell-scope.ts";
import { type LspCompletion, toCompletions, wordAt } from "./server/completion.ts";
import { DeclarationEmit } from "./server/declaration-emit.ts";
import { type LspDiagnostic, toDiagnostics } from "./server/diagnostics.ts";
import { type LspHover, type LspLocation, type LspSignatureHelp, toInspection } from "./server/inspection.ts";
import { LocalFiles } from "./server/local-files.ts";
import { LanguageServer, LanguageServerError } from "./server/lsp.ts";
import { Workspace } from "./server/workspace.ts";
import { UncheckedEngine } from "./unchecked.ts";

export interface LanguageOptions {
  /** The notebook's folder: its `tsconfig.json`, packages and files are those of the cells. */
  folder: string;
  /** How long one question may take, in milliseconds. Default 2,000. */
  timeout?: number;
}

/** TypeScript 7's language server behind the kernel's interface. The process starts at once; nothing here blocks on it. */
export function createLanguageEngine(
  options: LanguageOptions,
): LanguageEngine & { readonly serverPid: number | undefined } {
  const compiler = findCompiler();
  return compiler.missing === undefined
    ? new TypeScriptEngine(options, compiler.path)
    : new UncheckedEngine(compiler.missing);
}

const DEFAULT_TIMEOUT_MS = 2_000;
/** A server that starts on a busy machine has so many times as long: the cell waits, instead of running unchecked. */
const COLD = 5;
/**
 * Auto-imports would index every package before the first answer; type acquisition would run npm at every start and
 * fetch from its registry.
 */
const settings = {
  suggest: { autoImports: false },
  tsserver: { automaticTypeAcquisition: { enabled: false } },
  disableAutomaticTypeAcquisition: true,
};
/** So many completions get their types; more are a list to narrow down first. */
const MAX_DETAILED = 16;
/** LSP's `FileChangeType`. */
const FILE_CHANGED = 2;
const FILE_DELETED = 3;
const SCRATCH = "scratch.ts";
const QUERY = "query.ts";
/** The text of a document that a cell will become. */
const EMPTY = "export {};\n";
const NAMES = `${NAMES_MODULE}.ts`;

class TypeScriptEngine implements LanguageEngine {
  readonly #workspace: Workspace;
  readonly #scope = new CellScope();
  readonly #files: LocalFiles;
  readonly #emit: DeclarationEmit;
  readonly #timeout: number;
  readonly #compiler: string;
  readonly #versions = new Map<string, number>();
  /** The text of every document the server has open. */
  readonly #texts = new Map<string, string>();
  #server: LanguageServer;
  /** The server that has read the compiler's library. */
  #warm: LanguageServer | undefined;
  #closed = false;
  /** Questions about `query.ts` come one after another, so that each is asked of its own text. */
  #lastQuery: Promise<unknown> = Promise.resolve();
  #lastCheck: Promise<unknown> = Promise.resolve();

  constructor({ folder, timeout = DEFAULT_TIMEOUT_MS }: LanguageOptions, compiler: string) {
    this.#compiler = compiler;
    this.#timeout = timeout;
    this.#workspace = new Workspace(folder);
    this.#emit = new DeclarationEmit(compiler, this.#workspace);
    this.#files = new LocalFiles(this.#workspace.notebookFolder);
    const empty = this.#scope.openText("").text;
    this.#writeEmptyDocuments();
    this.#texts.set(NAMES, this.#scope.namesText()).set(SCRATCH, empty).set(QUERY, empty);
    this.#server = this.#start();
  }

  get serverPid(): number | undefined {
    return this.#server.pid;
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
      this.#resolveAnew();
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
    return toDiagnostics(report.items, open, source, { allowImplicitAny: this.#workspace.allowsImplicitAny });
  }

  /** Whether a package that was not found is there now. */
  #installedSince(diagnostics: readonly Diagnostic[]): boolean {
    return diagnostics.some(({ message }) => {
      const specifier = /^Cannot find module '([^'./][^']*)'/.exec(message)?.[1];
      return specifier !== undefined && this.#workspace.hasPackage(specifier);
    });
  }

  commit({ cell, source }: CellSource): void {
    if (this.#closed) return;
    const committed = this.#scope.commit({ cell, source });
    if (committed === undefined) return;
    this.#change(committed.document, committed.text);
    this.#takeIn();
    this.#publishNames();
    void this.#writeTypes();
  }

  reset(): void {
    this.#scope.clear();
    if (!this.#closed) this.#publishNames();
  }

  #publishNames(): void {
    const full = this.#scope.takeFull();
    for (const document of full) this.#closeDocument(document);
    if (full.length > 0) this.#writeEmptyDocuments();
    this.#change(NAMES, this.#scope.namesText());
    this.#takeIn();
  }

  /** What `names` mentions is there: as files, since each open document makes the server's start slower. */
  #writeEmptyDocuments(): void {
    for (const document of this.#scope.nextDocuments()) this.#workspace.write(document, EMPTY);
  }

  /** Replaces the cells of a long chain by their declarations. */
  async #writeTypes(): Promise<void> {
    const documents = this.#emit.running ? [] : this.#scope.inferredDocuments();
    if (documents.length === 0) return;
    const written = await this.#emit.emit(documents, this.#texts);
    if (this.#closed) return;
    this.#scope.typesWritten(documents, written);
    const onDisk = [...written].filter(([document]) => !this.#texts.has(document));
    for (const [document, text] of onDisk) this.#workspace.write(document, text);
    const changes = onDisk.map(([document]) => ({ uri: this.#workspace.uri(document), type: FILE_CHANGED }));
    if (changes.length > 0) this.#server.notify("workspace/didChangeWatchedFiles", { changes });
    for (const [document, text] of written) if (this.#texts.has(document)) this.#change(document, text);
    this.#takeIn();
  }

  /**
   * The compiler takes in what changed now, while a cell runs, and not when the next cell is checked; one document at a
   * time, as only then it keeps its program.
   */
  #takeIn(): void {
    const textDocument = { uri: this.#workspace.uri(SCRATCH) };
    this.#request("textDocument/hover", { textDocument, position: { line: 0, character: 0 } }).catch(() => {});
  }

  async complete(source: string, offset: number): Promise<CompletionList> {
    const modules = completeModule(source, offset, this.#workspace.notebookFolder);
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
    const resolved = (await this.#request("completionItem/resolve", asked).catch(() => null)) as {
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
        textOf: (document) => this.#texts.get(document),
      });
    } catch {
      return undefined;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#emit.close();
    await this.#server.kill();
    this.#workspace.remove();
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
      this.#change(document, text);
      return this.#request(method, { textDocument: { uri: this.#workspace.uri(document) }, ...params });
    };
    try {
      return await request();
    } catch (error) {
      if (!(error instanceof LanguageServerError) || error.reason !== "stopped" || this.#closed) throw error;
      return request();
    }
  }

  #tellOfFiles(source: string): void {
    const { edited, gone, resolution } = this.#files.changes();
    this.#files.follow(source);
    const changes = [
      ...edited.map((path) => ({ uri: pathToFileURL(path).href, type: FILE_CHANGED })),
      ...gone.map((path) => ({ uri: pathToFileURL(path).href, type: FILE_DELETED })),
    ];
    if (changes.length > 0) this.#server.notify("workspace/didChangeWatchedFiles", { changes });
    if (resolution) this.#resolveAnew();
  }

  /** Makes the compiler look anew for every module: it does when its project file changes. */
  #resolveAnew(): void {
    this.#workspace.writeConfig();
    this.#server.notify("workspace/didChangeWatchedFiles", {
      changes: [{ uri: this.#workspace.uri("tsconfig.json"), type: FILE_CHANGED }],
    });
  }

  async #request(method: string, params: object): Promise<unknown> {
    const server = this.#server;
    try {
      return await server.request(method, params, server === this.#warm ? this.#timeout : COLD * this.#timeout);
    } catch (error) {
      // A server that is late once is not waited for again.
      if (error instanceof LanguageServerError && error.reason === "late" && server === this.#server && !this.#closed) {
        this.#server = this.#start();
        void server.kill();
      }
      throw error;
    }
  }

  #change(document: string, text: string): void {
    if (this.#server.ended && !this.#closed) this.#server = this.#start();
    const isOpen = this.#texts.has(document);
    this.#texts.set(document, text);
    if (!isOpen) return this.#open(this.#server, document);
    const version = (this.#versions.get(document) ?? 0) + 1;
    this.#versions.set(document, version);
    this.#server.notify("textDocument/didChange", {
      textDocument: { uri: this.#workspace.uri(document), version },
      contentChanges: [{ text }],
    });
  }

  #start(): LanguageServer {
    const { folder } = this.#workspace;
    const server = new LanguageServer({ executable: this.#compiler, args: ["--lsp", "--stdio"], folder, settings });
    const initialize = { processId: process.pid, rootUri: this.#workspace.uri(""), capabilities };
    server.request("initialize", initialize, this.#timeout).catch(() => {});
    server.notify("initialized", {});
    for (const document of this.#texts.keys()) this.#open(server, document);
    // Asked for its effect: the compiler reads its library before the first cell comes.
    server
      .request("textDocument/diagnostic", { textDocument: { uri: this.#workspace.uri(SCRATCH) } }, COLD * this.#timeout)
      .then(
        () => {
          this.#warm = server;
        },
        () => {},
      );
    return server;
  }

  /** A document that changes no more is read from disk: each open one costs a little at every change of another. */
  #closeDocument(document: string): void {
    this.#workspace.write(document, this.#texts.get(document) ?? EMPTY);
    this.#texts.delete(document);
    this.#server.notify("textDocument/didClose", { textDocument: { uri: this.#workspace.uri(document) } });
  }

  #open(server: LanguageServer, document: string): void {
    this.#versions.set(document, 1);
    const textDocument = {
      uri: this.#workspace.uri(document),
      languageId: "typescript",
      version: 1,
      text: this.#texts.get(document) ?? "",
    };
    server.notify("textDocument/didOpen", { textDocument });
  }
}

const capabilities = {
  textDocument: {
    diagnostic: {},
    hover: { contentFormat: ["markdown"] },
    completion: { completionItem: { snippetSupport: false } },
    signatureHelp: { signatureInformation: { documentationFormat: ["markdown"] } },
    definition: { linkSupport: true },
  },
  workspace: { configuration: true, didChangeConfiguration: { dynamicRegistration: true } },
};

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
