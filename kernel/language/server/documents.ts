import { findCompiler } from "../native-compiler.ts";
import { BATCH, documentOf, EMPTY, firstTexts, SCRATCH } from "./cell-documents.ts";
import { LanguageServer, LanguageServerError } from "./lsp.ts";
import { Workspace } from "./workspace.ts";

export interface LanguageOptions {
  /** The notebook's folder: its `tsconfig.json`, packages and files are those of the cells. */
  folder: string;
  /** How long one question may take, in milliseconds. Default 2,000. */
  timeout?: number;
}

/** What the notebook's language server is asked about; or why there is none, in words for the user. */
export type StartedServer = Documents | { missing: string };

/** Starts TypeScript 7's language server. Loads little and blocks on nothing: it is what a kernel starts first. */
export function startLanguageServer(options: LanguageOptions): StartedServer {
  const compiler = findCompiler();
  return compiler.missing !== undefined ? compiler : new Documents(options, compiler.path);
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
/** LSP's `FileChangeType`. */
const FILE_CHANGED = 2;
const FILE_DELETED = 3;

/**
 * The documents that the language server has open, and its process, which is started at once. One that has ended, or is
 * late with an answer, is replaced by another that is told the same.
 */
export class Documents {
  readonly workspace: Workspace;
  readonly compiler: string;
  readonly #timeout: number;
  readonly #versions = new Map<string, number>();
  readonly #texts = firstTexts();
  #server: LanguageServer;
  /** The server that has read the compiler's library. */
  #warm: LanguageServer | undefined;
  #closed = false;

  constructor({ folder, timeout = DEFAULT_TIMEOUT_MS }: LanguageOptions, compiler: string) {
    this.compiler = compiler;
    this.#timeout = timeout;
    this.workspace = new Workspace(folder);
    // Sent at the end of this turn: the process starts while the files are written that it is going to read.
    this.#server = this.#start();
    for (let module = 0; module < BATCH; module++) this.workspace.write(documentOf(module), EMPTY);
  }

  /** The text of every document that is open. */
  get texts(): ReadonlyMap<string, string> {
    return this.#texts;
  }

  get closed(): boolean {
    return this.#closed;
  }

  get serverPid(): number | undefined {
    return this.#server.pid;
  }

  /** Asks about a document; rejects with `LanguageServerError` where there is no answer in time. */
  async ask(document: string, method: string, params: object = {}): Promise<unknown> {
    return this.request(method, { textDocument: { uri: this.workspace.uri(document) }, ...params });
  }

  /** As `ask`, about what the server itself has named. */
  async request(method: string, params: object): Promise<unknown> {
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

  /** Gives a document its text, and opens it where it is not. */
  change(document: string, text: string): void {
    if (this.#server.ended && !this.#closed) this.#server = this.#start();
    const isOpen = this.#texts.has(document);
    this.#texts.set(document, text);
    if (!isOpen) return this.#open(this.#server, document);
    const version = (this.#versions.get(document) ?? 0) + 1;
    this.#versions.set(document, version);
    this.#server.notify("textDocument/didChange", {
      textDocument: { uri: this.workspace.uri(document), version },
      contentChanges: [{ text }],
    });
  }

  /** A document that changes no more is read from disk: each open one costs a little at every change of another. */
  leave(document: string): void {
    this.workspace.write(document, this.#texts.get(document) ?? EMPTY);
    this.#texts.delete(document);
    this.#server.notify("textDocument/didClose", { textDocument: { uri: this.workspace.uri(document) } });
  }

  /** Tells the server that files on the disk have changed or are gone. */
  filesChanged(changed: readonly string[], gone: readonly string[] = []): void {
    const changes = [
      ...changed.map((uri) => ({ uri, type: FILE_CHANGED })),
      ...gone.map((uri) => ({ uri, type: FILE_DELETED })),
    ];
    if (changes.length > 0) this.#server.notify("workspace/didChangeWatchedFiles", { changes });
  }

  /** Makes the compiler look anew for every module: it does when its project file changes. */
  resolveAnew(): void {
    this.workspace.writeConfig();
    this.filesChanged([this.workspace.uri("tsconfig.json")]);
  }

  /** Ends the server, stopped or not, and removes what it worked on. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#server.kill();
    this.workspace.remove();
  }

  #start(): LanguageServer {
    const { folder } = this.workspace;
    const server = new LanguageServer({ executable: this.compiler, args: ["--lsp", "--stdio"], folder, settings });
    const initialize = { processId: process.pid, rootUri: this.workspace.uri(""), capabilities };
    server.request("initialize", initialize, this.#timeout).catch(() => {});
    server.notify("initialized", {});
    for (const document of this.#texts.keys()) this.#open(server, document);
    // Asked for its effect: the compiler reads its library before the first cell comes.
    server
      .request("textDocument/diagnostic", { textDocument: { uri: this.workspace.uri(SCRATCH) } }, COLD * this.#timeout)
      .then(
        () => {
          this.#warm = server;
        },
        () => {},
      );
    return server;
  }

  #open(server: LanguageServer, document: string): void {
    this.#versions.set(document, 1);
    const textDocument = {
      uri: this.workspace.uri(document),
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
