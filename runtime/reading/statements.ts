/** Statements, and classes, whose code may be called by anybody. */
import { noteWrite, type Place } from "./facts.ts";
import { bindPattern, itemOf } from "./patterns.ts";
import { isTree, type Tree } from "./syntax.ts";
import { codeValue, EVERY, leadsTo, OWN, TEXT, UNKNOWN, type Value } from "./values.ts";

type Run = (place: Place, node: Tree) => void;

const kinds: Record<string, Run> = {
  ExpressionStatement: (place, node) => void place.evaluate(node.expression as Tree),
  VariableDeclaration: (place, node) => {
    for (const { id, init } of node.declarations as { id: Tree; init?: Tree | null }[])
      if (init) bindPattern(place, id, place.evaluate(init));
  },
  FunctionDeclaration: (place, node) => {
    bindPattern(place, node.id as Tree, codeValue(place.facts.codeOf(node, place.code.unit)));
  },
  ClassDeclaration: (place, node) => void place.runClass(node),
  ReturnStatement: (place, node) => {
    if (node.argument) place.facts.returned(place.code, place.evaluate(node.argument as Tree));
  },
  ThrowStatement: (place, node) => {
    const value = place.evaluate(node.argument as Tree);
    place.facts.escape(value);
    noteWrite(place, leadsTo(value), node, "it is thrown");
  },
  ForOfStatement: (place, node) => {
    bindHead(place, node.left as Tree, itemOf(place, place.evaluate(node.right as Tree)));
    runStatement(place, node.body as Tree);
  },
  ForInStatement: (place, node) => {
    place.evaluate(node.right as Tree);
    bindHead(place, node.left as Tree, TEXT);
    runStatement(place, node.body as Tree);
  },
  TryStatement: (place, node) => {
    runStatement(place, node.block as Tree);
    const { body, param } = (node.handler ?? {}) as { body?: Tree; param?: Tree | null };
    if (param) bindPattern(place, param, UNKNOWN);
    for (const part of [body, node.finalizer]) if (isTree(part)) runStatement(place, part);
  },
  WithStatement: (place, node) => noteWrite(place, EVERY, node, "names in it may mean anything"),
  BlockStatement: (place, node) => runStatements(place, node.body as Tree[]),
  SwitchStatement: (place, node) => {
    place.evaluate(node.discriminant as Tree);
    for (const { consequent, test } of node.cases as { consequent: Tree[]; test: Tree | null }[]) {
      if (test) place.evaluate(test);
      runStatements(place, consequent);
    }
  },
  LabeledStatement: (place, node) => runStatement(place, node.body as Tree),
  IfStatement: runParts,
  ForStatement: runParts,
  WhileStatement: runParts,
  DoWhileStatement: runParts,
  BreakStatement: () => {},
  ContinueStatement: () => {},
  EmptyStatement: () => {},
  DebuggerStatement: () => {},
};

export function runStatements(place: Place, statements: readonly Tree[]): void {
  for (const statement of statements) runStatement(place, statement);
}

function runStatement(place: Place, node: Tree): void {
  const kind = kinds[node.type];
  if (kind === undefined) noteWrite(place, EVERY, node, "what it does is not known");
  else kind(place, node);
}

/** Statements and expressions below one. */
function runParts(place: Place, node: Tree): void {
  for (const key of ["init", "test", "update", "consequent", "alternate", "body"]) {
    const part = node[key];
    if (!isTree(part)) continue;
    if (part.type in kinds) runStatement(place, part);
    else place.evaluate(part);
  }
}

function bindHead(place: Place, head: Tree, value: Value): void {
  const [declarator] = (head.type === "VariableDeclaration" ? head.declarations : []) as { id: Tree }[];
  bindPattern(place, declarator?.id ?? head, value);
}

/** A class: what its methods give may come to anybody, and so may what its fields have. */
export function runClass(place: Place, node: Tree): Value {
  if (isTree(node.superClass)) place.evaluate(node.superClass);
  let made = 0;
  for (const member of (node.body as Tree).body as Tree[]) {
    if (member.type === "StaticBlock") {
      runStatements(place, member.body as Tree[]);
      continue;
    }
    if (member.computed === true) place.evaluate(member.key as Tree);
    if (!isTree(member.value)) continue;
    const value = place.evaluate(member.value);
    place.facts.escape(value);
    if (member.type === "MethodDefinition") made |= leadsTo(value);
    else noteWrite(place, leadsTo(value), member, "it is kept in a field");
  }
  const value = { ...OWN, made };
  if (isTree(node.id)) for (const variable of place.syntax.declaredBy(node)) place.facts.assign(variable, value);
  return value;
}
