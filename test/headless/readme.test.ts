/** What the README shows runs as it stands there. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Workshop } from "../support/headless.ts";
import { projectFolder } from "../support/python.ts";

const readme = readFileSync(join(projectFolder, "README.md"), "utf8");
const blocks = [...readme.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language, text]) => ({
  language,
  text: text!,
}));

test("the cell of ten lines prints its words two by two and has its chart", async () => {
  using shop = new Workshop();
  const cell = blocks.find(({ language, text }) => language === "ts" && text.includes("await wait("))!;
  shop.notebook("a.ipynb", [cell.text]);
  const { code, stdout } = await shop.heddle("run", "a.ipynb", "--inplace");
  expect(code, stdout).toBe(0);
  const { outputs } = shop.readNotebook("a.ipynb").cells[0]!;
  expect(outputs.map(({ output_type }) => output_type)).toEqual(["stream", "display_data"]);
  // Which lookups end first depends on when the workers have started.
  const lines = outputs[0]!.text as string[];
  expect(lines.map((line) => line.match(/\w+/g)!.length)).toEqual([2, 2, 2, 2]);
  const words = "Learning Learning go go to to waiting without";
  expect(lines.join("").match(/\w+/g)!.toSorted().join(" ")).toBe(words);
  expect(stdout).toContain("[1] 8 tasks · wait(numReturns: 2)");
});

test("the workflow to copy calls heddle as it is", async () => {
  using shop = new Workshop();
  const workflow = blocks.find(({ language }) => language === "yaml")!.text;
  const [, rest] = /npx heddle run notebooks\/\*\.ipynb (.*)/.exec(workflow)!;
  const paths = [shop.notebook("a.ipynb", ["1"]), shop.notebook("b.ipynb", ["2"])];
  expect(await shop.heddle("run", ...paths, ...rest!.split(" "))).toMatchObject({ code: 0, stderr: "" });
  expect(shop.read("report.xml")).toContain('tests="2" failures="0"');
});
