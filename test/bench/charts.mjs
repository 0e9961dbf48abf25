// Rows about the timeline chart: drawing, size, the price of live drawing, and how well a replay predicts a run.
import { join } from "node:path";
import { inTurns, output, project } from "./processes.mjs";

function row(name, what, unit, variants, rounds) {
  return {
    name,
    what,
    unit,
    better: "less",
    measure: ({ quick }) =>
      inTurns(Object.keys(variants), quick ? 1 : rounds, async (variant) =>
        JSON.parse(
          await output(process.execPath, [join(project, "test/bench/chart-process.mjs"), ...variants[variant]]),
        ),
      ),
  };
}

const counts = ["8", "200", "10000", "100000"];
const byCount = (measure) =>
  Object.fromEntries(counts.map((count) => [`${Number(count).toLocaleString("en")} tasks`, [measure, count]]));

export const chartRows = [
  row("chart-draw", "the picture of so many tasks", "ms", byCount("svg"), 3),
  row("chart-size", "the whole chart in a notebook's file", "kB", byCount("size"), 1),
  row("chart-live", "a chart that is drawn while 1,000 tasks run", "% of a core", { heddle: ["live", "1000"] }, 5),
  row(
    "simulate",
    "a run on 4 workers predicts the wall time on 2 and on 8: how far a real run is off",
    "%",
    Object.fromEntries(
      ["batch", "tree", "pipeline", "nested", "early"].flatMap((graph) =>
        ["2", "8"].map((workers) => [`${graph} on ${workers}`, ["simulate", graph, "4", workers]]),
      ),
    ),
    3,
  ),
];
