/**
 * The analysis of one function and the captured ones that it calls: what may become of the memory that its parameters
 * lead to. It goes through the code without regard to order, again and again until nothing new is learned; each variable
 * and each parameter has one value that stands for all it may ever have.
 *
 * What it cannot follow counts as a write: storing such a value in an object, in a variable from outside or in an error,
 * giving it to code that is not known, methods that are not listed. So no object ever leads to the memory but those that
 * were made leading there, and everything else may be written and called freely.
 */
import type { CodeUnit } from "./code-unit.ts";
import { evaluate } from "./expressions.ts";
import { Facts, type Mode, type Place } from "./facts.ts";
import { bindPattern } from "./patterns.ts";
import { runClass, runStatements } from "./statements.ts";
import { nodesOf, syntaxOf, type Tree } from "./syntax.ts";
import { bitOf, type Code, EVERY, join, joinAll, NUMBER, PARAMETERS, UNKNOWN, type Value } from "./values.ts";

/** Code whose fixed point takes longer is not followed. */
const MOST_ROUNDS = 60;
const MOST_NODES = 20_000;

/** Goes through a function, with its parameters taken for typed arrays or for data of any kind. */
export function analyse(unit: CodeUnit, mode: Mode): Facts {
  const facts = new Facts(mode);
  const { root } = syntaxOf(unit);
  const code = facts.codeOf(root, unit);
  for (let index = 0; index < PARAMETERS; index++) facts.give(code, index, parameter(mode, bitOf(index)));
  facts.giveRest(code, parameter(mode, bitOf(PARAMETERS)));
  if (!reachesFixedPoint(facts)) facts.note(EVERY, "it is too long to follow");
  return facts;
}

function parameter(mode: Mode, bit: number): Value {
  const from = mode === "arrays" ? { views: bit } : { data: bit };
  return { ...UNKNOWN, ...from, number: true, ifNumber: bit };
}

function reachesFixedPoint(facts: Facts): boolean {
  let nodes = 0;
  for (let round = 0; round < MOST_ROUNDS; round++) {
    facts.changed = false;
    // Functions that are met on the way are appended.
    for (const code of facts.codes.values()) {
      if (round === 0) for (const _ of nodesOf(code.node)) nodes++;
      if (nodes > MOST_NODES) return false;
      runCode(facts, code);
    }
    if (!facts.changed) return true;
  }
  return false;
}

function runCode(facts: Facts, code: Code): void {
  const place: Place = {
    facts,
    code,
    syntax: syntaxOf(code.unit),
    evaluate: (node) => evaluate(place, node),
    runClass: (node) => runClass(place, node),
  };
  const { body, params } = code.node as unknown as { body: Tree; params: Tree[] };
  for (const [index, pattern] of params.entries()) {
    if (pattern.type === "RestElement") bindPattern(place, pattern.argument as Tree, restArguments(code, index));
    else bindPattern(place, pattern, argument(code, index));
  }
  if (body.type === "BlockStatement") runStatements(place, body.body as Tree[]);
  else facts.returned(code, evaluate(place, body));
}

function argument(code: Code, index: number): Value {
  const given = join(code.args[index] ?? NUMBER, code.rest);
  return code.escaped ? join(given, UNKNOWN) : given;
}

function restArguments({ args, rest }: Code, from: number): Value {
  const { data, made, views } = joinAll([...args.slice(from), rest]);
  return { ...UNKNOWN, own: true, data: views | data, made };
}
