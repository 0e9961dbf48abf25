/** What a cell shows of its tasks: charts, also of tasks that it submits after its end, and failures nobody looked at. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Content, KernelProcess, type Received, WireClient } from "../support/wire-client.ts";

let kernel: KernelProcess;
let client: WireClient;

beforeAll(async () => {
  kernel = await KernelProcess.start();
  client = await WireClient.connect(kernel);
  const { reply } = await client.run(`
    import { get, init, remote, wait } from "heddle";
    await init({ numCpus: 2 });
    const nap = remote(async function nap(ms: number) { await new Promise((done) => setTimeout(done, ms)); return ms; });
    const fails = remote(function fails(n: number): number { throw new RangeError("no " + n); });
    import { existsSync } from "node:fs";
    const opened = async (gate: string) => { while (!existsSync(gate)) await new Promise((done) => setTimeout(done, 10)); };
    await get(nap.remote(1));`);
  expect(reply.status).toBe("ok");
});
afterAll(async () => {
  client?.[Symbol.dispose]();
  await kernel?.[Symbol.asyncDispose]();
});

const idOf = (outputs: Received[]): string => outputs[0]!.parent.msg_id!;
const chartsOf = (id: string): Received[] =>
  client.received.filter(({ header, parent }) => parent.msg_id === id && header.msg_type.endsWith("display_data"));
const textOf = ({ content }: Received): string => String((content.data as Content | undefined)?.["text/plain"]);
const displayIdOf = ({ content }: Received): unknown => (content.transient as Content).display_id;

/** The last frame of a chart, which alone has all forms, once it shows so many tasks. */
const finished = (id: string, tasks: number): Promise<Received> =>
  client.next(
    (message) =>
      chartsOf(id).includes(message) &&
      "image/png" in (message.content.data as Content) &&
      textOf(message).includes(`${tasks} tasks`),
  );

test("tasks that a timer submits after its cell: a chart under that cell, though others have run since", async () => {
  const { outputs } = await client.run("void opened('late').then(() => { nap.remote(150); nap.remote(150); });");
  const id = idOf(outputs);
  await client.run("'another'");
  await client.run("'and another'");
  expect(chartsOf(id)).toEqual([]);
  writeFileSync(join(kernel.folder, "late"), "");
  await finished(id, 2);
  const types = chartsOf(id).map(({ header }) => header.msg_type);
  expect(types[0]).toBe("display_data");
  expect(new Set(types.slice(1))).toEqual(new Set(types.length > 1 ? ["update_display_data"] : []));
});

test("a chart that was finished goes on in place when its cell submits more", async () => {
  const { outputs } = await client.run(
    "void opened('more').then(() => { nap.remote(60); }); await get([nap.remote(120), nap.remote(120)])",
  );
  const id = idOf(outputs);
  const first = await finished(id, 2);
  await client.run("'another'");
  writeFileSync(join(kernel.folder, "more"), "");
  const last = await finished(id, 3);
  expect(last.header.msg_type).toBe("update_display_data");
  expect(displayIdOf(last)).toBe(displayIdOf(first));
});

const failureText = (id: string): string =>
  client.received
    .flatMap(({ content, header, parent }) =>
      header.msg_type === "stream" && content.name === "stderr" && parent.msg_id === id ? [content.text] : [],
    )
    .join("");

test("a failure that nobody looked at is told at its cell's end, before idle, once", async () => {
  const { outputs } = await client.run("const lone = fails.remote(1); await get(nap.remote(100));");
  const id = idOf(outputs);
  expect(failureText(id)).toMatch(/Task fails\(1\) .*failed, and nobody has looked at its error: RangeError: no 1\n$/);
  await client.run("await get(lone).catch(() => {});");
  await client.run("lone.toString(); 1");
  expect(failureText(id).match(/nobody has looked/g)).toHaveLength(1);
});

test("one that happens after its cell is told when it happens, under that cell", async () => {
  const { outputs } = await client.run(
    "const failsLater = remote(async function failsLater() { await opened('fail'); throw new RangeError('later'); }); const later = failsLater.remote(); 0",
  );
  const id = idOf(outputs);
  expect(failureText(id)).toBe("");
  await client.run("'another'");
  expect(failureText(id)).toBe("");
  writeFileSync(join(kernel.folder, "fail"), "");
  const told = await client.next(({ content }) => String(content.text).includes("RangeError: later"));
  expect(told.parent.msg_id).toBe(id);
});

test("one that the cell looked at, by get, wait or by passing it on, is not told", async () => {
  const { outputs } = await client.run(`
    await get(fails.remote(2)).catch(() => {});
    await wait([fails.remote(3)]);
    await get(remote((n: number) => n).remote(fails.remote(4))).catch(() => {});
    0`);
  expect(failureText(idOf(outputs))).toBe("");
});

test("a task uses what its cell imported from TypeScript files beside the notebook, enums and further files included", async () => {
  writeFileSync(join(kernel.folder, "base.ts"), "export enum Base { Two = 2 }\n");
  writeFileSync(
    join(kernel.folder, "twice.ts"),
    'import { Base } from "./base";\nexport const twice = (x: number): number => Base.Two * x;\n',
  );
  const { outputs, reply } = await client.run(
    'import { twice } from "./twice.ts";\nawait get(remote(function task(x: number) { return twice(x); }).remote(21))',
  );
  expect(reply.status, JSON.stringify(reply)).toBe("ok");
  expect(outputs.map(textOf)).toContain("42");
  const inside = await client.run(
    'await get(remote(async function task(x: number) { return (await import("./twice.ts")).twice(x); }).remote(4))',
  );
  expect(inside.reply.status, JSON.stringify(inside.reply)).toBe("ok");
  expect(inside.outputs.map(textOf)).toContain("8");
});
