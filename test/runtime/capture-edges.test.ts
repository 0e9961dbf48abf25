/** Functions that are easy to get wrong: what runs once, what is shared, what V8 does not show. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { CaptureBench } from "../support/captures.ts";

let bench: CaptureBench;

beforeAll(async () => {
  bench = new CaptureBench();
  await bench.cell("let K = 10;");
});

afterAll(async () => {
  await bench[Symbol.asyncDispose]();
});

const cases: Record<string, { setup: string; fn: string; gives: unknown }> = {
  "variables that functions share, in every place of an expression": {
    setup:
      "let sa = 1, sb = 2, sf = function () { return this }; const swap = () => { [sa, sb] = [sb, sa]; ({ sa = 9, x: sb } = { x: sb }); sf = sf; }; let read = () => ({ sa, sb, t: typeof sa, self: sf() === globalThis || sf() === undefined });",
    fn: "() => { swap(); return read() }",
    gives: { sa: 9, sb: 1, t: "number", self: true },
  },
  "static initializers run once, their arrow functions keep the class": {
    setup:
      "let ids = 0; let nextId = () => ++ids; class Reg { static first = nextId(); static { Reg.second = nextId() } static own = () => this.first; static #made = 5; static made() { return Reg.#made } }",
    fn: "() => [Reg.first, Reg.second, Reg.own(), Reg.made(), nextId()]",
    gives: [1, 2, 1, 5, 3],
  },
  "a method with a computed key": {
    setup:
      "let keyed = (() => { const key = 'kk'; return { [key](x) { return x + K }, *[Symbol.iterator]() { yield 7 } } })();",
    fn: "() => [keyed.kk(1), keyed.kk.name, [...keyed]]",
    gives: [11, "kk", [7]],
  },
  "eval of a name": { setup: "let dyn = 5;", fn: "() => eval('dyn + 1')", gives: 6 },
  "a method bound to its object in a field": {
    setup:
      "class Button { constructor() { this.n = 4; this.press = this.press.bind(this) } press() { return this.n } } let button = new Button();",
    fn: "button.press",
    gives: 4,
  },
  "fields under a symbol of one's own": {
    setup:
      "let slot = Symbol('slot'); class Slotted { constructor(x) { this[slot] = x } get value() { return this[slot] } } let slotted = new Slotted(3);",
    fn: "() => [slotted.value, new Slotted(4).value]",
    gives: [3, 4],
  },
};

for (const [name, { setup, fn, gives }] of Object.entries(cases)) {
  it(name, async () => {
    await bench.cell(setup);
    expect(await bench.call(await bench.cell(fn))).toEqual(gives);
  });
}

it.fails("an instance with #private fields", async () => {
  await bench.cell(
    "class Secret { #p = 2; constructor(p) { this.#p = p } sum() { return this.#p } } let kept = new Secret(5);",
  );
  expect(await bench.call(await bench.cell("() => kept.sum()"))).toBe(5);
});

it.fails("this of an arrow function that a method made", async () => {
  await bench.cell("let maker = { n: 3, make() { return () => this.n } }; let made = maker.make();");
  expect(await bench.call(await bench.cell("made"))).toBe(3);
});

it("keeps a symbol one symbol over several messages", async () => {
  await bench.cell(
    "let mark = Symbol('mark'); let hold = (o) => { globalThis.held ??= o; return globalThis.held[mark] };",
  );
  expect(await bench.call(await bench.cell("(() => { const o = { [mark]: 1 }; return () => hold(o) })()"))).toBe(1);
  expect(await bench.call(await bench.cell("() => hold({})"))).toBe(1);
  const isMark = (await bench.cell("(symbol) => symbol === mark")) as (symbol: unknown) => boolean;
  expect(isMark(await bench.call(await bench.cell("() => mark")))).toBe(true);
});
