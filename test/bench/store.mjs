// Rows about the object store; each sample in a process of its own.
import { join } from "node:path";
import { inTurns, output, project } from "./processes.mjs";

const program = join(project, "test/bench/store-process.mjs");

const row = (name, what, measure, peers) => ({
  name,
  what,
  unit: "ms",
  better: "less",
  measure: ({ quick }) =>
    inTurns(peers, quick ? 1 : 5, async (peer) => JSON.parse(await output(process.execPath, [program, peer, measure]))),
});

export const storeRows = [
  row("small-puts", "10,000 small values put and got, each checked; goal 50 ms", "small", ["heddle"]),
  row("nested-object", "10 MB of nested objects to a task and back; goal 350 ms", "nested", ["heddle", "piscina"]),
  row("spill", "800 MB put into a store of 75 MB, then 1,000 of them got at random, each checked", "spill", ["heddle"]),
];
