// Graphs of tasks that wait instead of computing, so that any number of workers is as fast as it should be on any machine.
import { get, init, remote, shutdown, timeline, wait } from "heddle";

const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const nap = remote(async function nap(ms) {
  await pause(ms);
  return ms;
});
const after = remote(async function after(_a, _b, ms) {
  await pause(ms);
  return ms;
});
const outer = remote(async function outer(count) {
  await pause(10);
  return get(Array.from({ length: count }, (_, i) => nap.remote(20 + i * 10)));
});
const times = (count, step = 7, least = 20, most = 60) =>
  Array.from({ length: count }, (_, i) => least + ((i * step) % (most - least)));

export const graphs = {
  /** Independent tasks. */
  batch: () => get(times(48).map((ms) => nap.remote(ms))),
  /** Pairs of results, down to one. */
  async tree() {
    let level = times(32).map((ms) => nap.remote(ms));
    while (level.length > 1)
      level = Array.from({ length: level.length / 2 }, (_, i) => after.remote(level[2 * i], level[2 * i + 1], 25));
    await get(level);
  },
  /** Three stages for each of twelve items, and one result of all. */
  async pipeline() {
    const ends = times(12).map((ms, i) => after.remote(after.remote(nap.remote(ms), i, 40), i, 15 + (i % 4) * 15));
    await get(ends);
    await get(after.remote(ends[0], ends[1], 30));
  },
  /** Tasks that wait for tasks of their own. */
  nested: () => get(Array.from({ length: 6 }, () => outer.remote(4))),
  /** The driver works on each result as it comes. */
  async early() {
    let pending = times(24, 11, 30, 130).map((ms) => nap.remote(ms));
    while (pending.length > 0) {
      const [ready, rest] = await wait(pending, { numReturns: 2 });
      await get(ready);
      await pause(8);
      pending = rest;
    }
  },
};

/** The timeline of one run of a graph on so many workers, all of which have run its functions before. */
export async function timelineOf(graph, workers) {
  await init({ numCpus: workers });
  const warm = () =>
    Array.from({ length: workers * 3 }, (_, i) => (i % 3 === 0 ? outer.remote(1) : after.remote(0, 0, 15)));
  for (let round = 0; round < 4; round++) await get(warm());
  await graphs[graph]();
  const since = timeline().data.end + 1e-3;
  await graphs[graph]();
  const run = timeline({ since });
  await shutdown();
  return run;
}
