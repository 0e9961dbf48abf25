/** What a program lets go of comes back: objects, their bytes in the store, and the memory of the process. */
import { describe, expect, it } from "vitest";
import { runProgram } from "../support/runtime-program.ts";

/**
 * `settle` collects garbage on all threads until nothing is held; finalizers run between turns of the event loop, so it
 * looks again and again, and gives up with what is left.
 */
const imports = `
  import { free, get, init, listObjects, listTasks, ObjectStoreFullError, put, remote, TaskError, wait } from "heddle";
  const turn = () => new Promise((resolve) => setTimeout(resolve, 5));
  const held = () => listObjects().reduce((sum, object) => sum + object.bytes, 0);
  // Long enough that the other collectors go to other workers.
  const collector = remote(() => { gc(); const until = performance.now() + 30; while (performance.now() < until); });
  async function settle(workers) {
    for (let tries = 0; tries < 600 && (listObjects().length > 0 || listTasks().length > 0); tries++) {
      if (tries % 20 === 10) await get(Array.from({ length: workers }, () => collector.remote()));
      gc();
      await turn();
    }
    return { objects: listObjects().length, bytes: held(), tasks: listTasks().length };
  }
`;

const baseline = { objects: 0, bytes: 0, tasks: 0 };

async function result(body: string): Promise<unknown> {
  const { code, stdout, stderr } = await runProgram(`${imports} ${body}`, ["--expose-gc"], 60_000);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return JSON.parse(stdout);
}

describe("the store comes back to its baseline", () => {
  it("ref-11 after ten times its size was put and dropped, with awaits between", async () => {
    const left = await result(`
      await init({ numCpus: 1, objectStoreMemory: 32 << 20 });
      for (let n = 0; n < 320; n++) {
        const array = await get(put(new Uint8Array(1 << 20).fill(n)));
        if (array[7] !== n % 256) throw new Error("another's bytes");
      }
      console.log(JSON.stringify(await settle(1)));
    `);
    expect(left).toEqual(baseline);
  });

  it("after small and large results of tasks were got and dropped", async () => {
    const left = await result(`
      await init({ numCpus: 2, objectStoreMemory: 64 << 20 });
      const make = remote((bytes) => new Uint8Array(bytes));
      const size = remote((array) => array.length);
      // A function of its own: what the module's own frame had last stays in its registers.
      await (async () => {
        for (let round = 0; round < 20; round++) {
          const refs = [10, 10_000, 3_000_000].map((bytes) => make.remote(bytes));
          const sizes = await get(refs.map((ref) => size.remote(ref)));
          if (sizes.join() !== "10,10000,3000000") throw new Error(sizes.join());
        }
      })();
      console.log(JSON.stringify(await settle(2)));
    `);
    expect(left).toEqual(baseline);
  });

  it("after refs inside values, captured refs' tasks and failures were dropped", async () => {
    const left = await result(`
      await init({ numCpus: 2 });
      const nest = remote((refs) => [put(refs), refs]);
      const fails = remote(() => { throw new Error("with a stack"); });
      const first = remote(async (refs) => get(refs[0]));
      await (async () => {
        for (let round = 0; round < 50; round++) {
          const inner = put(new Float64Array(10_000));
          const nested = nest.remote([inner]);
          await get(nested);
          if ((await get(first.remote([inner]))).length !== 10_000) throw new Error("wrong");
          await get(fails.remote()).catch(() => {});
        }
      })();
      console.log(JSON.stringify(await settle(2)));
    `);
    expect(left).toEqual(baseline);
  });

  it("after free, at once and without a collection", async () => {
    const left = await result(`
      await init({ numCpus: 1, objectStoreMemory: 32 << 20 });
      const refs = [];
      for (let n = 0; n < 200; n++) {
        const ref = put(new Uint8Array(1 << 20));
        refs.push(ref);
        free(ref);
      }
      // No turn of the event loop until here: put waits for what the loop freed.
      console.log(JSON.stringify({ bytes: held(), objects: listObjects({ state: "freed" }).length, refs: refs.length }));
    `);
    expect(left).toEqual({ bytes: 0, objects: 200, refs: 200 });
  });

  it("after workers crashed whose results are still read and then let go", async () => {
    const left = await result(`
      await init({ numCpus: 1, objectStoreMemory: 64 << 20 });
      const make = remote((bytes) => new Uint8Array(bytes));
      const crash = remote(() => process.exit(1), { maxRetries: 0 });
      let read = 0;
      for (let round = 0; round < 8; round++) {
        const ref = make.remote(20 << 20);
        await wait([ref]);
        await get(crash.remote()).catch(() => {});
        read += (await get(ref)).length;
        free(ref);
      }
      console.log(JSON.stringify({ read, bytes: held() }));
    `);
    expect(left).toEqual({ read: 8 * (20 << 20), bytes: 0 });
  });

  it("mem-02 a full store is an error that says so, and room that is let go can be used again", async () => {
    const left = await result(`
      await init({ numCpus: 1, objectStoreMemory: 16 << 20, spillDirectory: false });
      const refs = [];
      let error;
      try {
        for (let n = 0; n < 20; n++) refs.push(put(new Uint8Array(2 << 20)));
      } catch (caught) {
        error = caught;
      }
      const stored = refs.length;
      const small = await get(remote(() => "small").remote());
      free(refs.splice(0));
      await turn();
      const again = await get(put(new Uint8Array(2 << 20)));
      console.log(JSON.stringify({ name: error instanceof ObjectStoreFullError, stored, small, again: again.length }));
    `);
    expect(left).toEqual({ name: true, stored: 8, small: "small", again: 2 << 20 });
  });

  it("mem-02 a result that does not fit is the task's error", async () => {
    const left = await result(`
      await init({ numCpus: 1, objectStoreMemory: 16 << 20, spillDirectory: false });
      const make = remote((bytes) => new Uint8Array(bytes));
      const error = await get(make.remote(64 << 20)).catch((caught) => caught);
      console.log(JSON.stringify([error.name, error instanceof TaskError, await get(make.remote(8)).then((array) => array.length)]));
    `);
    expect(left).toEqual(["ObjectStoreFullError", true, 8]);
  });

  it("a put-and-drop loop does not grow the process", async () => {
    const grown = await result(`
      await init({ numCpus: 1, objectStoreMemory: 256 << 20 });
      const round = async () => {
        for (let n = 0; n < 100; n++) {
          put(new Uint8Array(1 << 20).fill(1));
          if (n % 10 === 9) await turn();
        }
        await settle(1);
        return process.memoryUsage().rss / 2 ** 20;
      };
      await round();
      const before = await round();
      for (let n = 0; n < 4; n++) await round();
      console.log(JSON.stringify((await round()) - before));
    `);
    expect(grown).toBeLessThan(64);
  });
});
