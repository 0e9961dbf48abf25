import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { IdTable } from "../../runtime/id-table.ts";

describe("id table", () => {
  it("keeps what a Map keeps, whatever is put in and taken out in which order", () => {
    const id = fc.tuple(fc.constantFrom(0, 1, 7), fc.nat(1500)).map(([thread, count]) => thread * 2 ** 32 + count);
    const step = fc.tuple(fc.constantFrom("set", "delete", "get"), id);
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const table = new IdTable<number>();
        const map = new Map<number, number>();
        for (const [index, [what, at]] of steps.entries()) {
          if (what === "set") {
            table.set(at, index);
            map.set(at, index);
          } else if (what === "delete") {
            table.delete(at);
            map.delete(at);
          } else expect(table.get(at)).toBe(map.get(at));
          expect(table.has(at)).toBe(map.has(at));
        }
        expect(table.size).toBe(map.size);
        expect([...table.values()].sort()).toEqual([...map.values()].sort());
      }),
    );
  });
});
