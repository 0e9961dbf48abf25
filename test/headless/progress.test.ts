/** What a person sees of a run on a terminal, and what a log gets. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { stripVTControlCharacters } from "node:util";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { Cell, Notebook } from "../../kernel/headless/notebook.ts";
import { Progress } from "../../kernel/headless/progress.ts";
import { Workshop } from "../support/headless.ts";
import { heddleProgram } from "../support/python-jupyter.ts";

const code = (source: string): Cell => ({ cell_type: "code", metadata: {}, source, outputs: [] });
const notebook = (cells: Cell[]): Notebook => ({ nbformat: 4, nbformat_minor: 5, metadata: {}, cells });

function screen(options: { isTTY?: boolean; columns?: number } = {}) {
  const written: string[] = [];
  return { ...options, written, write: (text: string) => void written.push(text) };
}

afterEach(() => vi.useRealTimers());

describe("on a terminal", () => {
  test("the last line says cell and elapsed time, is redrawn, and goes when there is something to say", () => {
    vi.useFakeTimers();
    const [out, live] = [screen({ isTTY: true }), screen({ isTTY: true, columns: 80 })];
    const cells = [code("one"), code("two")];
    const run = new Progress({ out, live, quiet: false }).notebook("a.ipynb", notebook(cells));
    run.cellBegins(cells[0]!);
    expect(live.written).toEqual(["\r\u001b[2Ka.ipynb [1/2] 0.0 s  one"]);
    vi.advanceTimersByTime(2_500);
    expect(live.written.at(-1)).toBe("\r\u001b[2Ka.ipynb [1/2] 2.5 s  one");
    run.cellEnded({ index: 0, cell: cells[0]!, outcome: "ok", duration: 2_500 });
    expect(live.written.at(-1)).toBe("\r\u001b[2K");
    expect(out.written).toEqual(["a.ipynb [1/2] one  2.5 s\n"]);
    const before = live.written.length;
    vi.advanceTimersByTime(60_000);
    expect(live.written.length).toBe(before);
  });

  test("no line is longer than the terminal is wide, with several notebooks too", () => {
    vi.useFakeTimers();
    const live = screen({ isTTY: true, columns: 40 });
    const progress = new Progress({ out: screen({ isTTY: true }), live, quiet: false });
    for (const name of ["first.ipynb", "second.ipynb"]) {
      const cell = code("a title that is as long as this one");
      progress.notebook(name, notebook([cell])).cellBegins(cell);
    }
    const lines = live.written.map((line) => stripVTControlCharacters(line).replace("\r", ""));
    expect(lines.at(-1)).toContain("first.ipynb [1/1]");
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(40);
  });

  test.runIf(process.platform === "linux")("a real one", async () => {
    using shop = new Workshop();
    const path = shop.notebook("a.ipynb", [
      "await new Promise((done) => setTimeout(done, 600)); 'done'",
      "process.stdout.write('\\u001b[32mgreen\\u001b[39m')",
    ]);
    const child = spawn("script", ["-qec", `'${process.execPath}' '${heddleProgram}' run ${path}`, "/dev/null"], {
      cwd: shop.folder,
      stdio: ["ignore", "pipe", "inherit"],
    });
    let shown = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      shown += text;
    });
    expect((await once(child, "close"))[0]).toBe(0);
    expect(shown).toMatch(/\r\u001b\[2Ka\.ipynb \[1\/2\] 0\.\d s {2}await new/);
    expect(new Set(shown.match(/\[1\/2\] \d\.\d s/g)).size).toBeGreaterThanOrEqual(3);
    expect(shown).toContain("\u001b[32mgreen");
    expect(shown.trimEnd()).toMatch(/a\.ipynb: 2 ok in [\d.]+ (ms|s)$/);
  });
});

describe("in a log", () => {
  test("whole lines only, without colours; a cell that takes long is named each minute", () => {
    vi.useFakeTimers();
    const [out, live] = [screen(), screen()];
    const cell = code("slow()");
    const run = new Progress({ out, live, quiet: false }).notebook("a.ipynb", notebook([cell]));
    run.cellBegins(cell);
    vi.advanceTimersByTime(125_000);
    cell.outputs = [{ output_type: "stream", name: "stdout", text: "\u001b[31mred\u001b[39m\n" }];
    run.cellEnded({ index: 0, cell, outcome: "ok", duration: 125_000 });
    expect(live.written).toEqual([]);
    expect(out.written).toEqual([
      "a.ipynb [1/1] slow()  still running after 60.0 s\n",
      "a.ipynb [1/1] slow()  still running after 120.0 s\n",
      "a.ipynb [1/1] slow()  125.0 s\n    red\n",
    ]);
  });

  test("--quiet says nothing of what goes well, and all of what does not", () => {
    const out = screen();
    const [good, bad] = [code("good()"), code("bad()")];
    const run = new Progress({ out, live: screen({ isTTY: true }), quiet: true }).notebook(
      "a.ipynb",
      notebook([good, bad]),
    );
    run.cellBegins(good);
    run.cellEnded({ index: 0, cell: good, outcome: "ok", duration: 1 });
    run.cellBegins(bad);
    run.cellEnded({ index: 1, cell: bad, outcome: "timeout", duration: 5, limit: "--cell-timeout of 5 ms" });
    run.end([]);
    expect(out.written).toEqual(["a.ipynb [2/2] bad()  timeout 5 ms\n    ended by the --cell-timeout of 5 ms\n"]);
  });
});
