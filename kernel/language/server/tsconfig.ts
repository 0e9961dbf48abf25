import { readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

/** What a notebook's own `tsconfig.json` says that cannot simply be inherited. */
export interface OwnOptions {
  lib?: unknown;
  jsx?: unknown;
  noImplicitAny?: boolean;
  noImplicitThis?: boolean;
  experimentalDecorators?: boolean;
  emitDecoratorMetadata?: boolean;
  types?: string[];
  /** With absolute targets. */
  paths?: Record<string, string[]>;
}

/** The notebook folder's `tsconfig.json`, if it has one, and those of its options that ours add to. */
export function readCompilerOptions(folder: string): { base?: string; own: OwnOptions } {
  const base = join(folder, "tsconfig.json");
  if (statSync(base, { throwIfNoEntry: false })?.isFile() !== true) return { own: {} };
  return { base, own: inheritedOptions(base, new Set()) };
}

/** A file's options over those of the files it extends. A file that cannot be read counts as empty: the compiler names it. */
function inheritedOptions(file: string, seen: Set<string>): OwnOptions {
  if (seen.has(file)) return {};
  seen.add(file);
  const config = readJsonWithComments(file);
  const folder = dirname(file);
  const parents =
    typeof config.extends === "string" ? [config.extends] : Array.isArray(config.extends) ? config.extends : [];
  const inherited = parents
    .filter((parent): parent is string => typeof parent === "string" && /^\.{0,2}\//.test(parent))
    .map((parent) => inheritedOptions(resolve(folder, parent.endsWith(".json") ? parent : `${parent}.json`), seen));
  const options = (config.compilerOptions ?? {}) as Record<string, unknown>;
  const own: OwnOptions = {};
  if (options.lib !== undefined) own.lib = options.lib;
  if (options.jsx !== undefined) own.jsx = options.jsx;
  if (typeof options.noImplicitAny === "boolean") own.noImplicitAny = options.noImplicitAny;
  for (const name of ["noImplicitThis", "experimentalDecorators", "emitDecoratorMetadata"] as const)
    if (typeof options[name] === "boolean") own[name] = options[name];
  if (Array.isArray(options.types))
    own.types = options.types.filter((type): type is string => typeof type === "string");
  if (typeof options.paths === "object" && options.paths !== null) own.paths = absolutePaths(options, folder);
  return Object.assign({}, ...inherited, own);
}

function absolutePaths(options: Record<string, unknown>, folder: string): Record<string, string[]> {
  const base = typeof options.baseUrl === "string" ? resolve(folder, options.baseUrl) : folder;
  const entries = Object.entries(options.paths as Record<string, unknown>);
  return Object.fromEntries(
    entries.map(([name, targets]) => [
      name,
      Array.isArray(targets) ? targets.map((target) => resolve(base, String(target))) : [],
    ]),
  );
}

function readJsonWithComments(file: string): Record<string, unknown> {
  try {
    const text = readFileSync(file, "utf8").replace(/^\uFEFF/, "");
    const plain = text
      .replace(/("(?:\\.|[^"\\])*")|\/\/[^\n]*|\/\*[\s\S]*?\*\//g, "$1")
      .replace(/("(?:\\.|[^"\\])*")|,(?=\s*[}\]])/g, "$1");
    const value: unknown = JSON.parse(plain);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
