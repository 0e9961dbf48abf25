/** `heddle run -p`: parameters as papermill puts them in, checked against what the notebook declares. */
import { describe, expect, test } from "vitest";
import { Workshop } from "../support/headless.ts";

const declaration = {
  source: 'let count: number = 1; const name = "nobody"; let mode: "fast" | "slow" = "slow"; let limit = null;',
  tags: ["parameters"],
};

describe("run -p", () => {
  test("JSON where it is JSON, else text, in a cell after the one tagged parameters; a second run replaces it", async () => {
    using shop = new Workshop();
    const path = shop.notebook("a.ipynb", ["'first'", declaration, "[count, name, mode, limit]"]);
    const run = (...values: string[]) => shop.heddle("run", path, "--inplace", ...values.flatMap((one) => ["-p", one]));
    expect((await run("count=3", "name=Ada Lovelace")).code).toBe(0);
    expect(await run("count=4", 'name="5"', "mode=fast", "limit=[1, 2]")).toMatchObject({ code: 0, stderr: "" });
    const { cells } = shop.readNotebook(path);
    expect(cells.map(({ metadata }) => metadata.tags)).toEqual([[], ["parameters"], ["injected-parameters"], []]);
    expect(cells[2]!.source).toEqual([
      "// Parameters\n",
      "count = 4;\n",
      'var name = "5";\n',
      'mode = "fast";\n',
      "limit = [1,2];",
    ]);
    expect(cells[3]!.outputs).toMatchObject([{ data: { "text/plain": ["[ 4, '5', 'fast', [ 1, 2 ] ]"] } }]);
    expect(cells.map((cell) => "id" in cell)).toEqual([true, true, true, true]);
  });

  test.each([
    ['count="three"', "Type 'string' is not assignable to type 'number'"],
    ["mode=medium", `Type '"medium"' is not assignable to type '"fast" | "slow"'`],
  ])("%s, which is not of the declared type, stops the run before anything uses it", async (value, complaint) => {
    using shop = new Workshop();
    const { code, stdout } = await shop.heddle(
      "run",
      shop.notebook("a.ipynb", [declaration, "console.log('used')"]),
      "-p",
      value,
    );
    expect(code).toBe(1);
    expect(stdout).toContain(complaint);
    expect(stdout).not.toContain("    used");
  });

  test("of several notebooks each takes the parameters that it has", async () => {
    using shop = new Workshop();
    const paths = [
      shop.notebook("a.ipynb", [{ source: "let a = 0;", tags: ["parameters"] }, "console.log('a is', a)"]),
      shop.notebook("b.ipynb", [{ source: "let b = 0;", tags: ["parameters"] }, "console.log('b is', b, typeof a)"]),
    ];
    const { code, stdout } = await shop.heddle("run", ...paths, "-p", "a=1", "-p", "b=2", "--allow-errors");
    expect(code).toBe(0);
    expect(stdout).toContain("a is 1\n");
    expect(stdout).toContain("Cannot find name 'a'");
  });
});
