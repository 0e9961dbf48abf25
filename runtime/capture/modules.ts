/** Modules that decoded values refer to: loaded once a thread, before the values are decoded. */
import { createRequire, isBuiltin } from "node:module";
import { fileURLToPath } from "node:url";
import vm from "node:vm";
import * as errors from "../errors.ts";
import { registerImport } from "./imports.ts";

type Namespace = Readonly<Record<string, unknown>>;

const loaded = new Map<string, Namespace>();

/** The runtime's own errors are everywhere already. */
const ownErrors = new URL("../errors.js", import.meta.url).href;
loaded.set(ownErrors, errors);
registerImport(errors, ownErrors);

/** Separates a specifier from the URL of the module whose import it was, where the importing thread resolves it. */
const FROM = "\n";

/** The name of a module that is to be found as `specifier` from the module at `parent`. */
export function moduleFrom(specifier: string, parent: string): string {
  if (isBuiltin(specifier)) return specifier.startsWith("node:") ? specifier : `node:${specifier}`;
  if (/^\.{0,2}\//.test(specifier) && /^[a-z]+:/.test(parent)) return new URL(specifier, parent).href;
  return /^(file|data|node|https?):/.test(specifier) ? specifier : specifier + FROM + parent;
}

/** Whether `decode` may run at once. */
export function modulesLoaded(urls: readonly string[]): boolean {
  for (const url of urls) if (!loaded.has(url)) return false;
  return true;
}

/** Imports what is not loaded yet; rejects with the module's own error. */
export async function loadModules(urls: readonly string[]): Promise<void> {
  await Promise.all(
    urls.map(async (url) => {
      if (!loaded.has(url)) loaded.set(url, await importModule(url));
    }),
  );
}

let typescriptLoader: string | undefined;

/** From now on this module is imported before the first file of TypeScript. */
export function loadTypeScriptBy(loader: string | undefined): void {
  typescriptLoader = loader;
}

/** Imports a module by its URL, or by the name that `moduleFrom` gives. */
export async function importModule(url: string): Promise<Namespace> {
  const [specifier, parent] = url.split(FROM) as [string, string | undefined];
  if (typescriptLoader !== undefined && /^file:.*\.[cm]?tsx?(\?|$)/.test(specifier)) await import(typescriptLoader);
  return parent === undefined ? (import(specifier) as Promise<Namespace>) : importerAt(parent)(specifier);
}

/** An `import` that resolves as the one in the file at `parent` does. */
function importerAt(parent: string): (specifier: string) => Promise<Namespace> {
  const script = new vm.Script("(specifier) => import(specifier)", importingScript(parent));
  return script.runInThisContext() as (specifier: string) => Promise<Namespace>;
}

/** The folder of the runtime's own modules. */
const ownFolder = new URL("../", import.meta.url).href;
const ownIndex = new URL("../index.js", import.meta.url).href;
let knowsOwnExports = false;

/** Whether a script is one of the runtime's own. Its public functions can be imported again from then on. */
export function isOwnScript(url: string | undefined): boolean {
  if (url === undefined || !url.startsWith(ownFolder)) return false;
  if (!knowsOwnExports) {
    knowsOwnExports = true;
    // The module is loaded already, since somebody has a function of it.
    withoutWarning(() =>
      registerImport(createRequire(import.meta.url)(fileURLToPath(ownIndex)) as Namespace, ownIndex),
    );
  }
  return true;
}

let isQuiet = false;

/** Options for a script whose `import()` works as in the file at `filename`. */
export function importingScript(filename: string): vm.ScriptOptions {
  const options = { filename, importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER };
  if (!isQuiet) {
    isQuiet = true;
    withoutWarning(() => void new vm.Script('import("node:module")', options).runInThisContext());
  }
  return options;
}

/** Node warns of what it calls experimental at its first use; users can do nothing about it. */
function withoutWarning(body: () => void): void {
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    body();
  } finally {
    process.emitWarning = emitWarning;
  }
}

/** A value inside a loaded module; `*` is the namespace itself. */
export function importedValue(url: string, path: readonly string[]): unknown {
  let value: unknown = loaded.get(url);
  if (value === undefined) throw new Error(`the module ${url.replace(FROM, ", imported by ")} is not loaded`);
  for (const name of path) if (name !== "*") value = (value as Namespace)[name];
  return value;
}
