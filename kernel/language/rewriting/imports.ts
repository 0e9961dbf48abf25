import type { Node, NodeOf } from "../walk.ts";
import type { Rewrite } from "./rewrite.ts";

export type ImportStatement = NodeOf<
  "ImportDeclaration" | "TSImportEqualsDeclaration" | "ExportAllDeclaration" | "ExportNamedDeclaration"
>;

/** Whether a statement makes the cell load a module before it runs. */
export function isImport(statement: Node): statement is ImportStatement {
  if (statement.type === "ImportDeclaration") return true;
  if (statement.type === "TSImportEqualsDeclaration")
    return statement.moduleReference.type === "TSExternalModuleReference";
  if (statement.type === "ExportAllDeclaration") return true;
  return statement.type === "ExportNamedDeclaration" && statement.source !== null;
}

/** Local names of an import statement, those of types left out. */
export function importedNames(statement: Node): string[] {
  if (statement.type === "TSImportEqualsDeclaration") return statement.importKind === "type" ? [] : [statement.id.name];
  if (statement.type !== "ImportDeclaration" || statement.importKind === "type") return [];
  return valueSpecifiers(statement).map((specifier) => specifier.local.name);
}

/**
 * The statement as code that asks the host for the module. Where the cell uses the names as types only, the module
 * need not exist at run time, but it is loaded if it does: a later cell may use the same names as values.
 */
export function importCode(
  statement: ImportStatement,
  declare: (name: string) => string,
  typeNames: ReadonlySet<string>,
  rewrite: Rewrite,
): string {
  if (statement.type === "TSImportEqualsDeclaration") {
    if (statement.moduleReference.type !== "TSExternalModuleReference") return "";
    return `${declare(statement.id.name)} = __heddle__.require(${rewrite.slice(statement.moduleReference.expression)});`;
  }
  if (statement.source === null) return "";
  const names = importedNames(statement);
  const onlyTypes = names.length > 0 && names.every((name) => typeNames.has(name) && !rewrite.valueNames.has(name));
  const request = `__heddle__.import(${rewrite.slice(statement.source)}${attributesCode(statement, rewrite)})`;
  const load = `await __heddle__.await(${request}${onlyTypes ? ".catch(() => ({}))" : ""})`;
  if (statement.type !== "ImportDeclaration") return `${load};`;
  // `import {} from "x"` and an import of types alone: TypeScript keeps the first and drops the second.
  if (names.length === 0) return statement.specifiers.length === 0 ? `${load};` : "";
  return bindNames(statement, declare, load, rewrite);
}

function bindNames(
  statement: NodeOf<"ImportDeclaration">,
  declare: (name: string) => string,
  load: string,
  rewrite: Rewrite,
): string {
  const specifiers = valueSpecifiers(statement);
  const namespace = specifiers.find((specifier) => specifier.type === "ImportNamespaceSpecifier");
  const parts = specifiers.flatMap((specifier) => {
    if (specifier.type === "ImportNamespaceSpecifier") return [];
    declare(specifier.local.name);
    return [`${exportedKey(specifier)}: ${rewrite.nameOf(specifier.local.name)}`];
  });
  if (namespace === undefined) return `let { ${parts.join(", ")} } = ${load};`;
  declare(namespace.local.name);
  const name = rewrite.nameOf(namespace.local.name);
  const rest = parts.length === 0 ? "" : ` let { ${parts.join(", ")} } = ${name};`;
  return `let ${name} = ${load};${rest}`;
}

function exportedKey(specifier: NodeOf<"ImportSpecifier" | "ImportDefaultSpecifier">): string {
  if (specifier.type === "ImportDefaultSpecifier") return "default";
  return specifier.imported.type === "Literal" ? JSON.stringify(specifier.imported.value) : specifier.imported.name;
}

function valueSpecifiers(
  statement: NodeOf<"ImportDeclaration">,
): NodeOf<"ImportSpecifier" | "ImportDefaultSpecifier" | "ImportNamespaceSpecifier">[] {
  return statement.specifiers.filter(
    (specifier) => specifier.type !== "ImportSpecifier" || specifier.importKind !== "type",
  );
}

function attributesCode(
  statement: Exclude<ImportStatement, NodeOf<"TSImportEqualsDeclaration">>,
  rewrite: Rewrite,
): string {
  if (statement.attributes.length === 0) return "";
  return `, { with: { ${statement.attributes.map((attribute) => rewrite.slice(attribute)).join(", ")} } }`;
}
