import type { Node } from "../walk.ts";
import type { Rules } from "./rewrite.ts";

/**
 * `const lookup = remote((item) => …)` gives the function the name of the variable, as JavaScript does where no call
 * stands between: the timeline and the errors then speak of `lookup(3)`. The function's own text is not touched.
 */
export const taskNameRules: Rules = {
  VariableDeclarator: {
    leave(rewrite, { id, init }) {
      if (id.type !== "Identifier" || init?.type !== "CallExpression") return;
      const [fn] = init.arguments;
      if (fn === undefined || init.callee.type !== "Identifier" || init.callee.name !== "remote" || !isAnonymous(fn))
        return;
      rewrite.before(fn.start, `({ ${id.name}: `);
      rewrite.after(fn.end, ` }).${id.name}`);
    },
  },
};

function isAnonymous(node: Node): boolean {
  if (node.type === "ArrowFunctionExpression") return true;
  return (node.type === "FunctionExpression" || node.type === "ClassExpression") && node.id === null;
}
