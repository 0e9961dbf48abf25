/**
 * One mixed workload, again and again, with a worker killed at step 1, 2, 3 … of it, until it passes unharmed. Each
 * task's result and number of runs must be what its own maxRetries promises. Prints what it found as JSON.
 */
import { setEnvironmentData } from "node:worker_threads";
import {
  availableResources,
  clusterResources,
  get,
  init,
  listTasks,
  listWorkers,
  put,
  remote,
  settled,
  shutdown,
  wait,
} from "../../../dist/runtime/index.js";

const MOST_STEPS = 2000;
const MOST_RUNS = 64;
const SETTLE_MS = 20_000;

const fault = new Int32Array(new SharedArrayBuffer(4));
const runs = new Int32Array(new SharedArrayBuffer(4 * MOST_RUNS));
setEnvironmentData("fault", fault.buffer);
setEnvironmentData("runs", runs.buffer);

/** Tasks count their own runs where a killed thread cannot take the count along. */
function countRun(place) {
  const { getEnvironmentData } = process.getBuiltinModule("node:worker_threads");
  return Atomics.add(new Int32Array(getEnvironmentData("runs")), place, 1) + 1;
}

const plain = (place, value) => {
  countRun(place);
  return value;
};
const once = remote(plain, { name: "once", maxRetries: 0 });
const again = remote(plain, { name: "again", maxRetries: 2 });
const twice = (place, n) => {
  countRun(place);
  return n * 2;
};
const leaf = remote(twice, { name: "leaf", maxRetries: 2 });
const tree = remote(
  async (place) => {
    countRun(place);
    const values = await get([leaf.remote(place + 1, 10), leaf.remote(place + 2, 11)]);
    const [[first]] = await wait([leaf.remote(place + 3, 1)]);
    return values[0] + values[1] + (await get(first));
  },
  { name: "tree", maxRetries: 2 },
);
const waiting = remote(
  async (place) => {
    countRun(place);
    await new Promise((resolve) => setTimeout(resolve, 2));
    return get(put({ place }));
  },
  { name: "waiting", maxRetries: 2 },
);
const flaky = remote(
  (place) => {
    if (countRun(place) === 1) throw new Error("first run");
    return "second run";
  },
  { name: "flaky", maxRetries: 3, retryExceptions: true },
);
const items = remote(
  function* items(place, count) {
    countRun(place);
    for (let n = 0; n < count; n++) yield n;
  },
  { maxRetries: 2 },
);
const sum = remote((array) => array.reduce((total, n) => total + n, 0), { name: "sum", maxRetries: 2 });
const pair = remote((a, b) => [a, b], { name: "pair", numReturns: 2, maxRetries: 2 });

async function readAll(stream) {
  const values = [];
  for await (const value of stream.values()) values.push(value);
  return values;
}

/** All results of the workload, by name. */
async function runWorkload() {
  const base = put(20);
  const chain = again.remote(4, again.remote(3, base));
  const array = again.remote(5, new Float64Array(2000).fill(1));
  const [left, right] = pair.remote(chain, "b");
  const named = {
    "once 0": once.remote(0, "a"),
    "once 1": once.remote(1, "b"),
    "once 2": once.remote(2, "c"),
    chain,
    sum: sum.remote(array),
    left,
    right,
    tree: tree.remote(10),
    waiting: waiting.remote(20),
    flaky: flaky.remote(21),
  };
  const stream = readAll(items.remote(22, 3));
  const outcomes = await settled(Object.values(named));
  const results = Object.fromEntries(Object.keys(named).map((name, at) => [name, outcomes[at]]));
  return { ...results, items: (await Promise.allSettled([stream]))[0] };
}

const expected = {
  "once 0": "a",
  "once 1": "b",
  "once 2": "c",
  chain: 20,
  sum: 2000,
  left: 20,
  right: "b",
  tree: 44,
  waiting: { place: 20 },
  flaky: "second run",
  items: [0, 1, 2],
};

/** What is not as every task's own maxRetries promises. */
function problemsOf(results) {
  const problems = [];
  for (const [name, value] of Object.entries(expected)) {
    const { reason, status, value: came } = results[name];
    const mayCrash = name.startsWith("once");
    if (status === "rejected") {
      if (!mayCrash || reason.name !== "WorkerCrashedError") problems.push(`${name}: ${reason.stack}`);
    } else if (JSON.stringify(came) !== JSON.stringify(value)) problems.push(`${name}: ${JSON.stringify(came)}`);
  }
  for (let place = 0; place < 3; place++)
    if (runs[place] > 1) problems.push(`once ${place} ran ${runs[place]} times with maxRetries: 0`);
  for (let place = 3; place < MOST_RUNS; place++)
    if (runs[place] > 3) problems.push(`task ${place} ran ${runs[place]} times after one fault`);
  return problems;
}

/** Waits until nothing of the round is left, and every thread that was killed has a successor. */
async function settle() {
  const limit = performance.now() + SETTLE_MS;
  // Handles of objects are let go when V8 finds them.
  const slots = ({ objectStoreMemory: _, ...others }) => JSON.stringify(others);
  const all = slots(clusterResources());
  for (;;) {
    const left = [];
    if (listTasks().length > 0) left.push(`tasks ${listTasks().map(({ name, state }) => `${name}: ${state}`)}`);
    if (slots(availableResources()) !== all) left.push(`resources ${slots(availableResources())}`);
    if (listWorkers().length !== 2) left.push(`${listWorkers().length} workers`);
    if (left.length === 0 || performance.now() > limit) return left;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

await init({ numCpus: 2 });
// Code is captured and threads are up before the first fault.
let problems = problemsOf(await runWorkload());
let step = 0;
let fired = true;
while (fired && problems.length === 0 && step < MOST_STEPS) {
  step++;
  runs.fill(0);
  Atomics.store(fault, 0, step);
  const results = await runWorkload();
  fired = Atomics.exchange(fault, 0, 0) <= 0;
  problems = [...problemsOf(results), ...(await settle())];
  if (!fired)
    for (const [name, { status }] of Object.entries(results))
      if (status === "rejected") problems.push(`${name} unharmed`);
}
await shutdown();
console.log(JSON.stringify({ faults: fired ? step : step - 1, unharmed: !fired, problems }));
