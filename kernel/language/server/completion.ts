import type { DeclarationKind } from "../declarations.ts";
import type { Completion, CompletionList } from "../engine.ts";

interface LspCompletionItem {
  label: string;
  kind?: number;
  sortText?: string;
  insertText?: string;
  detail?: string;
}

export interface LspCompletion {
  items: LspCompletionItem[];
}

/** The part of an identifier around the cursor that a completion replaces. */
export interface Word {
  start: number;
  end: number;
  /** After a dot: only members of what stands before it are meant. */
  isMember: boolean;
}

/** LSP's `CompletionItemKind`, in its own order. */
const kinds =
  "text method function constructor field variable class interface module property unit value enum keyword snippet color file reference folder enumMember constant struct event operator typeParameter".split(
    " ",
  );

const scopeKinds: Record<DeclarationKind, string> = {
  const: "constant",
  let: "variable",
  function: "function",
  class: "class",
  import: "variable",
  type: "interface",
  enum: "enum",
  namespace: "module",
};

/** Names of other cells sort like those of this one, before the globals. */
const SCOPE_SORT_TEXT = "11";

export function wordAt(source: string, offset: number): Word {
  const start = offset - (/[\p{ID_Continue}$#\u200c\u200d]*$/u.exec(source.slice(0, offset))?.[0].length ?? 0);
  return {
    start,
    end: offset,
    isMember: /\.\s*$/.test(source.slice(0, start)) && !/\.\.\.\s*$/.test(source.slice(0, start)),
  };
}

/** The server's items and the names of other cells that begin with the word, letter case aside; nearest first. */
export function toCompletions(
  list: LspCompletion | null,
  source: string,
  word: Word,
  names: Iterable<[string, DeclarationKind]>,
): CompletionList {
  const prefix = source.slice(word.start, word.end);
  const matches = (text: string) => text.toLowerCase().startsWith(prefix.toLowerCase());
  const found = new Map<string, { sortText: string; item: Completion }>();
  for (const { label, kind, sortText = label, insertText, detail } of list?.items ?? []) {
    const text = insertText ?? label.replace(/\?$/, "");
    // `["a-b"]` would have to replace the dot before it.
    if (!matches(text) || text.startsWith("[")) continue;
    const item: Completion = { text, kind: kinds[(kind ?? 1) - 1] ?? "text" };
    if (detail !== undefined) item.detail = detail;
    found.set(text, { sortText, item });
  }
  if (!word.isMember && !insideString(source, word.start)) {
    for (const [name, kind] of names) {
      if (matches(name)) found.set(name, { sortText: SCOPE_SORT_TEXT, item: { text: name, kind: scopeKinds[kind] } });
    }
  }
  const order = [...found.values()].sort(
    (a, b) => compare(a.sortText, b.sortText) || exactFirst(a, b, prefix) || compare(a.item.text, b.item.text),
  );
  return { start: word.start, end: word.end, items: order.map(({ item }) => item) };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function exactFirst(a: { item: Completion }, b: { item: Completion }, prefix: string): number {
  return Number(b.item.text.startsWith(prefix)) - Number(a.item.text.startsWith(prefix));
}

/** Whether the cursor is in a string or comment of its line, where names mean nothing. */
function insideString(source: string, offset: number): boolean {
  const line = source.slice(source.lastIndexOf("\n", offset - 1) + 1, offset);
  const rest = line.replaceAll(/"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`(?:\\.|[^`\\])*`/g, "");
  return /["']|\/\/|`(?![^`]*\$\{[^}]*$)/.test(rest);
}
