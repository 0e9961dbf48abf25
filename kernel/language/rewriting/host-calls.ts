import { isBoundWithin, isReference } from "../scopes.ts";
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
      if (replacement === undefined || !isReference(node, parents)) return true;
      if (isBoundWithin(node.name, parents) || rewrite.nameOf(node.name) !== node.name) return true;
      const parent = parents.at(-1);
      const isShorthand = parent?.type === "Property" && parent.shorthand;
      rewrite.replace(node.start, node.end, isShorthand ? `${node.name}: ${replacement}` : replacement);
      return true;
    },
  },
};
