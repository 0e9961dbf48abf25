/** A function's own text: how it becomes an expression, and which names it uses without declaring them. */
import type { Node } from "acorn";
import { analyze, parse } from "./parser.ts";

export interface FreeName {
  name: string;
  /** The function assigns to it. */
  isWritten: boolean;
  /** Defining the class needs its value: it is in `extends`, a computed key or a static initializer. */
  isEarly: boolean;
}

export interface FunctionSource {
  /** The text is a method or accessor and stands in an object literal. */
  isMethod: boolean;
  isClass: boolean;
  /** An arrow function that uses the `this` around it. */
  usesOuterThis: boolean;
  /** Private names of instances, with `#`. */
  privateNames: readonly string[];
  free: readonly FreeName[];
  /** Why the text cannot stand alone. */
  problem: string | undefined;
}

interface Tree extends Node {
  [key: string]: unknown;
}

const parsed = new Map<string, FunctionSource | undefined>();
const MAX_PARSED = 2000;

/** Reads a function's text; undefined when it is none of JavaScript's forms of functions. */
export function readFunctionSource(text: string): FunctionSource | undefined {
  if (!parsed.has(text)) {
    if (parsed.size >= MAX_PARSED) parsed.clear();
    parsed.set(text, readForm(text, false) ?? readForm(text, true));
  }
  return parsed.get(text);
}

/** `import.meta` is read, so that it can be refused with a reason. */
const options = { ecmaVersion: "latest", ranges: true, allowImportExportEverywhere: true } as const;

function readForm(text: string, isMethod: boolean): FunctionSource | undefined {
  let program: Tree;
  try {
    program = parse(isMethod ? `({${text}\n})` : `(${text}\n)`, options) as unknown as Tree;
  } catch {
    return undefined;
  }
  const expression = (program.body as Tree[])[0]?.expression as Tree;
  const definition = isMethod ? ((expression.properties as Tree[])[0]?.value as Tree) : expression;
  const isClass = definition.type === "ClassExpression";
  const members = isClass ? ((definition.body as Tree).body as Tree[]) : [];
  const found = { this: false, super: false, meta: false };
  if (definition.type === "ArrowFunctionExpression") lookAround(definition, found);
  else lookForMeta(definition, found);
  return {
    isMethod,
    isClass,
    usesOuterThis: found.this,
    privateNames: privateNamesOf(members),
    free: freeNames(program, isClass ? earlyRanges(definition, members) : []),
    problem: problemOf(found, isMethod ? definition : undefined),
  };
}

function problemOf(found: { super: boolean; meta: boolean }, method: Tree | undefined): string | undefined {
  if (found.meta) return "it uses import.meta, which belongs to its file; pass what it needs of it as an argument";
  const usesSuper = found.super || (method !== undefined && usesSuperOf(method));
  return usesSuper
    ? "it is a method that uses `super`, which only works inside its class; send the whole class"
    : undefined;
}

/** Looks for what an arrow function takes from around it. */
function lookAround(node: Tree, found: { this: boolean; super: boolean; meta: boolean }): void {
  if (node.type === "ThisExpression") found.this = true;
  if (node.type === "Super") found.super = true;
  if (node.type === "MetaProperty" && (node.meta as Tree).name === "import") found.meta = true;
  if (node.type === "FunctionExpression" || node.type === "FunctionDeclaration" || node.type === "ClassBody")
    lookForMeta(node, found);
  else for (const child of childrenOf(node)) lookAround(child, found);
}

function lookForMeta(node: Tree, found: { meta: boolean }): void {
  if (node.type === "MetaProperty" && (node.meta as Tree).name === "import") found.meta = true;
  for (const child of childrenOf(node)) lookForMeta(child, found);
}

function usesSuperOf(node: Tree): boolean {
  return node.type === "Super" || (node.type !== "ClassBody" && childrenOf(node).some(usesSuperOf));
}

function childrenOf(node: Tree): Tree[] {
  const children: Tree[] = [];
  for (const value of Object.values(node)) {
    if (Array.isArray(value)) children.push(...value.filter(isTree));
    else if (isTree(value)) children.push(value);
  }
  return children;
}

function isTree(value: unknown): value is Tree {
  return typeof value === "object" && value !== null && typeof (value as { type?: unknown }).type === "string";
}

function privateNamesOf(members: readonly Tree[]): string[] {
  const names = members
    .filter((member) => member.static === false && (member.key as Tree | undefined)?.type === "PrivateIdentifier")
    .map((member) => `#${(member.key as unknown as { name: string }).name}`);
  return [...new Set(names)];
}

/** Parts of a class that run when it is defined. */
function earlyRanges(definition: Tree, members: readonly Tree[]): Node[] {
  const parts: Node[] = [];
  if (isTree(definition.superClass)) parts.push(definition.superClass);
  for (const member of members) {
    if (member.computed === true) parts.push(member.key as Tree);
    if (member.type === "StaticBlock") parts.push(member);
    if (member.type === "PropertyDefinition" && member.static === true && isTree(member.value))
      parts.push(member.value);
  }
  return parts;
}

function freeNames(program: Tree, early: readonly Node[]): FreeName[] {
  const scopes = analyze(program as never, { ecmaVersion: 2022, sourceType: "script", ignoreEval: true });
  const free = new Map<string, FreeName>();
  for (const reference of scopes.globalScope?.through ?? []) {
    const { name, range } = reference.identifier as unknown as { name: string; range: [number, number] };
    const entry = free.get(name) ?? { name, isWritten: false, isEarly: false };
    entry.isWritten ||= reference.isWrite();
    entry.isEarly ||= early.some((part) => part.start <= range[0] && range[1] <= part.end);
    free.set(name, entry);
  }
  return [...free.values()];
}
