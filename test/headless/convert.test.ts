/** `heddle convert`: what each form holds, and that a script comes back as the notebook it was. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Workshop } from "../support/headless.ts";

const cells = [
  { source: "# Title\n\ntext", markdown: true },
  "const a = 1;\na",
  { source: "let count = 2;", tags: ["parameters"] },
  "%install d3\n!ls\n%time a\n!a",
];

describe("--to ts", () => {
  test("code as it is, a mark before each cell, text and line commands as comments, beside the notebook", async () => {
    using shop = new Workshop();
    shop.notebook("a.ipynb", cells);
    expect(await shop.heddle("convert", "a.ipynb", "--to", "ts")).toEqual({
      code: 0,
      stdout: "Wrote a.ts\n",
      stderr: "",
    });
    expect(shop.read("a.ts")).toBe(
      [
        "// %% [markdown]\n// # Title\n//\n// text",
        "// %%\nconst a = 1;\na",
        '// %% tags=["parameters"]\nlet count = 2;',
        "// %%\n// %install d3\n// !ls\n/* %time */ a\n!a\n",
      ].join("\n\n"),
    );
  });

  test("--to ipynb gives back the cells, their tags and their commands", async () => {
    using shop = new Workshop();
    shop.notebook("a.ipynb", cells);
    expect((await shop.heddle("convert", "a.ipynb", "--to", "script", "--output", "b.ts")).code).toBe(0);
    expect((await shop.heddle("convert", "b.ts", "--to", "ipynb")).code).toBe(0);
    const kept = (name: string) =>
      shop.readNotebook(name).cells.map(({ cell_type, metadata, source }) => ({
        cell_type,
        source: Array.isArray(source) ? source.join("") : source,
        tags: metadata.tags ?? [],
      }));
    expect(kept("b.ipynb")).toEqual(kept("a.ipynb"));
    expect(shop.readNotebook("b.ipynb").metadata).toMatchObject({ kernelspec: { name: "heddle" } });
  });

  test("a script without marks is one cell, and runs as a notebook", async () => {
    using shop = new Workshop();
    shop.write("plain.ts", "const six: number = 6;\n\nconsole.log(six * 7);\n");
    expect((await shop.heddle("convert", "plain.ts", "--to", "ipynb")).code).toBe(0);
    expect(shop.readNotebook("plain.ipynb").cells).toHaveLength(1);
    const { code, stdout } = await shop.heddle("run", "plain.ipynb");
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining("    42\n") });
  });
});

test("--to md: text as it is, code and outputs as blocks that nothing within can end, charts as text", async () => {
  using shop = new Workshop();
  const tasks =
    'import { get, remote } from "heddle";\nawait get(remote((ms: number) => new Promise((done) => setTimeout(done, ms))).remote(80));';
  shop.notebook("a.ipynb", [...cells.slice(0, 2), "console.log('\\u001b[31m```\\u001b[39m');", tasks]);
  expect((await shop.heddle("run", "a.ipynb", "--inplace", "--quiet")).code).toBe(0);
  expect((await shop.heddle("convert", "a.ipynb", "--to", "markdown")).stdout).toBe("Wrote a.md\n");
  const text = shop.read("a.md");
  expect(text).toMatch(/^# Title\n\ntext\n\n```ts\nconst a = 1;\na\n```\n\n```text\n1\n```\n\n/);
  expect(text).toContain("````text\n```\n````\n");
  expect(text).toMatch(/```text\n[\s\S]*worker \d+ \|[\s\S]*\n```\n$/);
});

describe("--to html", () => {
  test("several at once; one page holds text, code and outputs, escaped where they are text", async () => {
    using shop = new Workshop();
    mkdirSync(join(shop.folder, "deep"));
    shop.notebook("a.ipynb", [
      { source: "# <i>A</i> & B", markdown: true },
      'console.log("<script>alert(1)</script>"); "</pre>"',
    ]);
    shop.notebook("deep/b.ipynb", ["1"]);
    expect((await shop.heddle("run", "a.ipynb", "--inplace", "--quiet")).code).toBe(0);
    expect(await shop.heddle("convert", "a.ipynb", "deep/b.ipynb", "--to", "html")).toMatchObject({
      code: 0,
      stdout: "Wrote a.html\nWrote deep/b.html\n",
    });
    const page = shop.read("a.html");
    expect(page).toContain("<title>&lt;i&gt;A&lt;/i&gt; &amp; B</title>");
    expect(page).toContain('<pre class="stdout">&lt;script&gt;alert(1)&lt;/script&gt;');
    expect(page).not.toContain("alert(1)</script>");
    expect(page.length, "no charts, no Plotly").toBeLessThan(20_000);
    expect(shop.read("deep/b.html")).toContain("<title>b</title>");
  });

  test("pictures beside the notebook and attachments come along; folded cells are folded", async () => {
    using shop = new Workshop();
    const cell = { cell_type: "code", execution_count: null, outputs: [], source: "'solution'" };
    shop.write("dot.svg", "<svg/>");
    const attachments = { "a b.png": { "image/png": "aGVsbG8=" } };
    const text = {
      cell_type: "markdown",
      metadata: {},
      source: "![x](dot.svg) ![y](attachment:a%20b.png) ![z](gone.png)",
      attachments,
    };
    shop.write(
      "a.ipynb",
      JSON.stringify({
        cells: [text, { ...cell, metadata: { jupyter: { source_hidden: true } } }, { ...cell, metadata: {} }],
        metadata: {},
        nbformat: 4,
        nbformat_minor: 4,
      }),
    );
    expect((await shop.heddle("convert", "a.ipynb", "--to", "html")).code).toBe(0);
    const page = shop.read("a.html");
    expect(page).toContain(`src="data:image/svg+xml;base64,${Buffer.from("<svg/>").toString("base64")}"`);
    expect(page).toContain('src="data:image/png;base64,aGVsbG8="');
    expect(page).toContain('src="gone.png"');
    expect(page.match(/<details>/g)).toHaveLength(1);
  });
});
