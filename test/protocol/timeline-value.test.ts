/** What a kernel's client gets when a cell's value or `display` is a timeline, and of a loop under `progress`. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Content, KernelProcess, type Received, WireClient } from "../support/wire-client.ts";

let kernel: KernelProcess;
let client: WireClient;

beforeAll(async () => {
  kernel = await KernelProcess.start();
  client = await WireClient.connect(kernel);
  const { reply } = await client.run(`
    import { get, init, progress, remote, timeline } from "heddle";
    import { configure, display } from "heddle/notebook";
    await init({ numCpus: 2 });
    const nap = remote(async function nap(ms: number) { await new Promise((done) => setTimeout(done, ms)); return ms; });
    const fails = remote(function fails(n: number): number { throw new RangeError("no " + n); });
    await get([nap.remote(60), nap.remote(61), nap.remote(62)]);`);
  expect(reply.status).toBe("ok");
});
afterAll(async () => {
  client?.[Symbol.dispose]();
  await kernel?.[Symbol.asyncDispose]();
});

const dataOf = (message: Received | undefined): Content => message?.content.data as Content;
const ofType = (outputs: readonly Received[], type: string): Received[] =>
  outputs.filter(({ header }) => header.msg_type === type);
const chartTypes = ["text/html", "image/png", "text/plain"];

test("timeline() as a cell's value is the session's chart, with a table of its functions as text", async () => {
  const { outputs } = await client.run("timeline()");
  const data = dataOf(ofType(outputs, "execute_result")[0]);
  expect(Object.keys(data).toSorted()).toEqual(chartTypes.toSorted());
  expect(data["text/html"]).toMatch(/^<div class="heddle-timeline">.*alt="Timeline: 3 tasks on 2 workers/s);
  expect(data["text/plain"]).toMatch(/^3 tasks · get\n/);
  expect(data["text/plain"]).toMatch(/^function +runs +median +p95 +max +total\nnap +3 /m);
});

test("a filter gives a part of it; a cell without tasks is empty", async () => {
  const whole = await client.run("timeline({ cell: 1, name: 'nap' })");
  expect(dataOf(ofType(whole.outputs, "execute_result")[0])["text/plain"]).toMatch(/^\[1\] 3 tasks/);
  const none = await client.run("timeline({ cell: 'none' }).stats");
  expect(dataOf(ofType(none.outputs, "execute_result")[0])["text/plain"]).toContain("tasks: 0");
  const wrong = await client.run("timeline({ cell: 1.5 })");
  expect(wrong.reply).toMatchObject({ status: "error", ename: "RangeError" });
  expect(String(wrong.reply.evalue)).toContain(`option "cell" must be a cell's number or label, not 1.5`);
});

test("display(timeline()) stands in order with what is printed, and is whole before the cell is over", async () => {
  const { outputs } = await client.run("console.log('before'); await display(timeline()); console.log('after')");
  const shown = outputs.filter(({ header }) => header.msg_type !== "status" && header.msg_type !== "execute_input");
  const [update] = ofType(shown, "update_display_data");
  const first = ofType(shown, "display_data");
  expect(shown.filter((one) => one !== update).map(({ content, header }) => content.text ?? header.msg_type)).toEqual([
    "before\n",
    "display_data",
    "after\n",
  ]);
  expect(Object.keys(dataOf(first[0])).toSorted()).toEqual(["text/html", "text/plain"]);
  expect(Object.keys(dataOf(update)).toSorted()).toEqual(chartTypes.toSorted());
  expect((update!.content.transient as Content).display_id).toBe((first[0]!.content.transient as Content).display_id);
});

test("with plotlyMime it has the figure that VS Code draws itself", async () => {
  await client.run("configure({ plotlyMime: true })");
  const { outputs } = await client.run("timeline()");
  await client.run("configure({ plotlyMime: false })");
  const figure = dataOf(ofType(outputs, "execute_result")[0])["application/vnd.plotly.v1+json"];
  expect(figure).toHaveProperty("data");
  expect(figure).toHaveProperty("layout.title.text", "<b>3 tasks · get</b>");
});

test("a loop under progress is one output that is replaced, and its failures are counted", async () => {
  const { outputs } = await client.run(`
    for await (const _ of progress([nap.remote(150), fails.remote(1), nap.remote(300)], { label: "naps" }));`);
  const bars = outputs.filter(({ content }) => String(dataOf({ content } as Received)?.["text/html"]).includes("naps"));
  expect(bars[0]!.header.msg_type).toBe("display_data");
  expect(new Set(bars.slice(1).map(({ header }) => header.msg_type))).toEqual(new Set(["update_display_data"]));
  expect(new Set(bars.map(({ content }) => (content.transient as Content).display_id)).size).toBe(1);
  expect(dataOf(bars.at(-1))["text/plain"]).toMatch(
    /^naps {2}█{24} 100 % {2}3\/3 {2}\d\.\d s {2}[\d.]+\/s {2}1 failed$/,
  );
});
