import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { parseSync, transformSync } from "./oxc.ts";
import { transformOptions, withHelpers } from "./typescript-modules.ts";

let isReady = false;

interface CommonJsModule {
  _compile(code: string, filename: string, format: "module" | "commonjs"): unknown;
}

/**
 * Lets `require` load TypeScript files, as modules where they have imports and exports. `edits`: those of the files, by URL.
 * Nothing happens the second time.
 */
export function requireTypeScript(require: NodeJS.Require, folder: string, edits: ReadonlyMap<string, number>): void {
  const extensions = require.extensions as unknown as Record<string, (module: CommonJsModule, path: string) => void>;
  if (isReady) return;
  isReady = true;
  function load(module: CommonJsModule, path: string): void {
    const source = readFileSync(path, "utf8");
    const { code, errors } = transformSync(path, source, transformOptions(folder));
    if (errors[0] !== undefined) throw new SyntaxError(`${path}: ${errors[0].message}`);
    const script = withHelpers(code);
    const edit = edits.get(pathToFileURL(path).href) ?? 0;
    if (!isModule(path, source)) module._compile(script, path, "commonjs");
    else compileModule(() => module._compile(script, edit === 0 ? path : `${path}?edited=${edit}`, "module"), path);
  }
  for (const extension of [".ts", ".tsx", ".mts", ".cts"]) extensions[extension] = load;
}

/** Inside of `require`, some versions of Node ask no hooks, and so find no TypeScript. */
function compileModule(compile: () => void, path: string): void {
  try {
    compile();
  } catch (error) {
    const { code } = error as { code?: string };
    if (code !== "ERR_MODULE_NOT_FOUND" && code !== "ERR_UNKNOWN_FILE_EXTENSION") throw error;
    const message = `require cannot load what ${path} imports; use import, or await import(…), for it`;
    throw Object.assign(new Error(message, { cause: error }), { code });
  }
}

function isModule(path: string, source: string): boolean {
  if (/\.[cm]ts$/.test(path)) return path.endsWith(".mts");
  return parseSync(path, source).module.hasModuleSyntax;
}
