/** The text of a function as a tree in which each name knows its variable. */
import type { Node } from "acorn";
import type { Scope, Variable } from "eslint-scope";
import { analyze, parse } from "../capture/parser.ts";
import type { CodeUnit } from "./code-unit.ts";

/** A node of the syntax tree. */
export interface Tree extends Node {
  [key: string]: unknown;
}

export interface Syntax {
  /** The function itself. */
  readonly root: Tree;
  /** The variable of an identifier; undefined for a name that the function does not declare. */
  variableOf(identifier: Tree): Variable | undefined;
  /** The variables that a declaration makes: of a class, one inside and one outside. */
  declaredBy(declaration: Tree): readonly Variable[];
  /** What stands at a node, for people. */
  quote(node: Tree): string;
}

const parsed = new WeakMap<CodeUnit, Syntax>();
const LONGEST_QUOTE = 40;

export function syntaxOf(unit: CodeUnit): Syntax {
  let syntax = parsed.get(unit);
  if (syntax === undefined) {
    syntax = readSyntax(unit);
    parsed.set(unit, syntax);
  }
  return syntax;
}

function readSyntax({ isMethod, text }: CodeUnit): Syntax {
  const whole = isMethod ? `({${text}\n})` : `(${text}\n)`;
  const program = parse(whole, { ecmaVersion: "latest", ranges: true, allowImportExportEverywhere: true });
  const [statement] = program.body as unknown as Tree[];
  const expression = statement!.expression as Tree;
  const root = isMethod ? ((expression.properties as Tree[])[0]!.value as Tree) : expression;
  const scopes = analyze(program as never, { ecmaVersion: 2022, sourceType: "script", ignoreEval: true });
  const variables = new Map<unknown, Variable>();
  for (const scope of scopes.scopes) noteNames(scope, variables);
  return {
    root,
    variableOf: (identifier) => variables.get(identifier),
    declaredBy: (declaration) => scopes.getDeclaredVariables(declaration as never),
    quote: ({ end, start }) => quote(whole, start, end),
  };
}

function noteNames(scope: Scope, variables: Map<unknown, Variable>): void {
  for (const variable of scope.variables) for (const name of variable.identifiers) variables.set(name, variable);
  for (const { identifier, resolved } of scope.references) if (resolved !== null) variables.set(identifier, resolved);
}

function quote(text: string, start: number, end: number): string {
  const words = text.slice(start, end).replaceAll(/\s+/g, " ");
  const line = text.slice(0, start).split("\n").length;
  const shown = words.length > LONGEST_QUOTE ? `${words.slice(0, LONGEST_QUOTE - 1)}…` : words;
  return line === 1 ? shown : `${shown} (line ${line})`;
}

/** The name of a property that the text gives; undefined when it is computed. */
export function nameOf(key: Tree, computed: boolean): string | undefined {
  if (!computed && key.type === "Identifier") return key.name as string;
  if (key.type === "PrivateIdentifier") return `#${key.name as string}`;
  if (key.type === "Literal") return String(key.value);
  return undefined;
}

/** Every node below one, and it. */
export function* nodesOf(node: Tree): Generator<Tree> {
  yield node;
  for (const value of Object.values(node)) {
    if (Array.isArray(value)) for (const item of value) if (isTree(item)) yield* nodesOf(item);
    if (isTree(value)) yield* nodesOf(value);
  }
}

export function isTree(value: unknown): value is Tree {
  return typeof value === "object" && value !== null && typeof (value as { type?: unknown }).type === "string";
}
