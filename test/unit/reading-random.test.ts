/** Random functions: whatever is proven of them, running them never writes into a parameter that is only read. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { readingOf, whyCopy } from "../../runtime/reading/reading.ts";

/** Names that stand for arrays, or for what leads to one. */
const names = ["a", "b", "c", "d"] as const;
const name = fc.constantFrom(...names);
const index = fc.constantFrom("0", "1", "i", "n", "a.length - 1");

const { statement } = fc.letrec<{ expression: string; statement: string }>((tie) => ({
  expression: fc.oneof(
    { maxDepth: 3 },
    name,
    name,
    fc.tuple(name, index).map(([one, at]) => `${one}[${at}]`),
    fc.tuple(name, index).map(([one, at]) => `${one}.subarray(${at})`),
    name.map((one) => `${one}.slice()`),
    fc.constantFrom(
      "1",
      "n",
      "i",
      "new Float64Array(3)",
      "[]",
      "box",
      "same(a)",
      "pick(a, c)",
      "({ x: a }).x",
      "[a, b][0]",
    ),
    fc.tuple(name, tie("expression")).map(([one, other]) => `(n ? ${one} : ${other})`),
    tie("expression").map((inner) => `same(${inner})`),
    tie("expression").map((inner) => `[${inner}][0]`),
    tie("expression").map((inner) => `({ x: ${inner} }).x`),
    tie("expression").map((inner) => `(() => ${inner})()`),
    tie("expression").map((inner) => `(({ x: [y] }) => y)({ x: [${inner}] })`),
    name.map((one) => `${one}.map((x) => x + 1)`),
    name.map((one) => `[...${one}]`),
    name.map((one) => `Array.from(${one})`),
    name.map((one) => `new Map([[1, ${one}]]).get(1)`),
  ),
  statement: fc.oneof(
    { maxDepth: 3 },
    fc.tuple(name, tie("expression")).map(([one, value]) => `${one} = ${value};`),
    fc.tuple(name, tie("expression")).map(([one, value]) => `${one} = ${value};`),
    fc.tuple(name, index, tie("expression")).map(([one, at, value]) => `${one}[${at}] = ${value};`),
    fc
      .tuple(name, fc.constantFrom("fill(7)", "sort()", "reverse()", "set([7])", "push(7)", "at(0)", "indexOf(1)"))
      .map(([one, call]) => `${one}.${call};`),
    fc.tuple(name, tie("expression")).map(([one, value]) => `box.${one} = ${value};`),
    fc.tuple(name, fc.constantFrom("box", "out", "list")).map(([one, from]) => `${one} = ${from}.a ?? ${one};`),
    tie("expression").map((value) => `list.push(${value});`),
    tie("expression").map((value) => `sum += Number(${value}[0]);`),
    fc.tuple(name, tie("statement")).map(([one, inner]) => `for (const x of ${one}) { sum += x; ${inner} }`),
    fc.tuple(name, tie("statement")).map(([one, inner]) => `${one}.forEach((x, i, self) => { ${inner} d = self; });`),
    fc.tuple(name, tie("statement")).map(([one, inner]) => `((e) => { ${inner} ${one} = e; })(a);`),
    fc.tuple(tie("statement"), tie("statement")).map(([first, second]) => `if (n) { ${first} } else { ${second} }`),
    fc.tuple(tie("statement"), tie("statement")).map(([first, second]) => `${first} ${second}`),
    fc.tuple(name, tie("expression")).map(([one, value]) => `[${one}] = [${value}];`),
    fc.tuple(name, index).map(([one, at]) => `[${one}[${at}]] = [7];`),
    fc.tuple(name, name).map(([one, other]) => `({ x: ${one} } = { x: ${other} });`),
    fc.constantFrom("write(a);", "write(c);", "try { throw a; } catch (e) { d = e; }", "a = gen().next().value;"),
  ),
}));

const body = fc.array(statement, { minLength: 1, maxLength: 6 }).map(
  (statements) => `(a, n, d) => {
    let b = a, c = new Float64Array([4, 5, 6]), sum = 0, i = 1;
    const box = {}, list = [], out = new Float64Array(3);
    const same = (x) => x;
    const pick = (x, y) => (n ? x : y);
    const write = (x) => { if (n > 1) x[0] = 7; };
    function* gen() { yield b; }
    ${statements.join("\n    ")}
    return sum;
  }`,
);

it("whatever the code does, a proven parameter keeps its content", () => {
  let proven = 0;
  fc.assert(
    fc.property(body, fc.nat(2), (text, n) => {
      const reading = readingOf({ text, isMethod: false, names: new Map() })!;
      const array = new Float64Array([1, 2, 3]);
      const other = new Float64Array([1, 2, 3]);
      const fn = new Function(`return ${text}`)() as (...args: unknown[]) => unknown;
      const isProven = [0, 2].map((at) => whyCopy(reading, [array, n, other], at) === undefined);
      if (isProven[0]) proven++;
      try {
        fn(array, n, other);
      } catch {
        // Random code may well throw.
      }
      if (isProven[0]) expect([...array]).toEqual([1, 2, 3]);
      if (isProven[1]) expect([...other]).toEqual([1, 2, 3]);
    }),
    { numRuns: 1000 },
  );
  // Else the test shows nothing.
  expect(proven).toBeGreaterThan(30);
});
