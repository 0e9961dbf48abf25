/** What a module's own text says about its imports. */
import type { Script } from "./inspection.ts";
import { moduleFrom } from "./modules.ts";
import { parse } from "./parser.ts";

export interface ImportedName {
  url: string;
  path: readonly string[];
}

interface Tree {
  type: string;
  [key: string]: unknown;
}

const known = new Map<string, ReadonlyMap<string, ImportedName>>();

/** Local names that the module imports, by `import` declarations or `const … = await import("…")` at its top. */
export function importsOf(script: Script): ReadonlyMap<string, ImportedName> {
  let names = known.get(script.id);
  if (names === undefined) {
    names = readImports(script);
    known.set(script.id, names);
  }
  return names;
}

function readImports({ source = "", url }: Script): Map<string, ImportedName> {
  const names = new Map<string, ImportedName>();
  let body: Tree[];
  try {
    body = parse(source, { ecmaVersion: "latest", sourceType: "module", allowHashBang: true })
      .body as unknown as Tree[];
  } catch {
    return names;
  }
  for (const statement of body) {
    if (statement.type === "ImportDeclaration") {
      const module = urlOf(literal(statement.source)!, url);
      for (const specifier of statement.specifiers as Tree[]) {
        names.set(nameOf(specifier.local), { url: module, path: [importedName(specifier)] });
      }
    } else if (statement.type === "VariableDeclaration") {
      for (const declarator of statement.declarations as Tree[]) readDynamicImport(declarator, url, names);
    }
  }
  return names;
}

function readDynamicImport({ id, init }: Tree, parent: string, names: Map<string, ImportedName>): void {
  const awaited = (init as Tree | null)?.type === "AwaitExpression" ? ((init as Tree).argument as Tree) : undefined;
  const specifier = awaited?.type === "ImportExpression" ? literal(awaited.source) : undefined;
  if (specifier === undefined) return;
  const url = urlOf(specifier, parent);
  const pattern = id as Tree;
  if (pattern.type === "Identifier") names.set(nameOf(pattern), { url, path: ["*"] });
  if (pattern.type !== "ObjectPattern") return;
  for (const property of pattern.properties as Tree[]) {
    const value = property.value as Tree | undefined;
    if (value?.type === "Identifier" && property.computed !== true)
      names.set(nameOf(value), { url, path: [nameOf(property.key)] });
  }
}

function importedName(specifier: Tree): string {
  if (specifier.type === "ImportNamespaceSpecifier") return "*";
  return specifier.type === "ImportDefaultSpecifier" ? "default" : nameOf(specifier.imported);
}

function nameOf(node: unknown): string {
  const { name, value } = node as { name?: string; value?: string };
  return name ?? value!;
}

function literal(node: unknown): string | undefined {
  const { value } = node as { value?: unknown };
  return typeof value === "string" ? value : undefined;
}

function urlOf(specifier: string, parent: string): string {
  return specifier === "heddle" ? new URL("../index.js", import.meta.url).href : moduleFrom(specifier, parent);
}
