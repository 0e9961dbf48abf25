import type { Class, Decorator, Function as FunctionNode } from "oxc-parser";
import { nestedVars, unwrapExport } from "../scopes.ts";
import { boundNames, type Node, type NodeOf } from "../walk.ts";
import { isTypeOnly, terminateBeforeTypes } from "./erase-types.ts";
import { importCode, importedNames, isImport } from "./imports.ts";
import { classHead } from "./lower-decorators.ts";
import { isUsing } from "./lower-namespaces.ts";
import { usingFrame } from "./lower-using.ts";
import type { Rewrite } from "./rewrite.ts";

type NamedNode = Pick<Class | FunctionNode, "type" | "id" | "start" | "end"> & { decorators?: Decorator[] };

/**
 * The top level of a cell in V8's REPL mode, where a name may be declared again by a later script only with the same
 * keyword: so everything is a `let`. Functions and imports move to the front, because a cell may use them before their
 * line; `var`s are declared in front, because they belong to the whole cell. With `using` at top level the cell's body
 * stands in a `try`, so all names are declared in front of it.
 */
export class TopLevel {
  /** What stands before the cell's first line. */
  prelude = "";
  epilogue = "";
  readonly #rewrite: Rewrite;
  readonly #body: readonly Node[];
  readonly #typeNames: ReadonlySet<string>;
  readonly #declared = new Set<string>();
  readonly #resources: NodeOf<"VariableDeclaration">[];

  constructor(rewrite: Rewrite, program: NodeOf<"Program">, typeNames: ReadonlySet<string>) {
    this.#rewrite = rewrite;
    this.#body = program.body;
    this.#typeNames = typeNames;
    this.#resources = program.body.filter(isUsing);
  }

  write(): void {
    terminateBeforeTypes(this.#rewrite, this.#body);
    this.#declareFirst();
    for (const statement of this.#body) if (!isTypeOnly(statement)) this.#writeStatement(statement);
    this.#moveToFront();
    if (this.#resources.length === 0) return;
    const [open, close] = usingFrame(this.#rewrite, this.#resources);
    this.prelude += `{ ${open} `;
    this.epilogue = `${close} }`;
  }

  #declareFirst(): void {
    const own = new Set(
      this.#body
        .filter((statement) => isHoisted(statement))
        .flatMap((statement) => topLevelNames(unwrapExport(statement))),
    );
    const vars = this.#body.flatMap((statement) => [
      ...nestedVars(statement),
      ...(isVar(unwrapExport(statement)) ? topLevelNames(unwrapExport(statement)) : []),
    ]);
    // A `var` keeps the value it has from an earlier run of the cell.
    for (const name of new Set(vars)) {
      if (!own.has(name))
        this.prelude += `${this.#declare(name)} = (() => { try { return ${this.#rewrite.nameOf(name)}; } catch {} })(); `;
    }
    if (this.#resources.length === 0) return;
    const names = this.#body
      .filter((statement) => !isImport(statement) && !isTypeOnly(statement))
      .flatMap((statement) => topLevelNames(unwrapExport(statement)));
    for (const name of new Set(names)) if (!this.#declared.has(name)) this.prelude += `${this.#declare(name)}; `;
  }

  /** The name, with `let` in front of it the first time. */
  #declare(name: string): string {
    const written = this.#rewrite.nameOf(name);
    if (this.#declared.has(name)) return written;
    this.#declared.add(name);
    return `let ${written}`;
  }

  #writeStatement(statement: Node): void {
    const rewrite = this.#rewrite;
    if (isImport(statement)) {
      rewrite.replace(
        statement.start,
        statement.end,
        importCode(statement, (name) => this.#declare(name), this.#typeNames, rewrite),
      );
      return;
    }
    const declaration = unwrapExport(statement);
    if (statement.type === "ExportDefaultDeclaration" && !/Declaration$/.test(declaration.type)) {
      rewrite.before(declaration.start, "(");
      rewrite.after(declaration.end, ");");
      return;
    }
    switch (declaration.type) {
      case "FunctionDeclaration":
      case "ClassDeclaration":
        this.#writeNamed(declaration);
        break;
      case "VariableDeclaration":
        this.#writeVariables(declaration);
        break;
      case "TSImportEqualsDeclaration":
        this.#writeAlias(declaration);
        break;
      case "TSExportAssignment":
        rewrite.erase(declaration.start, declaration.expression.start, "drop");
        break;
      case "ExpressionStatement":
        rewrite.terminate(declaration, true);
        break;
    }
  }

  #writeNamed(node: NamedNode): void {
    const rewrite = this.#rewrite;
    const head = node.type === "ClassDeclaration" ? classHead(rewrite.text, node) : node.start;
    if (node.id === null) {
      rewrite.before(head, "(");
      rewrite.after(node.end, ");");
      return;
    }
    // Without a name of its own inside, a function that calls itself finds what the name stands for now.
    const isRenamed = rewrite.nameOf(node.id.name) !== node.id.name;
    if (node.type === "FunctionDeclaration" && !isRenamed) rewrite.erase(node.id.start, node.id.end);
    rewrite.before(head, `${this.#declare(node.id.name)} = `);
    rewrite.after(node.end, ";");
  }

  #writeVariables(node: NodeOf<"VariableDeclaration">): void {
    const rewrite = this.#rewrite;
    const first = node.declarations[0];
    if (first === undefined) return;
    const names = topLevelNames(node);
    if (names.length > 0 && names.every((name) => !this.#declared.has(name))) {
      for (const name of names) this.#declared.add(name);
      if (node.kind !== "let") rewrite.replace(node.start, first.start, "let ");
      rewrite.terminate(node, true);
      return;
    }
    writeAssignments(rewrite, node, ";(", ")");
    rewrite.terminate(node, true);
  }

  #writeAlias(node: NodeOf<"TSImportEqualsDeclaration">): void {
    this.#rewrite.replace(node.start, node.id.end, this.#declare(node.id.name));
    this.#rewrite.terminate(node, true);
  }

  /** Moves functions and imports in front of the first statement that runs, in their order. */
  #moveToFront(): void {
    const target = this.#body.find((statement) => !isTypeOnly(statement) && !isHoisted(statement));
    if (target === undefined) return;
    for (const statement of this.#body) {
      if (statement.start > target.start && isHoisted(statement) && !isTypeOnly(statement))
        this.#rewrite.edit.move(statement.start, statement.end, target.start);
    }
  }
}

/** `a = 1, {b} = c` in place of a declaration of names that are declared already. */
export function writeAssignments(
  rewrite: Rewrite,
  node: NodeOf<"VariableDeclaration">,
  open: string,
  close: string,
): void {
  const [first, last] = [node.declarations[0], node.declarations.at(-1)];
  if (first === undefined || last === undefined) return;
  rewrite.replace(node.start, first.start, open);
  for (const { id, init } of node.declarations)
    if (init === null && node.kind !== "var") rewrite.after(id.end, " = undefined");
  rewrite.after(last.end, close);
}

function isHoisted(statement: Node): boolean {
  const declaration = unwrapExport(statement);
  return isImport(statement) || (declaration.type === "FunctionDeclaration" && declaration.id !== null);
}

function isVar(node: Node): boolean {
  return node.type === "VariableDeclaration" && node.kind === "var";
}

/** Names that a statement gives a value to at the top level. */
export function topLevelNames(node: Node): string[] {
  switch (node.type) {
    case "VariableDeclaration":
      return node.declare ? [] : node.declarations.flatMap((declarator) => boundNames(declarator.id));
    case "FunctionDeclaration":
    case "ClassDeclaration":
      return node.id === null ? [] : [node.id.name];
    case "TSEnumDeclaration":
      return [node.id.name];
    case "TSModuleDeclaration": {
      let id: Node = node.id;
      while (id.type === "TSQualifiedName") id = id.left;
      return id.type === "Identifier" ? [id.name] : [];
    }
    default:
      return importedNames(node);
  }
}
