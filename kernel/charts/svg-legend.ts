import type { TimelineData, TimelineStats } from "../../runtime/timeline.ts";
import { FONT_SIZE, MARGIN } from "./layout.ts";
import { FAILURE, type FunctionColors } from "./palette.ts";
import type { LegendMark } from "./svg-bars.ts";
import { escapeXml, num } from "./svg-elements.ts";
import { fitText, textWidth } from "./text-width.ts";

const MOST_FUNCTIONS = 10;
const LINE_HEIGHT = 18;

export interface LegendEntry {
  text: string;
  /** Drawn with its baseline at 0 and 13 wide; empty for text alone. */
  swatch: string;
}

const SWATCH = '<rect y="-9" width="13" height="10"';

const MARKS: Record<LegendMark, LegendEntry> = {
  fetch: { text: "fetch arguments", swatch: `${SWATCH} fill="#7b8794"/>${SWATCH} fill="url(#h)"/>` },
  queued: { text: "queued", swatch: '<path d="M0-4H13" class="sm" stroke-width="2.4" opacity=".5"/>' },
  blocked: { text: "waits for nested", swatch: `${SWATCH} fill="#7b8794" fill-opacity=".38"/>` },
  critical: { text: "critical path", swatch: '<path d="M0-3H13" class="st" stroke-width="2.2"/>' },
  depends: {
    text: "result to argument",
    swatch: '<path d="M0-1C6-1 4-7 9-7" class="st" fill="none"/><path d="M13-7l-5-2.6v5.2z" class="ft"/>',
  },
  nested: {
    text: "submitted by",
    swatch:
      '<path d="M2-4H13" class="st" stroke-width="1.3" stroke-dasharray="1.3 2.2"/><circle cx="2" cy="-4" r="2.2" class="ft"/>',
  },
  running: { text: "running", swatch: '<path d="M0-9h8l5 5l-5 5h-8z" fill="#7b8794"/>' },
  failed: { text: "failed", swatch: `${SWATCH} fill="none" stroke="${FAILURE}" stroke-width="2"/>` },
  cancelled: { text: "cancelled", swatch: `${SWATCH} fill="url(#c)" fill-opacity=".55" class="sm"/>` },
  span: { text: "profiled span", swatch: '<path d="M0-2H13" class="st" stroke-width="2.5" opacity=".55"/>' },
};

export function markEntry(mark: LegendMark): LegendEntry {
  return MARKS[mark];
}

/** A swatch for each of the functions that took most time, in the order in which they came up; the others as a number. */
export function functionEntries(data: TimelineData, stats: TimelineStats, colors: FunctionColors): LegendEntry[] {
  const shown = new Set(stats.functions.slice(0, MOST_FUNCTIONS).map(({ name }) => name));
  const drawn = data.tasks.filter((task) => task.attempts.some((attempt) => attempt.state !== "cancelled"));
  const names = [...new Set(drawn.map((task) => task.functionName))].filter((name) => shown.has(name));
  const entries = names.map((name) => ({
    text: fitText(name, 160, FONT_SIZE),
    swatch: `${SWATCH} fill="${colors.of(name)}"/>`,
  }));
  const others = new Set(drawn.map((task) => task.functionName)).size - names.length;
  return others > 0 ? [...entries, { text: `+${others} more`, swatch: "" }] : entries;
}

/** Lays the entries out in as many lines as they need. */
export function drawLegend(
  entries: readonly LegendEntry[],
  width: number,
): { height: number; draw: (y: number) => string } {
  const places: { entry: LegendEntry; x: number; line: number }[] = [];
  let x = MARGIN;
  let line = 0;
  for (const entry of entries) {
    const taken = (entry.swatch === "" ? 0 : 18) + textWidth(entry.text, FONT_SIZE);
    if (x > MARGIN && x + taken > width - MARGIN) {
      line++;
      x = MARGIN;
    }
    places.push({ entry, x, line });
    x += taken + 16;
  }
  const draw = (y: number): string =>
    places
      .map(({ entry, x: at, line: row }) => {
        const text = `<text x="${entry.swatch === "" ? 0 : 18}" class="ft">${escapeXml(entry.text)}</text>`;
        return `<g transform="translate(${num(at)} ${num(y + row * LINE_HEIGHT)})">${entry.swatch}${text}</g>`;
      })
      .join("");
  return { height: entries.length === 0 ? 0 : (line + 1) * LINE_HEIGHT, draw };
}
