import { type DeclarationKind, declaredNames, exportedInline } from "../declarations.ts";
import { CellSyntaxError, parseCell } from "../parse.ts";

/** The document through which a cell sees the names of the cells before it. */
export const NAMES_MODULE = "names";

const LET_PREFIX = "$let_";

/** A cell as text for the compiler; the cell's own text stands in front, `shift` characters in. */
export interface CellText {
  text: string;
  shift: 0 | 1;
  /** Where the cell's text ends. */
  end: number;
}

interface Owner {
  module: string;
  kind: DeclarationKind;
}

/**
 * Which committed cell declared each name, and the documents made of that. Every committed cell is a module of its own.
 * A cell that is being checked imports what it uses from one module, `names`, which says for each name which cell has
 * it: as the imports of the checked document never change, the compiler takes it for an edit and keeps its program.
 */
export class CellScope {
  readonly #owners = new Map<string, Owner>();
  readonly #modules = new Set<string>();

  /** Names a later cell may use, and what they are. */
  *names(): Generator<[name: string, kind: DeclarationKind]> {
    for (const [name, { kind }] of this.#owners) yield [name, kind];
  }

  /** The text of `names`. */
  namesText(): string {
    const byModule = new Map<string, string[]>();
    for (const [name, { module }] of this.#owners) byModule.set(module, [...(byModule.get(module) ?? []), name]);
    const lines = [...byModule].map(([module, names]) => `export { ${names.join(", ")} } from "./${module}";`);
    return `${lines.join("\n")}\nexport {};\n`;
  }

  /** A cell that is being written, checked or asked about. It may be no program yet. */
  openText(source: string): CellText {
    const { text, shift, declared } = analyse(source);
    const used = this.#used(text, declared);
    const names = used.map(([name, { kind }]) => (kind === "let" ? `${name} as ${LET_PREFIX}${name}` : name));
    return {
      text: `${text}\n;${letDeclarations(used)}import { ${names.join(", ")} } from "./${NAMES_MODULE}";\n`,
      shift,
      end: shift + source.length,
    };
  }

  /** Takes in a cell that runs: the module it becomes, or nothing where it is no program. */
  commit(cell: string, source: string): { module: string; text: string } | undefined {
    let parsed: ReturnType<typeof parseCell>;
    try {
      parsed = parseCell(source);
    } catch (error) {
      if (error instanceof CellSyntaxError) return undefined;
      throw error;
    }
    const declared = declaredNames(parsed.program);
    const used = this.#used(parsed.text, declared);
    const imports = used.map(
      ([name, { module, kind }]) =>
        `import { ${kind === "let" ? `${name} as ${LET_PREFIX}${name}` : name} } from "./${module}";`,
    );
    const inline = exportedInline(parsed.program);
    const exports = [...declared.keys()].filter((name) => !inline.has(name));
    const module = this.#newModule(cell);
    for (const [name, kind] of declared) this.#owners.set(name, { module, kind });
    return {
      module,
      text: `${parsed.text}\n;${letDeclarations(used)}${imports.join("")}export { ${exports.join(", ")} };\n`,
    };
  }

  /** Forgets every name. */
  clear(): void {
    this.#owners.clear();
  }

  #used(text: string, declared: ReadonlyMap<string, unknown>): [string, Owner][] {
    const used: [string, Owner][] = [];
    for (const name of new Set(text.match(/[\p{ID_Start}_$][\p{ID_Continue}$\u200c\u200d]*/gu))) {
      const owner = declared.has(name) ? undefined : this.#owners.get(name);
      if (owner !== undefined) used.push([name, owner]);
    }
    return used;
  }

  /** A module name never used before, so that the compiler cannot know an older text of it. */
  #newModule(cell: string): string {
    const label = cell.replaceAll(/[^\w-]/g, "_");
    let module = `cell-${label}`;
    for (let again = 2; this.#modules.has(module); again += 1) module = `cell-${label}-${again}`;
    this.#modules.add(module);
    return module;
  }
}

/** What the compiler says about a name of another cell, in the user's words. */
export function plainNames(message: string): string {
  return message.replaceAll(LET_PREFIX, "");
}

/** A variable of another cell can be assigned to, as an import cannot. */
function letDeclarations(used: readonly [string, Owner][]): string {
  return used
    .map(([name, { kind }]) => (kind === "let" ? `declare let ${name}: typeof ${LET_PREFIX}${name};` : ""))
    .join("");
}

function analyse(source: string): { text: string; shift: 0 | 1; declared: ReadonlyMap<string, unknown> } {
  try {
    const { text, shift, program } = parseCell(source);
    return { text, shift, declared: declaredNames(program) };
  } catch (error) {
    if (!(error instanceof CellSyntaxError)) throw error;
    return { text: source, shift: 0, declared: guessDeclared(source) };
  }
}

/** Names that half a program seems to declare at the start of its lines. */
function guessDeclared(source: string): Map<string, true> {
  const names = new Map<string, true>();
  for (const [, pattern] of source.matchAll(/^(?:export\s+)?(?:const|let|var)\s+([{[][^=]*|[\w$]+)/gm)) {
    for (const name of pattern?.match(/[\w$]+/g) ?? []) names.set(name, true);
  }
  for (const [, clause] of source.matchAll(/^import\s+([^"']*)/gm))
    for (const name of clause?.match(/[\w$]+/g) ?? []) names.set(name, true);
  const heads =
    /^(?:export\s+)?(?:default\s+)?(?:abstract\s+|async\s+|const\s+|declare\s+)*(?:function\s*\*?|class|enum|interface|type|namespace)\s+([\w$]+)/gm;
  for (const [, name] of source.matchAll(heads)) if (name !== undefined) names.set(name, true);
  return names;
}
