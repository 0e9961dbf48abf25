/** Scope analysis: the names a program uses and does not declare. Rules of ECMAScript's scopes, on an ESTree. */

interface AstNode {
  type: string;
  [key: string]: unknown;
}

class Scope {
  readonly names = new Set<string>();
  readonly parent: Scope | undefined;
  readonly isFunction: boolean;

  constructor(parent: Scope | undefined, isFunction: boolean) {
    this.parent = parent;
    this.isFunction = isFunction;
  }

  has(name: string): boolean {
    return this.names.has(name) || (this.parent?.has(name) ?? false);
  }

  /** Where `var` declares. */
  get functionScope(): Scope {
    return this.isFunction || this.parent === undefined ? this : this.parent.functionScope;
  }
}

/** Names that occur free in the program, in the order of first use. */
export function freeNames(program: object): string[] {
  const uses: { name: string; scope: Scope }[] = [];
  visit(program as AstNode, new Scope(undefined, true), uses);
  const free = new Set<string>();
  // Declarations are hoisted, so uses are looked up when all scopes are complete.
  for (const { name, scope } of uses) if (!scope.has(name)) free.add(name);
  return [...free];
}

type Uses = { name: string; scope: Scope }[];

function visit(node: AstNode, scope: Scope, uses: Uses): void {
  switch (node.type) {
    case "Identifier":
      uses.push({ name: node["name"] as string, scope });
      return;
    case "MemberExpression":
      visit(node["object"] as AstNode, scope, uses);
      if (node["computed"] === true) visit(node["property"] as AstNode, scope, uses);
      return;
    case "Property":
    case "MethodDefinition":
    case "PropertyDefinition":
      if (node["computed"] === true) visit(node["key"] as AstNode, scope, uses);
      if (node["value"] !== null) visit(node["value"] as AstNode, scope, uses);
      return;
    case "FunctionDeclaration":
      if (node["id"] !== null) scope.names.add((node["id"] as { name: string }).name);
      return visitFunction(node, scope, uses);
    case "FunctionExpression":
    case "ArrowFunctionExpression":
      return visitFunction(node, scope, uses);
    case "ClassDeclaration":
      if (node["id"] !== null) scope.names.add((node["id"] as { name: string }).name);
      return visitClass(node, scope, uses);
    case "ClassExpression":
      return visitClass(node, scope, uses);
    case "VariableDeclaration": {
      const target = node["kind"] === "var" ? scope.functionScope : scope;
      for (const declarator of node["declarations"] as AstNode[]) {
        declare(declarator["id"] as AstNode, target, scope, uses);
        if (declarator["init"] !== null) visit(declarator["init"] as AstNode, scope, uses);
      }
      return;
    }
    case "BlockStatement":
    case "ForStatement":
    case "ForInStatement":
    case "ForOfStatement":
    case "SwitchStatement":
    case "StaticBlock":
      return visitChildren(node, new Scope(scope, node.type === "StaticBlock"), uses);
    case "CatchClause": {
      const inner = new Scope(scope, false);
      if (node["param"] !== null) declare(node["param"] as AstNode, inner, inner, uses);
      visit(node["body"] as AstNode, inner, uses);
      return;
    }
    case "LabeledStatement":
      return visit(node["body"] as AstNode, scope, uses);
    case "BreakStatement":
    case "ContinueStatement":
    case "MetaProperty":
      return;
    default:
      visitChildren(node, scope, uses);
  }
}

function visitChildren(node: AstNode, scope: Scope, uses: Uses): void {
  for (const key of Object.keys(node)) {
    const child = node[key];
    if (Array.isArray(child)) {
      for (const item of child) if (isNode(item)) visit(item, scope, uses);
    } else if (isNode(child)) visit(child, scope, uses);
  }
}

const isNode = (value: unknown): value is AstNode => typeof value === "object" && value !== null && typeof (value as AstNode).type === "string";

function visitFunction(node: AstNode, scope: Scope, uses: Uses): void {
  const outer = new Scope(scope, false);
  if (node.type === "FunctionExpression" && isNode(node["id"])) outer.names.add((node["id"] as unknown as { name: string }).name);
  const inner = new Scope(outer, true);
  if (node.type !== "ArrowFunctionExpression") inner.names.add("arguments");
  for (const parameter of node["params"] as AstNode[]) declare(parameter, inner, inner, uses);
  const body = node["body"] as AstNode;
  // The body shares the parameters' scope here, so that `var x` and a parameter x are one name.
  if (body.type === "BlockStatement") visitChildren(body, inner, uses);
  else visit(body, inner, uses);
}

function visitClass(node: AstNode, scope: Scope, uses: Uses): void {
  const inner = new Scope(scope, false);
  if (isNode(node["id"])) inner.names.add((node["id"] as unknown as { name: string }).name);
  if (isNode(node["superClass"])) visit(node["superClass"] as AstNode, inner, uses);
  visit(node["body"] as AstNode, inner, uses);
}

/** Declares the names of a pattern; its default values are uses. */
function declare(pattern: AstNode, target: Scope, scope: Scope, uses: Uses): void {
  switch (pattern.type) {
    case "Identifier":
      target.names.add(pattern["name"] as string);
      return;
    case "ObjectPattern":
      for (const property of pattern["properties"] as AstNode[]) {
        if (property.type === "RestElement") declare(property["argument"] as AstNode, target, scope, uses);
        else {
          if (property["computed"] === true) visit(property["key"] as AstNode, scope, uses);
          declare(property["value"] as AstNode, target, scope, uses);
        }
      }
      return;
    case "ArrayPattern":
      for (const element of pattern["elements"] as (AstNode | null)[]) if (element !== null) declare(element, target, scope, uses);
      return;
    case "AssignmentPattern":
      declare(pattern["left"] as AstNode, target, scope, uses);
      visit(pattern["right"] as AstNode, scope, uses);
      return;
    case "RestElement":
      declare(pattern["argument"] as AstNode, target, scope, uses);
      return;
    default:
      visit(pattern, scope, uses);
  }
}
