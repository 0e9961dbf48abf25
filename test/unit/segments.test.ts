import { expect, it } from "vitest";
import type { Block } from "../../runtime/local/block.ts";
import type { ObjectStore } from "../../runtime/local/object-store.ts";
import { Segments } from "../../runtime/local/segments.ts";
import { storeAlone } from "../support/store.ts";

function blockOf(store: ObjectStore, ...sizes: number[]): Block {
  const locators = store.store(sizes.map((bytes) => new Uint8Array(bytes)));
  return { content: new Int32Array(0), refs: [], locators, size: 0 };
}

it("segments of a thread that has ended are empty once the last block in them is let go", () => {
  const segments = new Segments();
  const events = { made: segments.add.bind(segments), dropped: () => {}, unused: () => {} };
  const makeStore = (thread: number) => storeAlone(thread, 1 << 26, { events });
  const small = blockOf(makeStore(5), 100, 0, 5000);
  const others = makeStore(6);
  const big = blockOf(others, 2 << 20);
  for (const block of [small, big, big]) segments.occupy(block);
  expect(segments.emptyOf(5)).toEqual([]);
  const [first, none, last] = small.locators;
  expect([first!, none!, last!].map((locator) => segments.vacate(locator))).toEqual([false, false, true]);
  expect(segments.emptyOf(5)).toEqual([first!.segment]);
  segments.delete(first!.segment);
  expect(segments.emptyOf(5)).toEqual([]);
  const [whole] = big.locators;
  expect(segments.vacate(whole!)).toBe(false);
  expect(segments.emptyOf(6)).toEqual([]);
  expect(segments.vacate(whole!)).toBe(true);
  // It is in the pool, for whoever needs it.
  expect(segments.emptyOf(6)).toEqual([]);
  const unused = others.store([new Uint8Array(3 << 20)])[0]!;
  expect(segments.emptyOf(6)).toEqual([unused.segment]);
});
