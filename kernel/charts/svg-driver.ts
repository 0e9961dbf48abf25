import { callLabels, type TimelineCall, type TimelineData } from "../../runtime/timeline.ts";
import { drawnCalls, type ReturnMark, runningParts } from "./driver-layout.ts";
import { FONT_SIZE, type Layout } from "./layout.ts";
import { FAILURE } from "./palette.ts";
import { escapeXml, HALO, num } from "./svg-elements.ts";
import { textWidth } from "./text-width.ts";

/** Dashed lines closer than this are one. */
const LINE_DISTANCE = 3;

/** The driver's lane: pale in `wait`, solid in `get`, a line while it runs; and the marks of early returns above. */
export function drawDriver(
  data: TimelineData,
  layout: Layout,
  marks: readonly ReturnMark[],
): { lane: string; lines: string } {
  const driver = layout.driver;
  if (!driver) return { lane: "", lines: "" };
  const { y, height } = driver;
  const calls = drawnCalls(data, layout);
  const parts = [
    `<text x="${num(layout.left - 8)}" y="${num(y + height / 2 + 3.9)}" text-anchor="end" font-weight="600" class="ft">driver</text>`,
    drawRunning(data, layout),
    ...calls.map((call, index) => drawCall(call, calls[index + 1], layout)),
  ];
  for (const { x, timedOut, label } of marks) {
    const color = timedOut ? `fill="${FAILURE}"` : 'class="ft"';
    parts.push(`<path d="M${num(x - 4.2)} ${num(y - 5)}h8.4l-4.2 6.4z" ${color}/>`);
    if (label)
      parts.push(
        `<text x="${num(label.x)}" y="${num(y - 8 - label.row * 14)}" text-anchor="${label.anchor}" font-weight="600" ${timedOut ? `class="sb" ${color}` : 'class="ft sb"'} ${HALO}>${escapeXml(label.text)}</text>`,
      );
  }
  return { lane: parts.join(""), lines: drawLines(layout, marks, y) };
}

function drawRunning(data: TimelineData, layout: Layout): string {
  const { y, height } = layout.driver!;
  const path = runningParts(data, layout)
    .map(([from, to]) => `M${num(from)} ${num(y + height / 2)}H${num(to)}`)
    .join("");
  return path === "" ? "" : `<path d="${path}" class="sd" stroke-width="2" fill="none"/>`;
}

function drawCall(call: TimelineCall, next: TimelineCall | undefined, layout: Layout): string {
  const { y, height } = layout.driver!;
  const x = layout.x(call.start);
  const width = Math.max(1.5, layout.x(call.end) - x);
  const waiting = call.kind === "wait";
  const dashed =
    call.outcome === "timeout" || call.outcome === "interrupted" || call.outcome === "running"
      ? ' stroke-dasharray="3 2"'
      : "";
  const failed = call.outcome === "failed" ? ` style="stroke:${FAILURE}"` : "";
  const rectangle = `<rect x="${num(x)}" y="${num(y)}" width="${num(width)}" height="${height}" rx="2" class="fd sd" fill-opacity="${waiting ? 0.26 : 0.92}"${dashed}${failed}/>`;
  // Calls may overlap; then only what is left free of the first can hold its label.
  const room = Math.min(width, (next ? layout.x(next.start) : Infinity) - x) - 10;
  const label = callLabels(call).find((text) => textWidth(text, FONT_SIZE) <= room);
  if (label === undefined) return rectangle;
  return `${rectangle}<text x="${num(x + 6)}" y="${num(y + height / 2 + 3.9)}" class="${waiting ? "ft" : "fb"}">${escapeXml(label)}</text>`;
}

function drawLines(layout: Layout, marks: readonly ReturnMark[], from: number): string {
  const line = (timedOut: boolean): string => {
    let path = "";
    let last = -Infinity;
    for (const mark of marks) {
      if (mark.timedOut !== timedOut || mark.x - last < LINE_DISTANCE) continue;
      path += `M${num(mark.x)} ${num(from + layout.driver!.height)}V${num(layout.bottom)}`;
      last = mark.x;
    }
    return path === ""
      ? ""
      : `<path d="${path}" stroke-dasharray="3 3" fill="none" opacity=".6" ${timedOut ? `stroke="${FAILURE}"` : 'class="st"'}/>`;
  };
  return line(false) + line(true);
}
