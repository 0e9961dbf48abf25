import type { CompiledCell } from "./engine.ts";
import { parseCell } from "./parse.ts";
import { isTypeOnly } from "./rewriting/erase-types.ts";
import { nestedVars, unwrapExport } from "./scopes.ts";
import { boundNames, type Node, type NodeOf } from "./walk.ts";

export type DeclarationKind = CompiledCell["declares"] extends ReadonlyMap<string, infer K> ? K : never;

/** Names a cell declares at top level. A type that is a value too counts as the value. */
export function declaredNames(program: NodeOf<"Program">): Map<string, DeclarationKind> {
  const names = new Map<string, DeclarationKind>();
  const add = (name: string, kind: DeclarationKind) => {
    if (kind !== "type" || !names.has(name)) names.set(name, kind);
  };
  for (const statement of program.body) {
    for (const [name, kind] of declarationsOf(unwrapExport(statement))) add(name, kind);
    for (const name of nestedVars(statement)) add(name, "let");
  }
  return names;
}

/** The text of the statement of a cell that declares a name at top level. */
export function declarationText(source: string, name: string): string | undefined {
  const { text, program } = parseCell(source);
  const statement = program.body.find((one) =>
    declarationsOf(unwrapExport(one)).some(([declared]) => declared === name),
  );
  return statement === undefined ? undefined : text.slice(statement.start, statement.end);
}

function declarationsOf(node: Node): [string, DeclarationKind][] {
  const one = (name: string | undefined, kind: DeclarationKind): [string, DeclarationKind][] =>
    name === undefined ? [] : [[name, kind]];
  switch (node.type) {
    case "VariableDeclaration": {
      const kind = node.kind === "let" || node.kind === "var" ? "let" : "const";
      return node.declarations.flatMap((declarator) =>
        boundNames(declarator.id).map((name): [string, DeclarationKind] => [name, kind]),
      );
    }
    case "FunctionDeclaration":
    case "TSDeclareFunction":
      return one(node.id?.name, "function");
    case "ClassDeclaration":
      return one(node.id?.name, "class");
    case "TSEnumDeclaration":
      return one(node.id.name, "enum");
    case "TSInterfaceDeclaration":
    case "TSTypeAliasDeclaration":
      return one(node.id.name, "type");
    case "TSModuleDeclaration": {
      let id: Node = node.id;
      while (id.type === "TSQualifiedName") id = id.left;
      return node.kind === "global" || id.type !== "Identifier"
        ? []
        : one(id.name, isTypeOnly(node) ? "type" : "namespace");
    }
    case "ImportDeclaration":
      return node.specifiers.flatMap((specifier) => one(specifier.local.name, "import"));
    case "TSImportEqualsDeclaration":
      return one(node.id.name, "import");
    default:
      return [];
  }
}

/** Names that the cell's own `export` declarations export already. */
export function exportedInline(program: NodeOf<"Program">): Set<string> {
  const names = new Set<string>();
  for (const statement of program.body) {
    if (statement.type !== "ExportNamedDeclaration") continue;
    if (statement.declaration !== null) for (const [name] of declarationsOf(statement.declaration)) names.add(name);
    for (const { exported } of statement.specifiers)
      names.add(exported.type === "Literal" ? exported.value : exported.name);
  }
  return names;
}
