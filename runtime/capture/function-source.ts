/** A function's source text, parsed: what kind it is, which names it uses that it does not declare. */
import { type Node, parse } from "acorn";
import { SerializationError } from "../errors.ts";
import { freeNames } from "./free-names.ts";

export interface FunctionSource {
  /** An expression that evaluates to the function. */
  expression: string;
  /** Characters of `expression` before the function's own text. */
  prefix: number;
  free: readonly string[];
  isClass: boolean;
}

const parsed = new Map<string, FunctionSource>();
const CACHE = 1000;

/** How a function's text can be made an expression: as it is, or as a method of an object or of a class. */
const wrappers: { before: string; after: string }[] = [
  { before: "(", after: "\n)" },
  { before: "__method({", after: "\n})" },
  { before: "__method(class{", after: "\n}.prototype)" },
  { before: "__method({__proto__:null,", after: "\n})" },
];

/** Parses a function's text. Throws `SerializationError` when it is not JavaScript. */
export function parseFunction(text: string): FunctionSource {
  let source = parsed.get(text);
  if (source === undefined) {
    source = parse_(text);
    if (parsed.size >= CACHE) parsed.clear();
    parsed.set(text, source);
  }
  return source;
}

function parse_(text: string): FunctionSource {
  for (const { before, after } of wrappers) {
    const expression = before + text + after;
    let program: Node;
    try {
      program = parse(expression, { ecmaVersion: "latest", sourceType: "script", allowSuperOutsideMethod: before !== "(" }) as Node;
    } catch {
      continue;
    }
    const free = freeNames(program).filter((name) => name !== "arguments" && name !== "__method" && name !== "__heddle__");
    return { expression, prefix: before.length, free, isClass: /^class\b/.test(text) };
  }
  throw new SerializationError(`the source of a function cannot be read: ${text.slice(0, 60)}`);
}
