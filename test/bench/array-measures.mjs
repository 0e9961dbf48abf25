// What large arrays cost: put and read by tasks, beside shared memory made by hand for a pool.
import { free, get, put, remote } from "heddle";
import { milliseconds } from "./pool-measures.mjs";
import { first, sum } from "./workers/tasks.mjs";

const READERS = 8;
const MB = 2 ** 20;

const sumOf = remote(sum);
const firstOf = remote(first);
const sumAfterWrite = remote(function sumAfterWrite(array) {
  array[0] = 2;
  return sum(array);
});

const filled = (bytes) => new Float64Array(bytes / 8).fill(1);

function check(sums, expected) {
  for (const value of sums) if (value !== expected) throw new Error(`wrong sum: ${value}, not ${expected}`);
}

/** Milliseconds until all readers are done, the array's own way into shared memory included. */
async function putAndRead(task, bytes, extra = 0) {
  await get(Array.from({ length: READERS }, () => task.remote(put(filled(8192)))));
  const array = filled(bytes);
  return milliseconds(async () => {
    const ref = put(array);
    check(await get(Array.from({ length: READERS }, () => task.remote(ref))), array.length + extra);
  });
}

export const heddleArrays = {
  array: (_pool, bytes) => putAndRead(sumOf, bytes),
  "array-shared": (_pool, bytes) => putAndRead(sumOf.options({ shared: true }), bytes),
  "array-copied": (_pool, bytes) => putAndRead(sumAfterWrite, bytes, 1),
  async "array-memory"(_pool, bytes) {
    return peak(bytes, (array) => {
      const ref = put(array);
      return get(Array.from({ length: READERS }, () => sumOf.remote(ref)));
    });
  },
  async "array-warm"(_pool, bytes) {
    const array = filled(bytes);
    let best = 0;
    for (let round = 0; round < 6; round++) {
      let ref;
      const took = await milliseconds(() => {
        ref = put(array);
      });
      if (round > 0) best = Math.max(best, bytes / took / 1e6);
      await get(firstOf.remote(ref));
      free(ref);
      await get(firstOf.remote(put(filled(8192))));
    }
    return best;
  },
  async "array-refs"(_pool, count) {
    const ref = put(filled(10 * MB));
    const many = () => get(Array.from({ length: count }, () => firstOf.remote(ref)));
    await many();
    return milliseconds(many);
  },
};

/** The same in a pool, as one does it by hand. */
export const handMadeArrays = {
  array: (pool, bytes) => shareAndRead(pool, "sum", bytes),
  "array-shared": (pool, bytes) => shareAndRead(pool, "sum", bytes),
  "array-copied": (pool, bytes) => shareAndRead(pool, "sumOfCopy", bytes),
  async "array-memory"(pool, bytes) {
    return peak(bytes, (array) => {
      const shared = share(array);
      return Promise.all(Array.from({ length: READERS }, () => pool.call("sum", shared)));
    });
  },
  async "array-warm"(_pool, bytes) {
    const array = filled(bytes);
    const shared = share(array);
    let best = 0;
    for (let round = 0; round < 5; round++) {
      const took = await milliseconds(() => shared.set(array));
      best = Math.max(best, bytes / took / 1e6);
    }
    return best;
  },
  async "array-refs"(pool, count) {
    const shared = share(filled(10 * MB));
    const many = () => Promise.all(Array.from({ length: count }, () => pool.call("first", shared)));
    await many();
    return milliseconds(many);
  },
};

function share(array) {
  const shared = new Float64Array(new SharedArrayBuffer(array.byteLength));
  shared.set(array);
  return shared;
}

async function shareAndRead(pool, name, bytes) {
  await Promise.all(Array.from({ length: READERS }, () => pool.call(name, share(filled(8192)))));
  const array = filled(bytes);
  return milliseconds(async () => {
    const shared = share(array);
    const sums = await Promise.all(Array.from({ length: READERS }, () => pool.call(name, shared)));
    check(sums, array.length + (name === "sum" ? 0 : 1));
  });
}

/** MB by which the process grew at most. */
async function peak(bytes, work) {
  const array = filled(bytes);
  await work(filled(8192));
  const before = process.memoryUsage().rss;
  await work(array);
  return (process.resourceUsage().maxRSS * 1024 - before) / MB;
}
