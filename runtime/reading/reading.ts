/** What is proven of a function: which of its parameters it only reads. */
import { analyse } from "./analysis.ts";
import { builtinsAreGenuine } from "./builtins.ts";
import type { CodeUnit } from "./code-unit.ts";
import type { Mode } from "./facts.ts";
import { syntaxOf, type Tree } from "./syntax.ts";
import { bitOf, EVERY, PARAMETERS } from "./values.ts";

/** What holds where the parameters are typed arrays, or data of any kind. */
interface Proof {
  /** Parameters that may be written: bits. */
  readonly writes: number;
  /** Why, by parameter. */
  readonly why: Readonly<Record<number, string>>;
  /** The proof holds if these are numbers, `undefined` and the like; and these typed arrays. */
  readonly ifNumber: number;
  readonly ifTyped: number;
  readonly builtins: readonly string[];
}

export interface Reading {
  /** Names of the parameters, as far as they have any. */
  readonly parameters: readonly string[];
  readonly arrays: Proof;
  readonly data: Proof;
}

/** Finds out what a function does with its parameters; undefined for one that has none. */
export function readingOf(unit: CodeUnit | undefined): Reading | undefined {
  if (unit === undefined) return nothingProven("its source is not known", ["(all)"]);
  try {
    const params = syntaxOf(unit).root.params as Tree[];
    if (params.length === 0 && !unit.text.includes("arguments")) return undefined;
    const parameters = params.map(parameterName);
    return { parameters, arrays: prove(unit, "arrays"), data: prove(unit, "data") };
  } catch (error) {
    return nothingProven(`its source cannot be followed (${(error as Error).message})`, ["(all)"]);
  }
}

function nothingProven(reason: string, parameters: readonly string[]): Reading {
  const why = Object.fromEntries(Array.from({ length: PARAMETERS }, (_, index) => [index, reason]));
  const proof: Proof = { writes: EVERY, why, ifNumber: 0, ifTyped: 0, builtins: [] };
  return { parameters, arrays: proof, data: proof };
}

function prove(unit: CodeUnit, mode: Mode): Proof {
  const { builtins, ifNumber, ifTyped, writes } = analyse(unit, mode);
  const why: Record<number, string> = {};
  let bits = 0;
  for (const [bit, reason] of writes) {
    bits |= bit;
    why[31 - Math.clz32(bit)] = reason;
  }
  return { writes: bits, why, ifNumber, ifTyped, builtins: [...builtins] };
}

function parameterName(pattern: Tree): string {
  if (pattern.type === "Identifier") return pattern.name as string;
  if (pattern.type === "AssignmentPattern") return parameterName(pattern.left as Tree);
  return pattern.type === "RestElement" ? `...${parameterName(pattern.argument as Tree)}` : "(pattern)";
}

const TypedArray = Object.getPrototypeOf(Uint8Array) as { prototype: object };

/** A typed array of the language's own classes, and no Buffer, whose `slice` is the same memory. */
export function isTypedArray(value: unknown): value is Uint8Array {
  if (!ArrayBuffer.isView(value)) return false;
  const prototype = Object.getPrototypeOf(value) as object;
  return Object.getPrototypeOf(prototype) === TypedArray.prototype;
}

/** A value that no property of an array is named by. */
const isKey = (value: unknown): boolean =>
  value === null || (typeof value !== "string" && typeof value !== "object" && typeof value !== "function");

/** Why argument `index` needs a private copy; undefined when the function is proven only to read it. */
export function whyCopy(reading: Reading, args: readonly unknown[], index: number): string | undefined {
  const proof = isTypedArray(args[index]) ? reading.arrays : reading.data;
  if ((proof.writes & bitOf(index)) !== 0) return proof.why[Math.min(index, PARAMETERS - 1)];
  for (const [other, value] of args.entries()) {
    const bit = bitOf(other);
    const name = reading.parameters[other] ?? `argument ${other}`;
    if ((proof.ifNumber & bit) !== 0 && !isKey(value)) return `${name} is used as a key and is no number`;
    if ((proof.ifTyped & bit) !== 0 && !ArrayBuffer.isView(value)) return `${name} is no typed array`;
  }
  return builtinsAreGenuine(proof.builtins) ? undefined : "methods of the language were replaced";
}

/** How tasks of a function get the arrays that one of its parameters stands for. */
export interface ParameterReading {
  parameter: string;
  /** Whether a typed array is read in place, in memory that others read too, or copied for the task. */
  typedArray: "view" | "copy";
  /** The same for a Buffer, a DataView, or plain data with arrays inside. */
  otherData: "view" | "copy";
  /** What the function does with it that makes a copy necessary; undefined where nothing does. */
  why: string | undefined;
}

/** The reading for people. */
export function explainReading({ arrays, data, parameters }: Reading): ParameterReading[] {
  return parameters.map((parameter, index) => {
    const writes = ({ writes }: Proof): "view" | "copy" => ((writes & bitOf(index)) === 0 ? "view" : "copy");
    const place = Math.min(index, PARAMETERS - 1);
    const why = arrays.why[place] ?? data.why[place];
    return { parameter, typedArray: writes(arrays), otherData: writes(data), why };
  });
}

/** Whether any argument may be proven to be only read. */
export function mayView({ arrays, data }: Reading, index: number): boolean {
  return (arrays.writes & data.writes & bitOf(index)) === 0;
}
