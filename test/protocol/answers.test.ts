/** What a client of many years asks and looks at: places in printed errors, completions in odd spots, unknown names. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { KernelClient } from "../support/kernel-client.ts";

type Content = Record<string, unknown>;

let client: KernelClient;

beforeAll(async () => {
  client = new KernelClient();
  await client.run("const data = { alpha: 1, 'b-c': 2 }; const person = { name: 'x' };");
});
afterAll(() => client[Symbol.asyncDispose]());

async function printed(code: string): Promise<string> {
  const { outputs } = await client.run(code);
  return outputs
    .flatMap(([type, { data, text }]) =>
      type === "stream" ? [String(text)] : data === undefined ? [] : [String((data as Content)["text/plain"])],
    )
    .join("");
}

describe("an error that a cell prints or shows itself has the places of its source:", () => {
  test.each([
    ["as the cell's value", "new Error('x')", /^Error: x\n {4}at Cell In\[\d+\], line 1, column 1$/],
    ["behind a type", "const n: number = 1;\nnew Error('x')", /line 2, column 1$/],
    [
      "caught and printed",
      "try {\n  throw new Error('x');\n} catch (e) { console.error(e); }",
      /Cell In\[\d+\], line 2, column 9\n/,
    ],
    ["its stack", "console.log(new Error('x').stack)", /Cell In\[\d+\], line 1, column 13\n/],
    ["a trace", "function deep() {\n  console.trace('x');\n}\ndeep()", /at deep \(Cell In\[\d+\], line 2, column 11\)/],
    [
      "in a loop",
      "let sum = 0;\nfor (; sum < 1; sum++) console.log(new Error('x').stack)",
      /^Error: x\n {4}at Cell In\[\d+\], line 2, column 36\n$/,
    ],
    ["displayed", "import { display } from 'heddle/notebook';\nawait display(new Error('x'));", /line 2, column 15/],
  ])("%s", async (_how, code, place) => {
    const text = await printed(code);
    expect(text).toMatch(place);
    expect(text).not.toMatch(/cell-\d|__heddle/);
  });
});

describe("values whose parts throw are shown all the same:", () => {
  test.each([
    ["a getter", "({ get a() { throw new Error('no'); } })", "{ a: [Getter] }"],
    ["a row of a table", "[{ get a() { throw new Error('no'); } }]", "[ { a: [Getter] } ]"],
    ["a proxy in an array", "[new Proxy({}, { ownKeys() { throw new Error('no'); } })]", "[ {} ]"],
    [
      "what looks like a figure",
      "({ get data() { throw new Error('no'); }, layout: {} })",
      "{ data: [Getter], layout: {} }",
    ],
  ])("%s", async (_what, code, text) => {
    expect(await printed(code)).toBe(text);
  });
});

describe("completion", () => {
  const complete = async (code: string): Promise<string[]> =>
    (await client.ask("complete_request", { code, cursor_pos: code.length })).matches as string[];

  test.each([
    ["after a dot has no names that cannot stand there", "data.", ["alpha"]],
    ["in an index has them", "data['", ["alpha", "b-c"]],
    ["in a template's text is empty", "`per", []],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: code of a cell
    ["in a template's text after an expression is empty", "`${1} per", []],
    ["in a comment is empty", "// per", []],
    ["in a text is empty", "'per", []],
    ["after a template has names", "`a` + perso", ["person"]],
    ["in a template's expression has names", "`${perso", ["person"]],
  ])("%s", async (_where, code, matches) => {
    expect(await complete(code)).toEqual(matches);
  });
});

test("a name that nobody has declared is not found, one of type any is", async () => {
  const inspect = (code: string): Promise<Content> => client.ask("inspect_request", { code, cursor_pos: code.length });
  expect(await inspect("nobody")).toEqual({ status: "ok", found: false, data: {}, metadata: {} });
  await client.run("const anything: any = 1;");
  expect(await inspect("anything")).toMatchObject({ found: true });
});

test.each(["stdout", "stderr"])("what ends process.%s is written, and later cells write on", async (name) => {
  const { outputs } = await client.run(`process.${name}.end("last", () => {}); process.${name}.end();`);
  expect(outputs).toContainEqual(["stream", { name, text: "last" }]);
  expect(await printed(`process.${name}.write("more"); void 0`)).toBe("more");
});
