/** An object store without a session around it. */
import { createStoreAccount, ObjectStore, type StoreParts } from "../../runtime/local/object-store.ts";
import { createPoolMemory } from "../../runtime/local/pool.ts";
import { SpillFiles } from "../../runtime/local/spill-files.ts";

const nothing = (): void => {};

export function storeAlone(threadIndex: number, limitBytes: number, parts: Partial<StoreParts> = {}): ObjectStore {
  return new ObjectStore({
    threadIndex,
    account: createStoreAccount(limitBytes),
    charged: new SharedArrayBuffer(8),
    pool: createPoolMemory(),
    files: new SpillFiles(undefined, threadIndex),
    events: { made: nothing, dropped: nothing, unused: nothing },
    fetch: nothing,
    pressure: { collect: nothing, makeRoom: () => false },
    ...parts,
  });
}
