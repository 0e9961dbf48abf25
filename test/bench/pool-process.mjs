// One measurement of one pool: pool-process.mjs PEER start|latency|rate COUNT THREADS. Prints the figure.
import { fileURLToPath } from "node:url";
import { median } from "./table.mjs";

const worker = (name) => fileURLToPath(new URL(`./workers/${name}`, import.meta.url));

/** Each opens a pool and says how one task is run, and how many at once. */
const openers = {
  async heddle(threads) {
    const { get, init, remote, shutdown } = await import("heddle");
    await init({ numCpus: threads });
    const noop = remote(function noop() {});
    return {
      one: () => get(noop.remote()),
      many: (count) => get(Array.from({ length: count }, () => noop.remote())),
      close: shutdown,
    };
  },
  async piscina(threads) {
    const { Piscina } = await import("piscina");
    const pool = new Piscina({ filename: worker("noop.mjs"), minThreads: threads, maxThreads: threads });
    return promised(
      () => pool.run(),
      () => pool.destroy(),
    );
  },
  async tinypool(threads) {
    const { Tinypool } = await import("tinypool");
    const pool = new Tinypool({ filename: worker("noop.mjs"), minThreads: threads, maxThreads: threads });
    return promised(
      () => pool.run(),
      () => pool.destroy(),
    );
  },
  async workerpool(threads) {
    const { default: workerpool } = await import("workerpool");
    const pool = workerpool.pool(worker("workerpool.mjs"), {
      workerType: "thread",
      minWorkers: threads,
      maxWorkers: threads,
    });
    return promised(
      () => pool.exec("noop"),
      () => pool.terminate(),
    );
  },
};

function promised(one, close) {
  return { one, many: (count) => Promise.all(Array.from({ length: count }, one)), close };
}

const measures = {
  /** The moment at which the first result is there. */
  async start(pool) {
    await pool.one();
    return performance.timeOrigin + performance.now();
  },
  async latency(pool, count) {
    await pool.many(100);
    const samples = [];
    for (let i = 0; i < count; i++) {
      const began = performance.now();
      await pool.one();
      samples.push((performance.now() - began) * 1000);
    }
    return median(samples);
  },
  async rate(pool, count) {
    await pool.many(1000);
    const began = performance.now();
    await pool.many(count);
    return (count / (performance.now() - began)) * 1000;
  },
};

const [peer, what, count, threads] = process.argv.slice(2);
const pool = await openers[peer](Number(threads));
const figure = await measures[what](pool, Number(count));
await pool.close();
console.log(JSON.stringify(figure));
