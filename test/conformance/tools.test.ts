/** The tools that people run, parametrise, test and publish notebooks with: papermill, nbmake, nbval, nbconvert. */
import { beforeAll, describe, expect, test } from "vitest";
import { Workshop } from "../support/headless.ts";
import { type PythonRun, pythonEnvironment, pythonMissing, runPython, strict } from "../support/python.ts";
import { type JupyterHome, jupyterHome } from "../support/python-jupyter.ts";

const skip = pythonMissing !== undefined && !strict;
const cells = [
  { source: "# A report", markdown: true },
  { source: 'let count: number = 1;\nlet name = "nobody";\nlet fast = false;', tags: ["parameters"] },
  'import { get, remote } from "heddle";\nconst double = remote(async function double(n: number) { await new Promise((done) => setTimeout(done, 120)); return 2 * n; });\nawait get([double.remote(count), double.remote(10)])',
  "[name, fast]",
];

let home: JupyterHome;
let shop: Workshop;

describe.skipIf(skip)(skip ? `tools: not run: ${pythonMissing}` : "tools", { timeout: 120_000 }, () => {
  beforeAll(async () => {
    await pythonEnvironment();
    home = await jupyterHome();
    shop = new Workshop();
    shop.notebook("a.ipynb", cells);
    shop.notebook("bad.ipynb", ["1", 'throw new Error("as wanted")']);
    return () => {
      home[Symbol.dispose]();
      shop[Symbol.dispose]();
    };
  }, 240_000);

  const python = (...args: string[]): Promise<PythonRun> => runPython(args, { env: home.env, cwd: shop.folder });
  const results = (name: string): unknown[] =>
    shop
      .readNotebook(name)
      .cells.flatMap((cell) =>
        (cell.outputs ?? []).flatMap(({ data, output_type }) =>
          output_type === "execute_result" ? [(data as Record<string, string[] | string>)["text/plain"]] : [],
        ),
      );

  test("papermill runs a notebook and writes it with its charts", async () => {
    const run = await python("-m", "papermill", "a.ipynb", "run.ipynb", "--no-progress-bar");
    expect(run, run.stderr).toMatchObject({ status: 0 });
    expect(results("run.ipynb").map(String)).toEqual(["[ 2, 20 ]", "[ 'nobody', false ]"]);
    expect(shop.read("run.ipynb")).toContain("heddle-timeline");
  });

  // Papermill itself has no TypeScript; of the languages that it has, C# writes numbers, texts and booleans alike.
  test("papermill's parameters reach the notebook by its -l .net-csharp", async () => {
    const values = ["-p", "count", "5", "-p", "name", "Ada Lovelace", "-p", "fast", "True"];
    const run = await python(
      "-m",
      "papermill",
      "a.ipynb",
      "p.ipynb",
      ...values,
      "-l",
      ".net-csharp",
      "--no-progress-bar",
    );
    expect(run, run.stderr).toMatchObject({ status: 0 });
    expect(results("p.ipynb").map(String)).toEqual(["[ 10, 20 ]", "[ 'Ada Lovelace', true ]"]);
  });

  test("the cell that papermill put in is the one that heddle run replaces, and the other way round", async () => {
    const values = ["-p", "count", "5", "-l", ".net-csharp", "--no-progress-bar"];
    expect(await python("-m", "papermill", "a.ipynb", "turns.ipynb", ...values)).toMatchObject({ status: 0 });
    expect((await shop.heddle("run", "turns.ipynb", "--inplace", "-p", "count=7", "--quiet")).code).toBe(0);
    expect(results("turns.ipynb")[0]).toEqual(["[ 14, 20 ]"]);
    expect(await python("-m", "papermill", "turns.ipynb", "turns.ipynb", ...values)).toMatchObject({ status: 0 });
    const tags = shop.readNotebook("turns.ipynb").cells.map(({ metadata }) => metadata.tags ?? []);
    expect(tags).toEqual([[], ["parameters"], ["injected-parameters"], [], []]);
  });

  test("papermill stops at a cell that fails", async () => {
    const run = await python("-m", "papermill", "bad.ipynb", "stopped.ipynb", "--no-progress-bar");
    expect(run.status).not.toBe(0);
    expect(run.stderr).toContain("as wanted");
  });

  test("nbmake: pytest runs notebooks as tests", async () => {
    const run = await python("-m", "pytest", "-p", "no:cacheprovider", "--nbmake", "a.ipynb", "bad.ipynb");
    expect(run.stdout).toMatch(/1 failed, 1 passed/);
    expect(run.stdout).toContain("as wanted");
    expect(run.status).toBe(1);
  });

  test("nbval: pytest compares with the outputs that heddle run stored", async () => {
    shop.notebook("checked.ipynb", [
      "console.log('one')",
      "({ two: 2 })",
      { source: "Math.random()", tags: ["nbval-ignore-output"] },
    ]);
    expect((await shop.heddle("run", "checked.ipynb", "--inplace", "--quiet")).code).toBe(0);
    const good = await python("-m", "pytest", "-p", "no:cacheprovider", "--nbval", "checked.ipynb");
    expect(good.stdout, good.stderr).toMatch(/3 passed/);
    shop.write("checked.ipynb", shop.read("checked.ipynb").replace("{ two: 2 }", "{ two: 3 }"));
    const bad = await python("-m", "pytest", "-p", "no:cacheprovider", "--nbval", "checked.ipynb");
    expect(bad.stdout).toMatch(/1 failed, 2 passed/);
  });

  test("nbconvert: an executed notebook as HTML with its chart, and as a script in TypeScript", async () => {
    expect((await shop.heddle("run", "a.ipynb", "--output", "done.ipynb", "--quiet")).code).toBe(0);
    const page = await python("-m", "jupyter", "nbconvert", "--to", "html", "done.ipynb");
    expect(page, page.stderr).toMatchObject({ status: 0 });
    expect(shop.read("done.html")).toMatch(
      /<div class="heddle-timeline">[\s\S]*<img [^>]*src="data:image\/svg\+xml;base64,/,
    );
    const script = await python("-m", "jupyter", "nbconvert", "--to", "script", "done.ipynb");
    expect(script, script.stderr).toMatchObject({ status: 0 });
    expect(shop.read("done.ts")).toContain("const double = remote(async function double(n: number)");
  });

  test("nbconvert --execute --allow-errors goes on behind a cell that fails", async () => {
    const run = await python(
      "-m",
      "jupyter",
      "nbconvert",
      "--to",
      "notebook",
      "--execute",
      "--allow-errors",
      "--output",
      "allowed.ipynb",
      "bad.ipynb",
    );
    expect(run, run.stderr).toMatchObject({ status: 0 });
    expect(shop.readNotebook("allowed.ipynb").cells[1]!.outputs).toMatchObject([
      { output_type: "error", evalue: "as wanted" },
    ]);
  });
});
