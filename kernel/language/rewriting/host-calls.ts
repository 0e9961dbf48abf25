import { isReference } from "../visible-names.ts";
import { boundNames, isFunction, type Node } from "../walk.ts";
import type { Rules } from "./rewrite.ts";

/** Names of CommonJS that a cell may use, and where the host has them. */
const moduleNames: ReadonlyMap<string, string> = new Map([
  ["require", "__heddle__.require"],
  ["__dirname", "__heddle__.dirname"],
  ["__filename", "__heddle__.filename"],
]);

/** Sends through the host object what an interrupt must be able to end, and what depends on where the notebook lives. */
export const hostRules: Rules = {
  AwaitExpression: {
    leave(rewrite, node) {
      rewrite.before(node.argument.start, "__heddle__.await(");
      rewrite.after(node.argument.end, ")");
    },
  },
  ForOfStatement: {
    leave(rewrite, node) {
      if (!node.await) return;
      rewrite.before(node.right.start, "__heddle__.iterate(");
      rewrite.after(node.right.end, ")");
    },
  },
  ImportExpression: {
    enter(rewrite, node) {
      rewrite.replace(node.start, node.start + "import".length, "__heddle__.import");
      return true;
    },
  },
  MetaProperty: {
    enter(rewrite, node) {
      if (node.meta.name !== "import") return false;
      rewrite.replace(node.start, node.end, "__heddle__.meta");
      return false;
    },
  },
  Identifier: {
    enter(rewrite, node, parents) {
      const replacement = moduleNames.get(node.name);
      if (replacement === undefined || !isReference(node, parents) || isBound(node.name, parents)) return true;
      const parent = parents.at(-1);
      const isShorthand = parent?.type === "Property" && parent.shorthand;
      rewrite.replace(node.start, node.end, isShorthand ? `${node.name}: ${replacement}` : replacement);
      return true;
    },
  },
};

/** Whether a name is declared in the cell around where it stands. */
function isBound(name: string, parents: readonly Node[]): boolean {
  return parents.some((scope) => {
    if (scope.type === "Program" || scope.type === "BlockStatement" || scope.type === "StaticBlock")
      return scope.body.some((statement) => declares(statement, name));
    if (isFunction(scope))
      return (
        scope.params.some((parameter) => boundNames(parameter).includes(name)) ||
        (scope.id != null && scope.id.name === name)
      );
    if (scope.type === "CatchClause") return boundNames(scope.param).includes(name);
    if (scope.type === "ForStatement") return scope.init !== null && declares(scope.init, name);
    if (scope.type === "ForOfStatement" || scope.type === "ForInStatement") return declares(scope.left, name);
    return false;
  });
}

function declares(statement: Node, name: string): boolean {
  switch (statement.type) {
    case "VariableDeclaration":
      return statement.declarations.some((declarator) => boundNames(declarator.id).includes(name));
    case "FunctionDeclaration":
    case "ClassDeclaration":
      return statement.id?.name === name;
    case "ImportDeclaration":
      return statement.specifiers.some((specifier) => specifier.local.name === name);
    case "ExportNamedDeclaration":
      return statement.declaration !== null && declares(statement.declaration, name);
    default:
      return false;
  }
}
