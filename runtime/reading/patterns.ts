/** Values going to variables, properties and patterns of both, and values read out of others. */
import { isBaseGlobal } from "../capture/builtins.ts";
import { noteWrite, type Place } from "./facts.ts";
import { isListedName } from "./pure-calls.ts";
import { nameOf, type Tree } from "./syntax.ts";
import { container, EVERY, join, leadsTo, NUMBER, numberOf, OWN, TEXT, UNKNOWN, type Value } from "./values.ts";

/** What would show memory that is not the value's own. */
const BEYOND = new Set(["buffer", "byteOffset", "parent", "offset"]);
const COUNTS = new Set(["length", "byteLength", "BYTES_PER_ELEMENT"]);

/** Names whose use tells that the function looks at what calls, scopes or prototypes are made of. */
const REFUSED = new Set(
  "__proto__ getPrototypeOf setPrototypeOf defineProperty defineProperties __defineGetter__ __defineSetter__ caller callee".split(
    " ",
  ),
);
/** Gives a value to what stands on the left: a name, a property, a pattern. */
export function bindPattern(place: Place, pattern: Tree, value: Value): void {
  switch (pattern.type) {
    case "Identifier":
      return assignName(place, pattern, value);
    case "MemberExpression":
      return assignProperty(place, pattern, value);
    case "AssignmentPattern":
      return bindPattern(place, pattern.left as Tree, join(value, place.evaluate(pattern.right as Tree)));
    case "ArrayPattern": {
      const item = itemOf(place, value);
      for (const element of pattern.elements as (Tree | null)[]) {
        if (element?.type === "RestElement") bindPattern(place, element.argument as Tree, container(item));
        else if (element !== null) bindPattern(place, element, item);
      }
      return;
    }
    case "ObjectPattern":
      for (const property of pattern.properties as Tree[]) bindProperty(place, property, value);
      return;
    default:
      noteWrite(place, EVERY, pattern, "what it does is not known");
  }
}

function bindProperty(place: Place, property: Tree, value: Value): void {
  if (property.type === "RestElement") {
    const rest = { ...OWN, data: value.data, made: value.made };
    return bindPattern(place, property.argument as Tree, rest);
  }
  bindPattern(
    place,
    property.value as Tree,
    readProperty(place, property, value, property.key as Tree, property.computed === true),
  );
}

function assignName(place: Place, identifier: Tree, value: Value): void {
  const { facts, syntax } = place;
  const variable = syntax.variableOf(identifier);
  if (variable !== undefined) return facts.assign(variable, value);
  const name = identifier.name as string;
  if (isBaseGlobal(name)) noteWrite(place, EVERY, identifier, "it changes what the language has");
  noteWrite(place, leadsTo(value), identifier, `it is kept in ${name}, outside the function`);
  facts.escape(value);
}

function assignProperty(place: Place, target: Tree, value: Value): void {
  const object = place.evaluate(target.object as Tree);
  const key = keyOf(place, target.property as Tree, target.computed === true);
  noteWrite(place, leadsTo(object), target, "it is written");
  place.facts.escape(value);
  if (object.builtin !== undefined) noteWrite(place, EVERY, target, "it changes what the language has");
  // An object of unknown origin may be what all typed arrays have their methods from.
  const isOrdinary = object.own || (key.name === undefined ? key.value.number : !isListedName(key.name));
  if (!isOrdinary) noteWrite(place, EVERY, target, "it may change what the language has");
  if (leadsTo(value) === 0) return;
  if (object.typed && key.value.number) place.facts.relyOnKey(key.value);
  else noteWrite(place, leadsTo(value), target, "it is kept in an object");
}

interface Key {
  /** The name of a property, if the text gives it. */
  name: string | undefined;
  value: Value;
}

function keyOf(place: Place, key: Tree, computed: boolean): Key {
  const name = nameOf(key, computed);
  if (name !== undefined) {
    const isNumber = key.type === "Literal" && typeof key.value === "number";
    return { name: isNumber ? undefined : name, value: isNumber ? NUMBER : TEXT };
  }
  return { name: undefined, value: place.evaluate(key) };
}

/** What a property of `object` is; `node` is where it is read. */
export function readProperty(place: Place, node: Tree, object: Value, keyNode: Tree, computed: boolean): Value {
  const { name, value: key } = keyOf(place, keyNode, computed);
  const from = leadsTo(object);
  if (from === 0) return ownProperty(object, name, key);
  if (name === undefined) {
    if (key.number) place.facts.relyOnKey(key);
    else noteWrite(place, from, node, "it is read by a key that may not be a number");
    return itemOf(place, object);
  }
  if (BEYOND.has(name)) noteWrite(place, from, node, `${name} shows more than the array`);
  const { data, made, views } = object;
  if (views !== 0 && !COUNTS.has(name))
    noteWrite(place, views, node, `${name} is not one of the properties that are known only to read`);
  const count = views === 0 ? undefined : numberOf(views);
  const other = data + made === 0 ? undefined : { ...UNKNOWN, data: data | made, made };
  if (count !== undefined && other !== undefined) return join(count, other);
  return count ?? other!;
}

function ownProperty({ builtin, code, other, typed }: Value, name: string | undefined, key: Value): Value {
  if (builtin !== undefined && code.length === 0 && !other) {
    return name === undefined ? UNKNOWN : { ...UNKNOWN, builtin: `${builtin}.${name}`, other: false };
  }
  if (!typed) return UNKNOWN;
  if (name !== undefined) return name === "length" ? NUMBER : UNKNOWN;
  return key.number ? { ...NUMBER, ifNumber: key.ifNumber, ifTyped: key.ifTyped } : UNKNOWN;
}

/** What an iteration of the value gives, or a number as key. */
export function itemOf({ facts }: Place, value: Value): Value {
  const { data, made, typed, views } = value;
  if (leadsTo(value) === 0) return typed ? NUMBER : UNKNOWN;
  facts.builtins.add("iteration");
  const numbers = views === 0 ? undefined : numberOf(views);
  const items = data + made === 0 ? undefined : { ...UNKNOWN, data: data | made, made };
  if (numbers !== undefined && items !== undefined) return join(numbers, items);
  return numbers ?? items!;
}

/** Some properties let code see or change more than values. */
export function refuseNames(place: Place, node: Tree): void {
  const name = nameOf(node.property as Tree, node.computed === true);
  if (name !== undefined && REFUSED.has(name)) noteWrite(place, EVERY, node, "it may change what the language has");
}
