// One measurement of the object store: store-process.mjs PEER MEASURE. Prints the milliseconds.
import { fileURLToPath } from "node:url";
import { milliseconds } from "./pool-measures.mjs";

const [peer, what] = process.argv.slice(2);

/** About 10 MB of nested objects. */
const records = () =>
  Array.from({ length: 130_000 }, (_, id) => ({ id, name: `name ${id}`, place: { x: id / 3, y: -id } }));

async function heddle() {
  const { get, init, put, remote, shutdown } = await import("heddle");
  await init(what === "spill" ? { numCpus: 2, objectStoreMemory: 75e6 } : { numCpus: 2 });
  const same = remote((value) => value);
  const measures = {
    async small() {
      const refs = Array.from({ length: 10_000 }, (_, n) => put(n));
      const values = await get(refs);
      if (values.some((value, n) => value !== n)) throw new Error("a value is wrong");
    },
    async nested() {
      const back = await get(same.remote(value));
      if (back.length !== value.length) throw new Error("not all came back");
    },
    async spill() {
      const refs = Array.from({ length: 100 }, (_, n) => put(new Float64Array(1e6).fill(n)));
      for (let read = 0; read < 1000; read++) {
        const at = (read * 7919 + (read >> 3)) % 100;
        const array = await get(refs[at]);
        if (array[0] !== at || array.at(-1) !== at || array.length !== 1e6) throw new Error(`value ${at} is wrong`);
      }
    },
  };
  const value = what === "nested" ? records() : undefined;
  if (what !== "spill") await measures[what]();
  const took = await milliseconds(measures[what]);
  await shutdown();
  return took;
}

async function piscina() {
  const { Piscina } = await import("piscina");
  const filename = fileURLToPath(new URL("workers/tasks.mjs", import.meta.url));
  const pool = new Piscina({ filename, minThreads: 2, maxThreads: 2 });
  const value = records();
  const nested = () => pool.run(value, { name: "same" });
  await nested();
  const took = await milliseconds(nested);
  await pool.destroy();
  return took;
}

console.log(JSON.stringify(await { heddle, piscina }[peer]()));
