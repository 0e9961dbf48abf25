/** `heddle run`: what it prints, what it writes, how it ends. */
import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, readlinkSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Workshop } from "../support/headless.ts";

const last = (text: string): string => text.trimEnd().split("\n").at(-1)!;

describe("what it prints and writes", () => {
  test("prints what the cells print, and writes nothing unless asked", async () => {
    using shop = new Workshop();
    const path = shop.notebook("a.ipynb", ["const who = 'world';", "console.log('hello', who);\n6 * 7"]);
    const before = shop.read(path);
    const { code, stderr, stdout } = await shop.heddle("run", path);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/a\.ipynb \[2\/2\] .*\n {4}hello world\n {4}42\n/);
    expect(last(stdout)).toMatch(/^a\.ipynb: 2 ok in /);
    expect(shop.read(path)).toBe(before);
    expect(readdirSync(shop.folder)).toEqual(["a.ipynb"]);
  });

  test("--output: outputs and counts beside the sources, as nbformat stores them", async () => {
    using shop = new Workshop();
    const path = shop.notebook("a.ipynb", ["console.log('one\\ntwo'); console.error('bad')", "({ a: 1 })"]);
    expect(await shop.heddle("run", path, "--output", "out.ipynb", "--quiet")).toEqual({
      code: 0,
      stdout: "",
      stderr: "",
    });
    const { cells, metadata } = shop.readNotebook("out.ipynb");
    expect(cells.map(({ execution_count, outputs }) => ({ execution_count, outputs }))).toEqual([
      {
        execution_count: 1,
        outputs: [
          { output_type: "stream", name: "stdout", text: ["one\n", "two\n"] },
          { output_type: "stream", name: "stderr", text: ["bad\n"] },
        ],
      },
      {
        execution_count: 2,
        outputs: [
          { output_type: "execute_result", execution_count: 2, data: { "text/plain": ["{ a: 1 }"] }, metadata: {} },
        ],
      },
    ]);
    expect(metadata).toMatchObject({ language_info: { name: "typescript" }, kernelspec: { name: "heddle" } });
    expect(readdirSync(shop.folder).toSorted()).toEqual(["a.ipynb", "out.ipynb"]);
  });

  test("--inplace keeps the file's rights and the link that leads to it", async () => {
    using shop = new Workshop();
    shop.notebook("real.ipynb", ["1"]);
    chmodSync(join(shop.folder, "real.ipynb"), 0o600);
    symlinkSync("real.ipynb", join(shop.folder, "link.ipynb"));
    expect((await shop.heddle("run", "link.ipynb", "--inplace")).code).toBe(0);
    expect(shop.readNotebook("real.ipynb").cells[0]!.execution_count).toBe(1);
    expect(statSync(join(shop.folder, "real.ipynb")).mode & 0o777).toBe(0o600);
    expect(lstatSync(join(shop.folder, "link.ipynb")).isSymbolicLink()).toBe(true);
  });

  test("--output-dir makes the folder; --jobs runs notebooks side by side, each in a session of its own", async () => {
    using shop = new Workshop();
    const paths = ["a.ipynb", "b.ipynb", "c.ipynb"].map((name) => shop.notebook(name, ["const x = 1; process.pid"]));
    expect((await shop.heddle("run", ...paths, "--output-dir", "deep/out", "--jobs", "2")).code).toBe(0);
    const pids = paths.map((name) => shop.readNotebook(`deep/out/${name}`).cells[0]!.outputs[0]!.data);
    expect(new Set(pids.map((data) => JSON.stringify(data))).size).toBe(3);
  });

  test("a display that is updated or cleared is stored as it was at last", async () => {
    using shop = new Workshop();
    const path = shop.notebook("a.ipynb", [
      "import { clearOutput, display } from 'heddle/notebook';\nconst bar = await display('0 %');",
      "await bar.update('100 %');\nconsole.log('first');\nclearOutput({ wait: true });\nconsole.log('second');",
    ]);
    expect(await shop.heddle("run", path, "--inplace")).toMatchObject({ code: 0, stderr: "" });
    const [shown, cleared] = shop.readNotebook(path).cells.map(({ outputs }) => outputs);
    expect(shown).toMatchObject([{ output_type: "display_data", data: { "text/plain": ["'100 %'"] } }]);
    expect(cleared).toEqual([{ output_type: "stream", name: "stdout", text: ["second\n"] }]);
  });

  test("tasks: the chart is printed as text and stored with its final picture", async () => {
    using shop = new Workshop();
    const path = shop.notebook("a.ipynb", [
      "import { get, remote } from 'heddle';\n" +
        "const slow = remote(async function slow(n: number) { await new Promise((done) => setTimeout(done, 200)); return n; });\n" +
        "await get([slow.remote(1), slow.remote(2)])",
    ]);
    const { code, stdout } = await shop.heddle("run", path, "--inplace");
    expect(code, stdout).toBe(0);
    expect(stdout).toContain("[1] 2 tasks");
    const charts = shop
      .readNotebook(path)
      .cells[0]!.outputs.filter(({ output_type }) => output_type === "display_data");
    expect(charts).toHaveLength(1);
    expect(Object.keys(charts[0]!.data as object)).toEqual(["image/png", "text/html", "text/plain"]);
  });
});

describe("how it ends", () => {
  test("a cell that fails: exit code 1, its error in place, the rest not run, what was done is written", async () => {
    using shop = new Workshop();
    const path = shop.notebook("a.ipynb", ["1", "throw new RangeError('too far')", "console.log('never')"]);
    const { code, stdout } = await shop.heddle("run", path, "--output", "out.ipynb", "--junit", "report.xml");
    expect(code).toBe(1);
    expect(stdout).toContain("RangeError: too far");
    expect(last(stdout)).toMatch(/^a\.ipynb: 1 ok, 1 failed, 1 not run in /);
    const { cells } = shop.readNotebook("out.ipynb");
    expect(cells.map(({ execution_count }) => execution_count)).toEqual([1, 2, null]);
    expect(cells[1]!.outputs).toMatchObject([{ output_type: "error", ename: "RangeError", evalue: "too far" }]);
    const report = shop.read("report.xml");
    expect(report).toContain('tests="3" failures="1" errors="0" skipped="1"');
    expect(report).toContain('<failure message="RangeError: too far" type="RangeError">');
    expect(report).not.toContain("\u001b");
  });

  test("--allow-errors goes on; the tag raises-exception makes an error expected; skip is skipped", async () => {
    using shop = new Workshop();
    const path = shop.notebook("a.ipynb", [
      { source: "throw new Error('expected')", tags: ["raises-exception"] },
      { source: "process.exit(9)", tags: ["skip-execution"] },
      "const wrong: string = 5;",
      "console.log('reached');",
    ]);
    const strict = await shop.heddle("run", path);
    expect(strict).toMatchObject({ code: 1, stdout: expect.stringContaining("TypeScriptError") });
    expect(strict.stdout).not.toContain("reached");
    const allowing = await shop.heddle("run", path, "--allow-errors");
    expect(allowing.code).toBe(0);
    expect(allowing.stdout).toContain("    reached\n");
    expect(last(allowing.stdout)).toMatch(/2 ok, 1 failed, 1 skipped/);
  });

  test.each([
    ["--cell-timeout", "while (true);"],
    ["--timeout", "await new Promise(() => {})"],
    ["--cell-timeout", "for (;;) JSON.parse('[]')"],
  ])("%s ends %s: exit code 3, the rest not run", async (option, endless) => {
    using shop = new Workshop();
    const path = shop.notebook("a.ipynb", [endless, "1"]);
    const { code, stdout } = await shop.heddle("run", path, option, "1500");
    expect(code).toBe(3);
    expect(last(stdout)).toMatch(/^a\.ipynb: 1 timeout, 1 not run in /);
  });

  test("a limit on a cell that computes without end: the notebook has the output so far, and the reports the limit", async () => {
    // The limit counts from the kernel's start, which takes its time on a machine that is busy.
    const limitMs = 10_000;
    const endedBy = async (option: string): Promise<void> => {
      using shop = new Workshop();
      const path = shop.notebook("a.ipynb", ["'before'", "console.log('so far'); while (true);", "'never'"]);
      const wanted = ["--output", "out.ipynb", "--html", "out.html", "--junit", "report.xml"];
      const { code, stdout } = await shop.heddle("run", path, option, String(limitMs), ...wanted);
      expect(code).toBe(3);
      expect(stdout).toContain(`    ended by the ${option} of ${limitMs} ms`);
      const { cells } = shop.readNotebook("out.ipynb");
      expect(cells[0]!.outputs).toMatchObject([{ data: { "text/plain": ["'before'"] } }]);
      expect(cells[1]!.outputs[0]).toEqual({ output_type: "stream", name: "stdout", text: ["so far\n"] });
      expect(cells[2]!.outputs).toEqual([]);
      expect(shop.read("out.html")).toContain("so far");
      expect(shop.read("report.xml")).toContain(`<failure message="timeout: ended by the ${option} of ${limitMs} ms`);
    };
    await Promise.all(["--cell-timeout", "--timeout"].map(endedBy));
  });

  test.each(["SIGINT", "SIGTERM"] as const)("%s: exit code 130, what was done is written", async (signal) => {
    using shop = new Workshop();
    const path = shop.notebook("a.ipynb", ["console.log('done')", "console.log('in it'); while (true);", "1"]);
    const { child, finished, printed } = shop.start(["run", path, "--output", "out.ipynb"]);
    await printed("done");
    child.kill(signal);
    expect((await finished).code).toBe(130);
    const { cells } = shop.readNotebook("out.ipynb");
    expect(cells[0]!.outputs).toMatchObject([{ text: ["done\n"] }]);
    expect(cells[2]!.execution_count).toBeNull();
  });

  test("Ctrl-C on a terminal, which reaches every process of the group: what was done is written, no complaint", async () => {
    using shop = new Workshop();
    const path = shop.notebook("a.ipynb", ["console.log('done')", "while (true);"]);
    const { child, finished, printed } = shop.start(["run", path, "--inplace"], {}, { group: true });
    await printed("done");
    process.kill(-child.pid!, "SIGINT");
    expect(await finished).toMatchObject({ code: 130, stderr: "" });
    expect(shop.readNotebook(path).cells[0]!.outputs).toMatchObject([{ text: ["done\n"] }]);
    expect(readdirSync(shop.folder)).toEqual(["a.ipynb"]);
  });

  test("interrupted: a notebook that has not begun is left as it is", async () => {
    using shop = new Workshop();
    const first = shop.notebook("a.ipynb", ["console.log('done')", "while (true);"]);
    const second = shop.notebook("b.ipynb", ["1"]);
    const before = shop.read(second);
    const { child, finished, printed } = shop.start(["run", first, second, "--inplace", "--junit", "report.xml"]);
    await printed("done");
    child.kill("SIGINT");
    expect((await finished).code).toBe(130);
    expect(shop.read(second)).toBe(before);
    expect(shop.read("report.xml")).toContain('<skipped message="not run"/>');
  });

  test("killed outright: the notebook is as it was, nothing half-written lies beside it", async () => {
    using shop = new Workshop();
    const path = shop.notebook("a.ipynb", ["console.log('done')", "while (true);"]);
    const before = shop.read(path);
    const { child, finished, printed } = shop.start(["run", path, "--inplace"]);
    await printed("done");
    child.kill("SIGKILL");
    await finished;
    expect(shop.read(path)).toBe(before);
    expect(readdirSync(shop.folder)).toEqual(["a.ipynb"]);
  });

  test("a session that exits under a cell is that cell's failure", async () => {
    using shop = new Workshop();
    const { code, stdout } = await shop.heddle("run", shop.notebook("a.ipynb", ["process.exit(4)"]));
    expect(code).toBe(1);
    expect(stdout).toContain("exited with code 4");
  });

  test("a cell that asks for input is told that nobody answers", async () => {
    using shop = new Workshop();
    const path = shop.notebook("a.ipynb", ["import { input } from 'heddle/notebook';\nawait input('name? ')"]);
    const { code, stdout } = await shop.heddle("run", path);
    expect(code).toBe(1);
    expect(stdout).toMatch(/input/i);
  });

  test.runIf(process.platform === "linux")("leaves no process behind", async () => {
    using shop = new Workshop();
    const path = shop.notebook("a.ipynb", [
      "import { spawn } from 'node:child_process';\nspawn('sleep', ['600'], { stdio: 'ignore' });\n" +
        "import { get, remote } from 'heddle';\nawait get(remote(function one() { return 1; }).remote());\n" +
        "console.log('pids', process.pid, process.ppid);",
    ]);
    const { code, stdout } = await shop.heddle("run", path);
    expect(code, stdout).toBe(0);
    const pids = /pids (\d+) (\d+)/.exec(stdout)!.slice(1);
    expect(pids.filter((pid) => existsSync(`/proc/${pid}`))).toEqual([]);
    expect(readdirSync("/proc").filter((name) => folderOf(name) === shop.folder)).toEqual([]);
  });
});

/** The folder a process works in; undefined for what is no process, or no longer. */
function folderOf(name: string): string | undefined {
  try {
    return readlinkSync(`/proc/${name}/cwd`);
  } catch {
    return undefined;
  }
}

describe("wrong use: one clear line, exit code 2, and nothing runs", () => {
  const python = JSON.stringify({
    cells: [],
    metadata: { kernelspec: { name: "python3", language: "python" } },
    nbformat: 4,
    nbformat_minor: 5,
  });
  test.each<[args: string[], complaint: RegExp]>([
    [[], /^$/],
    [["fly"], /there is no command "fly"; the commands are install, uninstall, run/],
    [["run"], /expected a notebook; see heddle run --help/],
    [["run", "missing.ipynb"], /missing\.ipynb: no such file/],
    [["run", "broken.ipynb"], /broken\.ipynb: not a notebook: .*JSON/],
    [["run", "list.ipynb"], /list\.ipynb: not a notebook: it has no nbformat/],
    [["run", "old.ipynb"], /old\.ipynb: nbformat 3 is not supported, only 4; convert it/],
    [
      ["run", "python.ipynb"],
      /python\.ipynb: the notebook is written in python; heddle runs TypeScript and JavaScript/,
    ],
    [["run", "odd.ipynb"], /odd\.ipynb: not a notebook: cell 1/],
    [["run", "a.ipynb", "--fly"], /Unknown option '--fly'/],
    [["run", "a.ipynb", "--timeout", "soon"], /--timeout must be milliseconds greater than 0, not "soon"/],
    [["run", "a.ipynb", "--cell-timeout", "-1"], /--cell-timeout/],
    [["run", "a.ipynb", "--timeout", "3e9"], /--timeout must be at most 2147483647 ms \(24 days\), not 3e9/],
    [["run", "a.ipynb", "--jobs", "0"], /--jobs must be a whole number of at least 1, not "0"/],
    [["run", "a.ipynb", "-p", "1x=2"], /-p must be name=value with a TypeScript name, not "1x=2"/],
    [["run", "a.ipynb", "-p", "class=2"], /-p must be name=value with a TypeScript name, not "class=2"/],
    [["run", "a.ipynb", "--inplace", "--output", "b.ipynb"], /--output, --output-dir and --inplace exclude each other/],
    [["run", "a.ipynb", "b.ipynb", "--output", "c.ipynb"], /--output takes one notebook; use --output-dir for several/],
    [["run", "a.ipynb", "sub/a.ipynb", "--output-dir", "out"], /--output-dir: two notebooks are named a\.ipynb/],
    [["run", "a.ipynb", "--output", "nowhere/b.ipynb"], /--output: there is no folder nowhere/],
    [["run", "a.ipynb", "--junit", "nowhere/r.xml"], /--junit: there is no folder nowhere/],
    [["run", "a.ipynb", "-p", "x=2"], /-p x: a\.ipynb has no cell with the tag "parameters"/],
    [["run", "p.ipynb", "-p", "cuont=2"], /-p cuont: p\.ipynb has no parameter of this name; there is count, name/],
    [["run", "a.ipynb", "p.ipynb", "-p", "cuont=2"], /-p cuont: none of the notebooks has a parameter of this name/],
    [["run", "a.ipynb", "--output", "sub"], /--output: sub is a folder, not a file/],
    [["run", "a.ipynb", "--output-dir", "a.ipynb/out"], /--output-dir: a\.ipynb\/out cannot be made/],
    [["run", "a.ipynb", "--html", "a.ipynb/page.html"], /--html: there is no folder a\.ipynb/],
    [["run", "a.ipynb", "p.ipynb", "--html", "page.html"], /--html takes one notebook/],
    [["run", "a.ipynb", "--junit", "sub"], /--junit: sub is a folder, not a file/],
    [["run", "unnamed.ipynb"], /unnamed\.ipynb: the notebook is written in python/],
    [["convert"], /expected a file/],
    [["convert", "a.ipynb"], /--to must be html, ts, md or ipynb, not ""/],
    [["convert", "a.ipynb", "--to", "pdf"], /--to must be html, ts, md or ipynb, not "pdf"/],
    [["convert", "a.ipynb", "p.ipynb", "--to", "ts", "--output", "x.ts"], /--output takes one file/],
    [["convert", "a.ipynb", "--to", "ipynb"], /--to ipynb expects a script/],
    [["convert", "missing.ts", "--to", "ipynb"], /missing\.ts: no such file/],
    [["convert", "taken.ipynb", "--to", "ts"], /taken\.ts is there already; name it with --output to replace it/],
    [["kernel"], /--connection-file is missing/],
    [["install", "--user", "--sys-prefix"], /exclude each other/],
    [["install", "--name", "a b"], /--name may have letters/],
  ])("heddle %s", async (args, complaint) => {
    using shop = new Workshop();
    shop.notebook("a.ipynb", ["console.log('ran')"]);
    mkdirSync(join(shop.folder, "sub"));
    shop.notebook("sub/a.ipynb", ["console.log('ran')"]);
    shop.write("broken.ipynb", "{");
    shop.write("list.ipynb", "[]");
    shop.write("old.ipynb", '{"nbformat": 3}');
    shop.write("odd.ipynb", '{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{"cell_type": "code"}]}');
    shop.write("python.ipynb", python);
    shop.write("unnamed.ipynb", python.replace(',"language":"python"', ""));
    shop.notebook("p.ipynb", [{ source: "let count = 1, name = 'x';", tags: ["parameters"] }]);
    shop.notebook("taken.ipynb", ["1"]);
    shop.write("taken.ts", "// somebody's work");
    const { code, stderr, stdout } = await shop.heddle(...args);
    expect(code).toBe(2);
    expect(stderr.trimEnd()).toMatch(complaint);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    expect(stdout).not.toContain("ran");
    expect(shop.read("taken.ts")).toBe("// somebody's work");
  });
});
