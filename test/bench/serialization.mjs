/** Microseconds of encode and decode for values of typical tasks: `node test/bench/serialization.mjs` after a build. */
import { decode } from "../../dist/runtime/serialization/decode.js";
import { encode, encodeFunction } from "../../dist/runtime/serialization/encode.js";

const options = { outOfBandBytes: 4096, refId: () => undefined, label: "argument 0 of f" };
const decodeOptions = { buffer: () => new Uint8Array(), makeRef: () => ({}) };

class Point {
  constructor(x) {
    this.x = x;
  }
}

const factor = 3;
const scale = (x) => x * factor;
const cases = {
  7: [7, 500_000],
  '[1, "abc"]': [[1, "abc"], 500_000],
  "4 objects": [{ id: 17, name: "task", tags: ["a", "b"], options: { deep: true, x: 1.5 } }, 200_000],
  "Float64Array(16)": [new Float64Array(16), 200_000],
  "100 records": [Array.from({ length: 100 }, (_, id) => ({ id, name: `n${id}`, v: id / 3 })), 3000],
  "an instance of a class": [new Point(1), 5000],
  "a function with a helper": [(x) => scale(x) + 1, 500],
};

for (const [name, [value, rounds]] of Object.entries(cases)) {
  const write = typeof value === "function" ? () => encodeFunction(value, options) : () => encode(value, options);
  const bytes = write().bytes.slice();
  measure(write, rounds);
  measure(() => decode(bytes, decodeOptions), rounds);
  const encoding = measure(write, rounds);
  const decoding = measure(() => decode(bytes, decodeOptions), rounds);
  console.log(
    `${name.padEnd(26)} encode ${encoding.toFixed(3).padStart(9)} µs   decode ${decoding.toFixed(3).padStart(9)} µs   ${bytes.length} bytes`,
  );
}

function measure(body, rounds) {
  const start = performance.now();
  for (let round = 0; round < rounds; round++) body();
  return ((performance.now() - start) / rounds) * 1000;
}
