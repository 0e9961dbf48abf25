/** What a linter does not keep: sizes, names, one place for the environment, and a public surface that is exact and explained. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseSync } from "oxc-parser";
import { describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));
const product = [...sources("kernel"), ...sources("runtime")];
const all = [...product, ...sources("test")];

const longestFile = 400;
const longestFunction = 70;

describe("sizes and names", () => {
  test(`no file is longer than ${longestFile} lines`, () => {
    expect(
      all.filter((file) => lineCount(read(file)) > longestFile).map((file) => `${file}: ${lineCount(read(file))}`),
    ).toEqual([]);
  });

  test(`no function of the product is longer than ${longestFunction} lines`, () => {
    expect(product.flatMap((file) => longFunctions(file))).toEqual([]);
  });

  test("no file is named for what it could hold instead of what it holds", () => {
    expect(all.filter((file) => /(\/types|[/-](utils?|commons?|helpers?|misc))(\.test)?\.[cm]?ts$/.test(file))).toEqual(
      [],
    );
  });

  test("no test is picked out", () => {
    const tests = all.filter((file) => file.endsWith(".test.ts"));
    expect(tests.filter((file) => /\b(test|it|describe)(\.\w+)*\.only\b/.test(read(file)))).toEqual([]);
  });

  test("the environment is read in one place on each side", () => {
    for (const side of ["kernel", "runtime"]) {
      const readers = sources(side).filter((file) => /process\.env\b/.test(read(file)));
      expect(readers.length, readers.join(", ")).toBeLessThanOrEqual(1);
    }
  });

  test("the lock file and the notebooks name no place but the project", () => {
    expect(read("package-lock.json")).not.toContain('"resolved"');
    for (const name of readdirSync(join(root, "notebooks"), { recursive: true, encoding: "utf8" })) {
      if (!/\.\w+$/.test(name)) continue;
      const text = read(`notebooks/${name}`);
      expect(text.includes(root) || /"\/(home|root|work|Users)\//.test(text), name).toBe(false);
    }
  });
});

describe("the public surface", () => {
  const readmes = ["README.md", "runtime/README.md", "kernel/README.md"]
    .filter((file) => existsSync(join(root, file)))
    .map(read)
    .join("\n");

  test("heddle exports exactly this", async () => {
    expect(Object.keys(await import("heddle")).toSorted()).toEqual(heddleExports);
  });

  test("heddle/notebook exports exactly this", async () => {
    expect(Object.keys(await import("heddle/notebook")).toSorted()).toEqual(notebookExports);
  });

  test.each(["runtime/index.ts", "kernel/index.ts"])(
    "every export of %s is documented where it is declared",
    (entry) => {
      const undocumented = exportsOf(entry).filter(({ file, name }) => !isDocumented(file, name));
      expect(undocumented.map(({ file, name }) => `${file}: ${name}`)).toEqual([]);
    },
  );

  test.each(["README.md", "notebooks/README.md", "notebooks/data/README.md", "runtime/README.md", "kernel/README.md"])(
    "the links of %s lead somewhere",
    (file) => {
      const links = [...read(file).matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map((found) => String(found[1]));
      expect(links.filter((link) => !existsSync(join(root, file, "..", link)))).toEqual([]);
    },
  );

  test("each dependency is in the README's table of what gets installed", () => {
    const table = read("README.md").split("## What gets installed")[1]!.split("\n## ")[0]!;
    const { dependencies } = JSON.parse(read("package.json")) as { dependencies: Record<string, string> };
    const unnamed = Object.keys(dependencies).filter(
      (name) => !table.includes(name.replace(/^plotly\.js-.*/, "plotly.js")),
    );
    expect(unnamed).toEqual([]);
  });

  test("the options that the READMEs show are those of the program", async () => {
    const shown = ["README.md", "notebooks/README.md"].flatMap((file) => [
      ...read(file).matchAll(/heddle (run|convert|install)\b([^\n`]*)/g),
    ]);
    const wrong: string[] = [];
    for (const [line, name, rest] of shown) {
      const help = read(`kernel/cli/${name}.ts`);
      for (const [option] of rest!.matchAll(/(?<= )--[a-z-]+/g)) if (!help.includes(option)) wrong.push(line!);
    }
    expect(shown.length).toBeGreaterThan(5);
    expect(wrong).toEqual([]);
  });

  test("every value a user can import is in a README", () => {
    const names = [...heddleExports, ...notebookExports];
    expect(names.filter((name) => !new RegExp(`\\b${name}\\b`).test(readmes))).toEqual([]);
  });
});

const heddleExports: string[] = [
  "DeadlockError",
  "GetTimeoutError",
  "HeddleError",
  "InfeasibleTaskError",
  "NotInitializedError",
  "ObjectFreedError",
  "ObjectLostError",
  "ObjectMutatedError",
  "ObjectStoreFullError",
  "OtherSessionError",
  "OutOfMemoryError",
  "RuntimeExistsError",
  "SerializationError",
  "TaskCancelledError",
  "TaskError",
  "TaskTimeoutError",
  "WorkerCrashedError",
  "asCompleted",
  "availableResources",
  "cancel",
  "clusterResources",
  "createSharedArray",
  "free",
  "get",
  "getRuntimeContext",
  "init",
  "isInitialized",
  "listObjects",
  "listTasks",
  "listWorkers",
  "profile",
  "progress",
  "put",
  "remote",
  "settled",
  "shutdown",
  "timeline",
  "wait",
];
const notebookExports: string[] = [
  "Display",
  "clearOutput",
  "configure",
  "display",
  "html",
  "image",
  "input",
  "json",
  "markdown",
  "openComm",
  "plot",
  "registerCommTarget",
  "svg",
];

function sources(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.[cm]?ts$/.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)));
}

function read(file: string): string {
  return readFileSync(join(root, file), "utf8");
}

function lineCount(text: string): number {
  return text.trimEnd().split("\n").length;
}

interface Node {
  type: string;
  start: number;
  end: number;
  [field: string]: unknown;
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && typeof (value as Node).type === "string";
}

function nodesOf(node: Node): Node[] {
  const children = Object.values(node).flat().filter(isNode);
  return [node, ...children.flatMap(nodesOf)];
}

function parse(file: string): {
  program: Node;
  comments: { type: string; start: number; end: number; value: string }[];
  text: string;
} {
  const text = read(file);
  const { program, comments } = parseSync(file, text);
  return { program: program as unknown as Node, comments, text };
}

function longFunctions(file: string): string[] {
  const { program, text } = parse(file);
  const lineOf = (offset: number) => lineCount(text.slice(0, offset));
  return nodesOf(program)
    .filter((node) => /^(FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/.test(node.type))
    .map((node) => ({ line: lineOf(node.start), lines: lineCount(text.slice(node.start, node.end)) }))
    .filter(({ lines }) => lines > longestFunction)
    .map(({ line, lines }) => `${file}:${line}: ${lines} lines`);
}

interface Exported {
  file: string;
  name: string;
}

/** The names a module exports, with the file that declares each. */
function exportsOf(file: string): Exported[] {
  const { program } = parse(file);
  return (program.body as Node[]).flatMap((statement) => {
    const source = isNode(statement.source) ? join(file, "..", String(statement.source.value)) : undefined;
    if (statement.type === "ExportAllDeclaration" && source) return exportsOf(source);
    if (statement.type !== "ExportNamedDeclaration") return [];
    if (isNode(statement.declaration)) return declaredNames(statement.declaration).map((name) => ({ file, name }));
    return (statement.specifiers as Node[]).map((specifier) => {
      const name = String((specifier.local as Node).name);
      return source ? (exportsOf(source).find((one) => one.name === name) ?? { file: source, name }) : { file, name };
    });
  });
}

function declaredNames(declaration: Node): string[] {
  if (Array.isArray(declaration.declarations))
    return (declaration.declarations as Node[]).map((one) => String((one.id as Node).name));
  return [String((declaration.id as Node).name)];
}

/** A declaration is documented by a comment of the `/**` kind right before it; overloads by one before the first. */
function isDocumented(file: string, name: string): boolean {
  const { program, comments, text } = parse(file);
  return (program.body as Node[]).some((statement) => {
    const declaration = isNode(statement.declaration) ? statement.declaration : statement;
    if (!/Declaration$/.test(declaration.type) || /^(Import|Export)/.test(declaration.type)) return false;
    if (!declaredNames(declaration).includes(name)) return false;
    const comment = comments.findLast((one) => one.end <= statement.start);
    return (
      comment?.type === "Block" &&
      comment.value.startsWith("*") &&
      text.slice(comment.end, statement.start).trim() === ""
    );
  });
}
