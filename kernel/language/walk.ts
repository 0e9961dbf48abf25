import { type Node, visitorKeys } from "oxc-parser";

export type { Node };
/** The nodes of a type; some interfaces of the parser stand for several types. */
export type NodeOf<T extends Node["type"]> = Node extends infer N ? OfType<N, T> : never;
type OfType<N, T> = N extends { type: string }
  ? Extract<N["type"], T> extends never
    ? never
    : N & { type: T }
  : never;

export interface Visitor {
  /** Returns false to leave out the node's children. `parents` runs from the root to the direct parent. */
  enter(node: Node, parents: readonly Node[]): boolean;
  leave?(node: Node, parents: readonly Node[]): void;
}

/** Visits a node and what it contains, in the order of the source. */
export function walk(node: Node, visitor: Visitor, parents: Node[] = []): void {
  if (visitor.enter(node, parents)) {
    parents.push(node);
    for (const child of childrenOf(node)) walk(child, visitor, parents);
    parents.pop();
  }
  visitor.leave?.(node, parents);
}

function* childrenOf(node: Node): Generator<Node> {
  for (const key of visitorKeys[node.type] ?? []) {
    const child = (node as unknown as Record<string, unknown>)[key];
    if (Array.isArray(child)) {
      for (const item of child) if (isNode(item)) yield item;
    } else if (isNode(child)) yield child;
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null;
}

/** Names a pattern binds, in order. */
export function boundNames(pattern: Node | null): string[] {
  switch (pattern?.type) {
    case "Identifier":
      return [pattern.name];
    case "ObjectPattern":
      return pattern.properties.flatMap((property) =>
        boundNames(property.type === "RestElement" ? property.argument : property.value),
      );
    case "ArrayPattern":
      return pattern.elements.flatMap((element) => boundNames(element));
    case "AssignmentPattern":
      return boundNames(pattern.left);
    case "RestElement":
      return boundNames(pattern.argument);
    case "TSParameterProperty":
      return boundNames(pattern.parameter);
    default:
      return [];
  }
}

/** Whether a node opens a scope of its own for `var`, `await` and `this`. */
export function isFunction(
  node: Node,
): node is NodeOf<"FunctionDeclaration" | "FunctionExpression" | "ArrowFunctionExpression"> {
  return (
    node.type === "FunctionDeclaration" || node.type === "FunctionExpression" || node.type === "ArrowFunctionExpression"
  );
}
