/** The language server's process dies or stops answering; the engine's questions end in time, and the next ones work. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { LanguageServer, LanguageServerError } from "../../kernel/language/server/lsp.ts";
import { createLanguageEngine } from "../../kernel/language/tsgo.ts";

let folder: string;
let engine: ReturnType<typeof createLanguageEngine>;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "heddle-notebook-"));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** For each test of a group an engine that has a cell. */
function useEngine(timeout: number): void {
  beforeEach(async () => {
    engine = createLanguageEngine({ folder, timeout });
    await engine.check({ cell: "1", source: "const one = 1" });
    engine.commit({ cell: "1", source: "const one = 1" });
  });
  afterEach(() => engine.close());
}

const wrong = { cell: "2", source: "one.nope" };
const found = { diagnostics: [{ code: 2339, start: 4, end: 8 }] };

function signal(name: NodeJS.Signals): void {
  process.kill(engine.serverPid ?? Number.NaN, name);
}

/** A cell that keeps the compiler busy for some time. */
const slow = {
  cell: "3",
  source: `type Deep<N extends number, A extends unknown[] = []> = A["length"] extends N ? A : Deep<N, [...A, N]>;
${Array.from({ length: 3 }, (_, i) => `const d${i}: Deep<${200 - i}> = null as any`).join("\n")}`,
};

describe("kill -9 of the language server", () => {
  // What is asserted comes of the process's end, not of a deadline, however busy the machine is.
  useEngine(20_000);

  test("in the middle of a check: the same check is answered by its successor", async () => {
    const pid = engine.serverPid;
    const answer = engine.check(slow);
    signal("SIGKILL");
    expect((await answer).unchecked).toBeUndefined();
    expect(engine.serverPid).not.toBe(pid);
    expect(await engine.check(wrong)).toMatchObject(found);
  });

  test("between two checks: names of earlier cells are known to its successor", async () => {
    signal("SIGKILL");
    expect(await engine.check(wrong)).toMatchObject(found);
  });

  test("in the middle of a completion and an inspection", async () => {
    const completion = engine.complete("one.toFi", 8);
    const inspection = engine.inspect("one", 1, 0);
    signal("SIGKILL");
    expect((await completion).items).toMatchObject([{ text: "toFixed" }]);
    expect((await inspection)?.text).toBe("const one: 1");
  });

  test("ten times over", async () => {
    for (let round = 0; round < 10; round += 1) {
      const answer = engine.check(wrong);
      signal("SIGKILL");
      expect(await answer).toMatchObject(found);
    }
  });
});

describe("kill -STOP of the language server", () => {
  useEngine(2_000);

  test("in the middle of a check: the cell goes on unchecked after the deadline, and the next one is checked", async () => {
    // A server that has not answered yet would have longer; one that a busy machine makes late is replaced.
    await expect.poll(() => engine.check(wrong), { timeout: 25_000 }).toMatchObject(found);
    const pid = engine.serverPid;
    const start = performance.now();
    const answer = engine.check(slow);
    signal("SIGSTOP");
    const { diagnostics, unchecked } = await answer;
    expect(performance.now() - start).toBeLessThan(4 * 2_000);
    expect(diagnostics).toEqual([]);
    expect(unchecked).toMatch(/^The cell was not type-checked: the language server did not answer .* in 2000 ms\.$/);
    expect(await engine.check(wrong)).toMatchObject(found);
    expect(engine.serverPid).not.toBe(pid);
    expect(() => process.kill(pid ?? 0, 0)).toThrow("ESRCH");
  });

  test("a completion falls back to the names of the cells", async () => {
    signal("SIGSTOP");
    expect((await engine.complete("on", 2)).items).toEqual([{ text: "one", kind: "constant" }]);
    expect((await engine.complete("one.toFi", 8)).items).toMatchObject([{ text: "toFixed" }]);
  });

  test("closing ends a stopped server", async () => {
    const pid = engine.serverPid ?? 0;
    signal("SIGSTOP");
    await engine.close();
    expect(() => process.kill(pid, 0)).toThrow("ESRCH");
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith(`heddle-language-${process.pid}-`))).toEqual([]);
  });
});

describe("a process that is no language server", () => {
  const servers: LanguageServer[] = [];
  const serve = (script: string) => {
    const server = new LanguageServer({ executable: process.execPath, args: ["-e", script], folder, settings: {} });
    servers.push(server);
    return server;
  };
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.kill();
  });

  const ends: [string, string][] = [
    ["one that cannot be started", ""],
    ["one that ends at once", "process.exit(3)"],
    ["one that writes something else", "console.log('hello'.repeat(2000)); setInterval(() => {}, 1000)"],
    ["one whose header has no length", "process.stdout.write('X: 1\\r\\n\\r\\n{}'); setInterval(() => {}, 1000)"],
    [
      "one whose body is no JSON",
      "process.stdout.write('Content-Length: 3\\r\\n\\r\\n{{{'); setInterval(() => {}, 1000)",
    ],
  ];
  for (const [name, script] of ends) {
    test(`${name}: questions are refused, not left waiting`, async () => {
      const server =
        script === ""
          ? new LanguageServer({ executable: join(folder, "none"), args: [], folder, settings: {} })
          : serve(script);
      const error = await server.request("initialize", {}, 20_000).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(LanguageServerError);
      expect((error as LanguageServerError).reason).toBe("stopped");
      await expect(server.request("again", {}, 20_000)).rejects.toThrow("the language server");
    });
  }

  test("an answer in pieces of one byte is read whole", async () => {
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, result: "grün 😀" });
    const script = `const b = Buffer.from(${JSON.stringify(body)}); const all = Buffer.concat([Buffer.from('Content-Length: ' + b.length + '\\r\\n\\r\\n'), b]);
      (async () => { for (const byte of all) await new Promise((r) => process.stdout.write(Buffer.from([byte]), r)) })(); setInterval(() => {}, 1000)`;
    expect(await serve(script).request("x", {}, 20_000)).toBe("grün 😀");
  });

  test("a request that is refused says why", async () => {
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, error: { code: -32601, message: "no such method" } });
    await expect(
      serve(
        `process.stdout.write('Content-Length: ${body.length}\\r\\n\\r\\n${body}'); setInterval(() => {}, 1000)`,
      ).request("x", {}, 20_000),
    ).rejects.toThrow("no such method");
  });
});

test("the server ends when its kernel is killed", async () => {
  const script = `import { createLanguageEngine } from ${JSON.stringify(new URL("../../dist/kernel/language/tsgo.js", import.meta.url).href)};
    const engine = createLanguageEngine({ folder: ${JSON.stringify(folder)} });
    await engine.check({ cell: "1", source: "1" });
    console.log(engine.serverPid);`;
  const kernel: ChildProcess = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = (await once(kernel.stdout as NodeJS.ReadableStream, "data")) as [Buffer];
  const pid = Number(line);
  kernel.kill("SIGKILL");
  await once(kernel, "close");
  await expect.poll(() => isRunning(pid), { timeout: 10_000 }).toBe(false);
});

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
