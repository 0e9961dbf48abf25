import type { Decorator } from "oxc-parser";
import { CellSyntaxError } from "../parse.ts";
import type { Node, NodeOf } from "../walk.ts";
import { afterDecorators, type Rewrite, type Rules } from "./rewrite.ts";

type ClassNode = NodeOf<"ClassDeclaration" | "ClassExpression">;
type Element = NodeOf<"MethodDefinition" | "PropertyDefinition" | "AccessorProperty">;

/**
 * Decorators and `accessor` fields, which no supported Node has. The decorators move into a static block at the class's
 * start, where `$d`, one per class, applies them; TypeScript's older ones (`experimentalDecorators`) to one at its end.
 */
export const decoratorRules: Rules = {
  ClassDeclaration: { leave: (rewrite, node, parents) => lowerClass(rewrite, node, parents) },
  ClassExpression: { leave: (rewrite, node, parents) => lowerClass(rewrite, node, parents) },
  PropertyDefinition: { leave: (rewrite, node, parents) => writeInitializers(rewrite, node, parents) },
  AccessorProperty: {
    leave(rewrite, node, parents) {
      writeAccessor(rewrite, node);
      writeInitializers(rewrite, node, parents);
    },
  },
};

/** Where a class begins without its decorators. */
export function classHead(text: string, node: { start: number; decorators?: { end: number }[] }): number {
  const start = afterDecorators(node);
  return start === node.start ? start : start + text.slice(start).search(/\b(?:abstract|class)\b/);
}

function lowerClass(rewrite: Rewrite, node: ClassNode, parents: readonly Node[]): void {
  if (node.declare) return;
  const decorated = decoratedElements(node.body);
  const builder = node.body.body.filter(isElement).find(isConstructor);
  const ofBuilder = rewrite.hasOldDecorators && builder !== undefined ? parameterDecorators(builder) : [];
  if (decorated.length === 0 && node.decorators.length === 0 && ofBuilder.length === 0) return;
  rewrite.helpers.add("__heddle_decorators");
  writeStaticBlock(rewrite, node, decorated, ofBuilder);
  wrapClass(rewrite, node, parents);
}

function decoratedElements(body: NodeOf<"ClassBody">): Element[] {
  return body.body
    .filter(isElement)
    .filter(
      (element) =>
        element.decorators.length > 0 || (!isConstructor(element) && parameterDecorators(element).length > 0),
    );
}

const isConstructor = (element: Element): boolean =>
  element.type === "MethodDefinition" && element.kind === "constructor";

/** A decorator, and what stands around it in the list that `$d` gets. */
interface Listed {
  decorator: Decorator;
  before: string;
  after: string;
}

const listed = (decorators: readonly Decorator[]): Listed[] =>
  decorators.map((decorator) => ({ decorator, before: "", after: "" }));

/** Only TypeScript's older decorators are ones of parameters. */
function parameterDecorators(element: Element): Listed[] {
  if (element.type !== "MethodDefinition") return [];
  return element.value.params.flatMap((parameter, index) => {
    const decorators = "decorators" in parameter ? (parameter.decorators ?? []) : [];
    return decorators.map((decorator) => ({ decorator, before: `$d.parameter(${index}, `, after: ")" }));
  });
}

function isElement(member: Node): member is Element {
  return (
    (member.type === "MethodDefinition" && member.value.body !== null) ||
    member.type === "PropertyDefinition" ||
    member.type === "AccessorProperty"
  );
}

/** `static { $d.apply(this, [[element, [decorators]], …], [class decorators]) }`, the decorators' text moved there. */
function writeStaticBlock(
  rewrite: Rewrite,
  node: ClassNode,
  decorated: readonly Element[],
  ofBuilder: readonly Listed[],
): void {
  const isOld = rewrite.hasOldDecorators;
  const target = isOld ? node.body.end - 1 : node.body.start + 1;
  const name = node.decorators.length > 0 ? (node.id?.name ?? "$class") : undefined;
  const lists = [
    ...decorated.map((element, index) => ({
      owner: describe(rewrite, element, index),
      list: [...listed(element.decorators), ...(isOld ? parameterDecorators(element) : [])],
    })),
    { owner: undefined, list: [...listed(node.decorators), ...ofBuilder] },
  ];
  let open = ` static { ${name === undefined ? "" : `${name} = `}$d.${isOld ? "applyOld" : "apply"}(this, [`;
  for (const { owner, list } of lists) {
    open += owner === undefined ? "], [" : `[${owner}, [`;
    for (const { after, before, decorator } of list) {
      const start = decorator.expression.start;
      rewrite.erase(decorator.start, start);
      rewrite.before(start, open + before);
      rewrite.after(decorator.end, `${after}, `);
      rewrite.edit.move(start, decorator.end, target);
      open = "";
    }
    if (owner !== undefined) open += "]], ";
  }
  const hasMethods = !isOld && decorated.some((element) => element.type === "MethodDefinition" && !element.static);
  const close = `${open}]); }${hasMethods ? " #$start = $d.start(this);" : ""}`;
  const last = lists.flatMap(({ list }) => list).at(-1)?.decorator;
  if (last !== undefined) rewrite.after(last.end, close);
}

function describe(rewrite: Rewrite, element: Element, index: number): string {
  const { key } = element;
  const kinds = { get: "getter", set: "setter", method: "method", constructor: "method" } as const;
  const kind =
    element.type === "MethodDefinition"
      ? kinds[element.kind]
      : element.type === "AccessorProperty"
        ? "accessor"
        : "field";
  let access = "";
  if (key.type === "PrivateIdentifier") {
    if (kind !== "field" || rewrite.hasOldDecorators)
      throw new CellSyntaxError(
        `A decorated private ${kind} is not supported: make '#${key.name}' public or leave the decorator out`,
        element.start,
        key.end,
      );
    access = `, access: { has: (o) => #${key.name} in o, get: (o) => o.#${key.name}, set: (o, v) => { o.#${key.name} = v; } }`;
  }
  return `{ kind: "${kind}", name: ${keyCode(rewrite, element, index)}, isStatic: ${element.static}, index: ${index}${access} }`;
}

/** The element's name as an expression. A computed one is evaluated where it stands and remembered. */
function keyCode(rewrite: Rewrite, element: Element, index: number): string {
  const { key } = element;
  if (key.type === "PrivateIdentifier") return JSON.stringify(`#${key.name}`);
  if (!element.computed && key.type === "Identifier") return JSON.stringify(key.name);
  if (!element.computed && key.type === "Literal") return JSON.stringify(String(key.value));
  rewrite.before(key.start, `$d.keys[${index}] = `);
  return `$d.keys[${index}]`;
}

/** Runs what the decorators of a field gave back on its value, and their own initializers once the field is there. */
function writeInitializers(
  rewrite: Rewrite,
  field: NodeOf<"PropertyDefinition" | "AccessorProperty">,
  parents: readonly Node[],
): void {
  const body = parents.at(-1);
  if (rewrite.hasOldDecorators || field.decorators.length === 0 || body?.type !== "ClassBody") return;
  const index = decoratedElements(body).indexOf(field);
  if (field.value === null) {
    const end = rewrite.text[field.end - 1] === ";" ? field.end - 1 : field.end;
    rewrite.after(end, ` = $d.init(this, ${index}, undefined)`);
  } else {
    rewrite.before(field.value.start, `$d.init(this, ${index}, `);
    rewrite.after(field.value.end, ")");
  }
  rewrite.after(field.end, `; ${field.static ? "static " : ""}#$after${index} = $d.after(this, ${index});`);
}

/** An `accessor` field: a private field, a getter and a setter. */
function writeAccessor(rewrite: Rewrite, field: NodeOf<"AccessorProperty">): void {
  const { key } = field;
  const modifier = field.static ? "static " : "";
  const backing = `#$value${field.start}`;
  const name = field.computed ? `[${rewrite.slice(key)}]` : rewrite.slice(key);
  const end = field.computed ? rewrite.text.indexOf("]", key.end) + 1 : key.end;
  const getter = `${modifier}get ${name}() { return this.${backing}; }`;
  const setter = `${modifier}set ${name}($value) { this.${backing} = $value; }`;
  rewrite.replace(afterDecorators(field), end, `${getter} ${setter} ${modifier}${backing}`);
}

/** A class with decorators becomes an expression that knows its `$d`; with decorators of its own, a name they may give a new value. */
function wrapClass(rewrite: Rewrite, node: ClassNode, parents: readonly Node[]): void {
  const head = classHead(rewrite.text, node);
  if (node.decorators.length === 0) {
    rewrite.before(head, "(($d) => ");
    rewrite.after(node.end, ")(__heddle_decorators())");
  } else {
    const name = node.id?.name ?? "$class";
    if (node.id !== null) rewrite.erase(node.id.start, node.id.end);
    rewrite.before(head, `(($d) => { var ${name} = `);
    rewrite.after(node.end, `; return ${name} = $d.result; })(__heddle_decorators())`);
  }
  const isNested =
    parents.length > 1 &&
    parents[1]?.type !== "ExportNamedDeclaration" &&
    parents[1]?.type !== "ExportDefaultDeclaration";
  if (node.type !== "ClassDeclaration" || node.id === null || !isNested) return;
  rewrite.before(head, `let ${node.id.name} = `);
  rewrite.after(node.end, ";");
}
