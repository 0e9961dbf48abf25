/** A store that is too small: values go to disk and come back, and nothing of them is left anywhere. */
import { spawnSync } from "node:child_process";
import { readFileSync, readlinkSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runProgram } from "../support/runtime-program.ts";

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "spilling-test-"));
});
afterAll(() => rm(directory, { recursive: true }));

/** `MB` arrays tell by their first and last element whose they are; `settle` waits until nothing is held any more. */
const preamble = (numCpus: number, megabytes: number, more = ""): string => `
  import { existsSync, readdirSync, statSync } from "node:fs";
  import { join } from "node:path";
  import { availableResources, clusterResources, createSharedArray, free, get, init, listObjects, ObjectStoreFullError, put, remote, shutdown, TaskError, timeline, wait } from "heddle";
  const directory = ${JSON.stringify(directory)};
  await init({ numCpus: ${numCpus}, objectStoreMemory: ${megabytes} << 20, spillDirectory: directory${more} });
  const folder = () => readdirSync(directory).map((name) => join(directory, name)).find((path) => path.includes("-" + process.pid + "-"));
  const filled = (n, bytes = 1 << 20) => new Float64Array(bytes / 8).fill(n);
  const isOf = (array, n) => array[0] === n && array.at(-1) === n;
  const inUse = () => clusterResources().objectStoreMemory - availableResources().objectStoreMemory;
  const files = () => (folder() === undefined ? [] : readdirSync(folder()));
  const collector = remote(() => { gc(); const until = performance.now() + 30; while (performance.now() < until); });
  async function settle() {
    for (let tries = 0; tries < 600 && (listObjects().length > 0 || inUse() > 0 || files().length > 0); tries++) {
      if (tries % 20 === 10) await get(Array.from({ length: ${numCpus} }, () => collector.remote()));
      gc();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    return { objects: listObjects().length, bytes: inUse(), files: files().length };
  }
  const say = (value) => console.log(JSON.stringify(value));
`;

const baseline = { objects: 0, bytes: 0, files: 0 };

async function result(source: string): Promise<unknown> {
  const { code, stderr, stdout } = await runProgram(source, ["--expose-gc"], 60_000);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return JSON.parse(stdout);
}

const foldersLeft = (): Promise<string[]> => readdir(directory);

describe("a store that is too small", () => {
  it("holds ten times its size: a loop of puts that never awaits, then random reads, every value right", async () => {
    const seen = await result(`${preamble(1, 16)}
      const refs = [];
      for (let n = 0; n < 160; n++) refs.push(put(filled(n)));
      const spilled = listObjects().filter((object) => object.spilled);
      const modes = [folder(), join(folder(), files()[0])].map((path) => (statSync(path).mode & 0o777).toString(8));
      let wrong = 0;
      for (let n = 0; n < 300; n++) {
        const at = (n * 7919) % 160;
        if (!isOf(await get(refs[at]), at)) wrong++;
      }
      const kinds = new Set(timeline().events.map((event) => event.type));
      say({ wrong, manySpilled: spilled.length > 100, inMemory: spilled.some((object) => object.inSharedMemory), modes, kinds: ["spilled", "restored"].map((kind) => kinds.has(kind)), fits: inUse() <= 16 << 20 });
      await shutdown();
    `);
    expect(seen).toEqual({
      wrong: 0,
      manySpilled: true,
      inMemory: false,
      modes: ["700", "600"],
      kinds: [true, true],
      fits: true,
    });
    expect(await foldersLeft()).toEqual([]);
  });

  it("gives tasks their inputs and arguments, and takes results, whatever has to make room for them", async () => {
    const seen = await result(`${preamble(2, 16)}
      const negate = remote((array) => array.map((value) => -value));
      const both = remote((a, b) => a[0] * 1000 + b[0]);
      const inputs = Array.from({ length: 60 }, (_, n) => put(filled(n)));
      const results = inputs.map((ref) => negate.remote(ref));
      const sums = results.map((ref, n) => both.remote(ref, filled(n)));
      const values = await get(sums);
      const wrong = values.filter((value, n) => value !== -n * 1000 + n).length;
      const again = (await get(results)).filter((array, n) => !isOf(array, n === 0 ? -0 : -n)).length;
      say({ wrong, again });
    `);
    expect(seen).toEqual({ wrong: 0, again: 0 });
    expect(await foldersLeft()).toEqual([]);
  });

  it("takes objects bigger than itself, nested ones, and many small ones", async () => {
    const seen = await result(`${preamble(1, 16)}
      const big = put(filled(5, 40 << 20));
      const last = remote((array) => array.at(-1));
      const nested = put({ rows: Array.from({ length: 30 }, (_, n) => filled(n)) });
      const small = Array.from({ length: 5000 }, (_, n) => put(filled(n, 8192)));
      const value = await get(nested);
      const wrong = (await get(small)).filter((array, n) => !isOf(array, n)).length;
      say([await get(last.remote(big)), (await get(big)).length, value.rows.every(isOf), wrong, files().length < 1000]);
    `);
    expect(seen).toEqual([5, (40 << 20) / 8, true, 0, true]);
  });

  it("leaves views alone: they keep what they show while everything else is spilled", async () => {
    const seen = await result(`${preamble(1, 16)}
      const refs = Array.from({ length: 8 }, (_, n) => put(filled(n)));
      const views = await get(refs, { shared: true });
      for (let n = 0; n < 60; n++) refs.push(put(filled(100 + n)));
      const away = await get(refs.slice(8, 12), { shared: true });
      say({ views: views.every(isOf), away: away.every((array, n) => isOf(array, 100 + n)), spilledViews: listObjects().slice(0, 8).filter((object) => object.spilled).length });
    `);
    expect(seen).toEqual({ views: true, away: true, spilledViews: 0 });
  });

  it("has nothing left of ten times its size, put and dropped: awaiting, in one go, and in a worker", async () => {
    const seen = await result(`${preamble(1, 16)}
      for (let n = 0; n < 160; n++) if (!isOf(await get(put(filled(n))), n)) throw new Error("another's");
      const awaiting = await settle();
      (() => { for (let n = 0; n < 160; n++) put(filled(n)); })();
      const most = files().length;
      const synchronous = await settle();
      const inWorker = remote(() => { for (let n = 0; n < 160; n++) put(new Float64Array(1 << 17).fill(n)); return readdirSync(directory).length; });
      await get(inWorker.remote());
      say({ awaiting, spilled: most > 100, synchronous, worker: await settle() });
    `);
    expect(seen).toEqual({ awaiting: baseline, spilled: true, synchronous: baseline, worker: baseline });
  });
});

describe("the spill folder", () => {
  const endings = { "exits by itself": "", "calls process.exit": "process.exit(0);" };
  it.each(Object.entries(endings))("goes when a program %s without a shutdown", async (_how, ending) => {
    const seen = await result(`${preamble(1, 8)}
      const refs = Array.from({ length: 20 }, (_, n) => put(filled(n)));
      say(existsSync(folder()) && refs.length);
      ${ending}
    `);
    expect(seen).toBe(20);
    expect(await foldersLeft()).toEqual([]);
  });

  it("of a process that was killed goes when the next runtime starts; those of others stay", async () => {
    const killed = await runProgram(`${preamble(1, 8)}
      const refs = Array.from({ length: 20 }, (_, n) => put(filled(n)));
      console.log(process.pid);
      process.kill(process.pid, "SIGKILL");
    `);
    const pid = Number(killed.stdout);
    const [left] = await foldersLeft();
    expect(left).toContain(`-${pid}-`);
    const stat = readFileSync("/proc/self/stat", "latin1");
    const start = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]);
    const space = /\d+/.exec(readlinkSync("/proc/self/ns/pid"))?.[0];
    const mine = `heddle-spill-${process.pid}-${start}-${space}-0a`;
    const reused = `heddle-spill-${process.pid}-${start - 1}-${space}-0b`;
    const elsewhere = `heddle-spill-${pid}-${start}-1-0c`;
    const others = "heddle-spill-notes";
    for (const name of [mine, reused, elsewhere, others]) await mkdir(join(directory, name));
    await result(`${preamble(1, 8)}
      for (let tries = 0; tries < 1000 && readdirSync(directory).length > 3; tries++) await new Promise((resolve) => setTimeout(resolve, 5));
      say(true);
    `);
    expect((await foldersLeft()).sort()).toEqual([mine, elsewhere, others].sort());
    for (const name of await foldersLeft()) await rm(join(directory, name), { recursive: true });
  });

  it("has nothing of a worker that was killed while it wrote", async () => {
    const seen = await result(`${preamble(1, 8)}
      const dies = remote((bytes) => { const kept = Array.from({ length: 20 }, (_, n) => put(new Float64Array(1 << 17).fill(n))); process.exit(kept.length); }, { maxRetries: 0 });
      await get(dies.remote()).catch(() => {});
      say(await settle());
    `);
    expect(seen).toEqual(baseline);
  });

  it("must be somewhere that can be written to", async () => {
    const { stderr } = await runProgram(`
      import { init } from "heddle";
      await init({ spillDirectory: "/proc/nothing" });
    `);
    expect(stderr).toMatch(/option "spillDirectory" must be a folder that can be written to \(or false for none\)/);
  });
});

/** A file system of 8 MB in the directory, for one program. */
const smallDisk = ["unshare", "-Urm", "sh", "-c", 'mount -t tmpfs -o size=8m none "$0" && exec "$@"'];
const mayMount = spawnSync("unshare", ["-Urm", "true"]).status === 0;

describe.skipIf(!mayMount)("a disk that is full", () => {
  const within = (): string[] => [...smallDisk, directory];

  it("is an error at the put; everything held is right, smaller work goes on, and room can be used again", async () => {
    const { code, stderr, stdout } = await runProgram(
      `${preamble(1, 8)}
      const refs = [];
      let error;
      while (error === undefined && refs.length < 100) {
        try {
          refs.push(put(filled(refs.length)));
        } catch (caught) {
          error = caught;
        }
      }
      const stored = refs.length;
      const values = await get(refs);
      const answer = await get(remote((a) => a[0] + 1).remote(refs[3]));
      const failed = await get(remote(() => new Float64Array(4 << 17).fill(1)).remote()).catch((caught) => caught);
      free(refs.splice(0, 10));
      const again = await get(put(filled(77)));
      say({ code: error.code, text: /spilling it to .* failed: ENOSPC/.test(error.message), enough: stored >= 14 && stored <= 16, right: values.every(isOf), answer, failed: [failed instanceof TaskError, failed.name], again: isOf(again, 77) });
    `,
      [],
      60_000,
      within(),
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(JSON.parse(stdout)).toEqual({
      code: "OBJECT_STORE_FULL",
      text: true,
      enough: true,
      right: true,
      answer: 4,
      failed: [true, "ObjectStoreFullError"],
      again: true,
    });
  });
});
