/** Module hooks (they run on a thread of Node's own) that load TypeScript files by erasing their types. */
import { readFile } from "node:fs/promises";
import type { LoadHook, ResolveHook } from "node:module";
import { fileURLToPath } from "node:url";
import { transform } from "oxc-transform";
import { probeExtensions } from "./typescript-modules.ts";

export const resolve: ResolveHook = async (specifier, context, nextResolve) => {
  const parent = context.parentURL;
  const isRelative = /^\.{1,2}(\/|$)/.test(specifier) && parent?.startsWith("file:");
  if (!isRelative || parent === undefined) return nextResolve(specifier, context);
  return nextResolve(probeExtensions(new URL(specifier, parent)), context);
};

export const load: LoadHook = async (url, context, nextLoad) => {
  if (!url.startsWith("file:") || !/\.[cm]?tsx?$/.test(new URL(url).pathname)) return nextLoad(url, context);
  const path = fileURLToPath(url);
  const { code, errors } = await transform(path, await readFile(path, "utf8"), { sourcemap: false });
  const error = errors[0];
  if (error !== undefined)
    throw new SyntaxError(`${path}: ${error.message}${error.codeframe ? `\n${error.codeframe}` : ""}`);
  return { format: path.endsWith(".cts") ? "commonjs" : "module", source: code, shortCircuit: true };
};
