/** What the analysis has learned: of variables, of functions and their parameters, and what may be written. */
import type { Variable } from "eslint-scope";
import type { CodeUnit } from "./code-unit.ts";
import { type Syntax, syntaxOf, type Tree } from "./syntax.ts";
import {
  bitOf,
  type Code,
  codeValue,
  join,
  joinAll,
  leadsTo,
  NOTHING,
  NUMBER,
  PARAMETERS,
  same,
  UNKNOWN,
  type Value,
} from "./values.ts";

/** What the parameters are taken for: typed arrays, or data of any kind. */
export type Mode = "arrays" | "data";

/** The code that is gone through. */
export interface Place {
  readonly facts: Facts;
  readonly code: Code;
  readonly syntax: Syntax;
  /** What an expression gives. */
  evaluate(node: Tree): Value;
  /** What a class is, whose code is gone through. */
  runClass(node: Tree): Value;
}

export class Facts {
  readonly mode: Mode;
  /** Why the parameters of these bits may be written. */
  readonly writes = new Map<number, string>();
  /** Parameters that the proof takes for safe keys, and for typed arrays. */
  ifNumber = 0;
  ifTyped = 0;
  /** Values of the language that it takes for what they are. */
  readonly builtins = new Set<string>();
  readonly codes = new Map<Tree, Code>();
  readonly #variables = new Map<Variable, Value>();
  /** Whether anything was learned since this was last set to false. */
  changed = false;

  constructor(mode: Mode) {
    this.mode = mode;
  }

  /** The functions inside are gone through too, whoever may call them. */
  codeOf(node: Tree, unit: CodeUnit): Code {
    let code = this.codes.get(node);
    if (code === undefined) {
      code = { node, unit, args: [], rest: NOTHING, returns: NOTHING, escaped: false };
      this.codes.set(node, code);
      this.changed = true;
    }
    return code;
  }

  /** A captured function. */
  valueOfUnit(unit: CodeUnit): Value {
    return codeValue(this.codeOf(syntaxOf(unit).root, unit));
  }

  /** The code is called with these arguments, and with any of `rest` after them. */
  call(code: Code, args: readonly Value[], rest: Value): Value {
    for (const [index, value] of args.entries()) this.give(code, index, value);
    if (rest !== NOTHING) this.giveRest(code, rest);
    const { async, generator } = code.node as unknown as { async: boolean; generator: boolean };
    if (generator) return { ...UNKNOWN, data: code.returns.views | code.returns.data, made: leadsTo(code.returns) };
    // A promise stands for its value.
    return async ? { ...code.returns, typed: false, own: false, other: true } : code.returns;
  }

  give(code: Code, index: number, value: Value): void {
    const before = code.args[index] ?? NOTHING;
    const after = join(before, value);
    if (same(before, after) && index in code.args) return;
    for (let missing = code.args.length; missing < index; missing++) code.args[missing] = NUMBER;
    code.args[index] = after;
    this.changed = true;
  }

  giveRest(code: Code, value: Value): void {
    const after = join(code.rest, value);
    if (same(code.rest, after)) return;
    code.rest = after;
    this.changed = true;
  }

  /** All arguments of the function at a node, as `arguments` has them. */
  argumentsOf(node: unknown): Value {
    const code = this.codes.get(node as Tree);
    if (code === undefined) return UNKNOWN;
    const all = leadsTo(joinAll([...code.args, code.rest]));
    return { ...UNKNOWN, data: all, made: all };
  }

  returned(code: Code, value: Value): void {
    const after = join(code.returns, value);
    if (same(code.returns, after)) return;
    code.returns = after;
    this.changed = true;
  }

  /** Code that is not known may call the functions in `value`. */
  escape({ code }: Value): void {
    for (const one of code) {
      if (one.escaped) continue;
      one.escaped = true;
      this.changed = true;
    }
  }

  valueOf(variable: Variable): Value {
    return this.#variables.get(variable) ?? NOTHING;
  }

  assign(variable: Variable, value: Value): void {
    const before = this.valueOf(variable);
    const after = join(before, value);
    if (same(before, after)) return;
    this.#variables.set(variable, after);
    this.changed = true;
  }

  /** The memory of these parameters may be written. */
  note(parameters: number, why: string): void {
    for (let index = 0; index < PARAMETERS; index++) {
      const bit = parameters & bitOf(index);
      if (bit !== 0 && !this.writes.has(bit)) this.writes.set(bit, why);
    }
  }

  /** The proof takes the value for a safe key. */
  relyOnKey({ ifNumber, ifTyped }: Value): void {
    this.ifNumber |= ifNumber;
    this.ifTyped |= ifTyped;
  }
}

/** What `node` does may be a write. */
export function noteWrite({ facts, syntax }: Place, parameters: number, node: Tree, does: string): void {
  if (parameters !== 0) facts.note(parameters, `${syntax.quote(node)}: ${does}`);
}
