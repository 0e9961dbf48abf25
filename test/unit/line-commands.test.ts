/** Which lines of a cell are commands, and what stands in their place. */
import { describe, expect, test } from "vitest";
import {
  commandHelp,
  commentCommands,
  completeCommand,
  inspectCommand,
  type Names,
  readCommands,
} from "../../kernel/language/line-commands.ts";

const none: Names = new Map();
const names: Names = new Map([
  ["ready", "const"],
  ["Shape", "type"],
]);
const sourceOf = (cell: string): string | undefined => readCommands(cell, names)?.source;

describe("a line is TypeScript", () => {
  test.each([
    ["an operator at the end", "5 %\n2"],
    ["an operator with a space at a line's start", "const a = 5\n  % 2"],
    ["an unknown word after % that continues an expression", "const b = 2; const a = 5\n%b"],
    ["a negated name of an earlier cell", "!ready && console.log(1)"],
    ["a negated name of this cell", "const done = false;\n!done"],
    ["a negated global", "!Array.isArray([])"],
    ["a negated literal", "!true"],
    ["a negated call in parentheses", "!(function () {})()"],
    ["a double negation", "!!ready"],
    ["a number", "!0"],
    ["inside a template", "const text = `\n%install lodash\n!ls\n`;"],
    ["inside a comment", "/*\n%install lodash\n!ls\n*/"],
    ["inside a block", "if (true) {\n!ready\n}"],
  ])("%s", (_, cell) => {
    expect(readCommands(cell, names)).toBeUndefined();
  });
});

describe("a line is a command, and blank for TypeScript", () => {
  test.each([
    ["%install", "%install lodash @types/lodash", ""],
    ["%who after an expression without a semicolon", "const a = 5\n%who", "const a = 5\n"],
    ["a shell command of one word", "!ls", ""],
    ["a shell command that would be TypeScript", "!ls -la", ""],
    ["a shell command by its path", "!./run.sh | sort", ""],
    ["between statements", "let a = 1;\n!pwd\na", "let a = 1;\n\na"],
    ["%time leaves its statement", "%time await f()", "await f()"],
    ["%%capture declares its variable", "%%capture out\nf()", "let out:any\nf()"],
    ["in a cell with an astral character", "'😀';\n%who", "'😀';\n"],
  ])("%s", (_, cell, typescript) => {
    const source = sourceOf(cell)!;
    expect(source).toHaveLength(cell.length);
    expect(
      source
        .split("\n")
        .map((line) => line.trim())
        .join("\n"),
    ).toBe(typescript);
  });
});

test("%time times an expression as a value, another statement as a whole", () => {
  expect(readCommands("%time f(1);", none)!.script.trim()).toBe(
    "__heddle__.commands.startTime();      __heddle__.commands.stopTime(f(1));",
  );
  expect(readCommands("%time const x = f()\nx", none)!.script.trim()).toBe(
    "__heddle__.commands.startTime();      const x = f();__heddle__.commands.stopTime();\nx",
  );
});

test("positions in what runs are found in the source", () => {
  const cell = "let a = 1;\n%time f(a) + g(a)\n!ls\nlast";
  const { originalPosition, script, source } = readCommands(cell, none)!;
  for (const part of ["let a", "f(a)", "g(a)", "last"]) {
    const before = script.slice(0, script.indexOf(part)).split("\n");
    const { column, line } = originalPosition(before.length, before.at(-1)!.length + 1);
    expect(source.split("\n")[line - 1]!.slice(column - 1)).toMatch(new RegExp(`^${part.replaceAll(/[()]/g, "\\$&")}`));
  }
});

test("%who lists the names of earlier cells, and none after %reset", () => {
  expect(readCommands("%who", names)!.script).toContain(
    '.who([["ready", "const", () => ready], ["Shape", "type", undefined]])',
  );
  const reset = readCommands("%reset\n%who", names)!;
  expect(reset).toMatchObject({ resets: true });
  expect(reset.script).toContain(".who([])");
});

test.each([
  ["%instal lodash", "%instal is not a command; %help lists them"],
  ["%install", "%install needs the names of packages"],
  ["%time", "%time needs a statement to time"],
  ["%who x", "%who takes no arguments"],
  ["1;\n%%time", "%%time must come before everything else in its cell"],
  ["const a = 1;\n%reset", "%reset must come before everything else in its cell"],
  ["%%capture 5x", "%%capture takes the name of a variable, or nothing"],
])("%s is refused: %s", (cell, message) => {
  expect(() => readCommands(cell, none)).toThrow(message);
});

test("cell commands may stand together, behind comments", () => {
  expect(readCommands("// note\n%%time\n%%capture out\nf()", none)).toMatchObject({
    isTimed: true,
    capture: { name: "out" },
  });
});

test("names of commands are completed, what follows them is not; what %time times is TypeScript", () => {
  const texts = (cell: string): string[] | undefined =>
    completeCommand(cell, cell.length, names)?.items.map(({ text }) => text);
  expect(texts("%")).toEqual(Object.keys(commandHelp).filter((name) => name.startsWith("%")));
  expect(texts("1;\n%in")).toEqual(["%install"]);
  expect(texts("%%")).toEqual(["%%time", "%%capture"]);
  expect(texts("%install lod")).toEqual([]);
  expect(texts("!l")).toEqual([]);
  expect(texts("%time Mat")).toBeUndefined();
  expect(texts("!ready")).toBeUndefined();
  expect(texts("5 % 2")).toBeUndefined();
  expect(completeCommand("1;\n%in", 6, names)).toMatchObject({ start: 3, end: 6 });
});

test("inspection explains a command", () => {
  expect(inspectCommand("%time f()", 3, names)).toBe(commandHelp["%time"]);
  expect(inspectCommand("%time f()", 7, names)).toBeUndefined();
  expect(inspectCommand("ready", 3, names)).toBeUndefined();
});

test("outside of notebooks commands are comments", () => {
  expect(commentCommands("%%capture out\n%time f()\n!ls\n%who\n!ready", names)).toBe(
    "let out: any; // %%capture out\n/* %time */ f()\n// !ls\n// %who\n!ready",
  );
});
