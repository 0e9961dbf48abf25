/** What CI systems are told of a run: JUnit, and GitHub's annotations and summary. */
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { Workshop } from "../support/headless.ts";
import { pythonMissing, strict } from "../support/python.ts";

const workshop = new Workshop();
afterAll(() => workshop[Symbol.dispose]());

const tasks = [
  'import { get, remote } from "heddle";',
  "const wait = remote((ms: number) => new Promise((done) => setTimeout(done, ms)));",
  "await get([wait.remote(80), wait.remote(80)]);",
].join("\n");

const missing = strict ? undefined : pythonMissing;

describe("JUnit", () => {
  test.skipIf(missing !== undefined)(
    `a suite a notebook, a case a cell, whatever cells print${missing === undefined ? "" : `: not run: ${missing}`}`,
    async () => {
      mkdirSync(join(workshop.folder, "deep"), { recursive: true });
      const odd =
        'console.log("<&\\u0000\\ud800\\uffff\\u001b[31m]]>"); console.error("oh"); throw new Error(\'"<a>&\\n\')';
      workshop.notebook("deep/a.ipynb", ["1", { source: "2", tags: ["skip"] }, odd, "3"]);
      workshop.notebook("b.ipynb", ["1"]);
      const paths = ["deep/a.ipynb", "b.ipynb"];
      expect((await workshop.heddle("run", ...paths, "--junit", "report.xml", "--jobs", "2", "--quiet")).code).toBe(1);
      // A reader that is none of heddle's own.
      const program =
        "import json, sys, xml.etree.ElementTree as tree\n" +
        "def walk(e): return [e.tag, e.attrib, (e.text or '').strip(), [walk(c) for c in e]]\n" +
        "print(json.dumps(walk(tree.parse(sys.argv[1]).getroot())))";
      const report = join(workshop.folder, "report.xml");
      const [tag, totals, , suites] = JSON.parse(
        execFileSync("python3", ["-c", program, report], { encoding: "utf8" }),
      );
      expect(tag).toBe("testsuites");
      expect(totals).toMatchObject({ tests: "5", failures: "1", errors: "0", skipped: "2" });
      const [first, second] = suites;
      expect(first[1]).toMatchObject({ name: "deep/a.ipynb", tests: "4", failures: "1", skipped: "2" });
      expect(first[1].timestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/);
      expect(second[1]).toMatchObject({ name: "b.ipynb", tests: "1", failures: "0", skipped: "0" });
      const [ok, skipped, failed, notRun] = first[3];
      expect(ok[1]).toMatchObject({ classname: "deep.a", name: "cell 1: 1", file: "deep/a.ipynb" });
      expect(ok[3]).toEqual([]);
      expect(skipped[3]).toEqual([["skipped", { message: "skipped" }, "", []]]);
      expect(notRun[3]).toEqual([["skipped", { message: "not run" }, "", []]]);
      expect(failed[3].map(([name]: [string]) => name)).toEqual(["failure", "system-out", "system-err"]);
      expect(failed[3][0][1]).toEqual({ message: expect.stringContaining('Error: "<a>&'), type: "Error" });
      expect(failed[3][1][2]).toContain("<&");
      expect(failed[3][2][2]).toBe("oh");
    },
  );
});

describe("in GitHub Actions", () => {
  test("each cell that fails has an annotation at its line, and the step's summary has notebooks, errors and charts", async () => {
    mkdirSync(join(workshop.folder, "docs"), { recursive: true });
    workshop.notebook("docs/ci.ipynb", [tasks, 'throw new Error("50% of it,\\nbroken")']);
    await workshop.heddle("run", "docs/ci.ipynb", "--inplace", "--quiet");
    const line =
      workshop
        .read("docs/ci.ipynb")
        .split("\n")
        .findIndex((one) => one.includes('"id": "c1"')) + 1;
    workshop.write("summary.md", "");
    const env = { GITHUB_ACTIONS: "true", GITHUB_STEP_SUMMARY: "../summary.md", GITHUB_WORKSPACE: workshop.folder };
    const { finished } = workshop.start(["run", "--quiet", "ci.ipynb"], env, { folder: "docs" });
    const { code, stdout } = await finished;
    expect(code).toBe(1);
    expect(stdout).toContain(
      `::error file=docs/ci.ipynb,line=${line},title=ci.ipynb%2C cell 2::Error: 50%25 of it,%0Abroken\n`,
    );
    const summary = workshop.read("summary.md");
    expect(summary).toContain("| ❌ | ci.ipynb | 2 | 1 |");
    expect(summary).toMatch(/\*\*ci\.ipynb, cell 1\*\* `import [\s\S]*```text[\s\S]*worker \d+ \|[\s\S]*```/);
    expect(summary).toMatch(/\*\*ci\.ipynb, cell 2\*\* `throw [\s\S]*```text\nError: 50% of it,\nbroken/);
    expect(summary).not.toContain("\u001b");
  });

  test("a notebook that passes is a line of the summary, without an annotation", async () => {
    workshop.notebook("good.ipynb", ["1"]);
    workshop.write("good.md", "# Before\n");
    const env = { GITHUB_ACTIONS: "true", GITHUB_STEP_SUMMARY: "good.md" };
    const { code, stdout } = await workshop.start(["run", "good.ipynb"], env).finished;
    expect(code).toBe(0);
    expect(stdout).not.toContain("::error");
    expect(workshop.read("good.md")).toMatch(/^# Before\n[\s\S]*\| ✅ \| good\.ipynb \| 1 \| 0 \|/);
  });

  test("elsewhere nothing of it is said", async () => {
    workshop.notebook("plain.ipynb", ['throw new Error("broken")']);
    const { stdout } = await workshop.start(["run", "plain.ipynb"], { GITHUB_ACTIONS: "" }).finished;
    expect(stdout).not.toContain("::error");
  });
});
