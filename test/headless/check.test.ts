/** `heddle run --check`: a notebook's stored outputs are its test. */
import { afterAll, describe, expect, test } from "vitest";
import { Workshop } from "../support/headless.ts";

const workshop = new Workshop();
afterAll(() => workshop[Symbol.dispose]());

/** A notebook whose outputs are stored, one of whose cells is then changed; what checking it says. */
async function checkAfter(name: string, cells: (string | { source: string; tags: string[] })[], changed: string) {
  workshop.notebook(name, cells);
  expect((await workshop.start(["run", "--inplace", "--quiet", name]).finished).code).toBe(0);
  const stored = workshop.readNotebook(name);
  stored.cells[0]!.source = changed;
  workshop.write(name, JSON.stringify(stored));
  const before = workshop.read(name);
  const ended = await workshop.start(["run", "--check", "--junit", "report.xml", name]).finished;
  expect(workshop.read(name), "checking writes nothing").toBe(before);
  return ended;
}

describe("run --check", () => {
  test("times, dates, ids and the place of a picture between lines may differ", async () => {
    const show = (ms: number, id: string) =>
      `console.log("took ${ms} ms at", new Date(${ms}), "\\n${id} ${ms / 1000} s");`;
    const { code, stdout } = await checkAfter(
      "times.ipynb",
      [show(12.5, "5f0c1a52-77aa-4f7e-9f57-0d8a5c1b2e3f w3 o00000001a")],
      show(3400, "00000000-77aa-4f7e-9f57-0d8a5c1b2e3f w12 o300000002"),
    );
    expect(stdout).toContain("1 ok");
    expect(code).toBe(0);
  });

  test("another text fails the cell, says the line, and the cells after it still run", async () => {
    const { code, stdout } = await checkAfter(
      "text.ipynb",
      ['console.log("a\\nb\\nc")', "6 * 7"],
      'console.log("a\\nB\\nc")',
    );
    expect(stdout).toContain('differs from what is stored: output 1, line 2 was "b" and is "B"');
    expect(stdout).toContain("1 ok, 1 differs");
    expect(workshop.read("report.xml")).toMatch(
      /failures="1"[\s\S]*<failure message="differs from what is stored: output 1, line 2 was/,
    );
    expect(code).toBe(1);
  });

  test.each([
    ["a value", "1 + 1", "1 + 2", 'line 1 was "2" and is "3"'],
    ["a value that is gone", "1 + 1", "1 + 1;", "output 1 is missing"],
    ["a new output", "1 + 1", 'console.error("oh"); 1 + 1', 'output 1 was "execute_result of text/plain'],
    ["another kind of output", '"x"', '(await import("heddle/notebook")).html("x")', "output 1"],
  ])("%s is found", async (_kind, before, after, words) => {
    const { code, stdout } = await checkAfter("kinds.ipynb", [before], after);
    expect(stdout).toContain("differs from what is stored");
    expect(stdout).toContain(words);
    expect(code).toBe(1);
  });

  test("whether a cell with tasks has a chart depends on how long they took, so a chart is not compared", async () => {
    const get = (ms: number) =>
      `const h = await import("heddle"); await h.get(h.remote((ms: number) => new Promise((done) => setTimeout(done, ms))).remote(${ms}));`;
    const { code } = await checkAfter("chart.ipynb", [get(150)], get(0));
    expect(workshop.read("chart.ipynb")).toContain("heddle-timeline");
    expect(code).toBe(0);
  });

  test.each(["no-check", "nbval-ignore-output"])("the tag %s leaves a cell out", async (tag) => {
    const { code } = await checkAfter("tags.ipynb", [{ source: "Math.random()", tags: [tag] }], "Math.random()");
    expect(code).toBe(0);
  });

  test("a cell that fails as it is stored to fail is the same only where the error is expected", async () => {
    const cell = { source: 'throw new RangeError("no")', tags: ["raises-exception"] };
    expect((await checkAfter("error.ipynb", [cell], cell.source)).code).toBe(0);
    const other = await checkAfter("error.ipynb", [cell], 'throw new RangeError("yes")');
    expect(other.stdout).toContain('was "RangeError: no" and is "RangeError: yes"');
    expect(other.code).toBe(1);
  });
});
