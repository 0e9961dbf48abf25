import { type DeclarationKind, declaredNames, exportedInline } from "../declarations.ts";
import type { CellSource } from "../engine.ts";
import { CellSyntaxError, parseCell } from "../parse.ts";
import type { Node, NodeOf } from "../walk.ts";
import { BATCH, documentOf, namesText, openText } from "./cell-documents.ts";
import { originalNames, renameEarlier } from "./earlier-values.ts";

const LET_PREFIX = "$let_";

/** A cell as text for the compiler; the cell's own text stands in front, `shift` characters in. */
export interface CellText {
  text: string;
  shift: 0 | 1;
  /** Where the cell's text ends. */
  end: number;
}

interface Owner {
  module: number;
  kind: DeclarationKind;
}

interface CommittedCell {
  source: CellSource;
  /** The modules whose names it uses. */
  uses: readonly number[];
  /** How many cells are inferred, one after the other, for its types; 0 once they are written out. */
  depth: number;
  /** Whether its types have been written out, or cannot be. */
  isTried: boolean;
}

/** A chain of cells that long has its types written out: what is inferred for a check stays below a few milliseconds. */
const LONG_CHAIN = 32;

/**
 * Which committed cell declared each name, and the documents made of that. Every committed cell that declares something
 * is a module of its own. A cell that is being checked imports what it uses from one module, `names`, which says for
 * each name which cell has it. The compiler takes a change of one document's text for an edit, and keeps its program, as
 * long as no import of a module comes or goes: so the modules of the next cells are there in advance, empty, and `names`
 * mentions them all.
 */
export class CellScope {
  readonly #owners = new Map<string, Owner>();
  readonly #cells: CommittedCell[] = [];
  /** Modules that change what every cell sees without a name of their own: `declare global`. */
  readonly #reaching = new Set<number>();
  #deepest = 0;
  /** The modules that change: some have cells, the others wait for one. */
  #open = { first: 0, end: BATCH };
  /** Modules before those that `names` mentions. */
  #mentioned: readonly number[] = [];

  /** Names a later cell may use, and what they are. */
  *names(): Generator<[name: string, kind: DeclarationKind]> {
    for (const [name, { kind }] of this.#owners) yield [name, kind];
  }

  /** The documents that the next cells become, and those before them in their batch. */
  nextDocuments(): string[] {
    return range(this.#open.first, this.#open.end).map(documentOf);
  }

  /** Once all open documents have their cells: these, which change no more, while others are opened. */
  takeFull(): string[] {
    const { first, end } = this.#open;
    if (this.#cells.length < end) return [];
    this.#open = { first: end, end: end + BATCH };
    this.#mentioned = [
      ...new Set([...this.#owners.values()].map(({ module }) => module).concat(...this.#reaching)),
    ].toSorted((a, b) => a - b);
    return range(first, end).map(documentOf);
  }

  /** The cell that a document was made of. */
  cellOf(document: string): CellSource | undefined {
    const module = /^cell-(\d+)\.ts$/.exec(document)?.[1];
    return module === undefined ? undefined : this.#cells[Number(module)]?.source;
  }

  /** The documents whose types should be written out; none while all chains are short. */
  inferredDocuments(): string[] {
    if (this.#deepest < LONG_CHAIN) return [];
    const inferred = [...this.#cells.keys()].filter((module) => this.#cells[module]?.isTried === false);
    return inferred.length < LONG_CHAIN ? [] : inferred.map(documentOf);
  }

  /** The types of these documents were to be written out, and have been for some of them. */
  typesWritten(tried: readonly string[], written: ReadonlyMap<string, unknown>): void {
    const [triedNow, writtenNow] = [new Set(tried), new Set(written.keys())];
    this.#deepest = 0;
    for (const [module, cell] of this.#cells.entries()) {
      cell.isTried ||= triedNow.has(documentOf(module));
      if (writtenNow.has(documentOf(module))) cell.uses = none;
      cell.depth = cell.uses === none ? 0 : this.#depthOver(cell.uses);
      this.#deepest = Math.max(this.#deepest, cell.depth);
    }
  }

  #depthOver(uses: readonly number[]): number {
    return 1 + Math.max(0, ...uses.map((module) => this.#cells[module]?.depth ?? 0));
  }

  /** The text of `names`. */
  namesText(): string {
    const names = new Map<number, string[]>();
    for (const module of [...this.#mentioned, ...range(this.#open.first, this.#open.end)]) names.set(module, []);
    for (const [name, { module }] of this.#owners) names.get(module)?.push(name);
    return namesText(names);
  }

  /** A cell that is being written, checked or asked about. It may be no program yet. */
  openText(source: string): CellText {
    const cell = analyse(source);
    const { text, used } = this.#resolve(cell);
    const { shift } = cell;
    return {
      text: openText(text, used.map(importOf), letDeclarations(used)),
      shift,
      end: shift + source.length,
    };
  }

  /** Takes in a cell that runs: the document it becomes, or nothing where it is no program or tells later cells nothing. */
  commit({ cell, source }: CellSource): { document: string; text: string } | undefined {
    let parsed: ReturnType<typeof parseCell>;
    try {
      parsed = parseCell(source);
    } catch (error) {
      if (error instanceof CellSyntaxError) return undefined;
      throw error;
    }
    const declared = declaredNames(parsed.program);
    if (declared.size === 0 && !parsed.program.body.some(reachesOut)) return undefined;
    const { text, used } = this.#resolve({ ...parsed, declared });
    const imports = used.map((one) => `import { ${importOf(one)} } from "./cell-${one.owner.module}";`);
    const inline = exportedInline(parsed.program);
    const exports = [...declared.keys()].filter((name) => !inline.has(name));
    const uses = [...new Set(used.map(({ owner }) => owner.module))];
    const depth = this.#depthOver(uses);
    const module = this.#cells.push({ source: { cell, source }, uses, depth, isTried: false }) - 1;
    this.#deepest = Math.max(this.#deepest, depth);
    for (const [name, kind] of declared) this.#owners.set(name, { module, kind });
    if (parsed.program.body.some(reachesOut)) this.#reaching.add(module);
    return {
      document: documentOf(module),
      text: `${text}\n;${letDeclarations(used)}${imports.join("")}export { ${exports.join(", ")} };\n`,
    };
  }

  /** Forgets every name. */
  clear(): void {
    this.#owners.clear();
    this.#reaching.clear();
  }

  /** The text with a name for each variable it uses of other cells, and these. */
  #resolve({ text: original, program, declared }: Analysed): { text: string; used: Used[] } {
    const earlier = program && renameEarlier(original, program, (name) => this.#owners.has(name));
    const text = earlier?.text ?? original;
    const used: Used[] = [];
    for (const name of new Set(text.match(/[\p{ID_Start}_$][\p{ID_Continue}$\u200c\u200d]*/gu))) {
      const exported = earlier?.used.get(name) ?? name;
      const owner = declared.has(name) ? undefined : this.#owners.get(exported);
      if (owner !== undefined) used.push({ name, exported, owner });
    }
    return { text, used };
  }
}

/** A name of another cell: as the text has it, and as that cell exports it. */
interface Used {
  name: string;
  exported: string;
  owner: Owner;
}

/** A cell's text, and its program where it is one. */
interface Analysed {
  text: string;
  program?: NodeOf<"Program">;
  declared: ReadonlyMap<string, unknown>;
}

function importOf({ name, exported, owner }: Used): string {
  const local = owner.kind === "let" ? `${LET_PREFIX}${name}` : name;
  return local === exported ? name : `${exported} as ${local}`;
}

function range(start: number, end: number): number[] {
  return Array.from({ length: end - start }, (_, index) => start + index);
}

/** What a cell uses whose types are written out. */
const none: readonly number[] = [];

/** Whether a statement changes what later cells see without declaring a name: `declare global`, an import for its types. */
function reachesOut(statement: Node): boolean {
  return (
    statement.type === "TSModuleDeclaration" ||
    (statement.type === "ImportDeclaration" && statement.specifiers.length === 0)
  );
}

/** What the compiler says about a name of another cell, in the user's words. */
export function plainNames(message: string): string {
  return originalNames(message)
    .replaceAll(LET_PREFIX, "")
    .replaceAll(/import\("[^"]*\bcell-\d+"\)\./g, "");
}

/** A variable of another cell can be assigned to, as an import cannot. */
function letDeclarations(used: readonly Used[]): string {
  return used
    .map(({ name, owner }) => (owner.kind === "let" ? `declare let ${name}: typeof ${LET_PREFIX}${name};` : ""))
    .join("");
}

function analyse(source: string): Analysed & { shift: 0 | 1 } {
  try {
    const { text, shift, program } = parseCell(source);
    return { text, shift, program, declared: declaredNames(program) };
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
