import type { Node } from "../walk.ts";
import type { Rewrite, Rules } from "./rewrite.ts";

/**
 * `const lookup = remote((item) => …)` gives the function the name of the variable, as JavaScript does where no call
 * stands between: the timeline and the errors then speak of `lookup(3)`. A function gets the user's name, too, where the
 * variable has another one in the script. The function's own text is not touched.
 */
export const functionNameRules: Rules = {
  VariableDeclarator: {
    leave(rewrite, { id, init }, parents) {
      if (id.type !== "Identifier" || init === null) return;
      const task = functionOfTask(init);
      if (task === undefined) nameRenamed(rewrite, id, init, parents);
      else nameFunction(rewrite, task, id.name);
    },
  },
  AssignmentExpression: { leave: (rewrite, { left, right }, parents) => nameRenamed(rewrite, left, right, parents) },
  AssignmentPattern: { leave: (rewrite, { left, right }, parents) => nameRenamed(rewrite, left, right, parents) },
};

function functionOfTask(node: Node): Node | undefined {
  if (node.type !== "CallExpression" || node.callee.type !== "Identifier" || node.callee.name !== "remote") return;
  const [fn] = node.arguments;
  return fn !== undefined && isAnonymous(fn) ? fn : undefined;
}

function nameRenamed(rewrite: Rewrite, target: Node, value: Node, parents: readonly Node[]): void {
  if (target.type !== "Identifier" || !isAnonymous(value)) return;
  if (rewrite.nameOf(target.name, parents) !== target.name) nameFunction(rewrite, value, target.name);
}

function nameFunction(rewrite: Rewrite, fn: Node, name: string): void {
  rewrite.before(fn.start, `({ ${name}: `);
  rewrite.after(fn.end, ` }).${name}`);
}

function isAnonymous(node: Node): boolean {
  if (node.type === "ArrowFunctionExpression") return true;
  return (node.type === "FunctionExpression" || node.type === "ClassExpression") && node.id === null;
}
