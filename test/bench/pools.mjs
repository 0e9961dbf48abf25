// Rows about tasks: heddle beside the usual pools of worker threads and, where it installs, beside Ray and Dask; each
// sample in a process of its own.
import { join } from "node:path";
import { inTurns, output, project } from "./processes.mjs";

const threads = 2;
const pools = ["heddle", "piscina", "tinypool", "workerpool", "poolifier"];
const runtimes = ["ray", "dask"];

async function measured(peer, what, count) {
  const [command, program] = runtimes.includes(peer)
    ? [await pythonOfPeers(), join(project, "test/python/runtime_bench.py")]
    : [process.execPath, join(project, "test/bench/pool-process.mjs")];
  return JSON.parse(await output(command, [program, peer, what, String(count), String(threads)]));
}

/** The Python of an environment with Ray and Dask, made at the first call. */
async function pythonOfPeers() {
  const requirements = join(project, "test/python/requirements-bench.txt");
  return (await output("python3", [join(project, "test/python/make_environment.py"), requirements])).trim();
}

function row(name, what, unit, better, { peers = [...pools, ...runtimes], counts, rounds = [1, 5], slow = {} }) {
  return {
    name,
    what,
    unit,
    better,
    measure: ({ quick }) =>
      inTurns(peers, rounds[quick ? 0 : 1], (peer) => {
        const count = counts[quick ? 0 : 1];
        return measured(peer, name, Math.ceil(count / (slow[peer] ?? 1)));
      }),
  };
}

const arrays = { peers: ["heddle", "piscina", "ray"], counts: [100 << 20, 100 << 20], rounds: [2, 5] };

const arrayRows = [
  row("array", "100 MB put and summed by 8 tasks (piscina: in a SharedArrayBuffer made by hand)", "ms", "less", arrays),
  row("array-shared", "the same with the option `shared` (heddle)", "ms", "less", {
    ...arrays,
    peers: ["heddle", "piscina"],
  }),
  row("array-copied", "the same where the tasks write, each into a copy", "ms", "less", {
    ...arrays,
    peers: ["heddle", "piscina"],
  }),
  row("array-memory", "what the first of these takes beside the array itself, at its peak", "MB", "less", {
    ...arrays,
    peers: ["heddle", "piscina"],
  }),
  row("array-warm", "100 MB put where another object has been", "GB/s", "more", {
    ...arrays,
    peers: ["heddle", "piscina"],
  }),
  row("array-refs", "1,000 tasks that look at one 10 MB array by its ref", "ms", "less", {
    ...arrays,
    counts: [1000, 1000],
  }),
];

export const poolRows = [
  {
    name: "start",
    what: `a fresh process: from its start to the first result of a task, ${threads} threads`,
    unit: "ms",
    better: "less",
    measure: ({ quick }) =>
      inTurns(pools, quick ? 3 : 10, async (peer) => {
        const began = performance.timeOrigin + performance.now();
        return (await measured(peer, "start", 1)) - began;
      }),
  },
  row("latency", "a no-op task, one at a time: the median of a run", "µs", "less", { counts: [500, 3_000] }),
  row("rate", "no-op tasks a second, 100,000 submitted at once (Ray, Dask: 10,000)", "tasks/s", "more", {
    counts: [20_000, 100_000],
    slow: { ray: 10, dask: 10 },
  }),
  row("tree", "the sum of 1,024 leaves, two at a time", "ms", "less", { counts: [1_024, 1_024] }),
  row("chain", "1,000 tasks of which each needs the result of the one before", "ms", "less", {
    counts: [1_000, 1_000],
  }),
  row("nested", "a task that submits ten and gets them: the median of a run", "ms", "less", {
    peers: ["heddle", ...runtimes],
    counts: [50, 300],
  }),
  row("drain", "finished results taken by `wait` one by one, 10,000 of them (Ray: 1,000)", "ms", "less", {
    peers: ["heddle", "ray"],
    counts: [10_000, 10_000],
    slow: { ray: 10 },
  }),
  row("efficiency", "64 computing tasks of 20 ms: how much of two cores they use", "of 1", "more", {
    counts: [64, 64],
  }),
  ...arrayRows,
  row("flood", "1,000,000 tasks, 100,000 in flight", "tasks/s", "more", {
    peers: ["heddle"],
    counts: [200_000, 1_000_000],
    rounds: [1, 2],
  }),
];
