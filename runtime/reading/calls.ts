/** Calls: of code whose text is known, of what the language has, and of anything else. */
import { noteWrite, type Place } from "./facts.ts";
import { itemOf, readProperty, refuseNames } from "./patterns.ts";
import { pureClass, pureFunction, pureMethod } from "./pure-calls.ts";
import { nameOf, type Tree } from "./syntax.ts";
import {
  container,
  EVERY,
  join,
  joinAll,
  leadsTo,
  NOTHING,
  NUMBER,
  numberOf,
  OWN,
  TEXT,
  TYPED,
  UNKNOWN,
  type Value,
} from "./values.ts";

/** What a call is given: arguments one by one, and any number of others after them. */
interface Given {
  list: Value[];
  rest: Value;
}

/** Methods after which a typed array is still one. */
const TYPED_RESULTS = new Set(
  "copyWithin fill filter map reverse slice sort subarray toReversed toSorted with".split(" "),
);

function evaluateArguments(place: Place, nodes: readonly Tree[]): Given {
  const given: Given = { list: [], rest: NOTHING };
  for (const node of nodes) {
    if (node.type === "SpreadElement")
      given.rest = join(given.rest, itemOf(place, place.evaluate(node.argument as Tree)));
    else if (given.rest === NOTHING) given.list.push(place.evaluate(node));
    else given.rest = join(given.rest, place.evaluate(node));
  }
  return given;
}

const allOf = ({ list, rest }: Given): Value => joinAll([...list, rest]);

export function evaluateCall(place: Place, node: Tree): Value {
  const callee = unwrapped(node.callee as Tree);
  if (callee.type === "MemberExpression") return callMember(place, node, callee);
  if (callee.type === "Identifier" && callee.name === "eval") noteWrite(place, EVERY, node, "its code is not known");
  const target = place.evaluate(callee);
  return callValue(place, node, target, evaluateArguments(place, node.arguments as Tree[]));
}

function unwrapped(node: Tree): Tree {
  return node.type === "ChainExpression" || node.type === "ParenthesizedExpression"
    ? unwrapped(node.expression as Tree)
    : node;
}

function callMember(place: Place, node: Tree, callee: Tree): Value {
  const object = place.evaluate(callee.object as Tree);
  refuseNames(place, callee);
  const given = evaluateArguments(place, node.arguments as Tree[]);
  const name = nameOf(callee.property as Tree, callee.computed === true);
  if (leadsTo(object) !== 0) return callMethod(place, node, object, name, given);
  const target = readProperty(place, callee, object, callee.property as Tree, callee.computed === true);
  if (!object.typed) return callValue(place, node, target, given);
  // It takes copies of numbers.
  if (name === "set") return UNKNOWN;
  callUnknown(place, node, given);
  return name !== undefined && TYPED_RESULTS.has(name) ? TYPED : UNKNOWN;
}

/** A method of something that leads to the memory. */
function callMethod(place: Place, node: Tree, object: Value, name: string | undefined, given: Given): Value {
  const method = name === undefined ? undefined : pureMethod(name, object.data !== 0);
  if (method === undefined || object.made !== 0 || (object.views !== 0 && !pureMethod(name!, false))) {
    const does = name === undefined ? "the method is not known" : `${name}() is not known only to read`;
    noteWrite(place, leadsTo(object), node, does);
    callUnknown(place, node, given);
    return tainted(leadsTo(object) | leadsTo(allOf(given)));
  }
  place.facts.builtins.add(`.${name}`);
  const item = itemOf(place, object);
  const results = method.callback === undefined ? NOTHING : callBack(place, node, object, method.callback, item, given);
  const others = method.callback === undefined ? allOf(given) : NOTHING;
  const result = object.data === 0 ? method.result : (method.ofData ?? method.result);
  switch (result) {
    case "number":
      return NUMBER;
    case "text":
      return TEXT;
    case "item":
      return item;
    case "given":
      return results;
    case "same":
      return object;
    case "iterator":
      return container(item);
    case "copy":
      return object.data === 0 ? TYPED : container(join(item, others));
    case "list":
      return object.data === 0 ? TYPED : container(results);
  }
}

const tainted = (parameters: number): Value => ({ ...UNKNOWN, data: parameters, made: parameters });

/** A method calls back; what the callback gave, or the items in the place of an accumulator. */
function callBack(
  place: Place,
  node: Tree,
  object: Value,
  kind: "item" | "accumulator" | "two items",
  item: Value,
  { list: [callback, ...others], rest }: Given,
): Value {
  const index = object.data === 0 ? numberOf(object.views) : item;
  const start = kind === "accumulator" ? join(others.shift() ?? item, rest) : NOTHING;
  // What is given as `this`, or by a list whose length is not known.
  callUnknown(place, node, { list: others, rest: kind === "accumulator" ? NOTHING : rest });
  if (callback === undefined) {
    if (rest !== NOTHING) noteWrite(place, leadsTo(object), node, "the callback is not known");
    return start;
  }
  if (kind === "two items") return callValue(place, node, callback, { list: [item, item], rest: NOTHING });
  if (kind === "item") return callValue(place, node, callback, { list: [item, index, object], rest: NOTHING });
  // What it gives is what it gets next; the rounds of the analysis follow that.
  const before = joinAll([start, ...callback.code.map(({ returns }) => returns)]);
  return join(before, callValue(place, node, callback, { list: [before, item, index, object], rest: NOTHING }));
}

function callValue(place: Place, node: Tree, target: Value, given: Given): Value {
  const { builtin, code, other } = target;
  let result = NOTHING;
  for (const one of code) result = join(result, place.facts.call(one, given.list, given.rest));
  if (builtin !== undefined) result = join(result, callBuiltin(place, node, builtin, given));
  if (other || (code.length === 0 && builtin === undefined)) {
    callUnknown(place, node, given);
    result = join(result, leadsTo(target) === 0 ? UNKNOWN : tainted(leadsTo(target)));
  }
  return result;
}

/** Anything may become of what code gets that is not known. */
function callUnknown(place: Place, node: Tree, given: Given): void {
  const all = allOf(given);
  place.facts.escape(all);
  noteWrite(place, leadsTo(all), node, "code that is not known gets it");
  // Classes and functions are passed around; what holds them is not, but to change it.
  const holds = (path: string): boolean => pureClass(path) === undefined && pureFunction(path) === undefined;
  if ([...given.list, given.rest].some(({ builtin }) => builtin !== undefined && holds(builtin)))
    noteWrite(place, EVERY, node, "it may change what the language has");
}

function callBuiltin(place: Place, node: Tree, path: string, given: Given): Value {
  const all = allOf(given);
  const kind = pureFunction(path);
  if (kind === undefined) {
    callUnknown(place, node, given);
    if (/^(?:Object|Reflect)\./.test(path) && given.list[0]?.own !== true)
      noteWrite(place, EVERY, node, "it may change what the language has");
    return UNKNOWN;
  }
  if (leadsTo(all) !== 0) place.facts.builtins.add(path);
  const [first = NOTHING, second, ...others] = given.list;
  const calls = kind === "items" || kind === "typed" || path === "JSON.stringify" ? second : undefined;
  if (calls === undefined) place.facts.escape(all);
  switch (kind) {
    case "number":
      return NUMBER;
    case "text":
      if (calls !== undefined) refuseReplacer(place, node, calls, first);
      return TEXT;
    case "same":
      return first;
    case "all":
      return container(all);
    default: {
      const items = join(itemOf(place, first), given.rest);
      callUnknown(place, node, { list: others, rest: NOTHING });
      const list = [items, numberOf(leadsTo(first)), first];
      const results = calls === undefined ? items : callValue(place, node, calls, { list, rest: NOTHING });
      return kind === "typed" ? TYPED : container(results);
    }
  }
}

/** `JSON.stringify` gives its second argument, if that is a function, all there is. */
function refuseReplacer(place: Place, node: Tree, replacer: Value, value: Value): void {
  if (replacer.number && replacer.code.length === 0) return;
  place.facts.escape(replacer);
  noteWrite(place, leadsTo(value), node, "the replacer gets it");
}

export function callTag(place: Place, node: Tree): Value {
  const list = ((node.quasi as Tree).expressions as Tree[]).map((part) => place.evaluate(part));
  const tag = unwrapped(node.tag as Tree);
  const target = place.evaluate(tag);
  if (tag.type === "MemberExpression" && leadsTo(place.evaluate(tag.object as Tree)) !== 0)
    noteWrite(place, leadsTo(place.evaluate(tag.object as Tree)), node, "code that is not known gets it");
  return callValue(place, node, target, { list: [OWN, ...list], rest: NOTHING });
}

export function construct(place: Place, node: Tree): Value {
  const target = place.evaluate(node.callee as Tree);
  const given = evaluateArguments(place, node.arguments as Tree[]);
  const all = allOf(given);
  noteWrite(place, leadsTo(target), node, "code that is not known gets it");
  const kind =
    target.builtin === undefined || target.other || target.code.length > 0 ? undefined : pureClass(target.builtin);
  if (kind === undefined) {
    callUnknown(place, node, given);
    return UNKNOWN;
  }
  const [first = NOTHING, ...others] = given.list;
  // The listed classes only read their first argument; further ones they may keep.
  if (kind !== "all") callUnknown(place, node, { list: others, rest: given.rest });
  else place.facts.escape(all);
  if (leadsTo(all) !== 0) place.facts.builtins.add(target.builtin!);
  switch (kind) {
    case "typed":
      return TYPED;
    case "items":
      return container(itemOf(place, first));
    case "entries":
      return container(itemOf(place, itemOf(place, first)));
    case "all":
      return container(join(all, itemOf(place, first)));
    default:
      return OWN;
  }
}
