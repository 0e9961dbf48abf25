import type { CompiledCell } from "./engine.ts";
import { bindingsOf, isReference } from "./scopes.ts";
import { scriptName } from "./user-names.ts";
import { isFunction, type Node, type NodeOf, walk } from "./walk.ts";

/** Names that code other than a cell's own statements may read or write; "all" where that cannot be known. */
export type SeenNames = ReadonlySet<string> | "all";

/**
 * What a notebook's cells have done with the names of its top level: which of them stand for a variable of the notebook's
 * instead of a global of JavaScript's, and whether a loop may keep a variable to itself while it runs: only where the
 * variable has a value already, and where no function of any cell mentions it.
 */
export class NotebookNames {
  readonly #ownGlobals = new Set<string>();
  readonly #settled = new Set<string>();
  readonly #seen = new Set<string>();
  #seesAll = false;

  /** A cell runs: from now on its own variables are meant by their names. */
  begin(cell: Pick<CompiledCell, "ownGlobals">): void {
    for (const name of cell.ownGlobals) this.#ownGlobals.add(name);
  }

  /** A cell that has run: what it declares, and whether it came to its end. */
  add(cell: Pick<CompiledCell, "declares" | "ownGlobals" | "seen">, isComplete: boolean): void {
    this.begin(cell);
    const seen = cell.seen();
    if (seen === "all") this.#seesAll = true;
    else for (const name of seen) this.#seen.add(name);
    // A declaration that was not reached leaves its name without a value: reading it would throw.
    for (const name of cell.declares.keys()) {
      if (isComplete) this.#settled.add(name);
      else this.#settled.delete(name);
    }
  }

  /** Whether the notebook has a variable of its own where JavaScript has a global. */
  hasOwn(name: string): boolean {
    return this.#ownGlobals.has(name);
  }

  /** What a variable of the top level is called in scripts. */
  scriptName(name: string): string {
    return this.hasOwn(name) ? scriptName(name) : name;
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
    this.#ownGlobals.clear();
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
      if (scopes.length > 0 || opensScope(node)) scopes.push(bindingsOf(node));
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
