/** Completion in the text that names a module: the language server knows its own folder there, not the notebook's. */
import { readdirSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, join, resolve } from "node:path";
import type { Completion, CompletionList } from "./engine.ts";

/** The text between the quotes up to the cursor, behind a word that takes a module's name. */
const beforeCursor = /(?:\bfrom|\bimport|\bimport\s*\(|\brequire\s*\()\s*(["'])([^"'\n]*)$/;
const modulesOfHeddle = ["heddle", "heddle/notebook", "tslab"];

/** What may stand there: files of a path, Node's modules, installed packages. Undefined anywhere else. */
export function completeModule(source: string, offset: number, folder: string): CompletionList | undefined {
  const match = beforeCursor.exec(source.slice(0, offset).slice(-1000));
  if (match === null) return undefined;
  const [, quote = "", typed = ""] = match;
  const rest = source.slice(offset).split(/[\n"']/, 1)[0] ?? "";
  const isClosed = source[offset + rest.length] === quote;
  const start = offset - typed.length;
  const items = /^\.{1,2}\//.test(typed) ? filesAt(typed, folder) : moduleNames(typed, folder);
  const fitting = items.filter(({ text }) => text.startsWith(typed)).sort((a, b) => (a.text < b.text ? -1 : 1));
  return { start, end: isClosed ? offset + rest.length : offset, items: fitting };
}

function filesAt(typed: string, folder: string): Completion[] {
  const base = typed.slice(0, typed.lastIndexOf("/") + 1);
  return entriesOf(resolve(folder, base)).flatMap((entry): Completion[] => {
    if (entry.name.startsWith(".") || entry.name === "node_modules") return [];
    if (entry.isDirectory()) return [{ text: `${base}${entry.name}/`, kind: "folder" }];
    const isModule = /\.([cm]?[jt]sx?|json)$/.test(entry.name) && !/\.d\.[cm]?ts$/.test(entry.name);
    return isModule ? [{ text: base + entry.name, kind: "file" }] : [];
  });
}

function moduleNames(typed: string, folder: string): Completion[] {
  const builtins = builtinModules
    .filter((name) => !name.startsWith("_"))
    .flatMap((name) =>
      (typed.startsWith("node:") ? [] : [name]).concat(name.startsWith("node:") ? [] : `node:${name}`),
    );
  const names = new Set([...modulesOfHeddle, ...builtins, ...packagesAbove(folder)]);
  return [...names].map((text) => ({ text, kind: "module" }));
}

function packagesAbove(folder: string): string[] {
  const above = dirname(folder);
  const here = join(folder, "node_modules");
  const names = entriesOf(here).flatMap(({ name }) => {
    if (name.startsWith(".") || name === "@types") return [];
    return name.startsWith("@") ? entriesOf(join(here, name)).map((inner) => `${name}/${inner.name}`) : [name];
  });
  return above === folder ? names : [...names, ...packagesAbove(above)];
}

function entriesOf(folder: string): { name: string; isDirectory(): boolean }[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}
