import { declaredNames } from "./declarations.ts";
import type { CompiledCell } from "./engine.ts";
import { parseCell } from "./parse.ts";
import { isTypeOnly, typeRules } from "./rewriting/erase-types.ts";
import { functionNameRules } from "./rewriting/function-names.ts";
import { hostRules } from "./rewriting/host-calls.ts";
import { keepLoopVariables } from "./rewriting/hot-loops.ts";
import { isImport } from "./rewriting/imports.ts";
import { classRules } from "./rewriting/lower-classes.ts";
import { decoratorRules } from "./rewriting/lower-decorators.ts";
import { namespaceRules } from "./rewriting/lower-namespaces.ts";
import { usingRules } from "./rewriting/lower-using.ts";
import { loweringRuntime } from "./rewriting/lowering-runtime.ts";
import { ownGlobalRules, ownGlobals } from "./rewriting/own-globals.ts";
import { Positions } from "./rewriting/positions.ts";
import { Rewrite, type Rule, type Rules } from "./rewriting/rewrite.ts";
import { TopLevel, writeAssignments } from "./rewriting/top-level.ts";
import { NotebookNames, namesSeen, type SeenNames } from "./visible-names.ts";
import { type Node, type NodeOf, walk } from "./walk.ts";

export { CellSyntaxError } from "./parse.ts";

/**
 * Compiles a cell to a script for V8's REPL mode: types erased in place, newer syntax lowered, what must go through
 * the host object (`__heddle__`) rewritten. The script's completion value is the cell's result, awaited; it is
 * `undefined` where `hasResult` is false. `notebook` tells which names of globals earlier cells have for variables of
 * their own, and which names a loop may keep to itself while it runs; without it none. With `isDebugged` loops keep
 * nothing; with `oldDecorators` decorators are those of TypeScript's `experimentalDecorators`. Throws `CellSyntaxError`.
 */
export function compileCell(
  source: string,
  options: { cell: string; notebook?: NotebookNames; isDebugged?: boolean; oldDecorators?: boolean },
): CompiledCell {
  const { text, shift, program } = parseCell(source);
  const notebook = options.notebook ?? new NotebookNames();
  const own = ownGlobals(program);
  const rewrite = new Rewrite(text, (name) => own.has(name) || notebook.hasOwn(name), options.oldDecorators);
  if (program.hashbang !== null) rewrite.erase(program.hashbang.start, program.hashbang.end);
  const typeNames = program.body.some(isImport) ? namesInTypes(program) : new Set<string>();
  walk(program, {
    enter: (node, parents) => enterNode(rewrite, node, parents),
    leave: (node, parents) => leaveNode(rewrite, node, parents),
  });
  const hasResult = writeResult(rewrite, program.body.at(-1));
  const top = new TopLevel(rewrite, program, typeNames);
  top.write();
  let ownSeen: SeenNames = "all";
  // The tree is large, and compiled cells are kept for their positions.
  let unread: NodeOf<"Program"> | undefined = program;
  const seen = (): SeenNames => {
    if (unread !== undefined) ownSeen = namesSeen(unread);
    unread = undefined;
    return ownSeen;
  };
  // Somebody who looks on sees the variables of the top level change as they do.
  if (!options.isDebugged) keepLoopVariables(rewrite, program, { notebook, seen });
  const helpers = [...rewrite.helpers].map(
    (name) => `let ${name} = ${loweringRuntime[name].replaceAll(/\n\s*/g, " ")}; `,
  );
  const prelude = `"use strict"; await __heddle__.turn(); ${helpers.join("")}${top.prelude}`;
  rewrite.edit.prepend(prelude);
  rewrite.edit.append(`${top.epilogue}${hasResult ? "" : "\nvoid 0;"}\n//# sourceURL=cell-${options.cell}.ts`);
  const positions = new Positions(rewrite.edit, prelude.length, shift);
  return {
    code: rewrite.edit.toString(),
    declares: declaredNames(program),
    ownGlobals: own,
    hasResult,
    seen,
    originalPosition: (line, column) => positions.original(line, column),
    compiledPosition: (line, column) => positions.compiled(line, column),
  };
}

const nestedVarRules: Rules = {
  VariableDeclaration: {
    leave(rewrite, node, parents) {
      if (node.kind !== "var" || node.declare || !isNestedAtTop(parents)) return;
      const parent = parents.at(-1);
      if (parent?.type === "ForOfStatement" || parent?.type === "ForInStatement")
        rewrite.replace(node.start, node.declarations[0]?.start ?? node.end, "");
      else if (parent?.type === "ForStatement") writeAssignments(rewrite, node, "", "");
      else
        writeAssignments(
          rewrite,
          node,
          parent?.type === "BlockStatement" || parent?.type === "SwitchCase" ? ";(" : "(",
          ")",
        );
    },
  },
};

/** Whether statements with these parents run as part of the cell itself, inside a block or loop of it. */
function isNestedAtTop(parents: readonly Node[]): boolean {
  return (
    parents.length > 1 &&
    parents[1]?.type !== "ExportNamedDeclaration" &&
    !parents.some((parent) => /Function|Class|StaticBlock|TSModule/.test(parent.type))
  );
}

// The rules for types come last: they close statements, after what the others add to them.
const ruleSets = [
  functionNameRules,
  ownGlobalRules,
  hostRules,
  classRules,
  decoratorRules,
  namespaceRules,
  usingRules,
  nestedVarRules,
  typeRules,
];
const rules = new Map<string, Rule[]>();
for (const set of ruleSets)
  for (const [type, rule] of Object.entries(set)) rules.set(type, [...(rules.get(type) ?? []), rule as Rule]);

/** Nodes of TypeScript that hold code; all others without a rule are parts of types. */
const runtimeNodes: ReadonlySet<string> = new Set([
  "TSInstantiationExpression",
  "TSEnumBody",
  "TSEnumMember",
  "TSModuleBlock",
  "TSImportEqualsDeclaration",
  "TSExternalModuleReference",
  "TSExportAssignment",
  "TSQualifiedName",
]);

function enterNode(rewrite: Rewrite, node: Node, parents: readonly Node[]): boolean {
  // Imports are written as a whole later; their names are no uses.
  if (isImport(node)) {
    if (isTypeOnly(node)) rewrite.erase(node.start, node.end);
    return false;
  }
  if (node.type.startsWith("TS") && !runtimeNodes.has(node.type) && !rules.has(node.type)) return false;
  let visitChildren = true;
  for (const rule of rules.get(node.type) ?? [])
    if (rule.enter?.(rewrite, node, parents) === false) visitChildren = false;
  return visitChildren;
}

function leaveNode(rewrite: Rewrite, node: Node, parents: readonly Node[]): void {
  for (const rule of rules.get(node.type) ?? []) rule.leave?.(rewrite, node, parents);
}

/** Makes the last statement's value the cell's result, when it is an expression without a semicolon. */
function writeResult(rewrite: Rewrite, last: Node | undefined): boolean {
  const expression = last === undefined || rewrite.text[last.end - 1] === ";" ? undefined : valueExpression(last);
  if (expression === undefined) return false;
  if (expression.type === "AwaitExpression") return true;
  rewrite.before(expression.start, "await __heddle__.await(");
  rewrite.after(expression.end, ")");
  return true;
}

function valueExpression(statement: Node): Node | undefined {
  if (statement.type === "ExpressionStatement") return statement.expression;
  const isValue = statement.type === "ExportDefaultDeclaration" && !/Declaration$/.test(statement.declaration.type);
  return isValue ? statement.declaration : undefined;
}

function namesInTypes(program: NodeOf<"Program">): Set<string> {
  const names = new Set<string>();
  walk(program, {
    enter(node, parents) {
      if (node.type === "ImportDeclaration") return false;
      if (node.type === "Identifier" && parents.some((parent) => parent.type.startsWith("TS"))) names.add(node.name);
      return true;
    },
  });
  return names;
}
