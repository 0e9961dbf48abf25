/**
 * Variables of the top level are slots that V8 reads and writes anew each time, numbers in boxes of their own: a loop
 * over them costs up to eight times what it costs in a function. So an outermost loop of a cell becomes a function that
 * takes the variables it writes as parameters and puts them back at its end, however it ends:
 *
 *     { const __heddle_keep__ = { names: "[s]", write: (v) => { [s] = v; } };
 *       const __heddle_loop__ = (s) => { try { for (…) s += 1; } finally { __heddle_keep__.write([s]); } };
 *       __heddle_loop__(s); }
 *
 * Its text stays as it is. A variable is kept only if it has a value by then and if no function of the notebook mentions
 * it: then nobody can tell. A loop with an await lets others run, and is left alone. A loop that an interrupt cuts runs
 * no `finally`; the session then reads the parameters from the stopped loop (`session/loop-values.ts`).
 */
import { declaredBy, nestedVars, unwrapExport } from "../scopes.ts";
import type { NotebookNames, SeenNames } from "../visible-names.ts";
import { boundNames, isFunction, type Node, type NodeOf, walk } from "../walk.ts";
import type { Rewrite } from "./rewrite.ts";

/** What the functions are called that loops become, in stacks and to the debugger. */
const LOOP = "__heddle_loop__";
const KEEP = "__heddle_keep__";
const VALUES = "__heddle_values__";

export interface LoopSurroundings {
  notebook: NotebookNames;
  /** Names that the functions of this cell mention. */
  seen(): SeenNames;
}

/** Rewrites the cell's outermost loops; to be called after all that inserts at the ends of statements. */
export function keepLoopVariables(
  rewrite: Rewrite,
  program: NodeOf<"Program">,
  { notebook, seen }: LoopSurroundings,
): void {
  let top: TopNames | undefined;
  walk(program, {
    enter(node, parents) {
      if (isSeparate(node)) return false;
      if (!isLoop(node)) return true;
      if (!isMovable(node)) return true;
      top ??= new TopNames(program);
      const own = seen();
      if (own === "all") return false;
      const kept = [...writtenIn(node)].filter(
        (name) => !own.has(name) && !notebook.isSeen(name) && hasValue(name, node, parents, top as TopNames, notebook),
      );
      if (kept.length > 0) writeLoop(rewrite, node, kept.map((name) => rewrite.nameOf(name, parents)).join(", "));
      return false;
    },
  });
}

function writeLoop(rewrite: Rewrite, loop: Node, names: string): void {
  const keep = `const ${KEEP} = { names: "[${names}]", write: (${VALUES}) => { [${names}] = ${VALUES}; } };`;
  rewrite.before(loop.start, `{ ${keep} const ${LOOP} = (${names}) => { try { `);
  rewrite.after(loop.end, ` } finally { ${KEEP}.write([${names}]); } }; ${LOOP}(${names}); }`);
}

/** Code that does not run as part of the statement it stands in, or not in its scope. */
function isSeparate(node: Node): boolean {
  return isFunction(node) || /^(Class|TSModule|TSEnum|TSDeclare)/.test(node.type);
}

/** A loop with the labels in front of it. */
function isLoop(node: Node): boolean {
  if (node.type === "LabeledStatement") return isLoop(node.body);
  return /^(For|ForIn|ForOf|While|DoWhile)Statement$/.test(node.type);
}

/** Whether the loop runs in one go, and no jump leads out of it but its own end. */
function isMovable(loop: Node): boolean {
  let movable = true;
  walk(loop, {
    enter(node, parents) {
      if (isSeparate(node)) return false;
      if (node.type === "AwaitExpression") movable = false;
      else if (node.type === "ForOfStatement" && node.await) movable = false;
      else if (node.type === "VariableDeclaration" && node.kind === "await using") movable = false;
      else if ((node.type === "BreakStatement" || node.type === "ContinueStatement") && node.label !== null)
        movable &&= parents.some(
          (parent) => parent.type === "LabeledStatement" && parent.label.name === node.label?.name,
        );
      return movable;
    },
  });
  return movable;
}

function writtenIn(loop: Node): Set<string> {
  const names = new Set<string>();
  const add = (target: Node) => {
    for (const name of boundNames(target)) names.add(name);
  };
  walk(loop, {
    enter(node) {
      if (isSeparate(node)) return false;
      if (node.type === "AssignmentExpression") add(node.left);
      else if (node.type === "UpdateExpression") add(node.argument);
      else if (node.type === "ForOfStatement" || node.type === "ForInStatement") add(node.left);
      else if (node.type === "VariableDeclaration" && node.kind === "var")
        for (const { id } of node.declarations) add(id);
      return true;
    },
  });
  return names;
}

/** The names of the cell's top level, and from where on each has its value. */
class TopNames {
  readonly #valueFrom = new Map<string, number>();

  constructor(program: NodeOf<"Program">) {
    for (const statement of program.body) {
      const declaration = unwrapExport(statement);
      const isVar = declaration.type === "VariableDeclaration" && declaration.kind === "var";
      for (const name of declaredBy(declaration)) this.#valueFrom.set(name, isVar ? 0 : declaration.end);
      for (const name of nestedVars(statement)) if (!this.#valueFrom.has(name)) this.#valueFrom.set(name, 0);
      if (statement.type === "ImportDeclaration")
        for (const { local } of statement.specifiers) this.#valueFrom.set(local.name, Number.POSITIVE_INFINITY);
    }
  }

  hasValue(name: string, offset: number): boolean | undefined {
    const from = this.#valueFrom.get(name);
    return from === undefined ? undefined : from <= offset;
  }
}

/** Whether the name is a variable around the loop that can be read without an error when the loop begins. */
function hasValue(name: string, loop: Node, parents: readonly Node[], top: TopNames, notebook: NotebookNames): boolean {
  for (const scope of parents.slice(1).toReversed()) {
    const declaration = blockStatements(scope).find((statement) => declaredBy(statement).includes(name));
    const isLexical = declaration?.type === "VariableDeclaration" && declaration.kind !== "var";
    if (isLexical) return declaration.end <= loop.start;
    if (declaration !== undefined && declaration.type !== "VariableDeclaration") return false;
    if (scope.type === "CatchClause" && boundNames(scope.param).includes(name)) return true;
  }
  return top.hasValue(name, loop.start) ?? notebook.isSettled(name);
}

function blockStatements(scope: Node): Node[] {
  switch (scope.type) {
    case "BlockStatement":
      return scope.body;
    case "SwitchStatement":
      return scope.cases.flatMap(({ consequent }) => consequent);
    case "ForStatement":
      return scope.init === null ? [] : [scope.init];
    case "ForOfStatement":
    case "ForInStatement":
      return [scope.left];
    default:
      return [];
  }
}
