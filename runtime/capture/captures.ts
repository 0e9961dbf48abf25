/**
 * What functions see, for one encode. A variable is one object however many functions use it, so that functions which
 * shared a variable share it again when they are rebuilt.
 *
 * V8 shows the variables of a closure, not the closure's identity. Two functions are taken to share a closure when they
 * come from the same script and see the same names with the same values there; a function of one place in the text
 * joins each closure once, which keeps two counters made by one factory apart.
 */
import { isBaseGlobal } from "./builtins.ts";
import type { FreeName, FunctionSource } from "./function-source.ts";
import { type ImportedName, importsOf } from "./import-declarations.ts";
import { type Inspection, inspectFunction, readScriptVariable, type Scope } from "./inspection.ts";

export interface Variable {
  readonly value: unknown;
  readonly users: Set<object>;
  isWritten: boolean;
  /** Several functions share it and it changes. */
  isBoxed: boolean;
}

export interface Binding extends FreeName {
  from: Variable | ImportedName;
}

interface Closure {
  readonly parent: Closure | undefined;
  readonly scriptId: string;
  readonly values: Readonly<Record<string, unknown>>;
  /** Places in the script of the functions that live in it. */
  readonly places: Set<string>;
  readonly variables: Map<string, Variable>;
}

/** Names that every thread's user code has by itself, or that are no variables. */
const NEVER = new Set(["__heddle__", "arguments", "undefined"]);

/** Other threads keep the class they got first, so what it saw first is what counts. */
interface ClassFacts {
  inspection: Inspection;
  readonly top: Map<string, { value: unknown } | undefined>;
}

const classFacts = new WeakMap<object, ClassFacts>();

export class Captures {
  readonly #isFresh: boolean;
  /** The object whose field an arrow function is: its `this`, as class fields have it. */
  readonly owners = new Map<object, object>();
  readonly #inspections = new Map<object, Inspection>();
  readonly #bindings = new Map<object, Binding[]>();
  readonly #top = new Map<string, Variable>();
  readonly #closures: Closure[] = [];

  /** Fresh ones look at everything anew; others take known classes as they were. */
  constructor(isFresh: boolean) {
    this.#isFresh = isFresh;
  }

  inspect(fn: object): Inspection {
    let inspection = this.#inspections.get(fn);
    if (inspection === undefined) {
      inspection = (this.#isFresh ? undefined : classFacts.get(fn)?.inspection) ?? inspectFunction(fn);
      this.#inspections.set(fn, inspection);
      if (!this.#isFresh && Function.prototype.toString.call(fn).startsWith("class")) factsOf(fn, inspection);
    }
    return inspection;
  }

  /** What a function's free names are bound to; names of the language and unknown names are left out. */
  bindingsOf(fn: object, source: FunctionSource, given: Readonly<Record<string, unknown>> = {}): readonly Binding[] {
    let bindings = this.#bindings.get(fn);
    if (bindings === undefined) {
      bindings = this.#bind(fn, source, given);
      this.#bindings.set(fn, bindings);
    }
    return bindings;
  }

  #bind(fn: object, source: FunctionSource, given: Readonly<Record<string, unknown>>): Binding[] {
    const bindings: Binding[] = [];
    const { free } = source;
    for (const name of Object.keys(given)) {
      const use = free.find((item) => item.name === name) ?? { name, isWritten: false, isEarly: false, uses: [] };
      bindings.push({ ...use, from: newVariable(given[name]) });
    }
    const names = free.filter(({ name }) => !NEVER.has(name) && !Object.hasOwn(given, name));
    if (names.length === 0) return bindings;
    const inspection = this.inspect(fn);
    const closures = this.#closuresOf(inspection);
    const facts = source.isClass && !this.#isFresh ? factsOf(fn, inspection) : undefined;
    for (const use of names) {
      const from = this.#find(use.name, inspection, closures, facts);
      if (from === undefined) continue;
      bindings.push({ ...use, from });
      if ("users" in from) {
        from.users.add(fn);
        from.isWritten ||= use.isWritten;
      }
    }
    return bindings;
  }

  #find(
    name: string,
    { scopes, script }: Inspection,
    closures: Map<Scope, Closure>,
    facts: ClassFacts | undefined,
  ): Variable | ImportedName | undefined {
    for (const scope of scopes) {
      const closure = closures.get(scope);
      if (closure !== undefined) {
        if (Object.hasOwn(scope.variables, name)) return variableIn(closure.variables, name, scope.variables[name]);
      } else if (scope.kind === "module") {
        const imported = script && importsOf(script).get(name);
        if (imported !== undefined) return imported;
        if (Object.hasOwn(scope.variables, name))
          return variableIn(this.#top, `${script?.id} ${name}`, scope.variables[name]);
      }
    }
    return this.#findTop(name, facts);
  }

  #findTop(name: string, facts: ClassFacts | undefined): Variable | undefined {
    const known = this.#top.get(name);
    if (known !== undefined) return known;
    if (facts !== undefined && !facts.top.has(name)) facts.top.set(name, readTop(name));
    const found = facts === undefined ? readTop(name) : facts.top.get(name);
    return found && variableIn(this.#top, name, found.value);
  }

  /** The closures of a function's scopes, found or made from the outermost on. */
  #closuresOf({ scopes, script, line, column }: Inspection): Map<Scope, Closure> {
    const closures = new Map<Scope, Closure>();
    const scriptId = script?.id ?? "";
    const place = `${line}:${column}`;
    const inner = scopes.find((scope) => scope.kind === "closure");
    let parent: Closure | undefined;
    for (const scope of scopes.toReversed()) {
      if (scope.kind !== "closure") continue;
      let closure = this.#closures.find(
        (candidate) =>
          candidate.parent === parent &&
          candidate.scriptId === scriptId &&
          !(scope === inner && candidate.places.has(place)) &&
          haveSameValues(candidate.values, scope.variables),
      );
      if (closure === undefined) {
        closure = { parent, scriptId, values: scope.variables, places: new Set(), variables: new Map() };
        this.#closures.push(closure);
      }
      if (scope === inner) closure.places.add(place);
      closures.set(scope, closure);
      parent = closure;
    }
    return closures;
  }
}

function factsOf(Class: object, inspection: Inspection): ClassFacts {
  let facts = classFacts.get(Class);
  if (facts === undefined) {
    facts = { inspection, top: new Map() };
    classFacts.set(Class, facts);
  }
  return facts;
}

/** A user's name that all scripts see. */
function readTop(name: string): { value: unknown } | undefined {
  const isGlobal = Object.hasOwn(globalThis, name);
  if (isGlobal && !isBaseGlobal(name)) return { value: (globalThis as unknown as Record<string, unknown>)[name] };
  // A cell's `let` may hide a global name.
  const found = readScriptVariable(name);
  const isBuiltin =
    isGlobal && found !== undefined && Object.is(found.value, (globalThis as unknown as Record<string, unknown>)[name]);
  return isBuiltin ? undefined : found;
}

function newVariable(value: unknown): Variable {
  return { value, users: new Set(), isWritten: false, isBoxed: false };
}

function variableIn(variables: Map<string, Variable>, name: string, value: unknown): Variable {
  let variable = variables.get(name);
  if (variable === undefined) {
    variable = newVariable(value);
    variables.set(name, variable);
  }
  return variable;
}

function haveSameValues(first: Readonly<Record<string, unknown>>, second: Readonly<Record<string, unknown>>): boolean {
  const names = Object.keys(first);
  return names.length === Object.keys(second).length && names.every((name) => Object.is(first[name], second[name]));
}
