/** Markdown cells as HTML: GitHub's Markdown, with the pictures inside and formulas left as they are written. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { extname, join } from "node:path";
import { Marked, type TokenizerAndRendererExtension } from "marked";
import { escapeHtml } from "../display/tables.ts";
import { highlight } from "./highlight.ts";
import type { Cell } from "./notebook.ts";
import { joined, sourceOf } from "./notebook.ts";

/** Larger pictures stay links: a page is to be sent around. */
const largestPicture = 10 * 1024 * 1024;

const mediaTypes: Record<string, string> = {
  ".png": "image/png",
  ".jpg": "image/jpeg",
  ".jpeg": "image/jpeg",
  ".gif": "image/gif",
  ".webp": "image/webp",
  ".svg": "image/svg+xml",
};

/** Without this the underscores of a formula would become emphasis. */
const formula: TokenizerAndRendererExtension = {
  name: "formula",
  level: "inline",
  start: (text) => text.indexOf("$"),
  tokenizer(text) {
    const raw = /^\$\$[^$]+\$\$|^\$(?=\S)[^$\n]*[^$\s\\]\$(?!\d)/.exec(text)?.[0];
    return raw === undefined ? undefined : { type: "formula", raw };
  },
  renderer: ({ raw }) => `<span class="formula">${escapeHtml(raw)}</span>`,
};

/** Renders cells of one notebook; `folder` is where their pictures are. */
export class MarkdownRenderer {
  readonly #folder: string;
  readonly #marked: Marked;
  #attachments: NonNullable<Cell["attachments"]> = {};

  constructor(folder: string) {
    this.#folder = folder;
    this.#marked = new Marked({
      extensions: [formula],
      renderer: {
        code: ({ lang, text }) =>
          `<pre><code>${/^(ts|js|typescript|javascript)\b/.test(lang ?? "") ? highlight(text) : escapeHtml(text)}\n</code></pre>\n`,
        heading({ depth, text, tokens }) {
          const id = text.replaceAll(/[`*_]/g, "").trim().replaceAll(/\s+/g, "-");
          return `<h${depth} id="${escapeHtml(id)}">${this.parser.parseInline(tokens)}</h${depth}>\n`;
        },
      },
      walkTokens: (token) => {
        if (token.type === "image") token.href = this.#embedded(token.href as string);
      },
    });
  }

  cell(cell: Cell): string {
    this.#attachments = cell.attachments ?? {};
    return this.text(sourceOf(cell));
  }

  text(markdown: string): string {
    return this.#marked.parse(markdown, { async: false });
  }

  /** A picture beside the notebook, or attached to the cell, as an address that holds it. */
  #embedded(address: string): string {
    if (address.startsWith("attachment:")) {
      const [found] = Object.entries(this.#attachments[decodeURIComponent(address.slice(11))] ?? {});
      return found === undefined ? address : `data:${found[0]};base64,${joined(found[1])}`;
    }
    const type = mediaTypes[extname(address).toLowerCase()];
    if (type === undefined || /^[a-z][a-z\d+.-]*:|^\//i.test(address)) return address;
    const path = join(this.#folder, decodeURIComponent(address));
    if (!existsSync(path) || statSync(path).size > largestPicture) return address;
    return `data:${type};base64,${readFileSync(path).toString("base64")}`;
  }
}
