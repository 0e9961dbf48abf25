import { boundNames, isFunction, type Node, type NodeOf, walk } from "./walk.ts";

/** Names that code other than a cell's own statements may read or write; "all" where that cannot be known. */
export type SeenNames = ReadonlySet<string> | "all";

/**
 * What a notebook's cells have done with the names of its top level, so that a loop may keep a variable to itself while
 * it runs: only where the variable has a value already, and where no function of any cell mentions it.
 */
export class NotebookNames {
  readonly #settled = new Set<string>();
  readonly #seen = new Set<string>();
  #seesAll = false;

  /** A cell that has run: what it declares, and whether it came to its end. */
  add(cell: { declares: ReadonlyMap<string, unknown>; seen(): SeenNames }, isComplete: boolean): void {
    const seen = cell.seen();
    if (seen === "all") this.#seesAll = true;
    else for (const name of seen) this.#seen.add(name);
    // A declaration that was not reached leaves its name without a value: reading it would throw.
    for (const name of cell.declares.keys()) {
      if (isComplete) this.#settled.add(name);
      else this.#settled.delete(name);
    }
  }

  /** Whether a name has a value. */
  isSettled(name: string): boolean {
    return this.#settled.has(name);
  }

  /** Whether code of an earlier cell may look at the name, whenever it is called. */
  isSeen(name: string): boolean {
    return this.#seesAll || this.#seen.has(name);
  }

  /** The session was replaced: no name and no function is left. */
  clear(): void {
    this.#settled.clear();
    this.#seen.clear();
    this.#seesAll = false;
  }
}

/** The free names of a cell's functions and classes. Text that becomes code when it is run may see every name. */
export function namesSeen(program: NodeOf<"Program">): SeenNames {
  const names = new Set<string>();
  const scopes: ReadonlySet<string>[] = [];
  let makesCode = false;
  walk(program, {
    enter(node, parents) {
      makesCode ||= isCodeMaker(node, parents);
      if (node.type === "Identifier" && scopes.length > 0 && isReference(node, parents)) {
        if (!scopes.some((scope) => scope.has(node.name))) names.add(node.name);
      }
      if (scopes.length > 0 || opensScope(node)) scopes.push(namesDeclaredIn(node));
      return true;
    },
    leave() {
      scopes.pop();
    },
  });
  return makesCode ? "all" : names;
}

/** Code that runs later, or that the compiler puts into a function. */
function opensScope(node: Node): boolean {
  return isFunction(node) || /^(Class(Declaration|Expression)|TSModuleDeclaration|TSEnumDeclaration)$/.test(node.type);
}

const none: ReadonlySet<string> = new Set();

/** Names whose meaning ends with this node. To miss one is harmless: it counts as a name of the top level. */
function namesDeclaredIn(node: Node): ReadonlySet<string> {
  switch (node.type) {
    case "FunctionDeclaration":
      return new Set(node.params.flatMap(boundNames));
    case "FunctionExpression":
    case "ArrowFunctionExpression":
      return new Set([...node.params.flatMap(boundNames), ...(node.id == null ? [] : [node.id.name])]);
    case "BlockStatement":
    case "StaticBlock":
      return new Set(node.body.flatMap(declaredBy));
    case "SwitchStatement":
      return new Set(node.cases.flatMap((one) => one.consequent.flatMap(declaredBy)));
    case "CatchClause":
      return new Set(boundNames(node.param));
    case "ForStatement":
      return node.init === null ? none : new Set(declaredBy(node.init));
    case "ForOfStatement":
    case "ForInStatement":
      return new Set(declaredBy(node.left));
    default:
      return none;
  }
}

/** Names a statement declares in the block it stands in. */
export function declaredBy(statement: Node): string[] {
  switch (statement.type) {
    case "VariableDeclaration":
      return statement.declarations.flatMap(({ id }) => boundNames(id));
    case "FunctionDeclaration":
    case "ClassDeclaration":
      return statement.id === null ? [] : [statement.id.name];
    default:
      return [];
  }
}

/** Modules that run a text as code, which then sees the names of all cells. */
const codeModules = /^(node:)?(vm|repl|inspector(\/promises)?)$/;

function isCodeMaker(node: Node, parents: readonly Node[]): boolean {
  if (node.type === "Literal")
    return typeof node.value === "string" && (codeModules.test(node.value) || node.value === "constructor");
  if (node.type !== "Identifier") return false;
  const parent = parents.at(-1);
  // `(() => {}).constructor("…")` makes a function of a text; `x.constructor.name` only names a class.
  if (node.name === "constructor" && parent?.type === "MemberExpression" && parent.property === node) {
    const use = parents.at(-2);
    return !(use?.type === "MemberExpression" && use.property.type === "Identifier" && use.property.name === "name");
  }
  const isMaker = node.name === "eval" || node.name === "Function";
  return isMaker && isReference(node, parents) && !parent?.type.startsWith("TS");
}

/** Whether an identifier stands for a variable's value, not for a property, a label or a declaration. */
export function isReference(node: NodeOf<"Identifier">, parents: readonly Node[]): boolean {
  const parent = parents.at(-1);
  switch (parent?.type) {
    case "MemberExpression":
      return parent.object === node || parent.computed;
    case "Property":
      // A shorthand is visited as key and as value; the value counts.
      return (parent.value as Node) === node || (parent.computed && (parent.key as Node) === node);
    case "MethodDefinition":
    case "PropertyDefinition":
    case "AccessorProperty":
      return (parent.key as Node) !== node || parent.computed;
    case "LabeledStatement":
    case "BreakStatement":
    case "ContinueStatement":
    case "ExportSpecifier":
    case "TSEnumMember":
    case "TSImportEqualsDeclaration":
      return false;
    case "VariableDeclarator":
      return parent.init === node;
    default:
      return true;
  }
}
