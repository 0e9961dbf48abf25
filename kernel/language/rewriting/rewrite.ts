import MagicString from "magic-string";
import { isBoundWithin } from "../scopes.ts";
import { scriptName } from "../user-names.ts";
import type { Node, NodeOf } from "../walk.ts";
import type { LoweringName } from "./lowering-runtime.ts";

/**
 * What to do at a type of node. Removals and replacements belong into `enter` (false leaves out the children),
 * insertions into `leave`: an insertion at the edge of a chunk that is removed later would be lost.
 */
export interface Rule<T extends Node["type"] = Node["type"]> {
  enter?(rewrite: Rewrite, node: NodeOf<T>, parents: readonly Node[]): boolean | undefined;
  leave?(rewrite: Rewrite, node: NodeOf<T>, parents: readonly Node[]): void;
}

export type Rules = { [T in Node["type"]]?: Rule<T> };

/** The edits of one cell. Offsets are those of the parsed text throughout. */
export class Rewrite {
  readonly text: string;
  readonly edit: MagicString;
  /** Helper functions that the script must define. */
  readonly helpers = new Set<LoweringName>();
  /** Whether decorators are TypeScript's older ones. */
  readonly hasOldDecorators: boolean;
  /** Names that stand in the script outside types. */
  readonly valueNames = new Set<string>();
  /** Where removed text ended: a statement that ends there needs a semicolon. */
  readonly #erasedEnds = new Set<number>();
  readonly #isDeclared: (name: string) => boolean;

  /** `isDeclared`: whether the notebook has a variable of its own of such a name, which others may take for a global. */
  constructor(text: string, isDeclared: (name: string) => boolean, hasOldDecorators = false) {
    this.hasOldDecorators = hasOldDecorators;
    this.text = text;
    this.edit = new MagicString(text);
    this.#isDeclared = isDeclared;
  }

  /** What a name of the top level is called in the script, at a place with these nodes around it. */
  nameOf(name: string, parents: readonly Node[] = []): string {
    return this.#isDeclared(name) && !isBoundWithin(name, parents) ? scriptName(name) : name;
  }

  slice(node: { start: number; end: number }): string {
    return this.text.slice(node.start, node.end);
  }

  /** Removes a part; its line breaks stay so that lines keep their numbers, unless a break may not stand there. */
  erase(start: number, end: number, lines: "keep" | "drop" = "keep"): void {
    if (end <= start) return;
    const breaks = lines === "keep" ? this.text.slice(start, end).replaceAll(/[^\n]/g, "") : "";
    if (breaks === "") this.edit.remove(start, end);
    else this.edit.update(start, end, breaks);
    this.#erasedEnds.add(end);
  }

  replace(start: number, end: number, text: string): void {
    this.edit.update(start, end, text);
  }

  /** Inserts before what stands at `offset` and before what was inserted there earlier. */
  before(offset: number, text: string): void {
    this.edit.prependRight(offset, text);
  }

  /** Inserts after what ends at `offset` and after what was inserted there earlier. */
  after(offset: number, text: string): void {
    this.edit.appendLeft(offset, text);
  }

  /** Puts in the semicolon that automatic insertion would no longer find after an erased end. */
  terminate(node: { start: number; end: number }, always = false): void {
    if (this.text[node.end - 1] === ";" && !this.#erasedEnds.has(node.end)) return;
    if (always || this.#erasedEnds.has(node.end)) this.after(node.end, ";");
  }
}

/** Where the last of the node's decorators ends, else where the node starts. */
export function afterDecorators(node: { start: number; decorators?: { end: number }[] }): number {
  return Math.max(node.start, ...(node.decorators ?? []).map((decorator) => decorator.end));
}

/** The offset of a character at or after `from`, comments skipped. */
export function findCharacter(text: string, character: string, from: number): number {
  const pattern = /\/\*(?:(?!\*\/)[\s\S])*\*\/|\/\/[^\n]*|[\s\S]/g;
  pattern.lastIndex = from;
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text))
    if (match[0] === character) return match.index;
  return -1;
}
