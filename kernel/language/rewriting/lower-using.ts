import type { Node, NodeOf } from "../walk.ts";
import { isUsing } from "./lower-namespaces.ts";
import type { Rewrite, Rules } from "./rewrite.ts";

/** `using` and `await using`: the block becomes a `try` whose end disposes of what was declared in it. */
export const usingRules: Rules = {
  BlockStatement: { leave: (rewrite, node) => guardBlock(rewrite, node) },
  StaticBlock: { leave: (rewrite, node) => guardBlock(rewrite, node) },
  VariableDeclaration: {
    leave(rewrite, node, parents) {
      if (!isUsing(node) || parents.at(-1)?.type === "ForOfStatement") return;
      // At the top of a cell the names are declared in front, and the top-level rules write the assignments.
      const atTop = parents.length === 1;
      const first = node.declarations[0];
      if (first !== undefined && !atTop) rewrite.replace(node.start, first.start, "const ");
      for (const { init } of node.declarations) {
        if (init === null) continue;
        rewrite.before(init.start, "$using.use(");
        rewrite.after(init.end, node.kind === "await using" ? ", true)" : ")");
      }
    },
  },
  ForStatement: {
    leave(rewrite, node) {
      if (node.init === null || !isUsing(node.init)) return;
      const [open, close] = usingFrame(rewrite, [node.init]);
      rewrite.before(node.start, `{ ${open}`);
      rewrite.after(node.end, `${close} }`);
    },
  },
  ForOfStatement: {
    leave(rewrite, node) {
      if (!isUsing(node.left)) return;
      const id = node.left.declarations[0]?.id;
      if (id?.type !== "Identifier") return;
      const [open, close] = usingFrame(rewrite, [node.left]);
      rewrite.replace(node.left.start, id.end, "const $resource");
      const use = node.left.kind === "await using" ? "$using.use($resource, true)" : "$using.use($resource)";
      rewrite.before(node.body.start, `{ ${open} const ${id.name} = ${use}; `);
      rewrite.after(node.body.end, `${close} }`);
    },
  },
};

/** What goes before and after statements that declare resources. */
export function usingFrame(
  rewrite: Rewrite,
  declarations: readonly NodeOf<"VariableDeclaration">[],
): [open: string, close: string] {
  rewrite.helpers.add("__heddle_using");
  const isAsync = declarations.some((declaration) => declaration.kind === "await using");
  const end = isAsync ? "await __heddle__.await($using.endAsync());" : "$using.end();";
  return ["const $using = __heddle_using(); try {", `\n} catch ($error) { $using.fail($error); } finally { ${end} }`];
}

function guardBlock(rewrite: Rewrite, node: NodeOf<"BlockStatement" | "StaticBlock">): void {
  const declarations = (node.body as Node[]).filter(isUsing);
  if (declarations.length === 0) return;
  const [open, close] = usingFrame(rewrite, declarations);
  const start = rewrite.text.indexOf("{", node.start) + 1;
  rewrite.after(start, ` ${open}`);
  rewrite.before(node.end - 1, close.slice(1));
}
