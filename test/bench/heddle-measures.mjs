// The same measures for heddle, where a graph is handed over whole as refs, and those that only task runtimes have.
import { get, remote, wait } from "heddle";
import { milliseconds, oneByOne, poolMeasures, treeOf } from "./pool-measures.mjs";
import { busy as spin } from "./workers/tasks.mjs";

const noop = remote(function noop() {});
const add = remote((a, b) => a + b, { name: "add" });
const busy = remote(spin);
const ten = remote(async function ten() {
  await get(Array.from({ length: 10 }, () => noop.remote()));
});

export const heddleMeasures = {
  start: poolMeasures.start,
  async latency(_pool, count) {
    await many(100);
    return oneByOne(() => get(noop.remote()), count);
  },
  async rate(_pool, count) {
    await many(1000);
    return (count / (await milliseconds(() => many(count)))) * 1000;
  },
  async tree(_pool, leaves) {
    await many(1000);
    return milliseconds(async () => {
      const sum = await get(treeOf(leaves, (a, b) => add.remote(a, b)));
      if (sum !== (leaves * (leaves - 1)) / 2) throw new Error(`wrong sum of the tree: ${sum}`);
    });
  },
  async chain(_pool, count) {
    await many(1000);
    return milliseconds(() => {
      let last = add.remote(0, 1);
      for (let i = 1; i < count; i++) last = add.remote(last, 1);
      return get(last);
    });
  },
  async efficiency(_pool, count, threads) {
    await many(1000);
    await get(busy.remote(1));
    const took = await milliseconds(() => get(Array.from({ length: count }, () => busy.remote(20))));
    return (count * 20) / threads / took;
  },
  /** Milliseconds of a task that submits ten and gets them: the median. */
  async nested(_pool, count) {
    await many(1000);
    await get(ten.remote());
    return (await oneByOne(() => get(ten.remote()), count)) / 1000;
  },
  /** Milliseconds to take finished results one by one. */
  async drain(_pool, count) {
    await many(1000);
    let pending = Array.from({ length: count }, () => noop.remote());
    await wait(pending, { numReturns: count });
    return milliseconds(async () => {
      while (pending.length > 0) [, pending] = await wait(pending, { numReturns: 1 });
    });
  },
  /** Tasks a second with at most a tenth of them in flight; fails when memory of finished tasks stays. */
  async flood(_pool, count) {
    await many(1000);
    const step = count / 20;
    const took = await milliseconds(async () => {
      let before = many(step);
      for (let done = step; done < count; done += step) {
        const next = many(step);
        await before;
        before = next;
      }
      await before;
    });
    return (count / took) * 1000;
  },
};

function many(count) {
  return get(Array.from({ length: count }, () => noop.remote()));
}
