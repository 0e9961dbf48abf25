/** Anonymous functions given to `remote` take the name of the variable, as far as a user can see it. */
import { describe, expect, test } from "vitest";
import { compileCell } from "../../kernel/language/compiler.ts";

/** Runs what the compiler made of `source` with a `remote` that tells the name and the text of its function. */
function seenByRemote(source: string): { name: string; text: string } {
  const { code } = compileCell(source, { cell: "1" });
  const body = code.replace('"use strict"; await __heddle__.turn();', "").replace(/\nvoid 0;/, "");
  const remote = (fn: { name: string }) => ({ name: fn.name, text: String(fn) });
  return new Function("remote", `${body}\nreturn lookup;`)(remote) as { name: string; text: string };
}

describe("a task's name", () => {
  test.each([
    ["an arrow function", "const lookup = remote((item: number) => item + 1);", "(item) => item + 1"],
    ["an async arrow function", "let lookup = remote(async (item) => item);", "async (item) => item"],
    [
      "a function expression",
      "const lookup = remote(function (item) { return item; });",
      "function (item) { return item; }",
    ],
  ])("%s takes the variable's", (_kind, source, text) => {
    const seen = seenByRemote(source);
    expect(seen.name).toBe("lookup");
    expect(seen.text.replace(/\s+/g, " ").replace("(item )", "(item)")).toBe(text);
  });

  test("a named function keeps its own", () => {
    expect(seenByRemote("const lookup = remote(function find(item) { return item; });").name).toBe("find");
  });

  test("positions behind it stay right", () => {
    const source = "const lookup = remote((item: number) => item + 1); throw new Error('here');";
    const { code, originalPosition } = compileCell(source, { cell: "1" });
    const at = code.indexOf("new Error");
    const before = code.slice(0, at).split("\n");
    expect(originalPosition(before.length, before.at(-1)!.length + 1)).toEqual({
      line: 1,
      column: source.indexOf("new Error") + 1,
    });
  });
});
