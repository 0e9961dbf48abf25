import { statSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { registerImport } from "../../runtime/host.ts";
import { editedUrl, isLocal, LocalFiles, resolveLocal } from "./local-files.ts";
import { isTypeScript, loadTypeScript } from "./typescript-modules.ts";
import { requireTypeScript } from "./typescript-require.ts";

const ownModules: Record<string, string> = {
  heddle: new URL("../../runtime/index.js", import.meta.url).href,
  "heddle/notebook": new URL("../index.js", import.meta.url).href,
  tslab: new URL("../display/tslab.js", import.meta.url).href,
};

type ImportOptions = { with?: Record<string, string> };

/** What `import`, `require`, `import.meta` and `__dirname` mean in a cell: as in a file of the notebook's folder. */
export class CellModules {
  readonly dirname: string;
  readonly filename: string;
  readonly require: NodeJS.Require;
  readonly meta: { url: string; dirname: string; filename: string; resolve(specifier: string): string };
  readonly #base: string;
  readonly #files: LocalFiles;
  readonly #require: NodeJS.Require;
  /** The edits that files had when they were required. */
  readonly #required = new Map<string, number>();

  constructor(folder: string) {
    this.dirname = folder;
    this.filename = join(folder, "notebook.ts");
    this.#base = pathToFileURL(this.filename).href;
    this.#files = new LocalFiles(folder);
    this.#require = createRequire(this.filename);
    this.require = Object.assign((specifier: string) => this.#requireFresh(specifier), this.#require);
    this.meta = {
      url: this.#base,
      dirname: this.dirname,
      filename: this.filename,
      resolve: (specifier) => this.resolve(specifier),
    };
  }

  /** The URL that a specifier means in a cell. Throws Node's own error where there is none. */
  resolve(specifier: string): string {
    const own = ownModules[specifier];
    if (own !== undefined) return own;
    const local = resolveLocal(specifier, this.#base, this.dirname);
    return local === undefined ? import.meta.resolve(specifier, this.#base) : this.#existing(specifier, local);
  }

  #existing(specifier: string, url: string): string {
    if (statSync(fileURLToPath(url), { throwIfNoEntry: false }) !== undefined) return url;
    const error = new Error(`Cannot find module '${specifier}' from the notebook's folder ${this.dirname}`);
    throw Object.assign(error, { code: "ERR_MODULE_NOT_FOUND" });
  }

  /** `import(specifier)` of a cell. A file that was edited since it was imported, or whose imports were, is loaded anew. */
  async import(specifier: unknown, options?: ImportOptions): Promise<object> {
    const url = this.resolve(String(specifier));
    const attributes = url.endsWith(".json") && options?.with === undefined ? { with: { type: "json" } } : options;
    const edit = isUsers(url) ? this.#prepare(url).get(url) : 0;
    const namespace = (await import(editedUrl(url, edit), attributes as ImportCallOptions)) as object;
    registerImport(namespace, url);
    return namespace;
  }

  /** Looks at the file and what it imports, and has Node load it as it is now. */
  #prepare(url: string): Map<string, number> {
    const edits = this.#files.look(url);
    const isPlain = edits.size === 1 && edits.get(url) === 0 && !isTypeScript(url);
    if (!isPlain) loadTypeScript(this.dirname, edits);
    return edits;
  }

  /** `require(specifier)` of a cell. */
  #requireFresh(specifier: string): unknown {
    const url = resolveLocal(String(specifier), this.#base, this.dirname);
    if (url === undefined || !isUsers(url) || statSync(fileURLToPath(url), { throwIfNoEntry: false }) === undefined)
      return this.#require(specifier);
    const edits = this.#prepare(url);
    if ([...edits.keys()].some(isTypeScript)) requireTypeScript(this.#require, this.dirname, this.#required);
    for (const [file, edit] of edits) {
      if ((this.#required.get(file) ?? 0) !== edit) delete this.#require.cache[fileURLToPath(file)];
      this.#required.set(file, edit);
    }
    return this.#require(fileURLToPath(url));
  }
}

/** Whether it is a file that the user may edit. */
function isUsers(url: string): boolean {
  return isLocal(url) && !Object.values(ownModules).includes(url);
}
