import { boundNames, type Node, type NodeOf } from "../walk.ts";
import { isTypeOnly } from "./erase-types.ts";
import { findCharacter, type Rewrite, type Rules } from "./rewrite.ts";

/**
 * Enums and namespaces become objects filled by a function that runs at once. Their members are that function's own
 * variables, so that they find each other by name; what the function needs itself has names with a `$`.
 */
export const namespaceRules: Rules = {
  TSEnumDeclaration: {
    enter(rewrite, node) {
      if (!node.declare) return true;
      rewrite.erase(node.start, node.end);
      return false;
    },
    leave(rewrite, node, parents) {
      if (node.declare) return;
      const earlier = earlierParts(node, parents).flatMap((part) =>
        part.type === "TSEnumDeclaration" ? part.body.members.map(memberName) : [],
      );
      const own = node.body.members.map(memberName);
      const name = rewrite.nameOf(node.id.name, parents);
      const open = `${introduce(name, node, parents)}(($enum, $member = ${defineMember}) => {${bring(earlier, own, "$enum")}`;
      rewrite.replace(node.start, findCharacter(rewrite.text, "{", node.id.end) + 1, open);
      node.body.members.forEach((member, index) => {
        writeMember(rewrite, member, own[index - 1]);
      });
      rewrite.after(node.end, `)(${name});`);
    },
  },
  TSModuleDeclaration: {
    enter(rewrite, node) {
      if (!isTypeOnly(node)) return true;
      rewrite.erase(node.start, node.end);
      return false;
    },
    leave(rewrite, node, parents) {
      if (isTypeOnly(node) || node.body?.type !== "TSModuleBlock") return;
      const [first = "", ...deeper] = namespacePath(rewrite, node);
      const path = [rewrite.nameOf(first, parents), ...deeper];
      const inner = path.slice(1).map((name) => `(($space) => { let ${name} = $space.${name} ??= {}; `);
      const earlier = earlierParts(node, parents).flatMap((part) =>
        part.type === "TSModuleDeclaration" ? exportedBy(part) : [],
      );
      const own = exportedBy(node);
      const open = `${introduce(path[0] ?? "", node, parents)}${inner.join("")}(($space) => {`;
      rewrite.replace(
        node.start,
        node.body.start + 1,
        open + bring(path.length === 1 ? earlier : [], own, "$space") + publishEarly(node.body),
      );
      publishLate(rewrite, node.body);
      rewrite.after(
        node.end,
        path
          .toReversed()
          .map((name, index) => `${index === 0 ? "" : " }"})(${name});`)
          .join(""),
      );
    },
  },
};

/** Sets an enum's member, and the way back from a number to its name. */
const defineMember = '(key, value) => (typeof value !== "string" && ($enum[value] = key), ($enum[key] = value))';

type Part = NodeOf<"TSEnumDeclaration" | "TSModuleDeclaration" | "FunctionDeclaration" | "ClassDeclaration">;

/** Declarations of the same name that stand before this one in its block: TypeScript merges them. */
function earlierParts(node: Part, parents: readonly Node[]): Part[] {
  const block = parents.findLast((parent) => "body" in parent && Array.isArray(parent.body));
  if (block === undefined || !("body" in block) || !Array.isArray(block.body)) return [];
  const siblings = (block.body as Node[]).map((sibling) =>
    sibling.type === "ExportNamedDeclaration" && sibling.declaration !== null ? sibling.declaration : sibling,
  );
  return siblings.filter(
    (sibling): sibling is Part =>
      isPart(sibling) &&
      rootName(sibling) === rootName(node) &&
      (sibling.start < node.start || sibling.type === "FunctionDeclaration"),
  );
}

function isPart(node: Node): node is Part {
  return (
    /^(TSEnumDeclaration|TSModuleDeclaration|FunctionDeclaration|ClassDeclaration)$/.test(node.type) &&
    !isTypeOnly(node)
  );
}

function rootName(node: Part): string | undefined {
  let id: Node | null = node.id;
  while (id?.type === "TSQualifiedName") id = id.left;
  return id?.type === "Identifier" ? id.name : undefined;
}

function namespacePath(rewrite: Rewrite, node: NodeOf<"TSModuleDeclaration">): string[] {
  return rewrite
    .slice(node.id)
    .split(".")
    .map((part) => part.trim());
}

/** Declares the object, unless an earlier part of the same name is the object. */
function introduce(
  name: string,
  node: NodeOf<"TSEnumDeclaration" | "TSModuleDeclaration">,
  parents: readonly Node[],
): string {
  return earlierParts(node, parents).length > 0 ? ";" : `${hoisted(parents) ? "" : "let "}${name} = {}; `;
}

/** Whether the declaration stands at the top of a cell whose names are all declared in front. */
function hoisted(parents: readonly Node[]): boolean {
  const [program, statement] = parents;
  const atTop = parents.length === 1 || (parents.length === 2 && statement?.type === "ExportNamedDeclaration");
  return atTop && program?.type === "Program" && program.body.some(isUsing);
}

/** Whether a statement declares names with `using` or `await using`. */
export function isUsing(statement: Node): statement is NodeOf<"VariableDeclaration"> {
  return statement.type === "VariableDeclaration" && (statement.kind === "using" || statement.kind === "await using");
}

/** Makes the members of earlier parts visible by their bare names. */
function bring(earlier: string[], own: string[], object: string): string {
  const names = [...new Set(earlier)].filter(
    (name) => !own.includes(name) && /^[\p{ID_Start}_$][\p{ID_Continue}$]*$/u.test(name),
  );
  return names.length === 0 ? "" : ` let { ${names.join(", ")} } = ${object};`;
}

function memberName(member: NodeOf<"TSEnumMember">): string {
  if (member.id.type === "Identifier") return member.id.name;
  if (member.id.type === "Literal") return String(member.id.value);
  return member.id.quasis[0]?.value.cooked ?? "";
}

function writeMember(rewrite: Rewrite, member: NodeOf<"TSEnumMember">, previous: string | undefined): void {
  const name = memberName(member);
  const target = member.id.type === "Identifier" ? `const ${name} = ` : "";
  const open = `${target}$member(${JSON.stringify(name)}, `;
  if (member.initializer === null) {
    const value = previous === undefined ? "0" : `$enum[${JSON.stringify(previous)}] + 1`;
    rewrite.replace(member.start, member.end, `${open}${value});`);
  } else {
    rewrite.replace(member.start, member.initializer.start, open);
    rewrite.after(member.end, ");");
  }
  const rest = /^(?:\s|\/\*(?:(?!\*\/)[\s\S])*\*\/|\/\/[^\n]*\n)*,/.exec(rewrite.text.slice(member.end));
  if (rest !== null) rewrite.edit.remove(member.end + rest[0].length - 1, member.end + rest[0].length);
}

/** Names that a namespace's body exports as values. */
function exportedBy(node: NodeOf<"TSModuleDeclaration">): string[] {
  let id: Node = node.id;
  while (id.type === "TSQualifiedName" && id.left.type === "TSQualifiedName") id = id.left;
  if (id.type === "TSQualifiedName") return [id.right.name];
  return node.body?.type === "TSModuleBlock" ? node.body.body.flatMap((statement) => exportedNames(statement)) : [];
}

function exportedNames(statement: Node): string[] {
  if (statement.type !== "ExportNamedDeclaration" || statement.declaration === null || isTypeOnly(statement)) return [];
  const { declaration } = statement;
  if (declaration.type === "VariableDeclaration")
    return declaration.declarations.flatMap((declarator) => boundNames(declarator.id));
  const name = isPart(declaration) ? rootName(declaration) : undefined;
  return name === undefined ? [] : [name];
}

/** Exports that are there from the start: functions, and variables, which may change on either side. */
function publishEarly(body: NodeOf<"TSModuleBlock">): string {
  return body.body
    .flatMap((statement) => {
      if (statement.type !== "ExportNamedDeclaration") return [];
      const { declaration } = statement;
      if (declaration?.type === "FunctionDeclaration")
        return exportedNames(statement).map((name) => ` $space.${name} = ${name};`);
      if (declaration?.type !== "VariableDeclaration" || declaration.kind === "const") return [];
      return exportedNames(statement).map(
        (name) =>
          ` Object.defineProperty($space, "${name}", { get: () => ${name}, set: ($value) => { ${name} = $value; }, enumerable: true, configurable: true });`,
      );
    })
    .join("");
}

/** Exports that are there once their statement has run. */
function publishLate(rewrite: Rewrite, body: NodeOf<"TSModuleBlock">): void {
  for (const statement of body.body) {
    if (statement.type !== "ExportNamedDeclaration") continue;
    const { declaration } = statement;
    if (declaration === null || declaration.type === "FunctionDeclaration") continue;
    if (declaration.type === "VariableDeclaration" && declaration.kind !== "const") continue;
    const names = exportedNames(statement);
    if (names.length > 0)
      rewrite.after(statement.end, `; ${names.map((name) => `$space.${name} = ${name};`).join(" ")}`);
  }
}
