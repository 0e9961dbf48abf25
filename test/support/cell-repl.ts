/** Runs compiled cells in V8's REPL mode inside the test's own process, with the least host object they need. */

import type { Runtime } from "node:inspector";
import { Session } from "node:inspector/promises";
import { createRequire } from "node:module";
import { expect, test } from "vitest";
import { compileCell } from "../../kernel/language/compiler.ts";
import type { CompiledCell } from "../../kernel/language/engine.ts";
import { NotebookNames } from "../../kernel/language/visible-names.ts";

export interface CellOutcome {
  value?: unknown;
  /** The description of what was thrown: message and stack. */
  error?: string;
  cell: CompiledCell;
}

/** The host object's calls, in order: `await`, `iterate`, `import:<specifier>`. */
export const hostCalls: string[] = [];

const host = {
  turn: () => new Promise<void>((resolve) => setImmediate(resolve)),
  await(value: unknown) {
    hostCalls.push("await");
    return value;
  },
  iterate(value: unknown) {
    hostCalls.push("iterate");
    return value;
  },
  import(specifier: string, options?: object) {
    hostCalls.push(`import:${specifier}${options === undefined ? "" : JSON.stringify(options)}`);
    return import(specifier);
  },
  require: createRequire(import.meta.url),
  meta: { url: "file:///notebook/cell.ts", dirname: "/notebook", filename: "/notebook/cell.ts" },
  dirname: "/notebook",
  filename: "/notebook/cell.ts",
};
Object.defineProperty(globalThis, "__heddle__", { value: host, enumerable: false, configurable: true });

/** The value of a cell, put where a test can read it: V8 hands out copies of plain data only. */
const taken: { value?: unknown } = {};
Object.defineProperty(globalThis, "__take__", { value: (value: unknown) => (taken.value = value), configurable: true });

const session = new Session();
session.connect();
const names = new NotebookNames();
let count = 0;

async function evaluate(
  parameters: Runtime.EvaluateParameterType & { replMode: true },
): Promise<Runtime.EvaluateReturnType> {
  return (await session.post("Runtime.evaluate", parameters)) as unknown as Runtime.EvaluateReturnType;
}

/** Compiles and runs one cell. */
export async function runCell(source: string): Promise<CellOutcome> {
  count += 1;
  const cell = compileCell(source, { cell: String(count), notebook: names });
  const answer = await evaluate({ expression: cell.code, replMode: true, awaitPromise: true });
  names.add(cell, answer.exceptionDetails === undefined);
  if (answer.exceptionDetails !== undefined) {
    const { exception, text } = answer.exceptionDetails;
    return { error: exception?.description ?? String(exception?.value ?? text), cell };
  }
  if (answer.result.objectId === undefined)
    return { value: answer.result.unserializableValue ?? answer.result.value, cell };
  await session.post("Runtime.callFunctionOn", {
    functionDeclaration: "function () { __take__(this); }",
    objectId: answer.result.objectId,
  });
  return { value: taken.value, cell };
}

/** Runs cells one after the other and gives the last one's value; a cell before that throws fails the test. */
export async function runCells(...sources: string[]): Promise<unknown> {
  let value: unknown;
  for (const source of sources) {
    const outcome = await runCell(source);
    if (outcome.error !== undefined)
      throw new Error(`${outcome.error}\nin the cell\n${source}\ncompiled to\n${outcome.cell.code}`);
    value = outcome.value;
  }
  return value;
}

export type Case = [name: string, cells: string[], value: unknown];

/** One test for each case: its cells are run one after the other, and the last one has that value. */
export function casesOf(cases: Case[]): void {
  for (const [name, cells, value] of cases) {
    test(name, async () => {
      expect(await runCells(...cells)).toEqual(value);
    });
  }
}

export function closeRepl(): void {
  session.disconnect();
}
