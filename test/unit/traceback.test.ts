import { expect, test } from "vitest";
import { showDiagnostics } from "../../kernel/traceback.ts";

function diagnosticsOf(count: number) {
  const line = "f(1);\n";
  const source = line.repeat(count);
  const diagnostics = Array.from({ length: count }, (_, i) => ({
    code: 2304,
    message: "Cannot find name 'f'.",
    start: i * line.length,
    end: i * line.length + 1,
  }));
  return showDiagnostics("TypeError", { cell: "3", source }, diagnostics);
}

test("each type error of a cell is shown at its line, and the message counts the others", () => {
  const { evalue, traceback } = diagnosticsOf(3);
  expect(evalue).toBe("Cannot find name 'f'. (and 2 more)");
  expect(traceback.filter((text) => text.includes("line 3, column 1"))).toHaveLength(1);
  expect(traceback.join("\n")).not.toContain("more errors");
});

test("of very many type errors the first fifty are shown and all are counted", () => {
  const { evalue, traceback } = diagnosticsOf(60_000);
  expect(evalue).toBe("Cannot find name 'f'. (and 59999 more)");
  expect(traceback.filter((text) => /line \d+, column 1/.test(text))).toHaveLength(50);
  expect(traceback.at(-1)).toBe("… and 59950 more errors in this cell");
});
