import { statSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { readCompilerOptions } from "../language/server/tsconfig.ts";
import { probeExtensions } from "./typescript-modules.ts";

/**
 * The file that a specifier means by the `paths` of the folder's `tsconfig.json`, if one is there. As in TypeScript the
 * pattern with the longest text before its `*` counts, and its first target that exists. The file is read anew each time.
 */
export function mappedUrl(specifier: string, folder: string): string | undefined {
  const { paths = {} } = readCompilerOptions(folder).own;
  const [best] = Object.keys(paths)
    .filter((pattern) => matched(pattern, specifier) !== undefined)
    .sort((a, b) => prefixOf(b).length - prefixOf(a).length);
  if (best === undefined) return undefined;
  const part = matched(best, specifier) ?? "";
  return paths[best]
    ?.map((target) => probeExtensions(pathToFileURL(target.replace("*", () => part))))
    .find((url) => statSync(new URL(url), { throwIfNoEntry: false })?.isFile());
}

/** An exact name comes before every pattern. */
const prefixOf = (pattern: string): string =>
  pattern.includes("*") ? pattern.slice(0, pattern.indexOf("*")) : `${pattern}*`;

/** What the pattern's `*` stands for. */
function matched(pattern: string, specifier: string): string | undefined {
  const [before = "", after] = pattern.split("*", 2);
  if (after === undefined) return pattern === specifier ? "" : undefined;
  const fits = specifier.length >= before.length + after.length;
  if (!fits || !specifier.startsWith(before) || !specifier.endsWith(after)) return undefined;
  return specifier.slice(before.length, specifier.length - after.length);
}
