import { expect, it } from "vitest";
import { ownerOf } from "../../runtime/local/arena.ts";
import { blockContent, prepareBlock, readBlock, viewsOf } from "../../runtime/local/block.ts";
import { encode } from "../../runtime/serialization/encode.ts";
import { storeAlone } from "../support/store.ts";

it.each([0, 1, 2047, 2048, 3_000_000])("what thread %i keeps in shared memory is found again", (thread) => {
  const store = storeAlone(thread, 1 << 20);
  const data = new Uint8Array(1000).fill(7);
  const encoded = encode(data, { outOfBandBytes: 100, refId: () => undefined, label: "data" });
  const content = readBlock(viewsOf(blockContent(prepareBlock(encoded, store))), 0, store);
  const [locator] = content.locators;
  expect(ownerOf(locator!)).toBe(thread);
  expect(store.view(locator!).slice()).toEqual(data);
  store.release(locator!);
  expect(store.account.used).toBe(0);
});
