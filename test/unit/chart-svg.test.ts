import { expect, test } from "vitest";
import { FAILURE, FunctionColors } from "../../kernel/charts/palette.ts";
import { plotlyFigure } from "../../kernel/charts/plotly-figure.ts";
import { renderPng } from "../../kernel/charts/png.ts";
import { encodeIndexedPng, quantize } from "../../kernel/charts/png-encoder.ts";
import { renderSvg, type SvgOptions } from "../../kernel/charts/svg.ts";
import { textWidth } from "../../kernel/charts/text-width.ts";
import type { TaskEvent } from "../../runtime/events.ts";
import { withoutPauses } from "../../runtime/timeline/pauses.ts";
import {
  summarize,
  TimelineBuilder,
  type TimelineData,
  type TimelineFilter,
  timeTicks,
} from "../../runtime/timeline.ts";
import { callEvents, earlyReturns, everything, inOrder, manyTasks, taskEvents } from "../support/traces.ts";

function view(events: readonly TaskEvent[], filter: TimelineFilter = {}): TimelineData {
  const builder = new TimelineBuilder();
  builder.add(events);
  return builder.view(filter);
}

function draw(data: TimelineData, options: Partial<SvgOptions> = {}): string {
  return renderSvg(data, summarize(data), { colors: new FunctionColors(), ...options });
}

function texts(svg: string): { text: string; x: number; y: number; anchor: string; bold: boolean }[] {
  return [...svg.matchAll(/<text ([^>]*)>(.*?)<\/text>/g)].map(([, attributes = "", content = ""]) => ({
    text: content.replace(/<[^>]*>/g, ""),
    x: Number(/\bx="([-\d.]+)"/.exec(attributes)?.[1] ?? 0),
    y: Number(/\by="([-\d.]+)"/.exec(attributes)?.[1] ?? 0),
    anchor: /text-anchor="(\w+)"/.exec(attributes)?.[1] ?? "start",
    bold: attributes.includes('font-weight="600"'),
  }));
}

/** Well-formed, as far as a picture needs it: each tag is closed in order. */
function expectWellFormed(svg: string): void {
  const open: string[] = [];
  for (const [, closing, name, selfClosing] of svg.matchAll(/<(\/?)([a-z]+)[^>]*?(\/?)>/gi)) {
    if (closing) expect(open.pop()).toBe(name);
    else if (!selfClosing) open.push(name!);
  }
  expect(open).toEqual([]);
}

const traces: [string, TaskEvent[], TimelineFilter][] = [
  ["early returns", earlyReturns(), { cell: "3" }],
  ["everything", everything(), { cell: "1" }],
  ["40 tasks", manyTasks(40, 4), {}],
  ["200 tasks", manyTasks(200, 8), {}],
  ["1,500 tasks", manyTasks(1_500, 8), {}],
  ["10,000 tasks", manyTasks(10_000, 16), {}],
  ["half of everything", everything().filter(({ time }) => time < 400), { cell: "1" }],
  ["nothing", [], {}],
];

test.each(traces)("%s: well-formed, no text over another, nothing outside", (_, events, filter) => {
  for (const width of [480, 960]) {
    const svg = draw(view(events, filter), { width });
    expectWellFormed(svg);
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
    const placed = texts(svg.replace(/<g transform="translate\(.*$/, "")).filter(({ y }) => y > 0);
    const spans = placed.map(({ text, x, y, anchor, bold }) => {
      const length = textWidth(text, 11, { bold }) / 1.06;
      const from = anchor === "end" ? x - length : anchor === "middle" ? x - length / 2 : x;
      return { text, y, from, to: from + length };
    });
    for (const a of spans) {
      if (a.y > 50) expect(a.from, a.text).toBeGreaterThan(0);
      for (const b of spans)
        if (a !== b && Math.abs(a.y - b.y) < 8 && a.from <= b.from)
          expect(a.to, `${a.text} | ${b.text}`).toBeLessThanOrEqual(b.from + 1.5);
    }
  }
});

test("the head says what happened", () => {
  const lines = texts(draw(view(earlyReturns(), { cell: "3" }))).map(({ text }) => text);
  expect(lines[0]).toBe("[3] 8 tasks · wait(numReturns: 2)");
  expect(lines.slice(1, 6)).toEqual([
    "wall 708 ms",
    "task time 2.81 s",
    "speed-up 4.0×",
    "capacity used 50 %",
    "lower bound 701 ms",
  ]);
  const all = texts(draw(view(everything(), { cell: "1" }))).map(({ text }) => text);
  expect(all).toEqual(expect.arrayContaining(["[1] 23 tasks · wait × 2", "failed 1", "retried 1", "cancelled 2"]));
});

test("a mark, a label and a line for each early return, a ring on each task it gave back", () => {
  const svg = draw(view(earlyReturns(), { cell: "3" }));
  expect(svg.match(/h8\.4l-4\.2 6\.4z/g)).toHaveLength(4 + 1);
  expect(svg.match(/<circle/g)).toHaveLength(8);
  expect(svg.match(/stroke-dasharray="3 3"/g)).toHaveLength(1);
  const labels = texts(svg).map(({ text }) => text);
  for (const label of [
    "↩ retrieve(0) retrieve(1)",
    "↩ retrieve(2) retrieve(3)",
    "↩ retrieve(4) retrieve(5)",
    "↩ retrieve(6) retrieve(7)",
  ])
    expect(labels).toContain(label);
});

test("a wait that timed out is marked in the colour of failures", () => {
  const svg = draw(view(everything(), { cell: "1" }));
  expect(svg).toMatch(new RegExp(`fill="${FAILURE}"[^>]*>timed out<`));
  expect(svg).toMatch(new RegExp(`stroke-dasharray="3 3"[^>]*stroke="${FAILURE}"`));
});

test("retry, failure, nested and dependent tasks, fetching, queueing, crash and spilling have marks, each explained", () => {
  const labels = texts(draw(view(everything(), { cell: "1" }))).map(({ text }) => text);
  const legend = [
    "load",
    "+",
    "fetch arguments",
    "queued",
    "waits for nested",
    "critical path",
    "result to argument",
    "submitted by",
    "failed",
    "cancelled",
    "early return",
    "wait timed out",
    "worker crashed",
    "spilled 80 MB",
  ];
  expect(labels).toEqual(expect.arrayContaining(legend.filter((entry) => entry !== "+")));
  expect(labels).toEqual(expect.arrayContaining(["✕ flaky(1)", "flaky(1) ↻1", "Counter#1", "did not run", "sweep"]));
});

test("marks of the store that would cover each other are one; what went and what came back are told apart", () => {
  const moves = Array.from({ length: 300 }, (_, i): TaskEvent => {
    const type = i % 3 === 0 ? "restored" : "spilled";
    return { type, time: 20 + (i % 100) * 0.3, objectId: `o${i}`, bytes: 1e6 };
  });
  const svg = draw(view(inOrder(taskEvents({ id: "a", submit: 0, start: 0, end: 1_000 }), moves)));
  expect(svg.match(/M-5-4H5L0 5z/g)!.length).toBeLessThan(8);
  const labels = texts(svg).map(({ text }) => text);
  expect(labels).toEqual(expect.arrayContaining(["spilled 200 MB", "restored 100 MB"]));
});

test("tasks that a worker has at the same time do not cover each other", () => {
  const events = inOrder(
    taskEvents({ id: "parent", fn: "outer", submit: 0, start: 0, end: 300, blocked: [[50, 250]] }),
    taskEvents({ id: "child", fn: "inner", parent: "parent", submit: 40, start: 60, end: 200 }),
  );
  const rows = texts(draw(view(events))).filter(({ text }) => text === "parent" || text === "child");
  expect(rows).toHaveLength(2);
  expect(Math.abs(rows[0]!.y - rows[1]!.y)).toBeGreaterThan(15);
});

test("a cell that awaits tasks of another says where they came from", () => {
  const events = inOrder(
    taskEvents({ id: "a", cell: "3", submit: 0, start: 0, end: 200 }),
    callEvents({ id: "g", cell: "4", kind: "get", of: ["a"], start: 100, end: 201 }),
  );
  expect(texts(draw(view(events, { cell: "4" })))[0]?.text).toBe("[4] get · submitted in [3]");
});

test("a chart of several cells says which is where, and what of the time between them it left out", () => {
  const cells = ["3", "4", "7"].map((cell, i) =>
    taskEvents({ id: cell, cell, submit: i * 10_000, start: i * 10_000, end: i * 10_000 + 200 }),
  );
  const whole = view(inOrder(...cells));
  const cut = withoutPauses(whole);
  const labels = texts(draw(cut)).filter(({ text }) => /^\[\d\]$/.test(text));
  expect(labels.map(({ text }) => text)).toEqual(["[3]", "[4]", "[7]"]);
  expect(labels[2]!.x - labels[1]!.x).toBeCloseTo(labels[1]!.x - labels[0]!.x, 0);
  expect(texts(draw(cut)).map(({ text }) => text)).toContain("19.6 s between cells left out");
  expect(texts(draw(view(cells[0]!, { cell: "3" }))).filter(({ text }) => /^\[\d\]$/.test(text))).toEqual([]);
  const figure = JSON.stringify(plotlyFigure(cut, summarize(cut), { colors: new FunctionColors() }));
  expect(figure).toContain('"text":["[3]","[4]","[7]"]');
});

test("names of users cannot break the picture", () => {
  const svg = draw(
    view(taskEvents({ id: "a", name: `<script>"&'\u0000`, fn: "</svg>", submit: 0, start: 0, end: 100 })),
  );
  expectWellFormed(svg);
  expect(svg).not.toContain("<script>");
});

test("the theme follows the page, or is what was asked for", () => {
  const data = view(earlyReturns(), { cell: "3" });
  expect(draw(data)).toContain("@media (prefers-color-scheme:dark)");
  expect(draw(data, { theme: "light" })).not.toContain("@media");
  expect(draw(data, { theme: "dark" })).toContain(".card{fill:#111418");
});

test("advice stands under the chart, three lines of it at most", () => {
  const advice = Array.from({ length: 5 }, (_, i) => ({
    rule: "straggler" as const,
    message: `advice ${i}`,
    cost: 1,
    taskIds: [],
  }));
  const labels = texts(draw(view(earlyReturns()), { advice })).map(({ text }) => text);
  expect(labels.filter((text) => text.startsWith("advice"))).toEqual(["advice 0", "advice 1", "advice 2"]);
});

test.each([
  [0.5, ["0", "50 µs", "100 µs"]],
  [708, ["0", "100 ms", "200 ms"]],
  [4, ["0", "0.5 ms", "1.0 ms"]],
  [1_220, ["0", "0.2 s", "0.4 s"]],
  [27_500, ["0", "5 s", "10 s"]],
  [420_000, ["0", "1 m", "2 m"]],
  [9_000_000, ["0", "30 m", "1 h"]],
])("ticks over %d ms", (length, beginning) => {
  const labels = timeTicks(length, 8).map(({ label }) => label);
  expect(labels.slice(0, 3)).toEqual(beginning);
  expect(labels.length).toBeLessThanOrEqual(11);
});

test("drawing is fast enough to be live", () => {
  for (const [count, workers, limit] of [
    [8, 8, 1],
    [200, 8, 30],
    [10_000, 16, 250],
  ] as const) {
    const data = view(count === 8 ? earlyReturns() : manyTasks(count, workers));
    const stats = summarize(data);
    const times = Array.from({ length: 9 }, () => {
      const start = performance.now();
      renderSvg(data, stats, { colors: new FunctionColors() });
      return performance.now() - start;
    });
    // Four times the target: the machine may be busy.
    expect(times.sort((a, b) => a - b)[2], `${count} tasks`).toBeLessThan(limit * 4);
  }
});

test("the PNG has the picture's size and more, and letters in it on any machine", async () => {
  const data = view(earlyReturns(), { cell: "3" });
  const png = Buffer.from(await renderPng(draw(data, { theme: "light" })));
  expect(png.subarray(1, 4).toString()).toBe("PNG");
  expect(png.readUInt32BE(16)).toBe(1344);
  const withoutText = Buffer.from(await renderPng(draw(data, { theme: "light" }).replace(/<text.*?<\/text>/g, "")));
  expect(png.length).toBeGreaterThan(withoutText.length * 2);
});

test("a picture of few colours survives the reduction to a palette", () => {
  const rgba = Uint8Array.from([255, 0, 0, 255, 0, 0, 255, 255, 255, 0, 0, 255, 255, 255, 255, 255]);
  const image = quantize(rgba, 2, 2);
  expect(Array.from(image.pixels, (index) => image.palette[index])).toEqual([
    [255, 0, 0, 255],
    [0, 0, 255, 255],
    [255, 0, 0, 255],
    [255, 255, 255, 255],
  ]);
  expect(Buffer.from(encodeIndexedPng(image)).readUInt32BE(20)).toBe(2);
});

test("thousands of calls are a handful of marks, as many as can be told apart", () => {
  const parts = Array.from({ length: 5_000 }, (_, i) => [
    ...taskEvents({ id: `t${i}`, submit: i, start: i, end: i + 0.8 }),
    ...callEvents({ id: `w${i}`, kind: "wait", of: [`t${i}`, "other"], returned: [`t${i}`], start: i, end: i + 0.9 }),
  ]);
  const svg = draw(view(inOrder(...parts)));
  expect(svg.length).toBeLessThan(300_000);
  expect(svg.match(/h8\.4l-4\.2 6\.4z/g)!.length).toBeLessThan(500);
});

test("looks that found nothing leave no marks, for they are no timeouts", () => {
  const looks = Array.from({ length: 50 }, (_, i) =>
    callEvents({
      id: `w${i}`,
      kind: "wait",
      of: ["a"],
      timeout: 0,
      returned: [],
      start: i * 2,
      end: i * 2 + 0.1,
      outcome: "timeout",
    }),
  );
  const svg = draw(view(inOrder(taskEvents({ id: "a", submit: 0, start: 0, end: 100 }), ...looks)));
  expect(svg).not.toContain("h8.4l-4.2 6.4z");
});
