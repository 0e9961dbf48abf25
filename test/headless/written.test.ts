/** What `heddle run` writes: the form that Jupyter's own library gives a file, the same at each run, and nothing else. */
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type StoredNotebook, Workshop } from "../support/headless.ts";
import { pythonEnvironment, pythonMissing, runPython, strict } from "../support/python.ts";

/** Cells whose outputs have every form, and whose chart appears between the lines that one of them prints. */
const variousCells = [
  { source: "# Title\n\n`text`", markdown: true },
  'import { get, remote } from "heddle";\nconst nap = remote(async (ms: number) => { await new Promise((done) => setTimeout(done, ms)); });\n' +
    'for (let i = 0; i < 5; i++) { console.log("round", i); await get([nap.remote(60), nap.remote(70)]); }\n"end"',
  'console.log("a\\r\\nb\\u2028c\\fd"); console.error("red"); console.log("é 🧵");',
  'import { display, html, json, svg } from "heddle/notebook";\nawait display(html("<b>two\\nlines</b>"));\nawait display(svg("<svg xmlns=\'http://www.w3.org/2000/svg\'>\\n</svg>"));\njson({ b: [1, 2.5], a: null })',
  { source: 'throw new RangeError("too far")', tags: ["raises-exception"] },
];

/** The notebook without what a clock says: execution times and charts. */
function timeless({ cells, ...rest }: StoredNotebook): unknown {
  const plain = cells.map(({ metadata: { execution: _, ...metadata }, outputs, ...cell }) => ({
    ...cell,
    metadata,
    outputs: outputs?.map((output) => ("image/png" in ((output.data ?? {}) as object) ? "a chart" : output)),
  }));
  return { ...rest, cells: plain };
}

describe("the written notebook", () => {
  test("a second run of an unchanged notebook changes nothing but times", { timeout: 60_000 }, async () => {
    using shop = new Workshop();
    const path = shop.notebook("a.ipynb", variousCells);
    const run = async () => {
      expect((await shop.heddle("run", path, "--inplace", "--quiet")).code).toBe(0);
      return shop.readNotebook(path);
    };
    const [first, second] = [await run(), await run()];
    expect(timeless(second)).toEqual(timeless(first));
    expect(first.cells[1]!.outputs.map(({ output_type }) => output_type)).toEqual([
      "stream",
      "display_data",
      "execute_result",
    ]);
  });

  const missing = strict ? undefined : pythonMissing;
  test.skipIf(missing !== undefined)(
    `is byte for byte what nbformat writes, and valid${missing === undefined ? "" : `: not run: ${missing}`}`,
    { timeout: 240_000 },
    async () => {
      await pythonEnvironment();
      using shop = new Workshop();
      shop.notebook("a.ipynb", variousCells);
      const { cells, ...rest } = shop.readNotebook("a.ipynb");
      const [attached, odd] = [
        { attachments: { "a.png": { "image/png": "aGVsbG8=" } } },
        { metadata: { zebra: { b: 1, a: [] }, ape: {} } },
      ];
      const stored = [{ ...cells[0], ...attached }, { ...cells[1], ...odd }, ...cells.slice(2)];
      shop.write(
        "a.ipynb",
        JSON.stringify({ ...rest, metadata: { ...rest.metadata, authors: [{ name: "Ada" }] }, cells: stored }),
      );
      shop.write(
        "old.ipynb",
        shop
          .read("a.ipynb")
          .replaceAll(/"id":"c\d",/g, "")
          .replace('"nbformat_minor":5', '"nbformat_minor":4'),
      );
      expect((await shop.heddle("run", "a.ipynb", "old.ipynb", "--inplace", "--quiet")).code).toBe(0);
      const program =
        "import sys, nbformat\nfor name in sys.argv[1:]:\n nb = nbformat.read(name, 4)\n nbformat.validate(nb)\n nbformat.write(nb, name)";
      const before = [shop.read("a.ipynb"), shop.read("old.ipynb")];
      const rewritten = await runPython(["-c", program, "a.ipynb", "old.ipynb"], { cwd: shop.folder });
      expect(rewritten, rewritten.stderr).toMatchObject({ status: 0 });
      expect([shop.read("a.ipynb"), shop.read("old.ipynb")]).toEqual(before);
    },
  );

  test("each cell has its times under nbclient's names, in order; kernel and language are told", async () => {
    using shop = new Workshop();
    const path = shop.notebook("a.ipynb", ["1", { source: "2", tags: ["skip"] }, "throw new Error('stop')", "3"]);
    const before = new Date().toISOString();
    await shop.heddle("run", path, "--inplace", "--quiet");
    const { cells, metadata } = shop.readNotebook(path);
    const times = cells.map((cell) => (cell.metadata.execution ?? {}) as Record<string, string>);
    expect(times.map((one) => Object.keys(one).length)).toEqual([4, 0, 4, 0]);
    const names = ["iopub.status.busy", "iopub.execute_input", "shell.execute_reply", "iopub.status.idle"];
    const inOrder = [
      before,
      ...[times[0]!, times[2]!].flatMap((one) => names.map((name) => one[name]!)),
      new Date().toISOString(),
    ];
    expect(inOrder).toEqual(inOrder.toSorted());
    expect(metadata.kernelspec).toEqual({
      name: "heddle",
      display_name: "TypeScript (heddle)",
      language: "typescript",
    });
    expect(metadata.language_info).toMatchObject({
      name: "typescript",
      file_extension: ".ts",
      mimetype: "text/typescript",
    });
  });

  test("a skipped cell keeps what is stored under it", async () => {
    using shop = new Workshop();
    shop.notebook("a.ipynb", ["'shown'"]);
    await shop.heddle("run", "a.ipynb", "--inplace", "--quiet");
    const { cells } = shop.readNotebook("a.ipynb");
    shop.write("a.ipynb", shop.read("a.ipynb").replace('"tags": []', '"tags": ["skip"]'));
    expect((await shop.heddle("run", "a.ipynb", "--inplace")).code).toBe(0);
    expect(shop.readNotebook("a.ipynb").cells[0]!.outputs).toEqual(cells[0]!.outputs);
  });

  test("cells without an id get one that stays the same from run to run", async () => {
    using shop = new Workshop();
    shop.notebook("a.ipynb", ["1", "1"]);
    shop.write("a.ipynb", shop.read("a.ipynb").replaceAll(/"id":"c\d",/g, ""));
    const ids = async (name: string) => {
      await shop.heddle("run", "a.ipynb", "--output", name, "--quiet");
      return shop.readNotebook(name).cells.map((cell) => (cell as unknown as { id: string }).id);
    };
    const [first, second] = [await ids("one.ipynb"), await ids("two.ipynb")];
    expect(first).toEqual(second);
    expect(new Set(first).size).toBe(2);
  });
});

test("a run writes what it was asked for and nothing else: not beside the notebook, at home, or in the folder for temporary files", async () => {
  using shop = new Workshop();
  const path = shop.notebook("a.ipynb", [
    'import { get, remote } from "heddle";\nawait get(remote((x: number) => x).remote(1))',
  ]);
  for (const name of ["home", "tmp"]) mkdirSync(join(shop.folder, name));
  const at = (name: string) => join(shop.folder, name);
  const env = { HOME: at("home"), TMPDIR: at("tmp"), XDG_DATA_HOME: "", XDG_CACHE_HOME: "", JUPYTER_DATA_DIR: "" };
  expect((await shop.start(["run", path, "--html", "page.html"], env).finished).code).toBe(0);
  expect(readdirSync(shop.folder).toSorted()).toEqual(["a.ipynb", "home", "page.html", "tmp"]);
  expect(readdirSync(at("home"))).toEqual([]);
  expect(readdirSync(at("tmp"))).toEqual([]);
});
