/**
 * Interrupts at random moments of cells that use the runtime: no ref is lost, nothing stays locked, and the store comes
 * back to where it was. `HEDDLE_INTERRUPT_ROUNDS=5000` runs as many of each kind.
 */
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { SessionHarness } from "../support/session-harness.ts";

const rounds = Number(process.env.HEDDLE_INTERRUPT_ROUNDS ?? 60);

const setUp = `
import { get, init, listObjects, listTasks, put, remote } from "heddle";
await init({ numCpus: 2 });
const twice = remote(function twice(n: number) { return n * 2; });
const kept = put({ words: ["still", "here"] });
await get(twice.remote(1));
`;

/** What is held when nothing is going on: the first answers are gone after a collection. */
const measure = `
let baseline = Number.POSITIVE_INFINITY;
for (let tries = 0; tries < 200 && listObjects().length < baseline; tries++) {
  baseline = listObjects().length;
  (globalThis as unknown as { gc(): void }).gc();
  await new Promise((resolve) => setTimeout(resolve, 10));
}
baseline
`;

const loops = {
  "awaiting loop": "console.log('go'); for (;;) { const ref = put([1, 2, 3]); await get([twice.remote(1), ref]); }",
  // The pause leaves the collector a chance: without any turn of the event loop no ref ever comes back.
  "synchronous loop":
    "console.log('go'); for (let n = 0; ; n++) { put([1, 2, 3]); twice.remote(1); for (let i = 0; i < 20_000; i++) n += i; }",
};

const check = `
const [answer, words] = await get([twice.remote(21), kept]);
answer + words.words.join()
`;

/** Collects until nothing but the baseline is left, or says what is. */
const settle = `
let left = listObjects().length;
for (let tries = 0; tries < 1000 && (left > baseline || listTasks().length > 0); tries++) {
  (globalThis as unknown as { gc(): void }).gc();
  await new Promise((resolve) => setTimeout(resolve, 10));
  left = listObjects().length;
}
left - baseline
`;

describe("interrupted at random moments", () => {
  test.each(Object.entries(loops))(
    "%s of put, remote and get",
    { timeout: 60_000 + rounds * 500 },
    async (_kind, loop) => {
      await using harness = new SessionHarness({ nodeFlags: ["--expose-gc"], interruptGraceMs: 30_000 });
      await expect(harness.run(setUp)).resolves.toMatchObject({ outcome: { status: "ok" } });
      expect(await harness.value(measure)).toBe("1");
      for (let round = 0; round < rounds; round++) {
        const running = harness.run(loop);
        await Promise.race([running, harness.printed(harness.cell, "go")]);
        await delay(Math.random() * 8);
        await harness.session.interrupt();
        const { outcome } = await running;
        harness.messages.length = 0;
        expect(outcome, `round ${round}: ${JSON.stringify(outcome)}`).toMatchObject({ status: "interrupted" });
        if (round % 10 === 9) expect(await harness.value(check), `round ${round}`).toContain("42still,here");
      }
      expect(harness.exits).toEqual([]);
      expect(await harness.value(settle)).toBe("0");
    },
  );
});
