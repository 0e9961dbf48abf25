import { isReference, nestedVars, unwrapExport } from "../scopes.ts";
import { isGlobalName } from "../user-names.ts";
import { type Node, type NodeOf, walk } from "../walk.ts";
import { isTypeOnly } from "./erase-types.ts";
import type { Rewrite, Rules } from "./rewrite.ts";
import { topLevelNames } from "./top-level.ts";

/** Names of globals that a cell declares variables of its own for. */
export function ownGlobals(program: NodeOf<"Program">): Set<string> {
  const names = program.body
    .filter((statement) => !isTypeOnly(statement))
    .flatMap((statement) => [...topLevelNames(unwrapExport(statement)), ...nestedVars(statement)]);
  return new Set(names.filter(isGlobalName));
}

/** Gives the notebook's own variables of such names the name that they have in scripts. */
export const ownGlobalRules: Rules = { Identifier: { enter: renameVariable } };

/** As the rule, for code that is no cell. */
export function renameOwnGlobals(rewrite: Rewrite, program: NodeOf<"Program">): void {
  walk(program, {
    enter: (node, parents) => node.type !== "Identifier" || renameVariable(rewrite, node, parents),
  });
}

function renameVariable(rewrite: Rewrite, node: NodeOf<"Identifier">, parents: readonly Node[]): true {
  const { name, start } = node;
  const renamed = rewrite.nameOf(name, parents);
  if (renamed === name || !isVariable(node, parents)) return true;
  rewrite.replace(start, start + name.length, isShorthand(node, parents) ? `${name}: ${renamed}` : renamed);
  return true;
}

/** Whether an identifier stands for a variable, read, written or declared. What declares in other words writes its name itself. */
function isVariable(node: NodeOf<"Identifier">, parents: readonly Node[]): boolean {
  const parent = parents.at(-1);
  if (parent?.type === "VariableDeclarator") return true;
  const isHead = /^(FunctionDeclaration|TSEnumDeclaration|TSModuleDeclaration)$/.test(parent?.type ?? "");
  return !isHead && isReference(node, parents);
}

/** Whether the place is that of `name` in `{ name }` or `{ name = 1 }`. */
function isShorthand(node: Node, parents: readonly Node[]): boolean {
  const [outer, parent] = [parents.at(-2), parents.at(-1)];
  if (parent?.type === "AssignmentPattern")
    return parent.left === node && outer?.type === "Property" && outer.shorthand;
  return parent?.type === "Property" && parent.shorthand;
}
