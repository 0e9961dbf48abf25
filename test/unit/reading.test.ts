/** Which functions are proven only to read their first argument, where that is a typed array. */
import { describe, expect, it } from "vitest";
import { readingOf, whyCopy } from "../../runtime/reading/reading.ts";
import { encodeFunction } from "../../runtime/serialization/encode.ts";
import { reads } from "../support/reading-functions.ts";
import { writes } from "../support/tricky-functions.ts";

type Fn = (...args: never[]) => unknown;

function whyNot(fn: Fn, ...args: unknown[]): string | undefined {
  const { unit } = encodeFunction(fn, { outOfBandBytes: 4096, refId: () => undefined, label: "f" });
  const reading = readingOf(unit);
  return reading && whyCopy(reading, args, 0);
}

const array = new Float64Array([3, 1, 2]);

describe("proven", () => {
  it.each(Object.entries(reads))("%s", (_, fn) => expect(whyNot(fn, array)).toBeUndefined());
});

describe("not proven", () => {
  it.each(Object.entries(writes))("%s", (_, fn) => expect(whyNot(fn, array)).toBeTypeOf("string"));
});
