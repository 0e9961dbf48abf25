import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { compileCell } from "../../kernel/language/compiler.ts";
import { closeRepl, runCell } from "../support/cell-repl.ts";

afterAll(closeRepl);

/** Stands in a source right before each position that a frame should show, innermost frame first. */
const MARK = /\/\*(\d)\*\//g;

function markedPositions(source: string): string[] {
  const marks = [...source.matchAll(MARK)].map((match) => {
    const offset = match.index + match[0].length;
    const lineStart = source.lastIndexOf("\n", offset - 1) + 1;
    return {
      order: Number(match[1]),
      place: `${source.slice(0, offset).split("\n").length}:${offset - lineStart + 1}`,
    };
  });
  return marks.sort((a, b) => a.order - b.order).map(({ place }) => place);
}

async function framePositions(source: string): Promise<string[]> {
  const { error, cell } = await runCell(source);
  expect(error).toBeDefined();
  const frames = [...(error ?? "").matchAll(/cell-\d+\.ts:(\d+):(\d+)/g)];
  return frames.map(([, line, column]) => {
    const position = cell.originalPosition(Number(line), Number(column));
    return position === undefined ? "none" : `${position.line}:${position.column}`;
  });
}

describe("a frame names the line and column of the source", () => {
  const cases: [string, string][] = [
    ["after erased types", "interface A {\n  a: string;\n}\nconst a: number = 1, b: string = /*1*/undefinedName;"],
    [
      "behind annotations on its own line",
      "const f = (x: number, y: Map<string, number>): never => { throw /*1*/new Error('x') };\n/*2*/f(1, new Map<string, number>());",
    ],
    [
      "in a function that moved to the front",
      "const one = 1;\n/*2*/late();\n\nfunction late(a?: number): void {\n  const b = 2 as number; throw /*1*/new Error('x');\n}",
    ],
    [
      "inside a rewritten await",
      "const id = async (x: any) => x; function boom(x: any) { throw /*1*/new Error('x') }\nawait /*2*/boom(await id(1));",
    ],
    [
      "at a rejected await",
      "const fail = async (x: any) => { throw /*1*/new Error('x') };\nawait /*2*/fail(1 as any);",
    ],
    [
      "at a rejected last expression",
      "const fail2 = async (x: any) => { await null; throw /*1*/new Error('x') };\n/*2*/fail2(1 as any)",
    ],
    ["at a rejected last expression on the first line", "Promise.reject(/*1*/new Error('x'))"],
    [
      "behind a rewritten await on its line",
      "const id = async (x: any) => x;\nconst r = await id(1) + (await id(2) as number) + /*1*/nope;",
    ],
    ["in the last expression", "const o = {} as any;\n  o.a./*1*/b"],
    ["in an object literal cell", "{a: 1, b: /*1*/nope}"],
    ["in an object literal cell's later line", "{a: 1,\n b: /*1*/nope}"],
    [
      "in a class with parameter properties",
      "class P {\n  constructor(private readonly a: number, public b = 2) {\n    /*1*/nope(); }\n}\n/*2*/new P(1);",
    ],
    ["in a namespace", "namespace N {\n  export const a = 1; export const b = /*1*/nope;\n}"],
    ["in an enum", "enum E {\n  A, B = /*1*/nope, C = 1 }"],
    [
      "behind using",
      "function u() {\n  using a = { [Symbol.dispose]() {} }; const c: number = /*1*/nope; }\n/*2*/u();",
    ],
    ["after astral characters", "const s = '😀😀'; /*1*/nope('😀');"],
    ["behind a cast that spans lines", "const a = 1 as unknown as {\n  x: number;\n}; /*1*/nope;"],
    [
      "in a method of a generic class",
      "class G<T extends object> { m<U>(this: G<T>, x: U): U { /*1*/return nope as U } }\nnew G<object>()./*2*/m<number>(1);",
    ],
    ["behind an import", "import { sep } from 'node:path'\nsep; /*1*/nope"],
    ["with CRLF line ends", "const a: number = 1;\r\n  /*1*/nope;"],
  ];
  for (const [name, source] of cases) {
    test(name, async () => {
      const frames = await framePositions(source);
      const expected = markedPositions(source);
      expect(frames.slice(0, expected.length)).toEqual(expected);
    });
  }
});

test("generated code at the front has no position", () => {
  expect(compileCell("1", { cell: "1" }).originalPosition(1, 1)).toBeUndefined();
  expect(compileCell("1", { cell: "1" }).originalPosition(99, 1)).toBeUndefined();
});

test("in a cell without functions, positions never run backwards", () => {
  const statements = fc.constantFrom(
    "const a: number = 1;",
    "let b = await c as any;",
    "interface I { x: string;\n y: number }",
    "f<number>(x!, y as string)",
    "class K<T> extends B<T> implements I { private x?: number; constructor(public z: T) { super() } }",
    "enum E { A = 1, B }",
    "for await (const x of y) z(x);",
    "{ using r = s(); t(r) }",
    "type T = { [k: string]: never }",
    "const g = async <T,>(x: T): Promise<T> => await h(x)",
    "// a comment\n",
    "(1 as number)",
  );
  fc.assert(
    fc.property(fc.array(statements, { minLength: 1, maxLength: 8 }), (parts) => {
      // Every part declares names: each stands in a block of its own.
      const source = parts.map((part) => `{ ${part}\n }`).join("\n");
      const cell = compileCell(source, { cell: "1" });
      let last = { line: 0, column: 0 };
      cell.code.split("\n").forEach((text, index) => {
        for (let column = 1; column <= text.length; column += 1) {
          const position = cell.originalPosition(index + 1, column);
          if (position === undefined) continue;
          expect(position.line > last.line || (position.line === last.line && position.column >= last.column)).toBe(
            true,
          );
          last = position;
        }
      });
      expect(last.line).toBeGreaterThan(0);
    }),
    { numRuns: 60 },
  );
});

test("every character of the user's that is kept maps to itself", () => {
  const source = "const abc: number = await defg(hij as string);\nklm(nop!).qrs<number>(1);\n";
  const cell = compileCell(source, { cell: "1" });
  for (const word of ["abc", "defg", "hij", "klm", "nop", "qrs"]) {
    const at = (text: string) => {
      const offset = text.search(new RegExp(`\\b${word}\\b`));
      const before = text.slice(0, offset).split("\n");
      return { line: before.length, column: (before.at(-1) ?? "").length + 1 };
    };
    const compiled = at(cell.code);
    expect(cell.originalPosition(compiled.line, compiled.column), word).toEqual(at(source));
  }
});
