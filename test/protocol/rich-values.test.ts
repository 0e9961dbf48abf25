/** How values look in a notebook: each kind with all forms a front end gets, over real sockets. */
import { createRequire } from "node:module";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Content, KernelProcess, type Received, WireClient } from "../support/wire-client.ts";

let kernel: KernelProcess;
let client: WireClient;

beforeAll(async () => {
  kernel = await KernelProcess.start();
  client = await WireClient.connect(kernel);
  const { reply } = await client.run(
    "import { display, html, image, json, markdown, plot, svg } from 'heddle/notebook';\nimport { get, put, remote } from 'heddle';",
  );
  expect(reply.status).toBe("ok");
});
afterAll(async () => {
  client?.[Symbol.dispose]();
  await kernel?.[Symbol.asyncDispose]();
});

async function shown(code: string): Promise<Content> {
  const { outputs, reply } = await client.run(code);
  expect(reply).toMatchObject({ status: "ok" });
  return outputs.find(({ header }) => header.msg_type === "execute_result")!.content.data as Content;
}

const onePixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

describe("a cell's value is shown: text alone for", () => {
  test.each([
    ["a number", "6 * 7", "42"],
    ["a string", "'it'", "'it'"],
    ["a string of several lines", "'a\\nb'", "'a\\nb'"],
    ["null", "null", "null"],
    ["a bigint", "2n ** 64n", "18446744073709551616n"],
    ["a symbol", "Symbol('s')", "Symbol(s)"],
    ["a function", "(function named() {})", "[Function: named]"],
    ["a class", "(class Circle {})", "[class Circle]"],
    ["an instance", "class Point { x = 1; y = 2 }\nnew Point()", "Point { x: 1, y: 2 }"],
    ["a date", "new Date(0)", "1970-01-01T00:00:00.000Z"],
    ["a regular expression", "/a+/g", "/a+/g"],
    [
      "an object that contains itself",
      "const loop: Record<string, unknown> = {}; loop.self = loop;\nloop",
      "<ref *1> { self: [Circular *1] }",
    ],
    ["a map", "new Map([['a', { n: 1 }]])", "Map(1) { 'a' => { n: 1 } }"],
    ["a set", "new Set([1, 2])", "Set(2) { 1, 2 }"],
    ["a typed array", "new Float32Array([1, 0.5])", "Float32Array(2) [ 1, 0.5 ]"],
    ["bytes", "Buffer.from('hi')", "<Buffer 68 69>"],
    ["an ArrayBuffer", "new ArrayBuffer(2)", expect.stringMatching(/^ArrayBuffer \{.* <00 00>.* 2 \}$/)],
    ["an array of numbers", "[1, 2, 3]", "[ 1, 2, 3 ]"],
    ["a proxy", "new Proxy({ a: 1 }, {})", "{ a: 1 }"],
    ["a promise, awaited", "Promise.resolve('here')", "'here'"],
    ["an iterator", "[1][Symbol.iterator]()", "Object [Array Iterator] {}"],
  ])("%s", async (_, code, text) => {
    expect(await shown(code)).toEqual({ "text/plain": text });
  });

  test("an error that is a value: its message and its place, no frame of the kernel", async () => {
    const { "text/plain": text } = await shown("new TypeError('as a value', { cause: new Error('below') })");
    expect(text).toMatch(/^TypeError: as a value\n/);
    expect(text).toContain("[cause]: Error: below");
    expect(text).not.toMatch(/node:internal|heddle|dist\/kernel/);
  });

  test("an ObjectRef: its task, its state, a reminder of get", async () => {
    const { "text/plain": text } = await shown(
      "const ref = remote(function twice(n: number) { return 2 * n }).remote(21);\nawait get(ref);\nref",
    );
    expect(text).toMatch(/^ObjectRef\(o\w+: task t\w+, ready; await get\(ref\) gives the value\)$/);
  });

  test("an ObjectRef of a put object", async () => {
    expect((await shown("put([1, 2])"))["text/plain"]).toMatch(/^ObjectRef\(o\w+: put, ready; await get/);
  });

  test("what is large: abbreviated, and it says so", async () => {
    expect(String((await shown("Array.from({ length: 100_000 }, (_, n) => n)"))["text/plain"]).length).toBeLessThan(
      3_000,
    );
    expect((await shown("new Float64Array(1e7)"))["text/plain"]).toContain("9999900 more items");
    expect((await shown("'x'.repeat(1e7)"))["text/plain"]).toContain("more characters");
    expect(
      String((await shown("Object.fromEntries(Array.from({ length: 1e5 }, (_, n) => ['k' + n, n]))"))["text/plain"])
        .length,
    ).toBeLessThan(110_000);
  });
});

describe("a cell's value is shown richly:", () => {
  test("a table: columns of all rows, text escaped, numbers to the right", async () => {
    const data = await shown("[{ name: '<b>', n: 1 }, { name: 'c', extra: [1, 2] }]");
    expect(data["text/html"]).toBe(
      "<table>\n<thead><tr><th></th><th>name</th><th>n</th><th>extra</th></tr></thead>\n<tbody>\n" +
        '<tr><th>0</th><td>&lt;b&gt;</td><td style="text-align: right">1</td><td></td></tr>\n' +
        "<tr><th>1</th><td>c</td><td></td><td>[ 1, 2 ]</td></tr>\n</tbody>\n</table>",
    );
    expect(data["text/plain"]).toContain("name: '<b>'");
  });

  test("a long table: both ends and the count", async () => {
    const data = await shown("Array.from({ length: 10_000 }, (_, id) => ({ id }))");
    expect(String(data["text/html"]).match(/<tr>/g)).toHaveLength(62);
    expect(data["text/html"]).toContain("<p>10,000 rows × 1 columns</p>");
  });

  test.each([
    [
      "a Plotly figure",
      "({ data: [{ y: [1, 2] }], layout: { title: 't' } })",
      "application/vnd.plotly.v1+json",
      { data: [{ y: [1, 2] }], layout: { title: "t" } },
    ],
    [
      "a Plotly figure with typed arrays",
      "({ data: [{ y: new Float64Array([1, 2]) }], layout: {} })",
      "application/vnd.plotly.v1+json",
      { data: [{ y: [1, 2] }], layout: {} },
    ],
    [
      "plot()",
      "plot({ y: [1] }, { title: 't' })",
      "application/vnd.plotly.v1+json",
      { data: [{ y: [1] }], layout: { title: "t" } },
    ],
    [
      "a Vega-Lite chart",
      "({ $schema: 'https://vega.github.io/schema/vega-lite/v5.json', mark: 'bar' })",
      "application/vnd.vegalite.v5+json",
      { $schema: "https://vega.github.io/schema/vega-lite/v5.json", mark: "bar" },
    ],
    [
      "a Vega chart",
      "({ $schema: 'https://vega.github.io/schema/vega/v5.json', marks: [] })",
      "application/vnd.vega.v5+json",
      { $schema: "https://vega.github.io/schema/vega/v5.json", marks: [] },
    ],
    ["an object with toSVG()", "({ toSVG: () => '<svg/>' })", "image/svg+xml", "<svg/>"],
    ["an object with toHTML()", "({ toHTML: () => '<i>x</i>' })", "text/html", "<i>x</i>"],
    [
      "an element that is an SVG",
      "({ outerHTML: '<svg width=\"1\"></svg>' })",
      "image/svg+xml",
      '<svg width="1"></svg>',
    ],
    ["an element", "({ outerHTML: '<p>x</p>' })", "text/html", "<p>x</p>"],
    ["html()", "html('<b>x</b>')", "text/html", "<b>x</b>"],
    ["svg()", "svg('<svg/>')", "image/svg+xml", "<svg/>"],
    ["markdown()", "markdown('*x*')", "text/markdown", "*x*"],
    ["json()", "json({ a: [1] })", "application/json", { a: [1] }],
    ["image()", `image(Buffer.from('${onePixel}', 'base64'))`, "image/png", onePixel],
    ["the bytes of a PNG", `Buffer.from('${onePixel}', 'base64')`, "image/png", onePixel],
    [
      "the bytes of a GIF",
      "Buffer.from('GIF89a-and-so-on')",
      "image/gif",
      Buffer.from("GIF89a-and-so-on").toString("base64"),
    ],
    [
      "the bytes of a JPEG",
      "Uint8Array.from([0xff, 0xd8, 0xff, 0xe0, 1, 2, 3, 4, 5, 6, 7, 8])",
      "image/jpeg",
      Buffer.from([0xff, 0xd8, 0xff, 0xe0, 1, 2, 3, 4, 5, 6, 7, 8]).toString("base64"),
    ],
  ])("%s", async (_, code, mime, content) => {
    const data = await shown(code);
    expect(data[mime]).toEqual(content);
    expect(typeof data["text/plain"]).toBe("string");
  });
});

describe("Symbol.for('Jupyter.display'), the convention of Deno's kernel:", () => {
  const own = (body: string): string => `({ [Symbol.for("Jupyter.display")]() { ${body} } })`;

  test("as a cell's value, by display(), and as a promise", async () => {
    expect(await shown(own('return { "text/markdown": "*x*", "text/plain": "x" }'))).toEqual({
      "text/markdown": "*x*",
      "text/plain": "x",
    });
    expect(await shown(own('return Promise.resolve({ "text/html": "<b>later</b>" })'))).toEqual({
      "text/html": "<b>later</b>",
    });
    const { outputs } = await client.run(`await display(${own('return { "application/json": { a: 1 } }')});`);
    expect(outputs.find(({ header }) => header.msg_type === "display_data")!.content.data).toEqual({
      "application/json": { a: 1 },
    });
  });

  test("it comes before every other form, and a method on the class counts", async () => {
    expect(
      await shown(
        'class Table { rows = [1]; toHTML() { return "no" } [Symbol.for("Jupyter.display")]() { return { "text/plain": this.rows.length + " rows" } } }\nnew Table()',
      ),
    ).toEqual({ "text/plain": "1 rows" });
  });

  test("what is no bundle is an error that says so; what throws is the cell's error", async () => {
    expect((await client.run(own("return 5"))).reply.evalue).toBe(
      '[Symbol.for("Jupyter.display")]() must return an object of MIME types, got 5',
    );
    expect((await client.run(own('throw new RangeError("in display")'))).reply).toMatchObject({
      ename: "RangeError",
      evalue: "in display",
    });
  });
});

describe("tslab's display functions", () => {
  const calls = [
    "display.javascript('alert(1)')",
    "display.html('<b>x</b>')",
    "display.markdown('*x*')",
    "display.latex('x^2')",
    "display.svg('<svg/>')",
    "display.png(new Uint8Array([1, 2]))",
    "display.jpeg(Buffer.from([3]))",
    "display.gif(new Uint8Array([4]))",
    "display.pdf(new Uint8Array([5]))",
    "display.text('plain')",
    "display.raw('application/x-own', 'raw')",
    "const own = newDisplay(); own.text('first'); own.html('second'); own.png(new Uint8Array([6]))",
  ];

  /** What tslab itself publishes for a call. */
  function published(call: string): [type: string, data: object][] {
    const require = createRequire(join(import.meta.dirname, "../../package.json"));
    const jupyter = require("tslab/dist/jupyter.js") as { lastWriteDisplayData: unknown };
    const said: [string, object][] = [];
    jupyter.lastWriteDisplayData = ({ data }: { data: object }, update?: boolean) =>
      said.push([update === true ? "update_display_data" : "display_data", data]);
    const tslab = require("tslab") as Record<string, unknown>;
    new Function("display", "newDisplay", call)(tslab.display, tslab.newDisplay);
    return said;
  }

  test.each(calls)("%s: as tslab itself shows it", async (call) => {
    const { outputs, reply } = await client.run(
      `{ const { display, newDisplay } = tslab; ${call} }`.replace(/^/, 'import * as tslab from "tslab";\n'),
    );
    expect(reply).toMatchObject({ status: "ok" });
    const shown = outputs.filter(({ header }) => header.msg_type.endsWith("display_data"));
    expect(shown.map(({ content, header }) => [header.msg_type, content.data])).toEqual(published(call));
    const ids = new Set(shown.map(({ content }: Received) => (content.transient as Content).display_id));
    expect(ids.size).toBe(1);
  });

  test("nothing of its interface is missing, and it is typed", async () => {
    const require = createRequire(join(import.meta.dirname, "../../package.json"));
    const names = Object.keys(require("tslab") as object).filter((name) => name !== "__esModule");
    expect(await shown("import * as lab from 'tslab';\nJSON.stringify(Object.keys(lab).sort())")).toEqual({
      "text/plain": `'${JSON.stringify(names.toSorted())}'`,
    });
    expect((await client.run("lab.display.html(5);")).reply.ename).toBe("TypeScriptError");
    expect((await client.run("lab.versions.node === process.version")).reply.status).toBe("ok");
  });
});
