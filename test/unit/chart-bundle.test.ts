import { expect, test } from "vitest";
import { type ChartBundle, fullBundle } from "../../kernel/charts/bundle.ts";
import { FunctionColors } from "../../kernel/charts/palette.ts";
import { plotlyFigure, standAlone } from "../../kernel/charts/plotly-figure.ts";
import type { Trace } from "../../kernel/charts/plotly-plane.ts";
import type { TaskEvent } from "../../runtime/events.ts";
import { summarize, TimelineBuilder, type TimelineData, type TimelineFilter } from "../../runtime/timeline.ts";
import { earlyReturns, everything, manyTasks } from "../support/traces.ts";

function view(events: readonly TaskEvent[], filter: TimelineFilter = {}): TimelineData {
  const builder = new TimelineBuilder();
  builder.add(events);
  return builder.view(filter);
}

function bundle(data: TimelineData, more: { plotlyMime?: boolean } = {}): Promise<ChartBundle> {
  return fullBundle(data, { colors: new FunctionColors(), kernelspecName: "heddle", ...more });
}

function traces(data: TimelineData): Trace[] {
  return plotlyFigure(data, summarize(data), { colors: new FunctionColors() }).data;
}

test.each([
  [8, 60_000, earlyReturns()],
  [200, 120_000, manyTasks(200, 8)],
  [10_000, 250_000, manyTasks(10_000, 16)],
  [100_000, 300_000, manyTasks(100_000, 64)],
])("%d tasks take at most %d bytes of a notebook", async (_, limit, events) => {
  expect(JSON.stringify(await bundle(view(events))).length).toBeLessThanOrEqual(limit);
});

test("the HTML holds the picture with a sentence, the figure and the loader, and no script from anywhere", async () => {
  const html = (await bundle(view(earlyReturns(), { cell: "3" })))["text/html"] as string;
  expect(html).toContain(
    '<img alt="Timeline of cell 3: 8 tasks on 8 workers in 708 ms; 2.81 s of task time, 4.0× speed-up, 50 % of capacity; lower bound 701 ms. 4 early returns." src="data:image/svg+xml;base64,',
  );
  expect(html).not.toMatch(/src="http|<script src|plotly\.js/);
  // A page that does not trust the notebook takes scripts away and shows the text of everything else.
  expect(html.replace(/<(script|style)[^>]*>.*?<\/\1>/gs, "").replace(/<[^>]*>/g, "")).toBe("");
  const figure = /<script type="application\/json">(.*?)<\/script>/s.exec(html)?.[1];
  expect(JSON.parse(figure!)).toHaveProperty("data");
});

test("names of users cannot leave the figure or the picture's text", async () => {
  const evil = everything().map((event) =>
    event.type === "submitted" ? { ...event, name: "</script><b>", functionName: '"><img onerror=x>' } : event,
  );
  const html = (await bundle(view(evil, { cell: "1" })))["text/html"] as string;
  expect(html.match(/<script/g)).toHaveLength(2);
  expect(html).not.toContain("<img onerror");
});

test("the figure for VS Code has no placeholders and its title", async () => {
  const figure = JSON.stringify(
    (await bundle(view(everything(), { cell: "1" }), { plotlyMime: true }))["application/vnd.plotly.v1+json"],
  );
  expect(figure).not.toMatch(/"@text"|"@back"/);
  expect(figure).toContain("23 tasks · wait × 2");
});

test("as many bars as attempts, as many early-return marks as waits that came back", () => {
  const data = view(everything(), { cell: "1" });
  const bars = traces(data).filter(
    ({ type, customdata, name }) => type === "bar" && customdata && name !== "wait" && name !== "get",
  );
  expect(bars.reduce((sum, { x }) => sum + (x as number[]).length, 0)).toBe(
    data.tasks.reduce((sum, task) => sum + task.attempts.length, 0),
  );
  const marks = (name: string) =>
    (traces(data).find((trace) => trace.name === name)?.x as number[] | undefined)?.length;
  expect([marks("early return"), marks("wait timed out")]).toEqual([1, 1]);
});

test("labels that do not fit are left out, others are not", () => {
  const data = view(manyTasks(200, 8));
  const figure = plotlyFigure(data, summarize(data), { colors: new FunctionColors() });
  const shown = (all: Trace[]) =>
    all.filter(({ mode }) => mode === "text").flatMap(({ text }) => (text as string[]).filter((label) => label !== ""));
  const fitted = shown(standAlone(figure).data);
  expect(fitted.length).toBeGreaterThan(20);
  expect(fitted.length).toBeLessThan(shown(figure.data).length);
});

test.each([
  [500, " ms"],
  [27_000, " s"],
  [600_000, " min"],
])("an axis over %d ms has numbers that read well", (length, suffix) => {
  const data = view(earlyReturns().map((event) => ({ ...event, time: event.time * (length / 708) })));
  const axis = plotlyFigure(data, summarize(data), { colors: new FunctionColors() }).layout.xaxis as {
    range: number[];
    ticksuffix: string;
  };
  expect(axis.ticksuffix).toBe(suffix);
  expect(axis.range[1]).toBeLessThan(2_000);
});

test("a very large timeline is an image and areas, not bars", () => {
  const data = view(manyTasks(10_000, 16));
  expect(traces(data).filter(({ type, width }) => type === "bar" && width !== 18)).toEqual([]);
  expect(traces(data).filter(({ stackgroup }) => stackgroup)).toHaveLength(5);
});
