import { formatTime, type TimelineData } from "../../runtime/timeline.ts";
import { markText, markTotal, placeMarks } from "./marks-layout.ts";
import { FAILURE, LIGHT } from "./palette.ts";
import { NEUTRAL, PAGE_BACKGROUND, type Plane, round, type Trace } from "./plotly-plane.ts";
import { escapeXml } from "./svg-elements.ts";

const MOST_SPANS = 400;

const MARKERS = {
  workerStarted: { symbol: "triangle-right", size: 9, color: PAGE_BACKGROUND, line: { color: NEUTRAL, width: 1.4 } },
  workerCrashed: { symbol: "bowtie", size: 12, color: FAILURE },
  spilled: { symbol: "triangle-down", size: 10, color: LIGHT.accent },
  restored: { symbol: "triangle-up", size: 9, color: PAGE_BACKGROUND, line: { color: LIGHT.accent, width: 1.5 } },
} as const;

/** What happened to workers and the store, each with its words. */
export function markTraces(data: TimelineData, { at, layout }: Plane): Trace[] {
  const marks = placeMarks(data, layout);
  return (Object.keys(MARKERS) as (keyof typeof MARKERS)[]).flatMap((kind) => {
    const some = marks.filter((mark) => mark.kind === kind);
    if (some.length === 0) return [];
    return [
      {
        type: "scatter",
        mode: "markers",
        name: markTotal(marks, kind),
        x: some.map(({ time }) => at(time)),
        y: some.map(({ y }) => round(y)),
        cliponaxis: false,
        marker: MARKERS[kind],
        customdata: some.map((mark) => escapeXml(markText(mark, data.start))),
        hovertemplate: "%{customdata}<extra></extra>",
      },
    ];
  });
}

/** Spans that the user's code marked in its tasks, as lines at the foot of their bars. */
export function spanTraces(data: TimelineData, { at, layout }: Plane): Trace[] {
  const barOf = new Map(layout.bars.map((bar) => [bar.task.id, bar]));
  const spans = data.spans.flatMap((span) => {
    const bar = barOf.get(span.taskId ?? "");
    return bar ? [{ ...span, y: round(bar.y + layout.barHeight - 2) }] : [];
  });
  if (spans.length === 0 || spans.length > MOST_SPANS) return [];
  return [
    {
      type: "scatter",
      mode: "lines",
      name: "profiled span",
      x: spans.flatMap(({ end, start }) => [at(start), at(end), null]),
      y: spans.flatMap(({ y }) => [y, y, null]),
      line: { color: PAGE_BACKGROUND, width: 3 },
      opacity: 0.75,
      customdata: spans.flatMap(({ end, name, start }) => {
        const text = `<b>${escapeXml(name)}</b> ${formatTime(end - start)}`;
        return [text, text, ""];
      }),
      hovertemplate: "%{customdata}<extra></extra>",
    },
  ];
}
