import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CallInterrupted, CallOk, CallTimeout } from "../../runtime/local/protocol.ts";
import { Roster } from "../../runtime/local/roster.ts";
import { Subscriptions } from "../../runtime/local/subscriptions.ts";

function subscriptions() {
  const asked: number[] = [];
  return {
    asked,
    known: new Subscriptions(
      (ids) => asked.push(...ids),
      () => {},
    ),
  };
}

describe("roster", () => {
  it("takes what became ready first, by its places in what was left", () => {
    const distinct = fc.uniqueArray(fc.nat(1000), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(
        distinct,
        fc.array(fc.nat(4), { maxLength: 30 }),
        fc.infiniteStream(fc.nat()),
        (ids, takes, picks) => {
          const { known } = subscriptions();
          const roster = new Roster(ids, known);
          let left = [...ids];
          const pending = [...ids];
          const arrived: number[] = [];
          let order = 0;
          for (const most of takes) {
            for (let count = picks.next().value % 3; count > 0 && pending.length > 0; count--) {
              const [id] = pending.splice(picks.next().value % pending.length, 1);
              known.ready(id!, ++order);
              arrived.push(id!);
            }
            expect(roster.ready).toBe(arrived.length);
            const expected = new Set(arrived.splice(0, most));
            const { places, ids: taken } = roster.take(most);
            expect(places).toEqual(left.flatMap((id, place) => (expected.has(id) ? [place] : [])));
            expect(taken).toEqual(left.filter((id) => expected.has(id)));
            left = left.filter((id) => !expected.has(id));
            expect(roster.first(100)).toEqual(left);
          }
        },
      ),
    );
  });

  it("asks for each object once, and puts answers that come late into their order", () => {
    const { asked, known } = subscriptions();
    const first = new Roster([1, 2, 3], known);
    new Roster([3, 4], known);
    expect(asked).toEqual([1, 2, 3, 4]);
    known.ready(3, 7);
    known.ready(1, 2);
    expect([first.shift(), first.shift(), first.shift()]).toEqual([1, 3, undefined]);
  });

  it("refuses what is given twice", () => {
    const { known } = subscriptions();
    expect(() => new Roster([1, 2, 1], known)).toThrow(/given twice, at \[0\] and \[2\]/);
  });

  it("says how a wait went", async () => {
    const { known } = subscriptions();
    const roster = new Roster([1, 2], known);
    const two = roster.until(2, undefined, undefined);
    known.ready(1, 1);
    known.ready(2, 2);
    expect(await two).toBe(CallOk);
    const other = new Roster([5], known);
    expect(await other.until(1, 1, undefined)).toBe(CallTimeout);
    expect(await other.until(1, undefined, AbortSignal.abort())).toBe(CallInterrupted);
    const ended = other.until(1, undefined, undefined);
    known.end();
    expect(await ended).toBe(CallInterrupted);
    expect(known.ending.size).toBe(0);
  });

  it("hears nothing any more once it was left", () => {
    const { known } = subscriptions();
    const roster = new Roster([1, 2], known);
    roster.leave();
    known.ready(1, 1);
    expect(roster.ready).toBe(0);
  });
});
