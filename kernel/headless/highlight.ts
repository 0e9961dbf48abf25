/** TypeScript as coloured HTML: a lexer, which needs no parser and takes wrong code as well. */
import { escapeHtml } from "../display/tables.ts";

const words =
  "abstract as async await boolean break case catch class const continue declare default delete do else enum export extends false finally for from function if implements import in infer instanceof interface keyof let namespace never new null number of override private protected public readonly return satisfies static string super switch this throw true try type typeof undefined unknown using var void while with yield";

/** In this order: what comes first wins. A slash begins a pattern only where a value cannot have ended. */
const tokens = new RegExp(
  [
    String.raw`(?<comment>//[^\n]*|/\*[\s\S]*?(?:\*/|$))`,
    String.raw`(?<command>(?<=^|\n)[ \t]*[%!][^\n]*)`,
    String.raw`(?<string>"(?:\\[\s\S]|[^"\\\n])*"?|'(?:\\[\s\S]|[^'\\\n])*'?|${"`"}(?:\\[\s\S]|[^${"`"}\\])*${"`"}?)`,
    String.raw`(?<pattern>(?<=(?:^|[=(,:;!&|?{}\n[]|return)\s*)/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+/[a-z]*)`,
    String.raw`(?<number>\b(?:0[xXoObB][\da-fA-F_]+|\d[\d_]*(?:\.[\d_]+)?(?:[eE][+-]?\d+)?)n?\b)`,
    String.raw`(?<keyword>(?<![.\w$])(?:${words.replaceAll(" ", "|")})(?![\w$]))`,
    String.raw`(?<name>[\p{ID_Start}$_][\p{ID_Continue}$]*)`,
  ].join("|"),
  "gu",
);

/** The code as HTML, with a class for each kind of token. */
export function highlight(code: string): string {
  let html = "";
  let end = 0;
  for (const found of code.matchAll(tokens)) {
    const [kind, text] = Object.entries(found.groups!).find(([, one]) => one !== undefined)!;
    html += escapeHtml(code.slice(end, found.index));
    html += kind === "name" ? escapeHtml(text!) : `<span class="${kind}">${escapeHtml(text!)}</span>`;
    end = found.index + found[0].length;
  }
  return html + escapeHtml(code.slice(end));
}
