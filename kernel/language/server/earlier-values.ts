import { declaredBy, isReference, unwrapExport } from "../scopes.ts";
import { boundNames, isFunction, type NodeOf, walk } from "../walk.ts";

/** Letters that no cell is likely to use, one UTF-16 unit each. */
const FIRST_LETTER = 0xd000;
const LETTERS = 0x700;

/** Name → what stands for its earlier value, and back. */
const aliases = new Map<string, string>();
const names = new Map<string, string>();

export interface EarlierValues {
  text: string;
  /** The names that the text has for earlier values, and what they are called by the user. */
  used: ReadonlyMap<string, string>;
}

/**
 * `let n = n + 1` over an earlier cell's `n`: what stands before the end of the declaration means the earlier variable.
 * For the compiler it gets a name of its own there, of the same length, so that every position stays.
 */
export function renameEarlier(
  text: string,
  program: NodeOf<"Program">,
  isEarlier: (name: string) => boolean,
): EarlierValues {
  const ends = declarationEnds(program, isEarlier);
  const used = new Map<string, string>();
  if (ends.size === 0) return { text, used };
  const parts: string[] = [];
  let copied = 0;
  walk(program, {
    enter(node, parents) {
      if (isFunction(node) || /^(Class|TS(?!.*(Expression|Assertion)$))/.test(node.type)) return false;
      // A block's own variable of that name is meant there.
      if (node.type === "BlockStatement" && node.body.some((one) => declaredBy(one).some((name) => ends.has(name))))
        return false;
      const parent = parents.at(-1);
      const isShorthand = parent?.type === "Property" && parent.shorthand;
      if (node.type !== "Identifier" || isShorthand || !isReference(node, parents)) return true;
      const declarator = parents.find((one) => one.type === "VariableDeclarator");
      const isBinding = declarator !== undefined && node.end <= declarator.id.end;
      if (isBinding || node.end > (ends.get(node.name) ?? 0)) return true;
      const alias = aliasOf(node.name);
      used.set(alias, node.name);
      parts.push(text.slice(copied, node.start), alias);
      copied = node.start + node.name.length;
      return true;
    },
  });
  return { text: parts.join("") + text.slice(copied), used };
}

/** Where the first declaration of each variable ends that an earlier cell has too. */
function declarationEnds(program: NodeOf<"Program">, isEarlier: (name: string) => boolean): Map<string, number> {
  const ends = new Map<string, number>();
  for (const statement of program.body) {
    const declaration = unwrapExport(statement);
    if (declaration.type !== "VariableDeclaration" || declaration.declare) continue;
    for (const { id, end } of declaration.declarations)
      for (const name of boundNames(id)) if (!ends.has(name) && isEarlier(name)) ends.set(name, end);
  }
  return ends;
}

function aliasOf(name: string): string {
  const known = aliases.get(name);
  if (known !== undefined) return known;
  const alias = String.fromCharCode(FIRST_LETTER + (aliases.size % LETTERS)).repeat(name.length);
  aliases.set(name, alias);
  names.set(alias, name);
  return alias;
}

/** A message of the compiler with the user's names. */
export function originalNames(message: string): string {
  return message.replaceAll(/([\ud000-\ud6ff])\1*/g, (alias) => names.get(alias) ?? alias);
}
