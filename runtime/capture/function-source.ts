/** A function's own text: how it becomes an expression, and which names it uses without declaring them. */
import type { Node } from "acorn";
import { analyze, parse } from "./parser.ts";

export interface FreeName {
  name: string;
  /** The function assigns to it. */
  isWritten: boolean;
  /** Defining the class needs its value: it is in `extends`, a computed key or a static initializer. */
  isEarly: boolean;
  /** Where it stands. */
  uses: readonly Use[];
}

interface Place {
  /** Offsets in the function's text. */
  start: number;
  end: number;
}

interface Use extends Place {
  /** `{ name }` stands for a key and a value; `name()` must not get a `this`. */
  as: "value" | "shorthand" | "callee";
}

export interface Edit extends Place {
  text: string;
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
  /** What runs when the function is defined, and has run already: keys, static initializers. Left out elsewhere. */
  done: readonly Edit[];
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
  const form = { program, text, shift: isMethod ? 2 : 1 };
  const done = isMethod ? doneKeys((expression.properties as Tree[]).slice(0, 1)) : doneParts(members);
  const found = { this: false, super: false, meta: false };
  if (definition.type === "ArrowFunctionExpression") lookAround(definition, found);
  else lookForMeta(definition, found);
  return {
    isMethod,
    isClass,
    usesOuterThis: found.this,
    privateNames: privateNamesOf(members),
    free: freeNames(form, isClass ? earlyRanges(definition, members) : [], done),
    done: done.map(({ start, end, text: kept }) => ({ start: start - form.shift, end: end - form.shift, text: kept })),
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
    if (runsOnce(member)) parts.push(member.type === "StaticBlock" ? member : (member.value as Tree));
  }
  return parts;
}

/** A static block, or a static field with an initializer. */
function runsOnce(member: Tree): boolean {
  if (member.type === "StaticBlock") return true;
  return member.type === "PropertyDefinition" && member.static === true && isTree(member.value);
}

/** What must not run again elsewhere: the fields it made are sent. Private fields are not seen, so they are made anew. */
function doneParts(members: readonly Tree[]): Edit[] {
  return members.flatMap((member) => {
    if (!runsOnce(member) || usesPrivate(member)) return [];
    if (member.type === "StaticBlock") return [{ start: member.start + "static".length, end: member.end, text: "{}" }];
    return [
      {
        start: (member.key as Tree).end + (member.computed === true ? 1 : 0),
        end: (member.value as Tree).end,
        text: "",
      },
    ];
  });
}

/** The key of a method alone, which its name keeps. */
function doneKeys(properties: readonly Tree[]): Edit[] {
  return properties
    .filter((property) => property.computed === true)
    .map(({ key }) => ({ start: (key as Tree).start, end: (key as Tree).end, text: "0" }));
}

function usesPrivate(node: Tree): boolean {
  return node.type === "PrivateIdentifier" || childrenOf(node).some(usesPrivate);
}

interface Form {
  program: Tree;
  text: string;
  /** How far the program is from the text. */
  shift: number;
}

function freeNames({ program, text, shift }: Form, early: readonly Node[], done: readonly Place[]): FreeName[] {
  const scopes = analyze(program as never, { ecmaVersion: 2022, sourceType: "script", ignoreEval: true });
  const forms = unusualUses(program);
  const free = new Map<string, FreeName & { uses: Use[] }>();
  const entryOf = (name: string) => {
    const entry = free.get(name) ?? { name, isWritten: false, isEarly: false, uses: [] };
    free.set(name, entry);
    return entry;
  };
  let evaluates = false;
  for (const reference of scopes.globalScope?.through ?? []) {
    const { name, start, end } = reference.identifier as unknown as Node & { name: string };
    if (done.some((part) => part.start <= start && end <= part.end)) continue;
    const entry = entryOf(name);
    entry.isWritten ||= reference.isWrite();
    entry.isEarly ||= early.some((part) => part.start <= start && end <= part.end);
    entry.uses.push({ start: start - shift, end: end - shift, as: forms.get(start) ?? "value" });
    evaluates ||= name === "eval";
  }
  // Code in texts may use any name that the texts have.
  if (evaluates) for (const [name] of text.matchAll(/[\p{ID_Start}$_][\p{ID_Continue}$]*/gu)) entryOf(name);
  return [...free.values()];
}

/** Identifiers that cannot be replaced by an expression just so, by where they start. */
function unusualUses(node: Tree, found = new Map<number, Use["as"]>()): Map<number, Use["as"]> {
  if (node.type === "Property" && node.shorthand === true) found.set((node.key as Tree).start, "shorthand");
  const callee =
    (node.type === "CallExpression" && node.callee) || (node.type === "TaggedTemplateExpression" && node.tag);
  if (isTree(callee)) found.set(callee.start, "callee");
  for (const child of childrenOf(node)) unusualUses(child, found);
  return found;
}

/**
 * The text as it is sent: without what is done, and with the names of `boxed` variables, which several functions share
 * and assign to, read from the objects that stand for them.
 */
export function textToSend(text: string, { free, done }: FunctionSource, boxed: ReadonlySet<string>): string {
  // One place may count as several uses: a default in a pattern assigns twice.
  const edits = new Map(done.map((edit) => [edit.start, edit]));
  for (const { name, uses } of free) {
    if (!boxed.has(name)) continue;
    for (const { start, end, as } of uses) edits.set(start, { start, end, text: BOXED_USES[as](name) });
  }
  let edited = text;
  for (const { start, end, text: replacement } of [...edits.values()].sort((a, b) => b.start - a.start)) {
    // Lines and columns of what follows stay as they are where that is possible.
    const gone = text.slice(start, end).replaceAll(/[^\n]/g, " ");
    const kept = replacement.length >= end - start ? replacement : replacement + gone.slice(replacement.length);
    edited = edited.slice(0, start) + kept + edited.slice(end);
  }
  return edited;
}

/** The field of the object that stands for a shared variable. */
export const BOXED_FIELD = "$";

const BOXED_USES: Record<Use["as"], (name: string) => string> = {
  value: (name) => `${name}.${BOXED_FIELD}`,
  shorthand: (name) => `${name}:${name}.${BOXED_FIELD}`,
  callee: (name) => `(0,${name}.${BOXED_FIELD})`,
};
