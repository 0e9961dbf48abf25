/** What every notebook of the course has, so that a reader knows his way in each of them. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { chartsOf, codeCells, joined, lessons, type Notebook, withSolutions } from "../support/lessons.ts";

const folder = fileURLToPath(new URL("../../notebooks/", import.meta.url));
const index = readFileSync(join(folder, "README.md"), "utf8");

/** Bytes of a notebook with its charts, and of the whole course. */
const largestNotebook = 1_500_000;
const largestCourse = 5_000_000;

test("every notebook of the folder is a lesson, and the index has each with its picture", () => {
  const names = readdirSync(folder).filter((name) => name.endsWith(".ipynb"));
  expect(names).toEqual(lessons.map((lesson) => `${lesson}.ipynb`));
  for (const lesson of lessons) {
    expect(index).toContain(`(${lesson}.ipynb)`);
    expect(index).toContain(`(charts/${lesson}.svg)`);
    expect(existsSync(join(folder, `charts/${lesson}.svg`)), lesson).toBe(true);
  }
});

test("the course is modest in size", () => {
  const bytes = lessons.map((lesson) => statSync(join(folder, `${lesson}.ipynb`)).size);
  expect(Math.max(...bytes)).toBeLessThan(largestNotebook);
  expect(bytes.reduce((sum, size) => sum + size)).toBeLessThan(largestCourse);
});

describe.each(lessons)("%s", (lesson) => {
  const notebook = JSON.parse(readFileSync(join(folder, `${lesson}.ipynb`), "utf8")) as Notebook;
  const text = notebook.cells.filter((cell) => cell.cell_type === "markdown").map((cell) => joined(cell.source));

  test("begins with its number, and leads on to the next", () => {
    expect(text[0]).toMatch(new RegExp(`^# ${Number(lesson.slice(0, 2))} · `));
    const next = lessons[lessons.indexOf(lesson) + 1];
    expect(text.at(-1)).toContain(next === undefined ? "(README.md)" : `(${next}.ipynb)`);
  });

  test("can be read in ten minutes: at most 2,000 words of prose", () => {
    const prose = text.join("\n").replaceAll(/```[\s\S]*?```|<details>[\s\S]*?<\/details>|\]\([^)]*\)/g, "");
    expect(prose.split(/\s+/).length).toBeLessThan(2000);
  });

  test("has an exercise whose solution is hidden at first, with code", () => {
    expect(text.at(-1)).toMatch(
      /## Try it yourself[\s\S]*<details>\n<summary>Solution<\/summary>\n\n[\s\S]*<\/details>/,
    );
    expect(withSolutions(notebook).cells.length).toBeGreaterThan(notebook.cells.length);
  });

  test("says after its charts what is to be seen in them", () => {
    const said = notebook.cells.map((cell) => /\*\*What you see( in the charts?)?\.\*\*/.test(joined(cell.source)));
    const drawn = notebook.cells.flatMap((cell, at) => (chartsOf(cell).length > 0 ? [at] : []));
    expect(drawn.length).toBeGreaterThan(0);
    // A few cells of code may stand together, such as wrong and right.
    for (const at of drawn)
      expect(said.slice(at + 1, at + 5), `after the chart of ${notebook.cells[at]!.id}`).toContain(true);
  });

  test("is stored as one run from top to bottom left it", () => {
    expect(codeCells(notebook).map((cell) => cell.execution_count)).toEqual(codeCells(notebook).map((_, at) => at + 1));
    for (const cell of codeCells(notebook)) {
      const outputs = cell.outputs ?? [];
      expect(
        outputs.filter((output) => output.output_type === "error" || output.name === "stderr"),
        cell.id,
      ).toEqual([]);
    }
  });
});
