/** What the debugger shows of values, and what it computes; over real sockets. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DebugClient, texts } from "../support/debug-client.ts";
import { KernelProcess, WireClient } from "../support/wire-client.ts";

let kernel: KernelProcess;
let client: WireClient;
let debug: DebugClient;

beforeAll(async () => {
  kernel = await KernelProcess.start();
  client = await WireClient.connect(kernel);
  debug = new DebugClient(client);
});
afterAll(async () => {
  client?.[Symbol.dispose]();
  await kernel?.[Symbol.asyncDispose]();
});

const code = `class Account {
  #balance = 10;
  owner = "Ada";
  get rich(): boolean { return this.#balance > 100; }
  add(amount: number): number {
    const before = this.#balance;
    for (let step = 0; step < 1; step++) {
      this.#balance += amount;
    }
    return before;
  }
}
const account = new Account();
const many = Array.from({ length: 2500 }, (_, i) => i);
const table = new Map<string, object>([["a", { n: 1 }], ["b", { n: 2 }]]);
const texted = "a \\"quoted\\" text", big = 12n, nothing = null, floats = new Float64Array(3);
function outer(seed: number) {
  return (n: number) => {
    return n + seed;
  };
}
const added = outer(5)(2);
account.add(7);`;

describe("while a cell is paused", () => {
  let cell: string;
  let frameId: number;

  beforeAll(async () => {
    await debug.start();
    await debug.breakAt(code, 8, 19);
    cell = await debug.run(code);
    await debug.stopped();
  });
  afterAll(async () => {
    await debug.ask("continue");
    expect((await client.replyTo(cell)).content.status).toBe("ok");
    await debug.ask("disconnect");
  });

  test("a closure has its variables in a scope of their own", async () => {
    const { frameIds, frames } = { ...(await debug.ask("stackTrace").then(firstFrame)) };
    expect(frames).toEqual(["(anonymous):19"]);
    const scopes = await debug.scopes(frameIds[0]!);
    expect(Object.keys(scopes)).toEqual(["Locals", "Closure", "Globals"]);
    expect(scopes.Closure).toEqual({ seed: "5" });
    expect(scopes.Locals).toEqual({ n: "2" });
    await debug.ask("continue");
    frameId = (await debug.stopped()).frameIds[0]!;
  });

  test("locals are those of the function and of its blocks, and this", async () => {
    const { Globals, Locals } = await debug.scopes(frameId);
    expect(Locals).toMatchObject({ this: expect.stringMatching(/^Account \{/), amount: "7", before: "10", step: "0" });
    expect(Globals).toMatchObject({
      texted: '"a \\"quoted\\" text"',
      big: "12n",
      nothing: "null",
      floats: "Float64Array(3) [0, 0, 0]",
      table: 'Map(2) {"a" => {…}, "b" => {…}}',
      Account: "class Account",
    });
    expect(Object.keys(Globals!).filter((name) => name.startsWith("__"))).toEqual([]);
  });

  test("values show their parts: private fields, entries of a Map", async () => {
    const parts = await debug.variables(await referenceOf("account"));
    expect(parts).toMatchObject({ owner: '"Ada"', "#balance": "10" });
    const entries = await debug.ask("variables", { variablesReference: await referenceOf("table") });
    expect(texts(entries.variables)).toMatchObject({ '"a"': "{n: 1}", '"b"': "{n: 2}" });
    expect(await debug.variables(entries.variables[0].variablesReference)).toEqual({ n: "1" });
  });

  test("a long array is shown in part, and any part of it that is asked for", async () => {
    const many = await referenceOf("many");
    const shown = await debug.variables(many);
    expect([shown["0"], shown["999"], shown["1000"], shown["…"]]).toEqual(["0", "999", undefined, "1500 more"]);
    expect(await debug.variables(many, { start: 2498, count: 5 })).toEqual({ 2498: "2498", 2499: "2499" });
  });

  test("expressions see the frame and may change it", async () => {
    expect(await debug.ask("evaluate", { expression: "amount * (before as number)", frameId })).toMatchObject({
      result: "70",
    });
    await debug.ask("evaluate", { expression: "amount = 8", frameId });
    expect((await debug.scopes(frameId)).Locals).toMatchObject({ amount: "8" });
    expect(await debug.request("evaluate", { expression: "missing", frameId })).toMatchObject({
      success: false,
      message: "ReferenceError: missing is not defined",
    });
  });

  test("an expression that the mouse rests on changes nothing", async () => {
    const hover = { expression: "amount = 99", frameId, context: "hover" };
    expect(await debug.request("evaluate", hover)).toMatchObject({ success: false });
    expect((await debug.scopes(frameId)).Locals).toMatchObject({ amount: "8" });
  });

  test("an expression that never ends is given up", async () => {
    const endless = await debug.request("evaluate", { expression: "(() => { for (;;); })()", frameId });
    expect(endless.success).toBe(false);
    expect(await debug.ask("evaluate", { expression: "amount", frameId })).toMatchObject({ result: "8" });
  });

  test("a variable can be set", async () => {
    const { scopes } = await debug.ask("scopes", { frameId });
    const { variablesReference } = scopes[0];
    await debug.ask("setVariable", { variablesReference, name: "amount", value: "9" });
    expect((await debug.scopes(frameId)).Locals).toMatchObject({ amount: "9" });
  });

  test("a variable is shown richly, as the frame sees it", async () => {
    const shown = await debug.ask("richInspectVariables", { variableName: "before", frameId });
    expect(shown).toEqual({ data: { "text/plain": "10" }, metadata: {} });
  });

  test("a local variable can be kept as one of the notebook", async () => {
    await debug.ask("copyToGlobals", { srcVariableName: "amount", dstVariableName: "kept", srcFrameId: frameId });
    expect(await debug.ask("evaluate", { expression: "kept" })).toMatchObject({ result: "9" });
    const bad = { srcVariableName: "a;b", dstVariableName: "kept", srcFrameId: frameId };
    expect(await debug.request("copyToGlobals", bad)).toMatchObject({ success: false });
  });

  /** Behind what number the parts of a global variable are. */
  async function referenceOf(wanted: string): Promise<number> {
    const { scopes } = await debug.ask("scopes", { frameId });
    const { variables } = await debug.ask("variables", scopes.at(-1));
    return variables.find(({ name }: { name: string }) => name === wanted).variablesReference;
  }
});

const firstFrame = ({ stackFrames: [first] }: { stackFrames: { id: number; name: string; line: number }[] }) => ({
  frameIds: [first!.id],
  frames: [`${first!.name}:${first!.line}`],
});

describe("while nothing is paused", () => {
  test("what was kept is a variable that cells know", async () => {
    const { outputs, reply } = await client.run("kept + 1");
    expect(reply.status).toBe("ok");
    const result = outputs.find(({ header }) => header.msg_type === "execute_result");
    expect(result?.content.data).toMatchObject({ "text/plain": "10" });
  });

  test("the notebook's variables are listed with their parts, whether the debugger is on or not", async () => {
    for (const step of ["off", "on"]) {
      if (step === "on") await debug.start();
      const { variables } = await debug.ask("inspectVariables");
      expect(texts(variables), step).toMatchObject({
        added: "7",
        many: expect.stringMatching(/^Array\(2500\) \[0, 1,/),
      });
      const { variablesReference } = variables.find(({ name }: { name: string }) => name === "account");
      expect(await debug.variables(variablesReference), step).toMatchObject({ owner: '"Ada"' });
    }
    await debug.ask("disconnect");
  });

  test("and while a cell computes", async () => {
    const cell = await debug.run("let round = 0;\nconsole.log('begun');\nfor (;;) round++;");
    await client.next(({ content, parent }) => parent.msg_id === cell && content.text === "begun\n");
    const { variables } = await debug.ask("inspectVariables");
    expect(texts(variables)).toMatchObject({ added: "7", round: expect.stringMatching(/^\d+$/) });
    await client.ask("control", "interrupt_request");
    expect((await client.replyTo(cell)).content.ename).toBe("KeyboardInterrupt");
  });

  test("a variable is shown richly", async () => {
    await client.run("const rows = [{ city: 'Oslo', n: 1 }, { city: 'Rome', n: 2 }];");
    const { data } = await debug.ask("richInspectVariables", { variableName: "rows" });
    expect(data["text/html"]).toContain("<td>Oslo</td>");
  });

  test("what was shown before is no longer known, and says so", async () => {
    const { variables } = await debug.ask("inspectVariables");
    const { variablesReference } = variables.find(({ name }: { name: string }) => name === "account");
    await debug.ask("inspectVariables");
    expect(await debug.request("variables", { variablesReference })).toMatchObject({
      success: false,
      message: expect.stringContaining("no longer known"),
    });
  });

  test("types are told to clients that show them beside the value", async () => {
    await debug.start("other");
    const { variables } = await debug.ask("inspectVariables");
    const types = Object.fromEntries(variables.map((one: { name: string; type: string }) => [one.name, one.type]));
    expect(types).toMatchObject({ big: "bigint", table: "Map", account: "Account", texted: "string" });
    await debug.ask("disconnect");
  });
});
