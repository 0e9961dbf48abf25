/** The course in the clients that people run notebooks with unattended. */
import { execFile } from "node:child_process";
import { copyFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { checkLesson, lessons, type Notebook } from "../support/lessons.ts";
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
  if (!skipPython) await pythonEnvironment();
}, 180_000);
afterAll(() => home?.[Symbol.dispose]());

describe("heddle run", () => {
  test.each(lessons)("%s", { timeout: 60_000 }, async (lesson) => {
    const target = join(home.notebooks, `${lesson}-heddle.ipynb`);
    await promisify(execFile)(process.execPath, [heddleProgram, "run", source(lesson), "--output", target]);
    checkLesson(lesson, read(target));
  });
});

describe.skipIf(skipPython)(
  skipPython ? `nbclient and nbconvert: not run: ${pythonMissing}` : "nbclient and nbconvert",
  () => {
    test.each(lessons)("nbclient runs %s", { timeout: 90_000 }, async (lesson) => {
      const target = join(home.notebooks, `${lesson}-nbclient.ipynb`);
      const run = await runPython([pythonProgram("run_notebook.py"), source(lesson), target], { env: home.env });
      expect(run, run.stderr).toMatchObject({ status: 0 });
      checkLesson(lesson, read(target));
    });

    test.each(lessons)("jupyter nbconvert --execute runs %s", { timeout: 90_000 }, async (lesson) => {
      const copy = join(home.notebooks, `${lesson}.ipynb`);
      copyFileSync(source(lesson), copy);
      const options = ["--to", "notebook", "--execute", "--inplace", copy];
      const run = await runPython(["-m", "jupyter", "nbconvert", ...options], { env: home.env });
      expect(run, run.stderr).toMatchObject({ status: 0 });
      checkLesson(lesson, read(copy));
    });
  },
);

test.each(lessons)("the committed outputs of %s are those of a run", (lesson) =>
  checkLesson(lesson, read(source(lesson))),
);

function source(lesson: string): string {
  return join(projectFolder, "notebooks", `${lesson}.ipynb`);
}

function read(path: string): Notebook {
  return JSON.parse(readFileSync(path, "utf8")) as Notebook;
}
