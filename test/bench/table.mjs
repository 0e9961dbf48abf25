// Samples to medians, ratios and a table.
import { availableParallelism, cpus, totalmem } from "node:os";

export function median(samples) {
  const sorted = samples.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export function machine() {
  return {
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    cpus: availableParallelism(),
    model: cpus()[0]?.model ?? "unknown",
    memoryGiB: Math.round(totalmem() / 2 ** 30),
  };
}

export function machineLine() {
  const { node, platform, cpus, model, memoryGiB } = machine();
  return `Node ${node}, ${platform}, ${cpus} × ${model}, ${memoryGiB} GiB`;
}

/** results: [{ name, what, unit, better: "less" | "more", samples: { peer: [number…] | { error } } }] */
export function formatTable(results) {
  const lines = [["row", "who", "median", "spread", "n", "heddle is better by"]];
  for (const { name, unit, better, samples } of results) {
    const own = Array.isArray(samples.heddle) ? median(samples.heddle) : undefined;
    for (const [peer, measured] of Object.entries(samples)) {
      if (!Array.isArray(measured)) lines.push([name, peer, measured.error, "", "", ""]);
      else
        lines.push([
          name,
          peer,
          ...figures(measured, unit),
          peer === "heddle" || own === undefined ? "" : ratio(own, median(measured), better),
        ]);
    }
  }
  const widths = lines[0].map((_, i) => Math.max(...lines.map((line) => line[i].length)));
  const rule = widths.map((width) => "-".repeat(width));
  const body = [lines[0], rule, ...lines.slice(1)].map(
    (line) => `| ${line.map((cell, i) => cell.padEnd(widths[i])).join(" | ")} |`,
  );
  return body.join("\n");
}

function figures(samples, unit) {
  const show = (value) => `${value >= 1000 ? Math.round(value).toLocaleString("en") : value.toPrecision(3)} ${unit}`;
  return [
    show(median(samples)),
    `${show(Math.min(...samples))} – ${show(Math.max(...samples))}`,
    String(samples.length),
  ];
}

function ratio(own, other, better) {
  return `${(better === "less" ? other / own : own / other).toPrecision(3)}×`;
}
