/** A function as the analysis sees it: its text, and what the names are that it uses without declaring them. */
import { exportPathOf, globalPathOf } from "../capture/builtins.ts";
import type { Captures, Variable } from "../capture/captures.ts";
import { readFunctionSource } from "../capture/function-source.ts";
import { importOf } from "../capture/imports.ts";
import { isInternal } from "../capture/inspection.ts";
import { isOwnScript } from "../capture/modules.ts";

/** What a captured name stands for. */
export type Known =
  | { kind: "code"; unit: CodeUnit }
  | { kind: "builtin"; path: string }
  /** A value that each worker has of its own, or a primitive. */
  | { kind: "number" | "typed" | "own" }
  | { kind: "unknown" };

export interface CodeUnit {
  readonly text: string;
  /** The text is a method and stands in an object literal. */
  readonly isMethod: boolean;
  readonly names: ReadonlyMap<string, Known>;
}

const UNKNOWN: Known = { kind: "unknown" };
const TypedArray = Object.getPrototypeOf(Uint8Array) as { prototype: object };

/** A function with the captured functions that it may call; undefined where its text does not say what it does. */
export function codeUnitOf(fn: object, captures: Captures): CodeUnit | undefined {
  return unitOf(fn, captures, new Map());
}

function unitOf(fn: object, captures: Captures, units: Map<object, CodeUnit>): CodeUnit | undefined {
  const found = units.get(fn);
  if (found !== undefined) return found;
  const text = Function.prototype.toString.call(fn);
  const { bound, script } = captures.inspect(fn);
  const source = bound === undefined && script !== undefined ? readFunctionSource(text) : undefined;
  if (source === undefined || source.isClass || isInternal(script) || isOwnScript(script?.url)) return undefined;
  const names = new Map<string, Known>();
  const unit = { text, isMethod: source.isMethod, names };
  units.set(fn, unit);
  // What a module's function uses is the module's, which other code of it may change.
  const isImported = importOf(fn) !== undefined || exportPathOf(fn) !== undefined;
  for (const { name, from } of captures.bindingsOf(fn, source)) {
    names.set(name, "users" in from && !isImported ? knownOf(from, captures, units) : UNKNOWN);
  }
  return unit;
}

function knownOf({ isWritten, value }: Variable, captures: Captures, units: Map<object, CodeUnit>): Known {
  if (isWritten) return UNKNOWN;
  if (typeof value === "number") return { kind: "number" };
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return { kind: "own" };
  const path = globalPathOf(value);
  if (path !== undefined) return { kind: "builtin", path: path.join(".") };
  if (typeof value === "function") {
    const unit = unitOf(value, captures, units);
    return unit === undefined ? UNKNOWN : { kind: "code", unit };
  }
  const prototype = Object.getPrototypeOf(value) as object | null;
  if (prototype !== null && Object.getPrototypeOf(prototype) === TypedArray.prototype) return { kind: "typed" };
  return prototype === Object.prototype || Array.isArray(value) || value instanceof Map || value instanceof Set
    ? { kind: "own" }
    : UNKNOWN;
}
