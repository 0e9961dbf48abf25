// How each peer is opened: `call(name, argument)` runs one of the tasks in workers/tasks.mjs.
import { fileURLToPath } from "node:url";

const worker = (name) => fileURLToPath(new URL(`./workers/${name}`, import.meta.url));

const openers = {
  async heddle(threads) {
    const { get, init, remote, shutdown } = await import("heddle");
    await init({ numCpus: threads });
    const noop = remote(function noop() {});
    return { call: () => get(noop.remote()), close: shutdown };
  },
  async piscina(threads) {
    const { Piscina } = await import("piscina");
    return filePool(new Piscina({ filename: worker("tasks.mjs"), minThreads: threads, maxThreads: threads }));
  },
  async tinypool(threads) {
    const { Tinypool } = await import("tinypool");
    return filePool(new Tinypool({ filename: worker("tasks.mjs"), minThreads: threads, maxThreads: threads }));
  },
  async workerpool(threads) {
    const { default: workerpool } = await import("workerpool");
    const limits = { workerType: "thread", minWorkers: threads, maxWorkers: threads };
    const pool = workerpool.pool(worker("workerpool.mjs"), limits);
    return { call: (name, argument) => pool.exec(name, [argument]), close: () => pool.terminate() };
  },
  async poolifier(threads) {
    const { FixedThreadPool, PoolEvents } = await import("poolifier");
    const pool = new FixedThreadPool(threads, worker("poolifier.mjs"));
    // A task given before its threads have started can be lost, and the process then ends with its promise open.
    if (!pool.info.ready) await new Promise((resolve) => pool.emitter.once(PoolEvents.ready, resolve));
    return { call: (name, argument) => pool.execute(argument, name), close: () => pool.destroy() };
  },
};

function filePool(pool) {
  return {
    call: (name, argument) => pool.run(argument, { name: name === "noop" ? "default" : name }),
    close: () => pool.destroy(),
  };
}

export function openPool(peer, threads) {
  return openers[peer](threads);
}
