/** Which names a part of a program gives a meaning of its own. */
import { boundNames, isFunction, type Node, type NodeOf, walk } from "./walk.ts";

const none: ReadonlySet<string> = new Set();

/** The names that mean something else inside of this node than around it. */
export function bindingsOf(node: Node): ReadonlySet<string> {
  switch (node.type) {
    case "FunctionDeclaration":
      return new Set([...node.params.flatMap(boundNames), ...varsOf(node.body)]);
    case "FunctionExpression":
    case "ArrowFunctionExpression":
      return new Set([...node.params.flatMap(boundNames), ...varsOf(node.body), ...(node.id ? [node.id.name] : [])]);
    case "ClassDeclaration":
    case "ClassExpression":
      return node.id === null ? none : new Set([node.id.name]);
    case "BlockStatement":
      return new Set(node.body.flatMap(lexicalNames));
    case "StaticBlock":
    case "TSModuleBlock":
      return new Set(node.body.flatMap((statement) => [...lexicalNames(statement), ...varsOf(statement)]));
    case "TSEnumBody":
      return new Set(node.members.flatMap(({ id }) => (id.type === "Identifier" ? [id.name] : [])));
    case "SwitchStatement":
      return new Set(node.cases.flatMap(({ consequent }) => consequent.flatMap(lexicalNames)));
    case "CatchClause":
      return new Set(boundNames(node.param));
    case "ForStatement":
      return node.init === null ? none : new Set(lexicalNames(node.init));
    case "ForOfStatement":
    case "ForInStatement":
      return new Set(lexicalNames(node.left));
    default:
      return none;
  }
}

/** Whether the name means something else at a place with these nodes around it than at the top of its cell. */
export function isBoundWithin(name: string, parents: readonly Node[]): boolean {
  return parents.some((parent) => bindingsOf(parent).has(name));
}

/** The declaration inside an `export`, else the statement itself. */
export function unwrapExport(statement: Node): Node {
  if (statement.type === "ExportNamedDeclaration" && statement.declaration !== null) return statement.declaration;
  return statement.type === "ExportDefaultDeclaration" ? statement.declaration : statement;
}

/** Names of `var` declarations inside blocks and loops, which belong to the whole cell. */
export function nestedVars(statement: Node): string[] {
  if (statement.type === "VariableDeclaration") return [];
  const names: string[] = [];
  walk(statement, {
    enter(node) {
      if (node.type === "VariableDeclaration" && node.kind === "var" && !node.declare)
        names.push(...node.declarations.flatMap((declarator) => boundNames(declarator.id)));
      return !isFunction(node) && !/^(Class|TSModule|TSEnum|.*Expression$)/.test(node.type);
    },
  });
  return names;
}

/** Names of `var`s, which belong to the function around them. */
function varsOf(body: Node | null): string[] {
  if (body === null) return [];
  const declaration = unwrapExport(body);
  if (declaration.type !== "VariableDeclaration") return nestedVars(body);
  return declaration.kind === "var" ? declaredBy(declaration) : [];
}

/** Names that a statement declares in the block it stands in, not for the function around. */
function lexicalNames(statement: Node): string[] {
  const declaration = unwrapExport(statement);
  switch (declaration.type) {
    case "VariableDeclaration":
      return declaration.kind === "var" ? [] : declaredBy(declaration);
    case "TSEnumDeclaration":
    case "TSImportEqualsDeclaration":
      return [declaration.id.name];
    case "TSModuleDeclaration":
      return declaration.id.type === "Identifier" ? [declaration.id.name] : [];
    default:
      return declaredBy(declaration);
  }
}

/** Names of the variables, the function or the class that a statement declares. */
export function declaredBy(statement: Node): string[] {
  switch (statement.type) {
    case "VariableDeclaration":
      return statement.declarations.flatMap(({ id }) => boundNames(id));
    case "FunctionDeclaration":
    case "ClassDeclaration":
      return statement.id === null ? [] : [statement.id.name];
    default:
      return [];
  }
}

/** Whether an identifier stands for a variable's value, not for a property, a label or a declaration. */
export function isReference(node: NodeOf<"Identifier">, parents: readonly Node[]): boolean {
  const parent = parents.at(-1);
  switch (parent?.type) {
    case "MemberExpression":
      return parent.object === node || parent.computed;
    case "Property":
      // A shorthand is visited as key and as value; the value counts.
      return (parent.value as Node) === node || (parent.computed && (parent.key as Node) === node);
    case "MethodDefinition":
    case "PropertyDefinition":
    case "AccessorProperty":
      return (parent.key as Node) !== node || parent.computed;
    case "LabeledStatement":
    case "BreakStatement":
    case "ContinueStatement":
    case "ExportSpecifier":
      return false;
    case "TSEnumMember":
      return parent.initializer === node;
    case "TSImportEqualsDeclaration":
      return (parent.moduleReference as Node) === node;
    case "TSQualifiedName":
      return parent.left === node;
    case "VariableDeclarator":
      return parent.init === node;
    default:
      return true;
  }
}
