/** The course in the clients that people run notebooks with unattended. */
import { execFile } from "node:child_process";
import { copyFileSync, cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { checkLesson } from "../support/lesson-checks.ts";
import { lessons, type Notebook, withSolutions } from "../support/lessons.ts";
import {
  projectFolder,
  pythonEnvironment,
  pythonMissing,
  pythonProgram,
  runPython,
  strict,
} from "../support/python.ts";
import { heddleProgram, type JupyterHome, jupyterHome } from "../support/python-jupyter.ts";

const skipPython = pythonMissing !== undefined && !strict;
let home: JupyterHome;

beforeAll(async () => {
  home = await jupyterHome();
  cpSync(join(projectFolder, "notebooks/data"), join(home.notebooks, "data"), { recursive: true });
  if (!skipPython) await pythonEnvironment();
}, 180_000);
afterAll(() => home?.[Symbol.dispose]());

describe("heddle run --check", () => {
  test.each(lessons)(
    "%s shows what is committed, and the solutions of its exercise run",
    {
      timeout: 120_000,
    },
    async (lesson) => {
      const copy = join(home.notebooks, `${lesson}-solved.ipynb`);
      const target = join(home.notebooks, `${lesson}-heddle.ipynb`);
      writeFileSync(copy, JSON.stringify(withSolutions(read(source(lesson)))));
      const run = promisify(execFile)(process.execPath, [heddleProgram, "run", "--check", copy, "--output", target]);
      const outcome = await run.then(
        () => "the same",
        (error: { stdout: string }) => error.stdout,
      );
      expect(outcome).toBe("the same");
      checkLesson(lesson, read(target));
    },
  );
});

describe.skipIf(skipPython)(
  skipPython ? `nbclient and nbconvert: not run: ${pythonMissing}` : "nbclient and nbconvert",
  () => {
    test.each(lessons)("nbclient runs %s", { timeout: 120_000 }, async (lesson) => {
      const target = join(home.notebooks, `${lesson}-nbclient.ipynb`);
      const run = await runPython([pythonProgram("run_notebook.py"), source(lesson), target], { env: home.env });
      expect(run, run.stderr).toMatchObject({ status: 0 });
      checkLesson(lesson, read(target));
    });

    // nbconvert runs notebooks by nbclient; one lesson shows that the two are wired together.
    test("jupyter nbconvert --execute runs a lesson", { timeout: 90_000 }, async () => {
      const copy = join(home.notebooks, "converted.ipynb");
      copyFileSync(source("03-early-returns"), copy);
      const options = ["--to", "notebook", "--execute", "--inplace", copy];
      const run = await runPython(["-m", "jupyter", "nbconvert", ...options], { env: home.env });
      expect(run, run.stderr).toMatchObject({ status: 0 });
      checkLesson("03-early-returns", read(copy));
    });
  },
);

function source(lesson: string): string {
  return join(projectFolder, "notebooks", `${lesson}.ipynb`);
}

function read(path: string): Notebook {
  return JSON.parse(readFileSync(path, "utf8")) as Notebook;
}
