import { statSync } from "node:fs";
import { createRequire } from "node:module";
import { extname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { registerImport } from "../../runtime/host.ts";
import { mappedUrl } from "./path-mappings.ts";
import { loadTypeScript, probeExtensions } from "./typescript-modules.ts";

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

  constructor(folder: string) {
    this.dirname = folder;
    this.filename = join(folder, "notebook.ts");
    this.#base = pathToFileURL(this.filename).href;
    this.require = createRequire(this.filename);
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
    const isPath = /^(\.{1,2}(\/|$)|\/|file:)/.test(specifier);
    if (isPath) return this.#existing(specifier, probeExtensions(new URL(specifier, this.#base)));
    return mappedUrl(specifier, this.dirname) ?? import.meta.resolve(specifier, this.#base);
  }

  #existing(specifier: string, url: string): string {
    if (modifiedAt(url) !== undefined) return url;
    const error = new Error(`Cannot find module '${specifier}' from the notebook's folder ${this.dirname}`);
    throw Object.assign(error, { code: "ERR_MODULE_NOT_FOUND" });
  }

  /** `import(specifier)` of a cell. A file that has changed since it was imported is loaded anew. */
  async import(specifier: unknown, options?: ImportOptions): Promise<object> {
    const url = this.resolve(String(specifier));
    const attributes = url.endsWith(".json") && options?.with === undefined ? { with: { type: "json" } } : options;
    if (isTypeScript(url)) loadTypeScript();
    const namespace = (await import(freshUrl(url), attributes as ImportCallOptions)) as object;
    registerImport(namespace, url);
    return namespace;
  }
}

function isTypeScript(url: string): boolean {
  return url.startsWith("file:") && /^\.[cm]?tsx?$/.test(extname(new URL(url).pathname));
}

const firstSeen = new Map<string, number>();

/** The URL itself at first, with a mark of the file's time once the file has been edited. */
function freshUrl(url: string): string {
  if (!url.startsWith("file:") || url.includes("/node_modules/") || Object.values(ownModules).includes(url)) return url;
  const changed = modifiedAt(url);
  if (changed === undefined) return url;
  const before = firstSeen.get(url);
  if (before === undefined) firstSeen.set(url, changed);
  return before === undefined || before === changed ? url : `${url}?edited=${changed}`;
}

function modifiedAt(url: string): number | undefined {
  return statSync(fileURLToPath(url), { throwIfNoEntry: false })?.mtimeMs;
}
