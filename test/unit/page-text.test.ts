/** The pieces of a page: coloured code, text of a terminal, Markdown. */
import { describe, expect, test } from "vitest";
import { highlight } from "../../kernel/headless/highlight.ts";
import { MarkdownRenderer } from "../../kernel/headless/markdown.ts";
import { terminalHtml } from "../../kernel/headless/terminal-text.ts";

/** The kinds that code is parted into, with their texts. */
const tokens = (code: string): string[] =>
  [...highlight(code).matchAll(/<span class="(\w+)">(.*?)<\/span>/gs)].map(([, kind, text]) => `${kind} ${text}`);

describe("highlight", () => {
  test.each([
    ["const x = 1_000n + 0xFf - 2.5e-3;", ["keyword const", "number 1_000n", "number 0xFf", "number 2.5e-3"]],
    ["a.const; constant; $for; get(String)", []],
    ["x / y / z; f(/a\\/[/]b/g)", ["pattern /a\\/[/]b/g"]],
    ["'a\\'b' + `x$ {y}\n`; // \"c\"", ["string 'a\\'b'", "string `x$ {y}\n`", 'comment // "c"']],
    ["/* a\nb */ return 5", ["comment /* a\nb */", "keyword return", "number 5"]],
    ["%time f()\n!ls -l\na %b\nb\n  !c", ["command %time f()", "command !ls -l", "command   !c"]],
    ["'open\nconst `open", ["string 'open", "keyword const", "string `open"]],
  ])("%s", (code, expected) => expect(tokens(code)).toEqual(expected.map((one) => one.replaceAll('"', "&quot;"))));

  test("loses and adds no character", () => {
    const code = 'if (a < b && c > "d") { return /</g; } // <&>';
    const entities: Record<string, string> = { lt: "<", gt: ">", amp: "&", quot: '"' };
    const text = highlight(code)
      .replace(/<[^>]*>/g, "")
      .replace(/&(\w+);/g, (_, name: string) => entities[name]!);
    expect(text).toBe(code);
  });
});

describe("terminalHtml", () => {
  test.each([
    ["a <b> & c", "a &lt;b&gt; &amp; c"],
    ["\u001b[31mred\u001b[39m plain", '<span style="color:#d5392b">red</span> plain'],
    [
      "\u001b[1;4mx\u001b[22my\u001b[m",
      '<span style="font-weight:600;text-decoration:underline">x</span><span style="text-decoration:underline">y</span>',
    ],
    [
      "\u001b[38;5;196ma\u001b[38;2;1;2;3mb",
      '<span style="color:rgb(255,0,0)">a</span><span style="color:rgb(1,2,3)">b</span>',
    ],
    ["\u001b[38;5;244ma", '<span style="color:rgb(128,128,128)">a</span>'],
    ["\u001b[7mx", '<span style="color:Canvas;background:currentColor">x</span>'],
    ["10 %\r50 %\r100 %\ndone", "100 %\ndone"],
    ["abcdef\rXY", "XYcdef"],
    ["a\r\nb", "a\r\nb"],
    ["\u001b[2K\u001b]8;;http://x\u0007link\u001b]8;;\u0007", "link"],
  ])("%j", (text, html) => expect(terminalHtml(text)).toBe(html));
});

describe("MarkdownRenderer", () => {
  const renderer = new MarkdownRenderer("/nowhere");

  test.each([
    [
      "formulas are left as they are written",
      "$a_1$ and $b_2$, $$x<y$$",
      'class="formula">$a_1$</span> and <span class="formula">$b_2$</span>, <span class="formula">$$x&lt;y$$</span>',
    ],
    ["prices are no formulas", "it costs $5 and $6, _really_", "it costs $5 and $6, <em>really</em>"],
    ["TypeScript is coloured", "```ts\nconst a\n```", '<pre><code><span class="keyword">const</span> a\n</code></pre>'],
    ["other code is not", "```sh\nconst <a>\n```", "<pre><code>const &lt;a&gt;\n</code></pre>"],
    [
      "headings can be linked to as in JupyterLab",
      "## Two at `a` time",
      '<h2 id="Two-at-a-time">Two at <code>a</code> time</h2>',
    ],
    ["tables", "|a|b|\n|-|-|\n|1|2|", "<td>2</td>"],
    [
      "details stay HTML",
      "<details><summary>Solution</summary>\n\n*x*\n\n</details>",
      "<details><summary>Solution</summary><p><em>x</em></p>",
    ],
    ["a picture that is not there stays a link", "![a](b.png)", '<img src="b.png" alt="a">'],
  ])("%s", (_what, markdown, html) => expect(renderer.text(markdown)).toContain(html));
});
