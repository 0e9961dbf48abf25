/** Functions that only read the array they are given, and are proven to. */
type Fn = (array: Float64Array, ...others: never[]) => unknown;

export const reads: Record<string, Fn> = {
  "a loop": (a) => {
    let sum = 0;
    for (let i = 0; i < a.length; i++) sum += a[i]!;
    return sum;
  },
  "an iteration": (a) => {
    let sum = 0;
    for (const value of a) sum += value;
    return sum;
  },
  reduce: (a) => a.reduce((x, y) => x + y, 0),
  "a copy that is sorted": (a) => a.slice().sort()[0],
  toSorted: (a) => Array.from(a).sort((x, y) => x - y)[1],
  map: (a) => a.map((x) => x * 2),
  "a new array that is filled": (a) => {
    const out = new Float64Array(a.length);
    for (let i = 0; i < a.length; i++) out[i] = a[a.length - 1 - i]!;
    return out;
  },
  "a copy by its class": (a) => new Float64Array(a).fill(9),
  "a part": (a) => a.subarray(1).indexOf(2),
  "a part that is returned": (a) => a.subarray(1),
  "a list of values": (a) => {
    const found: number[] = [];
    for (const value of a) if (value > 1) found.push(value);
    return found;
  },
  "a Map of counts": (a) => {
    const counts = new Map<number, number>();
    for (const value of a) counts.set(value, (counts.get(value) ?? 0) + 1);
    return [...counts];
  },
  "Math.max of all": (a) => Math.max(...a.subarray(0, 3)),
  "a helper": (a) => {
    const at = (index: number): number => a[index]! * 2;
    return at(0) + at(1);
  },
  "an object of its own": (a) => {
    const state = { sum: 0 };
    for (const value of a) state.sum += value;
    return state;
  },
  "an async function": async (a) => {
    await new Promise((resolve) => setTimeout(resolve, 1));
    return a[0];
  },
  "a timer that reads": (a) =>
    new Promise((resolve) => {
      setTimeout(() => resolve(a[1]), 1);
    }),
  "JSON.stringify": (a) => JSON.stringify(a.subarray(0, 3)),
  "a template": (a) => `${a[0]} of ${a.length}`,
  "an object literal": (a) => {
    const { first, second } = { first: a, second: a.subarray(1) };
    return first.length + second.length;
  },
};
