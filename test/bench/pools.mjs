// Rows about tasks: heddle beside the usual pools of worker threads, each measured in a process of its own.
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { inTurns, output, project } from "./processes.mjs";

const peers = ["heddle", "piscina", "tinypool", "workerpool"];
const threads = Math.min(4, availableParallelism());
const program = join(project, "test/bench/pool-process.mjs");

async function measured(peer, what, count) {
  return JSON.parse(await output(process.execPath, [program, peer, what, String(count), String(threads)]));
}

export const poolRows = [
  {
    name: "start",
    what: `a fresh process: from its start to the first result of a task, ${threads} threads`,
    unit: "ms",
    better: "less",
    measure: ({ quick }) =>
      inTurns(peers, quick ? 3 : 10, async (peer) => {
        const began = performance.timeOrigin + performance.now();
        return (await measured(peer, "start", 1)) - began;
      }),
  },
  {
    name: "latency",
    what: "a no-op task, one at a time: the median of a run",
    unit: "µs",
    better: "less",
    measure: ({ quick }) => inTurns(peers, quick ? 1 : 5, (peer) => measured(peer, "latency", quick ? 500 : 3_000)),
  },
  {
    name: "rate",
    what: "no-op tasks a second, 100,000 submitted at once",
    unit: "tasks/s",
    better: "more",
    measure: ({ quick }) => inTurns(peers, quick ? 1 : 5, (peer) => measured(peer, "rate", quick ? 20_000 : 100_000)),
  },
];
