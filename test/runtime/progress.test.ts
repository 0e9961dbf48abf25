import { get, progress } from "heddle";
import { describe, expect, it } from "vitest";
import { type ProgressState, progressHtml, progressLine } from "../../runtime/progress-bar.ts";
import { useRuntime } from "../support/runtime-measures.ts";
import { runProgram } from "../support/runtime-program.ts";
import { plain, valuesOf } from "../support/runtime-streams.ts";
import { sleep } from "../support/runtime-tasks.ts";

useRuntime();

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

describe("progress", () => {
  it("gives refs as they become ready", async () => {
    const [slow, quick] = [sleep.remote(600, "slow"), sleep.remote(10, "quick")];
    expect(await collect(progress([slow, quick]))).toEqual([quick, slow]);
  });

  it("gives anything else in its own order: lists, sets, generators, streams", async () => {
    expect(await collect(progress([3, 1, 2]))).toEqual([3, 1, 2]);
    expect(await collect(progress(new Set(["a", "b"])))).toEqual(["a", "b"]);
    expect(
      await collect(
        progress(
          (function* () {
            yield 1;
          })(),
        ),
      ),
    ).toEqual([1]);
    expect(await valuesOf(progress(plain.remote(3)))).toEqual([0, 1, 2]);
    expect(await collect(progress([]))).toEqual([]);
  });

  it("leaving the loop leaves what it follows", async () => {
    const stream = plain.options({ highWaterMark: 1 }).remote(1000);
    for await (const ref of progress(stream)) if ((await get(ref)) === 2) break;
    expect((await stream.next()).done).toBe(true);
  });

  it("refuses what cannot be iterated, and unknown options", () => {
    expect(() => progress(3 as never)).toThrow(/progress: expected refs or something to iterate, not 3/);
    expect(() => progress([], { title: "x" } as never)).toThrow(/unknown option "title"/);
  });

  it("counts failures, and does not take them as looked at", async () => {
    const { stderr } = await runProgram(`
      import { progress, remote, shutdown } from "heddle";
      const odd = remote(function odd(n) { if (n % 2) throw new Error("odd"); return n; });
      for await (const _ of progress([1, 2, 3, 4].map((n) => odd.remote(n)), { label: "numbers" }));
      await shutdown();
    `);
    expect(stderr).toMatch(/^numbers {2}█{24} 100 % {2}4\/4 {2}\d+\.\d s( {2}[\d.,]+\/s)? {2}2 failed$/m);
  });

  it("writes one line at the end where nobody watches", async () => {
    const { stderr, stdout } = await runProgram(`
      import { progress } from "heddle";
      for await (const n of progress([1, 2, 3], { label: "numbers" })) console.log(n);
    `);
    expect(stdout).toBe("1\n2\n3\n");
    expect(stderr).toMatch(/^numbers {2}█{24} 100 % {2}3\/3 {2}\d+\.\d s( {2}[\d.,]+\/s)?\n$/);
  });

  it("a task's bar is its last line", async () => {
    const { stderr, stdout } = await runProgram(`
      import { get, progress, remote, shutdown } from "heddle";
      const walk = remote(async () => { for await (const _ of progress([1, 2])); });
      await get(walk.remote());
      await shutdown();
    `);
    expect(`${stderr}${stdout}`).toMatch(/^█{24} 100 % {2}2\/2 {2}\d+\.\d s( {2}[\d.,]+\/s)?\n$/);
  });
});

function state(more: Partial<ProgressState> = {}): ProgressState {
  return { label: "", done: 0, failed: 0, total: undefined, time: 0, ...more };
}

describe("the bar", () => {
  it("shows the part, the count, the time, the rate, what is left and what failed", () => {
    expect(progressLine(state({ label: "pages", done: 25, total: 100, time: 5000 }))).toBe(
      "pages  ██████░░░░░░░░░░░░░░░░░░ 25 %  25/100  5.0 s  5.0/s  15.0 s left",
    );
    expect(progressLine(state({ total: 10 }))).toBe("░░░░░░░░░░░░░░░░░░░░░░░░ 0 %  0/10  0.0 s");
    expect(progressLine(state({ total: 0 }))).toBe("████████████████████████ 100 %  0/0  0.0 s");
    expect(progressLine(state({ label: "rows", done: 7, time: 61_000 }))).toBe("rows  7  1 min 1 s  6.9/min");
    expect(progressLine(state({ done: 40_000, failed: 2, total: 80_000, time: 10_000 }))).toBe(
      "████████████░░░░░░░░░░░░ 50 %  40000/80000  10.0 s  4,000/s  10.0 s left  2 failed",
    );
  });

  it("is markup that needs neither scripts nor trust, and tells a screen reader the same", () => {
    const html = progressHtml(state({ label: "<b>", done: 25, failed: 5, total: 100, time: 5000 }));
    expect(html).toContain('role="progressbar" aria-valuemax="100" aria-valuenow="25"');
    expect(html).toContain("width:20.00%;background-color:#0072B2");
    expect(html).toContain("width:5.00%;background-color:#D55E00");
    expect(html).toContain("<b>&#60;b&#62;</b>");
    expect(html.replace(/<[^>]*>/g, "|")).toMatch(/25 %\|+25\/100\|+5\.0 s\|+5\.0\/s\|+15\.0 s left\|+5 failed/);
    expect(html).not.toMatch(/<script|<style/);
    expect(progressHtml(state({ done: 3, time: 1000 }))).not.toContain("aria-value");
  });
});
