import { describe, expect, it } from "vitest";
import { SerializationError } from "../../runtime/errors.ts";
import { decode } from "../../runtime/serialization/decode.ts";
import { type Encoded, encode } from "../../runtime/serialization/encode.ts";
import { pack } from "../../runtime/serialization/tags.ts";

class Ref {
  readonly number: number;
  constructor(number: number) {
    this.number = number;
  }
}

const refId = (value: object) => (value instanceof Ref ? value.number : undefined);

function send(value: unknown, outOfBandBytes = 100): { encoded: Encoded; result: unknown } {
  const encoded = encode(value, { outOfBandBytes, refId, label: "argument 0 of retrieve" });
  const bytes = new Uint8Array(encoded.bytes.length + 16).fill(255);
  bytes.set(encoded.bytes);
  const result = decode(bytes, {
    buffer: (index) => {
      const { buffer, byteOffset, byteLength } = encoded.buffers[index]!;
      return new Uint8Array(buffer.slice(byteOffset, byteOffset + byteLength));
    },
    makeRef: (id) => new Ref(id),
  });
  return { encoded, result };
}

const roundTrip = (value: unknown) => send(value).result;

function failure(value: unknown): SerializationError {
  try {
    send(value);
  } catch (error) {
    if (error instanceof SerializationError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

describe("primitives", () => {
  const values = [
    ...[
      undefined,
      null,
      true,
      false,
      0,
      -0,
      1,
      127,
      128,
      -1,
      2 ** 31 - 1,
      -(2 ** 31),
      2 ** 31,
      0.5,
      NaN,
      Infinity,
      1e300,
    ],
    ...[0n, -1n, 2n ** 200n, -(3n ** 77n)],
    ...["", "abc", "é", "x".repeat(5000), "日本", "日本".repeat(1000), "\ud800", `${"x".repeat(60)}\udc00`, "😀"],
    ...[Symbol.for("key"), Symbol.iterator],
  ];
  for (const value of values) {
    it(`keeps ${typeof value} ${String(value).slice(0, 20)}`, () =>
      expect(Object.is(roundTrip(value), value)).toBe(true));
  }

  it("keeps a unique symbol one symbol, also over several values", () => {
    const symbol = Symbol("mine");
    const [first, second] = roundTrip([symbol, symbol]) as [symbol, symbol];
    expect(first).toBe(second);
    expect(first.description).toBe("mine");
    expect(roundTrip(symbol)).toBe(first);
  });
});

describe("objects", () => {
  it("keeps holes of arrays", () => {
    // biome-ignore lint/suspicious/noSparseArray: holes are the subject
    const result = roundTrip([1, , undefined, ,]) as unknown[];
    expect(result.length).toBe(4);
    expect([0, 1, 2, 3].map((index) => index in result)).toEqual([true, false, true, false]);
  });

  it("keeps fields, symbol fields and null prototypes; __proto__ as a field stays one", () => {
    const value = { a: 1, "": 2, [Symbol.for("s")]: 3, n: Object.assign(Object.create(null), { x: [1] }) };
    const result = roundTrip(value) as typeof value;
    expect(result).toEqual(value);
    expect(Object.getPrototypeOf(result.n)).toBe(null);
    const tricky = roundTrip(JSON.parse('{"__proto__":{"evil":1}}')) as object;
    expect(Object.getPrototypeOf(tricky)).toBe(Object.prototype);
    expect(Object.keys(tricky)).toEqual(["__proto__"]);
  });

  it("keeps Map, Set, Date, RegExp, URL and boxed values", () => {
    const regexp = /x(.)/giu;
    regexp.lastIndex = 3;
    const value = [
      new Map([["a", new Set([1])]]),
      new Date(5),
      new Date(Number.NaN),
      regexp,
      new URL("http://a.b/c?d=1"),
      new URLSearchParams("a=1&a=%20"),
    ];
    const result = roundTrip(value) as typeof value;
    expect(result.slice(0, 4)).toEqual(value.slice(0, 4));
    expect((result[3] as RegExp).lastIndex).toBe(3);
    expect((result[4] as URL).href).toBe("http://a.b/c?d=1");
    expect((result[5] as URLSearchParams).getAll("a")).toEqual(["1", " "]);
    const boxed = roundTrip([Object(1), Object("s"), Object(false), Object(3n)]) as object[];
    expect(boxed.map((item) => [typeof item, item.valueOf()])).toEqual([
      ["object", 1],
      ["object", "s"],
      ["object", false],
      ["object", 3n],
    ]);
  });

  it("keeps cycles and repeats, and the difference of equals", () => {
    const shared = { x: 1 };
    const cyclic: Record<string, unknown> = { a: shared, b: shared, c: { x: 1 }, map: new Map() };
    cyclic.self = cyclic;
    (cyclic.map as Map<unknown, unknown>).set(cyclic, cyclic);
    const result = roundTrip(cyclic) as typeof cyclic;
    expect(result.self).toBe(result);
    expect(result.a).toBe(result.b);
    expect(result.a).not.toBe(result.c);
    expect((result.map as Map<unknown, unknown>).get(result)).toBe(result);
  });

  it("keeps lists and trees of any length", () => {
    const leaf = { is: "leaf" };
    let list: { next?: object; items: unknown[] } = { items: [leaf] };
    for (let index = 0; index < 100_000; index++)
      list = index % 2 ? { next: list, items: [leaf] } : { items: [[list]] };
    let item = roundTrip(list) as typeof list;
    let length = 0;
    for (; item.items[0] !== undefined && length <= 100_000; length++) {
      const next = item.next ?? (item.items[0] as object[])[0];
      if (next === undefined) break;
      item = next as typeof list;
    }
    expect(length).toBe(100_000);
    expect(item).toEqual({ items: [leaf] });
  });

  it("keeps cycles through objects that are made late", () => {
    const holder = { n: 1 };
    const call = function (this: typeof holder) {
      return this.n;
    }.bind(holder);
    Object.assign(holder, {
      call,
      list: [0, call],
      map: new Map<unknown, unknown>([[call, call]]),
      set: new Set([call]),
    });
    expect((roundTrip(call) as typeof call)()).toBe(1);
    const [again, { list, map, set, ...rest }] = roundTrip([call, holder]) as [
      unknown,
      { list: unknown[]; map: Map<unknown, unknown>; set: Set<unknown> },
    ];
    expect([list[1], map.get(again), set.has(again)]).toEqual([again, again, true]);
    expect(rest).toEqual({ n: 1, call: again });
  });

  it("keeps the fields of subclasses of builtin classes, and hidden fields", () => {
    class Tagged extends Map<string, number> {
      tag = "x";
    }
    const tagged = roundTrip(new Tagged([["a", 1]])) as Tagged;
    expect([tagged.tag, tagged.get("a"), tagged instanceof Tagged]).toEqual(["x", 1, true]);
    class Hiding {
      shown = 1;
      constructor() {
        Object.defineProperty(this, "hidden", { value: 2, enumerable: false });
      }
    }
    const hiding = roundTrip(new Hiding()) as { hidden: number };
    expect([Object.keys(hiding), hiding.hidden]).toEqual([["shown"], 2]);
  });

  it("keeps refs anywhere, each listed once", () => {
    const ref = new Ref(2 ** 40);
    const { encoded, result } = send([ref, { deep: [new Ref(7), ref] }, new Ref(7)]);
    expect(encoded.refs).toEqual([2 ** 40, 7]);
    const [first, holder] = result as [Ref, { deep: Ref[] }];
    expect(first.number).toBe(2 ** 40);
    expect(holder.deep[1]).toBe(first);
  });

  it("lets an object say how it is made", () => {
    const value = {
      [pack]: () => ({
        url: new URL("../../runtime/errors.js", import.meta.url).href,
        name: "describeHop",
        args: [{ taskName: "f", attempt: 0 }],
      }),
    };
    const custom = Object.setPrototypeOf({}, value) as object;
    expect(roundTrip(custom)).toBe("f (attempt 1)");
  });
});

describe("errors", () => {
  it("keep name, message, stack, cause, errors and own fields", () => {
    const error = Object.assign(new RangeError("far", { cause: new TypeError("why") }), { code: "E_FAR", at: [1] });
    const result = roundTrip(error) as typeof error;
    expect(result).toBeInstanceOf(RangeError);
    expect(result.stack).toBe(error.stack);
    expect([result.message, result.code, result.at]).toEqual(["far", "E_FAR", [1]]);
    expect(result.cause).toBeInstanceOf(TypeError);
    expect(Object.keys(result)).toEqual(["code", "at"]);
    const all = roundTrip(new AggregateError([new Error("one")], "all")) as AggregateError;
    expect(all.errors[0].message).toBe("one");
    const abort = roundTrip(new DOMException("stop", "AbortError")) as DOMException;
    expect([abort.name, abort.message, abort instanceof DOMException]).toEqual(["AbortError", "stop", true]);
  });
});

describe("array data", () => {
  it("keeps every kind of view, inside the bytes and beside them", () => {
    for (const outOfBand of [0, 1, 1e9]) {
      const views = [
        ...[
          new Int8Array([1, -2]),
          new Uint8Array([1]),
          new Uint8ClampedArray([3]),
          new Int16Array([-4]),
          new Uint16Array([5]),
        ],
        ...[
          new Int32Array([-6]),
          new Uint32Array([7]),
          new Float32Array([0.5]),
          new Float64Array([0.1, 2]),
          new Float64Array(),
        ],
        ...[
          new BigInt64Array([-8n]),
          new BigUint64Array([9n]),
          Buffer.from("text"),
          new DataView(new ArrayBuffer(9), 1, 4),
        ],
      ];
      const { encoded, result } = send(views, outOfBand);
      expect(result).toEqual(views);
      expect((result as object[]).map((view) => view.constructor.name)).toEqual(
        views.map((view) => view.constructor.name),
      );
      expect(encoded.buffers.length).toBe(outOfBand < 100 ? views.length - 1 : 0);
    }
  });

  it("keeps the sharing of views, and sends only what they see", () => {
    const memory = new Float64Array(1e6);
    memory[10] = 5;
    const { encoded, result } = send({ a: memory.subarray(9, 20), b: [memory.subarray(10, 30)] });
    const { a, b } = result as { a: Float64Array; b: [Float64Array] };
    expect([a[1], b[0][0], a.length, b[0].length]).toEqual([5, 5, 11, 20]);
    a[1] = 6;
    expect(b[0][0]).toBe(6);
    expect(encoded.buffers.map((buffer) => buffer.byteLength)).toEqual([21 * 8]);
  });

  it("keeps an ArrayBuffer and its views together in any order", () => {
    const buffer = new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8, 9]).buffer;
    for (const outOfBand of [1, 1e9]) {
      const result = send([new Uint8Array(buffer, 1, 2), buffer, new Uint16Array(buffer, 2, 2)], outOfBand).result;
      const [bytes, whole, words] = result as [Uint8Array, ArrayBuffer, Uint16Array];
      expect(whole).toBeInstanceOf(ArrayBuffer);
      expect(whole.byteLength).toBe(9);
      expect(bytes.buffer).toBe(whole);
      expect(words.buffer).toBe(whole);
      expect([...bytes, words[0]]).toEqual([2, 3, 3 + 4 * 256]);
    }
  });

  it("does not take the pool along with small Buffers", () => {
    const { encoded, result } = send([Buffer.from("one"), Buffer.from("two")]);
    expect(String(result)).toBe("one,two");
    expect(encoded.bytes.length).toBeLessThan(40);
  });
});

describe("refusals name the way", () => {
  it("for what belongs to its thread", () => {
    const error = failure({ options: { socket: Promise.resolve() } });
    expect(error.path).toEqual(["argument 0 of retrieve", "options", "socket"]);
    expect(error.message).toContain("argument 0 of retrieve → options → socket: a Promise cannot travel");
    for (const value of [
      new WeakMap(),
      new WeakSet(),
      new WeakRef({}),
      new SharedArrayBuffer(1),
      (function* () {})(),
    ]) {
      expect(failure([value]).path).toEqual(["argument 0 of retrieve", "[0]"]);
    }
  });

  it("for getters and proxies that throw, with the cause", () => {
    const cause = new Error("no");
    const value = Object.defineProperty({}, "bad", {
      enumerable: true,
      get() {
        throw cause;
      },
    });
    const error = failure({ list: [value] });
    expect(error.cause).toBe(cause);
    expect(error.message).toContain("list → [0]");
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    expect(failure({ proxy }).path.at(-1)).toBe("proxy");
  });

  it("for what is nested too deeply, and the next encode works", () => {
    let deep: unknown = 1;
    for (let index = 0; index < 100_000; index++) deep = new Set([deep]);
    expect(failure(deep).message).toContain("nested too deeply");
    expect(roundTrip([1])).toEqual([1]);
  });

  it("for what lies deep in a list", () => {
    let list: unknown = new WeakMap();
    for (let index = 0; index < 1000; index++) list = { next: list };
    expect(failure(list).path).toEqual(["argument 0 of retrieve", ...Array(1000).fill("next")]);
  });

  it("survives a getter that encodes", () => {
    const value = {
      a: "before",
      get b() {
        return (roundTrip({ inner: [1] }) as { inner: number[] }).inner;
      },
      c: "after",
    };
    expect(roundTrip(value)).toEqual({ a: "before", b: [1], c: "after" });
  });
});
