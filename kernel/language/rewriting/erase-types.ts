import type { Node, NodeOf } from "../walk.ts";
import { afterDecorators, findCharacter, type Rewrite, type Rules } from "./rewrite.ts";

/** Removes what only the type checker reads; the rest of the text stays where it is, to the character. */
export const typeRules: Rules = {
  TSTypeAnnotation: {
    enter(rewrite, node, parents) {
      // No line break may stand between an arrow function's parameters and its arrow.
      const owner = parents.at(-1);
      const isArrowReturn = owner?.type === "ArrowFunctionExpression" && owner.returnType === node;
      rewrite.erase(node.start, node.end, isArrowReturn ? "drop" : "keep");
      return false;
    },
  },
  TSTypeParameterDeclaration: {
    enter(rewrite, node, parents) {
      rewrite.erase(node.start, node.end, parents.at(-1)?.type === "ArrowFunctionExpression" ? "drop" : "keep");
      return false;
    },
  },
  TSTypeParameterInstantiation: { enter: eraseWhole },
  TSInterfaceDeclaration: { enter: eraseWhole },
  TSTypeAliasDeclaration: { enter: eraseWhole },
  TSDeclareFunction: { enter: eraseWhole },
  TSNamespaceExportDeclaration: { enter: eraseWhole },
  TSIndexSignature: { enter: eraseWhole },
  TSAbstractMethodDefinition: { enter: eraseWhole },
  TSAbstractPropertyDefinition: { enter: eraseWhole },
  TSAbstractAccessorProperty: { enter: eraseWhole },
  TSAsExpression: { enter: eraseAfterExpression },
  TSSatisfiesExpression: { enter: eraseAfterExpression },
  TSNonNullExpression: { enter: eraseAfterExpression },
  TSTypeAssertion: {
    enter(rewrite, node) {
      rewrite.erase(node.start, node.expression.start, "drop");
      return true;
    },
  },
  Identifier: {
    enter(rewrite, node) {
      rewrite.valueNames.add(node.name);
      eraseMark(rewrite, node);
      return true;
    },
  },
  ObjectPattern: { enter: eraseMark },
  ArrayPattern: { enter: eraseMark },
  ExportNamedDeclaration: { enter: eraseExport },
  ExportDefaultDeclaration: { enter: eraseExport },
  VariableDeclaration: {
    enter(rewrite, node) {
      if (!node.declare) return true;
      rewrite.erase(node.start, node.end);
      return false;
    },
    leave(rewrite, node, parents) {
      if (!node.declare && !isLoopHead(node, parents) && !isAtTop(parents)) rewrite.terminate(node);
    },
  },
  VariableDeclarator: {
    enter(rewrite, node) {
      const annotation = "typeAnnotation" in node.id ? node.id.typeAnnotation : undefined;
      if (node.definite && annotation != null) eraseCharacter(rewrite, "!", annotation.start);
      return true;
    },
  },
  ExpressionStatement: {
    leave(rewrite, node, parents) {
      if (!isAtTop(parents)) rewrite.terminate(node);
    },
  },
  ReturnStatement: { leave: (rewrite, node) => rewrite.terminate(node) },
  ThrowStatement: { leave: (rewrite, node) => rewrite.terminate(node) },
  BlockStatement: { leave: (rewrite, node) => terminateBeforeTypes(rewrite, node.body) },
  FunctionDeclaration: { enter: eraseThisParameter },
  FunctionExpression: { enter: eraseThisParameter },
  ClassDeclaration: { enter: eraseClassHead },
  ClassExpression: { enter: eraseClassHead },
  TSParameterProperty: {
    enter(rewrite, node) {
      eraseModifiers(rewrite, afterDecorators(node), node.parameter.start);
      return true;
    },
  },
  MethodDefinition: {
    enter(rewrite, node) {
      if (node.value.type === "TSEmptyBodyFunctionExpression") return eraseWhole(rewrite, node);
      eraseModifiers(rewrite, afterDecorators(node), node.key.start);
      if (node.optional) eraseCharacter(rewrite, "?", (node.value.typeParameters ?? node.value).start);
      return true;
    },
  },
  PropertyDefinition: { enter: eraseField, leave: (rewrite, node) => terminateField(rewrite, node) },
  AccessorProperty: { enter: eraseField, leave: (rewrite, node) => terminateField(rewrite, node) },
};

/** Whether a statement leaves nothing in the script. */
export function isTypeOnly(node: Node): boolean {
  switch (node.type) {
    case "TSInterfaceDeclaration":
    case "TSTypeAliasDeclaration":
    case "TSDeclareFunction":
    case "TSNamespaceExportDeclaration":
      return true;
    case "VariableDeclaration":
    case "ClassDeclaration":
    case "TSEnumDeclaration":
      return node.declare === true;
    case "TSModuleDeclaration":
      return (
        node.declare === true ||
        node.body == null ||
        (node.body.type === "TSModuleBlock" && node.body.body.every(isTypeOnly))
      );
    case "ImportDeclaration":
    case "TSImportEqualsDeclaration":
      return node.importKind === "type";
    case "ExportNamedDeclaration":
      return node.exportKind === "type" || (node.declaration != null && isTypeOnly(node.declaration));
    case "ExportDefaultDeclaration":
      return isTypeOnly(node.declaration);
    case "ExportAllDeclaration":
      return node.exportKind === "type";
    default:
      return false;
  }
}

/** A statement that relied on the line break before a declaration that is gone now needs its semicolon. */
export function terminateBeforeTypes(rewrite: Rewrite, body: readonly Node[]): void {
  body.forEach((statement, index) => {
    const next = body[index + 1];
    const endsOpen =
      /^(ExpressionStatement|VariableDeclaration|ReturnStatement|ThrowStatement|BreakStatement|ContinueStatement)$/.test(
        statement.type,
      );
    if (next !== undefined && endsOpen && isTypeOnly(next) && rewrite.text[statement.end - 1] !== ";")
      rewrite.after(statement.end, ";");
  });
}

/** The top level terminates its statements itself, around what it adds to them. */
function isAtTop(parents: readonly Node[]): boolean {
  return parents.length === 1 || (parents.length === 2 && parents[1]?.type === "ExportNamedDeclaration");
}

function isLoopHead(node: Node, parents: readonly Node[]): boolean {
  const parent = parents.at(-1);
  if (parent?.type === "ForStatement") return parent.init === node;
  return (parent?.type === "ForOfStatement" || parent?.type === "ForInStatement") && parent.left === node;
}

function eraseWhole(rewrite: Rewrite, node: Node): false {
  rewrite.erase(node.start, node.end);
  return false;
}

/** Removes the keyword: a cell and a lowered namespace export nothing that way. */
function eraseExport(rewrite: Rewrite, node: NodeOf<"ExportNamedDeclaration" | "ExportDefaultDeclaration">): boolean {
  if (isTypeOnly(node) || node.declaration === null) return eraseWhole(rewrite, node);
  rewrite.erase(node.start, node.declaration.start);
  return true;
}

function eraseAfterExpression(
  rewrite: Rewrite,
  node: NodeOf<"TSAsExpression" | "TSSatisfiesExpression" | "TSNonNullExpression">,
): true {
  rewrite.erase(node.expression.end, node.end);
  return true;
}

/** Removes the `?` of an optional parameter. */
function eraseMark(
  rewrite: Rewrite,
  node: { end: number; optional?: boolean; typeAnnotation?: { start: number } | null },
): true {
  if (node.optional) eraseCharacter(rewrite, "?", node.typeAnnotation?.start ?? node.end);
  return true;
}

/** Removes the nearest such character before `end`. */
function eraseCharacter(rewrite: Rewrite, character: string, end: number): void {
  const at = rewrite.text.lastIndexOf(character, end - 1);
  rewrite.erase(at, at + 1);
}

function eraseField(rewrite: Rewrite, node: NodeOf<"PropertyDefinition" | "AccessorProperty">): boolean {
  if (node.declare) {
    if (!rewrite.hasOldDecorators || node.decorators.length === 0) return eraseWhole(rewrite, node);
    rewrite.erase(afterDecorators(node), node.end);
    return true;
  }
  eraseModifiers(rewrite, afterDecorators(node), node.key.start);
  if (node.optional || node.definite)
    eraseCharacter(rewrite, node.optional ? "?" : "!", node.typeAnnotation?.start ?? node.end);
  return true;
}

function terminateField(rewrite: Rewrite, node: NodeOf<"PropertyDefinition" | "AccessorProperty">): void {
  // Without its modifier or type the next member may read as a continuation of this one.
  if (!node.declare) rewrite.terminate(node, true);
}

function eraseModifiers(rewrite: Rewrite, start: number, end: number): void {
  const head = rewrite.text.slice(start, end);
  for (const match of head.matchAll(
    /\/\*[\s\S]*?\*\/|\/\/[^\n]*|\b(?:public|private|protected|readonly|override|abstract|declare)\b\s*/g,
  )) {
    if (!match[0].startsWith("/")) rewrite.erase(start + match.index, start + match.index + match[0].length);
  }
}

function eraseClassHead(rewrite: Rewrite, node: NodeOf<"ClassDeclaration" | "ClassExpression">): boolean {
  if (node.declare) return eraseWhole(rewrite, node);
  if (node.abstract) {
    const start = rewrite.text.indexOf("abstract", afterDecorators(node));
    rewrite.erase(start, rewrite.text.indexOf("class", start));
  }
  const first = node.implements?.[0];
  const last = node.implements?.at(-1);
  if (first !== undefined && last !== undefined)
    rewrite.erase(rewrite.text.lastIndexOf("implements", first.start), last.end);
  return true;
}

function eraseThisParameter(rewrite: Rewrite, node: NodeOf<"FunctionDeclaration" | "FunctionExpression">): true {
  const [first, second] = node.params;
  if (first?.type !== "Identifier" || first.name !== "this") return true;
  const end = second === undefined ? first.end : findCharacter(rewrite.text, ",", first.end) + 1;
  rewrite.erase(first.end, end);
  rewrite.erase(first.start, first.start + "this".length);
  return true;
}
