import { expect, it } from "vitest";
import { blockContent, prepareBlock, readBlock, viewsOf } from "../../runtime/local/block.ts";
import { createStoreAccount, ObjectStore } from "../../runtime/local/object-store.ts";
import { encode } from "../../runtime/serialization/encode.ts";

const nothing = (): void => {};

it.each([0, 1, 2047, 2048, 3_000_000])("what thread %i keeps in shared memory is found again", (thread) => {
  const store = new ObjectStore(thread, createStoreAccount(1 << 20), nothing, nothing, {
    collect: nothing,
    makeRoom: () => false,
  });
  const data = new Uint8Array(1000).fill(7);
  const encoded = encode(data, { outOfBandBytes: 100, refId: () => undefined, label: "data" });
  const content = readBlock(viewsOf(blockContent(prepareBlock(encoded, store))), 0, store);
  const [locator] = content.locators;
  expect(ObjectStore.ownerOf(locator!.segment)).toBe(thread);
  expect(store.view(locator!).slice()).toEqual(data);
  store.release(locator!);
  expect(store.usedBytes).toBe(0);
});
