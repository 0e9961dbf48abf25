/** What ends and what must not: processes, threads, workers, and output that is on its way when they do. */
import { describe, expect, it } from "vitest";
import { runProgram } from "../support/runtime-program.ts";

/** Far more than a program that is done needs to exit, far less than any of the waits below. */
const soonMs = 8000;

const imports = `
  import { get, init, put, remote, shutdown, wait, settled, listWorkers, isInitialized } from "heddle";
  const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
`;

describe("a plain program exits by itself", () => {
  it.each([
    ["after init alone", "await init({ numCpus: 2 });"],
    ["after a task", "console.log(await get(remote((x) => x + 1).remote(1)));"],
    ["after put without get", "put([1, 2, 3]);"],
    ["with a task that nobody awaits", "remote(async () => { await pause(60_000); }).remote();"],
    ["after shutdown", "await init({ numCpus: 2 }); await get(remote(() => 1).remote()); await shutdown();"],
    ["after a timeout of get", "await get(remote(() => pause(60_000)).remote(), { timeout: 100 }).catch(() => {});"],
    ["after a timeout of wait", "await wait([remote(() => pause(60_000)).remote()], { timeout: 100 });"],
    ["after a failed task", "await settled([remote(() => { throw new Error('x'); }).remote()]);"],
  ])("%s", async (_, body) => {
    const { code, ms, stderr } = await runProgram(imports + body);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(ms).toBeLessThan(soonMs);
  });

  it("with the value it waited for, however long nothing else happens", async () => {
    const { code, stdout } = await runProgram(
      `${imports} console.log(await get(remote(async () => { await pause(1500); return "waited"; }).remote()));`,
    );
    expect({ code, stdout }).toEqual({ code: 0, stdout: "waited\n" });
  });

  it("with a status of its own when it ends in the middle of tasks", async () => {
    const { code, ms } = await runProgram(
      `${imports} const r = remote(() => { for (;;); }).remote(); await wait([r], { timeout: 300 }); process.exit(7);`,
    );
    expect(code).toBe(7);
    expect(ms).toBeLessThan(soonMs);
  });
});

describe("shutdown", () => {
  it("leaves no thread, port or timer, also when tasks run, and again and again", async () => {
    const { code, stdout, stderr } = await runProgram(`${imports}
      const held = () => process.getActiveResourcesInfo().filter((kind) => /Worker|MessagePort|Timeout/.test(kind));
      const before = held().length;
      for (let round = 0; round < 5; round++) {
        await init({ numCpus: 2 });
        const busy = remote(() => { for (;;); }).remote();
        const asleep = remote(() => pause(60_000)).remote();
        const waiting = get([busy, asleep]).catch((error) => error.name);
        await wait([asleep], { timeout: 50 });
        await shutdown();
        // Ports close in the turns after.
        for (let turn = 0; turn < 100 && held().length > before; turn++) await new Promise((next) => setImmediate(next));
        console.log(await waiting, held().length - before, isInitialized());
      }
    `);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toBe("ObjectLostError 0 false\n".repeat(5));
  });
});

describe("workers that crash", () => {
  const crash = `${imports}
    await init({ numCpus: 2 });
    let fs = process.getBuiltinModule("node:fs");
    const { mkdtempSync, rmSync } = fs;
    const folder = mkdtempSync((await import("node:os")).tmpdir() + "/heddle-crash-");
    const crashing = remote((path, crashes) => {
      const fs = process.getBuiltinModule("node:fs");
      fs.appendFileSync(path, "x");
      const attempt = fs.readFileSync(path).length;
      if (attempt <= crashes) process.exit(1);
      return attempt;
    });
  `;

  it("maxRetries: 0 gives WorkerCrashedError, else the task is tried again, and the pool is whole afterwards", async () => {
    const { code, stdout } = await runProgram(`${crash}
      const none = crashing.options({ maxRetries: 0 });
      for (let n = 0; n < 4; n++) console.log(await get(none.remote(folder + "/none" + n, 9)).catch((error) => error.name));
      console.log(await get(crashing.remote(folder + "/retry", 3)));
      console.log(await get(crashing.remote(folder + "/more", 4)).catch((error) => error.name));
      console.log((await get(Array.from({ length: 50 }, (_, n) => remote((x) => x).remote(n)))).length, listWorkers().length);
      rmSync(folder, { recursive: true });
    `);
    expect(stdout.trim().split("\n")).toEqual([
      ...Array(4).fill("WorkerCrashedError"),
      "4",
      "WorkerCrashedError",
      "50 2",
    ]);
    expect(code).toBe(0);
  });

  it("tasks that wait for a crashed worker run elsewhere, each once where nothing was started", async () => {
    const { code, stdout } = await runProgram(`${crash}
      const square = remote((x) => x * x);
      await get(square.remote(1));
      const refs = Array.from({ length: 400 }, (_, n) => (n % 100 === 50 ? crashing.remote(folder + "/" + n, 1) : square.remote(n)));
      const values = await get(refs);
      console.log(values.every((value, n) => value === (n % 100 === 50 ? 2 : n * n)));
      rmSync(folder, { recursive: true });
    `);
    expect({ code, stdout }).toEqual({ code: 0, stdout: "true\n" });
  });

  it("a task that is suspended on a thread that crashes is tried again", { timeout: 120_000 }, async () => {
    const program = `${crash}
      const outer = remote(async (path) => get(crashing.options({ maxRetries: 9 }).remote(path, 3)), { maxRetries: 20 });
      console.log(await get(Array.from({ length: 4 }, (_, n) => outer.remote(folder + "/" + n))));
      rmSync(folder, { recursive: true });
    `;
    // A dozen threads and more start one after the other.
    const { code, stdout } = await runProgram(program, [], 110_000);
    // A suspended task whose thread crashes asks again when it is tried again, so there may be more attempts than crashes.
    expect(code).toBe(0);
    const counts = JSON.parse(stdout) as number[];
    expect(counts).toHaveLength(4);
    for (const count of counts) expect(count).toBeGreaterThanOrEqual(4);
  });

  it("an error in a timer of a task ends neither the process nor other tasks' waits", async () => {
    const { code, stdout } = await runProgram(`${crash}
      const late = remote(async () => {
        setTimeout(() => { throw new Error("in a timer"); }, 1);
        await pause(300);
        return "done";
      }, { maxRetries: 0 });
      const rejected = remote(async () => {
        void Promise.reject(new Error("nobody looks"));
        await pause(300);
        return "done";
      }, { maxRetries: 0 });
      const outcomes = await settled([late.remote(), rejected.remote()]);
      for (const { value, reason } of outcomes) console.log(value ?? reason.name);
      console.log(await get(remote(() => "alive").remote()));
      rmSync(folder, { recursive: true });
    `);
    expect(code).toBe(0);
    const [first, second, last] = stdout.trim().split("\n");
    expect(["done", "WorkerCrashedError", "Error"]).toContain(first);
    expect(["done", "WorkerCrashedError", "Error"]).toContain(second);
    expect(last).toBe("alive");
  });
});

describe("output of tasks", () => {
  const lines = Array.from({ length: 2000 }, (_, n) => `line ${n}`);

  it.each(["", "await shutdown();", "process.exit(0);"])(
    "arrives whole when the program ends with '%s'",
    async (ending) => {
      const { code, stdout } = await runProgram(`${imports}
      await get(remote(() => { for (let n = 0; n < 2000; n++) console.log("line " + n); }).remote());
      ${ending}
    `);
      expect(code).toBe(0);
      expect(stdout.trim().split("\n")).toEqual(lines);
    },
  );

  it("what a task printed before it crashed its thread arrives", async () => {
    const { stdout } = await runProgram(`${imports}
      const dying = remote(() => { for (let n = 0; n < 50; n++) console.log("line " + n); process.exit(1); }, { maxRetries: 0 });
      console.log(await get(dying.remote()).catch((error) => error.name));
    `);
    expect(stdout.trim().split("\n")).toEqual([...lines.slice(0, 50), "WorkerCrashedError"]);
  });
});
