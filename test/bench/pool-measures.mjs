// What is measured of a pool whose tasks are promises: a graph is built by the main thread as results come in.
import { median } from "./table.mjs";

export const poolMeasures = {
  /** The moment at which the first result is there. */
  async start(pool) {
    await pool.call("noop");
    return performance.timeOrigin + performance.now();
  },
  /** Microseconds of one task at a time. */
  async latency(pool, count) {
    await many(pool, 100);
    return oneByOne(() => pool.call("noop"), count);
  },
  /** Tasks a second. */
  async rate(pool, count) {
    await many(pool, 1000);
    return (count / (await milliseconds(() => many(pool, count)))) * 1000;
  },
  /** Milliseconds for the sum of that many leaves, two at a time. */
  async tree(pool, leaves) {
    await many(pool, 1000);
    const add = async (a, b) => pool.call("add", [await a, await b]);
    return milliseconds(() => sumOfTree(leaves, add));
  },
  /** Milliseconds for a chain in which each task needs the result of the one before. */
  async chain(pool, count) {
    await many(pool, 1000);
    return milliseconds(async () => {
      let sum = 0;
      for (let i = 0; i < count; i++) sum = await pool.call("add", [sum, 1]);
      return sum;
    });
  },
  /** How near computing tasks of 20 ms come to the best that so many threads can do, 1 being all of it. */
  async efficiency(pool, count, threads) {
    await many(pool, 1000);
    const took = await milliseconds(() => Promise.all(Array.from({ length: count }, () => pool.call("busy", 20))));
    return (count * 20) / threads / took;
  },
};

function many(pool, count) {
  return Promise.all(Array.from({ length: count }, () => pool.call("noop")));
}

/** The root of a binary tree of additions over 0 … leaves - 1; checked by whoever awaits it. */
export function treeOf(leaves, add) {
  let level = Array.from({ length: leaves }, (_, leaf) => leaf);
  while (level.length > 1) {
    level = Array.from({ length: level.length / 2 }, (_, pair) => add(level[2 * pair], level[2 * pair + 1]));
  }
  return level[0];
}

async function sumOfTree(leaves, add) {
  const sum = await treeOf(leaves, add);
  if (sum !== (leaves * (leaves - 1)) / 2) throw new Error(`wrong sum of the tree: ${sum}`);
}

export async function milliseconds(work) {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

/** The median of the microseconds that each call takes. */
export async function oneByOne(call, count) {
  const samples = [];
  for (let i = 0; i < count; i++) {
    const began = performance.now();
    await call();
    samples.push((performance.now() - began) * 1000);
  }
  return median(samples);
}
