/** Whatever happened, labels stand beside each other and inside the picture, and the axis can be read. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { FunctionColors } from "../../kernel/charts/palette.ts";
import { renderSvg } from "../../kernel/charts/svg.ts";
import { textWidth } from "../../kernel/charts/text-width.ts";
import type { TaskEvent } from "../../runtime/events.ts";
import { summarize, TimelineBuilder, timeTicks } from "../../runtime/timeline.ts";
import { callEvents, inOrder, taskEvents, workerEvents } from "../support/traces.ts";

interface MadeUp {
  tasks: { name: string; start: number; length: number; worker: number; state: "finished" | "failed" | "cancelled" }[];
  waits: { start: number; length: number; returned: number; timeout: boolean }[];
  marks: number[];
}

const name = fc.oneof(
  fc.constantFrom("f", "retrieve(3)", 'load("a very long argument…")', "数据处理(1)", "<b>&"),
  fc.string({ minLength: 1, maxLength: 30 }),
);

const madeUp: fc.Arbitrary<MadeUp> = fc.record({
  tasks: fc.array(
    fc.record({
      name,
      start: fc.nat(1_000),
      length: fc.nat(400),
      worker: fc.nat(7),
      state: fc.constantFrom("finished", "failed", "cancelled"),
    }),
    { maxLength: 40 },
  ),
  waits: fc.array(
    fc.record({ start: fc.nat(1_000), length: fc.nat(300), returned: fc.nat(4), timeout: fc.boolean() }),
    { maxLength: 25 },
  ),
  marks: fc.array(fc.nat(1_400), { maxLength: 30 }),
});

function eventsOf({ tasks, waits, marks }: MadeUp, scale: number): TaskEvent[] {
  const ids = tasks.map((_, i) => `t${i}`);
  return inOrder(
    workerEvents(8),
    ...tasks.map(({ name, start, length, worker, state }, i) =>
      taskEvents({
        id: `t${i}`,
        name,
        fn: name.slice(0, 3),
        submit: start * scale,
        start: start * scale,
        end: (start + length) * scale,
        worker: `worker-${worker}`,
        state,
      }),
    ),
    ...waits.map(({ start, length, returned, timeout }, i) =>
      callEvents({
        id: `w${i}`,
        kind: "wait",
        of: ids.slice(0, 5),
        start: start * scale,
        end: (start + length) * scale,
        timeout: 500,
        returned: ids.slice(0, returned),
        outcome: timeout ? "timeout" : "ok",
      }),
    ),
    marks.map(
      (time, i): TaskEvent => ({ type: i % 3 ? "spilled" : "restored", time: time * scale, objectId: "o", bytes: 5e6 }),
    ),
  );
}

interface Label {
  text: string;
  from: number;
  to: number;
  y: number;
}

/** All texts with their places, groups that are moved taken into account. */
function labelsOf(svg: string): Label[] {
  const labels: Label[] = [];
  const moves: [number, number][] = [[0, 0]];
  const tags = /<(?:(\/?g)\b([^>]*)>|text\b([^>]*)>(.*?)<\/text>)/gs;
  for (const [, group, place = "", attributes = "", content = ""] of svg.matchAll(tags)) {
    const [dx, dy] = moves.at(-1)!;
    if (group === "/g") moves.pop();
    else if (group === "g") {
      const moved = /translate\(([-\d.]+) ([-\d.]+)\)/.exec(place);
      moves.push([dx + Number(moved?.[1] ?? 0), dy + Number(moved?.[2] ?? 0)]);
    } else labels.push(labelOf(attributes, content, dx, dy));
  }
  return labels;
}

function labelOf(attributes: string, content: string, dx: number, dy: number): Label {
  const value = (key: string): number => Number(new RegExp(`\\b${key}="([-\\d.]+)"`).exec(attributes)?.[1] ?? 0);
  const text = content
    .replaceAll(/<[^>]*>/g, "")
    .replaceAll(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)));
  const width = textWidth(text, value("font-size") || 11, { bold: attributes.includes('font-weight="600"') }) / 1.06;
  const anchor = /text-anchor="(\w+)"/.exec(attributes)?.[1];
  const from = dx + value("x") - (anchor === "end" ? width : anchor === "middle" ? width / 2 : 0);
  return { text, from, to: from + width, y: dy + value("y") };
}

test("no label stands over another or outside of the picture", { timeout: 60_000 }, () => {
  fc.assert(
    fc.property(madeUp, fc.constantFrom(0.001, 1, 100), fc.constantFrom(360, 480, 960, 1400), (made, scale, width) => {
      const builder = new TimelineBuilder();
      builder.add(eventsOf(made, scale));
      const data = builder.view();
      const svg = renderSvg(data, summarize(data), { colors: new FunctionColors(), width });
      expect(svg).not.toMatch(/NaN|undefined|Infinity/);
      const labels = labelsOf(svg);
      for (const [index, a] of labels.entries()) {
        expect(a.from, a.text).toBeGreaterThan(-1);
        expect(a.to, a.text).toBeLessThanOrEqual(width + 1);
        for (const b of labels.slice(index + 1))
          if (Math.abs(a.y - b.y) < 9)
            expect(a.to <= b.from + 1.5 || b.to <= a.from + 1.5, `${a.text} | ${b.text}`).toBe(true);
      }
    }),
    { numRuns: 150, seed: 7 },
  );
});

test("at every scale the ticks are in one unit, evenly spaced, few enough and many enough", () => {
  fc.assert(
    fc.property(fc.double({ min: -3, max: 8.5, noNaN: true }), fc.integer({ min: 3, max: 14 }), (power, count) => {
      const length = 10 ** power;
      const ticks = timeTicks(length, count);
      expect(ticks.length).toBeGreaterThanOrEqual(2);
      expect(ticks.length).toBeLessThanOrEqual(count * 1.6 + 1.5);
      expect(ticks.at(-1)!.value).toBeLessThanOrEqual(length * (1 + 1e-6));
      expect(new Set(ticks.map(({ label }) => label)).size).toBe(ticks.length);
      for (const { label } of ticks.slice(1))
        expect(label).toMatch(/^(\d{1,4}(\.\d{1,2})? (µs|ms|s)|(\d+ d ?)?(\d+ h ?)?(\d+ m ?)?(\d+ s)?)$/);
    }),
    { numRuns: 500, seed: 7 },
  );
});
