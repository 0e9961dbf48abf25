/** What expressions give. */
import type { Variable } from "eslint-scope";
import { isBaseGlobal } from "../capture/builtins.ts";
import { callTag, construct, evaluateCall } from "./calls.ts";
import type { Known } from "./code-unit.ts";
import { noteWrite, type Place } from "./facts.ts";
import { bindPattern, itemOf, readProperty, refuseNames } from "./patterns.ts";
import { nameOf, type Tree } from "./syntax.ts";
import {
  builtin,
  codeValue,
  container,
  EVERY,
  join,
  joinAll,
  leadsTo,
  NUMBER,
  OWN,
  TEXT,
  TYPED,
  UNKNOWN,
  type Value,
} from "./values.ts";

/** Properties that the language itself calls. */
const CALLED = new Set(["valueOf", "toString", "toLocaleString", "toJSON", "then", "__proto__"]);

type Evaluate = (place: Place, node: Tree) => Value;

const kinds: Record<string, Evaluate> = {
  Identifier: (place, node) => nameValue(place, node),
  Literal: (_, { regex, value }) =>
    typeof value === "string" ? TEXT : regex === undefined || regex === null ? NUMBER : OWN,
  ThisExpression: () => UNKNOWN,
  Super: () => UNKNOWN,
  MetaProperty: () => UNKNOWN,
  TemplateLiteral: (place, node) => {
    for (const part of node.expressions as Tree[]) place.evaluate(part);
    return TEXT;
  },
  TaggedTemplateExpression: callTag,
  ArrayExpression: (place, node) => container(listItems(place, node)),
  ObjectExpression: objectLiteral,
  FunctionExpression: functionValue,
  ArrowFunctionExpression: functionValue,
  ClassExpression: (place, node) => place.runClass(node),
  UnaryExpression: unary,
  UpdateExpression: (place, node) => {
    bindPattern(place, node.argument as Tree, NUMBER);
    return NUMBER;
  },
  BinaryExpression: binary,
  LogicalExpression: (place, node) => join(place.evaluate(node.left as Tree), place.evaluate(node.right as Tree)),
  ConditionalExpression: (place, node) => {
    place.evaluate(node.test as Tree);
    return join(place.evaluate(node.consequent as Tree), place.evaluate(node.alternate as Tree));
  },
  AssignmentExpression: assignment,
  SequenceExpression: (place, node) => (node.expressions as Tree[]).map((part) => place.evaluate(part)).at(-1)!,
  ChainExpression: (place, node) => place.evaluate(node.expression as Tree),
  ParenthesizedExpression: (place, node) => place.evaluate(node.expression as Tree),
  AwaitExpression: (place, node) => place.evaluate(node.argument as Tree),
  YieldExpression: (place, node) => {
    if (!node.argument) return UNKNOWN;
    const value = place.evaluate(node.argument as Tree);
    place.facts.escape(value);
    place.facts.returned(place.code, node.delegate === true ? itemOf(place, value) : value);
    return UNKNOWN;
  },
  ImportExpression: (place, node) => {
    place.evaluate(node.source as Tree);
    return UNKNOWN;
  },
  MemberExpression: member,
  CallExpression: evaluateCall,
  NewExpression: construct,
};

export function evaluate(place: Place, node: Tree): Value {
  const kind = kinds[node.type];
  if (kind !== undefined) return kind(place, node);
  noteWrite(place, EVERY, node, "what it does is not known");
  return UNKNOWN;
}

function nameValue(place: Place, node: Tree): Value {
  const { facts, code, syntax } = place;
  const name = node.name as string;
  const variable = syntax.variableOf(node);
  if (variable !== undefined) {
    return isArguments(variable) ? facts.argumentsOf(variable.scope.block) : facts.valueOf(variable);
  }
  if (name === "arguments") return UNKNOWN;
  const known = code.unit.names.get(name);
  if (known !== undefined) return knownValue(place, known);
  if (name === "undefined" || name === "NaN" || name === "Infinity") return NUMBER;
  return name === "__heddle__" || isBaseGlobal(name) ? builtin(name) : UNKNOWN;
}

const isArguments = (variable: Variable): boolean => variable.name === "arguments" && variable.defs.length === 0;

function knownValue({ facts }: Place, known: Known): Value {
  switch (known.kind) {
    case "code":
      return facts.valueOfUnit(known.unit);
    case "builtin":
      return builtin(known.path);
    case "number":
      return NUMBER;
    case "typed":
      return TYPED;
    case "own":
      return OWN;
    default:
      return UNKNOWN;
  }
}

function functionValue({ facts, code, syntax }: Place, node: Tree): Value {
  const value = codeValue(facts.codeOf(node, code.unit));
  const own = node.id ? syntax.variableOf(node.id as Tree) : undefined;
  if (own !== undefined) facts.assign(own, value);
  return value;
}

/** All that the elements of a list may be; functions among them may be called by anybody. */
export function listItems(place: Place, node: Tree): Value {
  const items = (node.elements as (Tree | null)[]).map((element) => {
    if (element === null) return NUMBER;
    if (element.type === "SpreadElement") return itemOf(place, place.evaluate(element.argument as Tree));
    return place.evaluate(element);
  });
  const item = joinAll(items);
  place.facts.escape(item);
  return item;
}

/**
 * An object literal that leads to the memory must not be able to run code of its own with itself as `this`, so it has
 * nothing but plain properties; methods called on it count as writes.
 */
function objectLiteral(place: Place, node: Tree): Value {
  let made = 0;
  let runs = false;
  for (const property of node.properties as Tree[]) {
    const { computed, kind } = property;
    const value = place.evaluate((property.type === "SpreadElement" ? property.argument : property.value) as Tree);
    place.facts.escape(value);
    made |= leadsTo(value);
    if (property.type === "SpreadElement") {
      // The copies are of data without functions, unless they come from somewhere else.
      runs ||= leadsTo(value) === 0;
      continue;
    }
    const name = nameOf(property.key as Tree, computed === true);
    if (name === undefined) place.evaluate(property.key as Tree);
    runs ||= kind !== "init" || property.method === true || name === undefined || CALLED.has(name);
    runs ||= value.code.length > 0;
  }
  if (runs) noteWrite(place, made, node, "it is kept in an object with code");
  return { ...OWN, made };
}

function unary(place: Place, node: Tree): Value {
  const argument = node.argument as Tree;
  if (node.operator === "delete") {
    const target = argument.type === "ChainExpression" ? (argument.expression as Tree) : argument;
    if (target.type === "MemberExpression") bindPattern(place, target, NUMBER);
    return NUMBER;
  }
  place.evaluate(argument);
  return node.operator === "typeof" ? TEXT : NUMBER;
}

function binary(place: Place, node: Tree): Value {
  const left = node.left as Tree;
  const first = left.type === "PrivateIdentifier" ? UNKNOWN : place.evaluate(left);
  const second = place.evaluate(node.right as Tree);
  if (node.operator === "instanceof" && second.builtin === undefined)
    noteWrite(place, leadsTo(first), node, "a class may have code for instanceof");
  return result(node.operator as string, first, second);
}

function result(operator: string, first: Value, second: Value): Value {
  if (operator !== "+") return NUMBER;
  if (!first.number || !second.number) return TEXT;
  return { ...NUMBER, ifNumber: first.ifNumber | second.ifNumber, ifTyped: first.ifTyped | second.ifTyped };
}

function assignment(place: Place, node: Tree): Value {
  const left = node.left as Tree;
  const operator = node.operator as string;
  const right = place.evaluate(node.right as Tree);
  let value = right;
  if (operator !== "=") {
    const before = place.evaluate(left);
    const isLogical = operator === "&&=" || operator === "||=" || operator === "??=";
    value = isLogical ? join(before, right) : result(operator.slice(0, -1), before, right);
  }
  bindPattern(place, left, value);
  return value;
}

function member(place: Place, node: Tree): Value {
  const object = place.evaluate(node.object as Tree);
  refuseNames(place, node);
  return readProperty(place, node, object, node.property as Tree, node.computed === true);
}
