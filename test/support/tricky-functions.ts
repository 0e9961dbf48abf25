/** Functions that make it hard to see that they write into the array they are given, or look beyond it. */
type Fn = (array: Float64Array, ...others: never[]) => unknown;
/** Whatever is done to it, the types do not mind. */
// biome-ignore lint/suspicious/noExplicitAny: the point of these functions is what types would forbid
type Any = any;

const kept: Any[] = [];
const byName: Any = { fill: (array: Float64Array) => array.fill(9) };
const fillIt = (array: Float64Array): void => void array.fill(9);
const passOn = (array: Float64Array): void => fillIt(array);
const same = <T>(value: T): T => value;
const callWith = (value: Any, use: (value: Any) => void): void => use(value);
const storeName = "fill";
let last: Any;
class Holder {
  readonly array: Any;
  constructor(array: Any) {
    this.array = array;
  }
  write(): void {
    this.array[0] = 9;
  }
}

export const writes: Record<string, Fn> = {
  "an index": (a) => {
    a[0] = 9;
  },
  "an index of an alias": (a) => {
    const b = a;
    b[0] = 9;
  },
  "an alias by a condition": (a) => {
    const b = a.length > 0 ? a : new Float64Array(1);
    b[0] = 9;
  },
  "an alias made later": (a) => {
    let b = new Float64Array(3);
    for (let i = 0; i < 2; i++) {
      b[0] = 9;
      b = a as never;
    }
  },
  "++": (a) => a[0]!++,
  "+=": (a) => {
    a[1]! += 5;
  },
  "??=": (a: Any) => {
    a[1] &&= 7;
  },
  fill: (a) => a.fill(9).length,
  sort: (a) => a.sort()[0],
  reverse: (a) => a.reverse()[0],
  set: (a) => a.set([9, 9]),
  copyWithin: (a) => a.copyWithin(0, 1)[0],
  "subarray, then an index": (a) => {
    a.subarray(1)[0] = 9;
  },
  "a DataView on its buffer": (a) => new DataView(a.buffer, a.byteOffset).setFloat64(0, 9, true),
  "another array on its buffer": (a) => new Uint8Array(a.buffer, a.byteOffset, 8).fill(9)[0],
  "its buffer by destructuring": ({ buffer, byteOffset }) => {
    new Float64Array(buffer as ArrayBuffer, byteOffset, 1)[0] = 9;
  },
  "its buffer by a computed name": (a: Any) => {
    new Float64Array(a[`${"buf"}fer`], a[`byte${"Offset"}`], 1)[0] = 9;
  },
  "a method by a computed name": (a: Any) => a[storeName](9)[0],
  "a method taken off": (a) => {
    const { fill } = a;
    fill.call(a, 9);
  },
  "a method of the class": (a) => Float64Array.prototype.fill.call(a, 9)[0],
  "Array.prototype.sort.call": (a) => Array.prototype.sort.call(a)[0],
  "Array.prototype.push.apply": (a) => Array.prototype.fill.apply(a, [9])[0],
  "Reflect.set": (a) => Reflect.set(a, 0, 9),
  "Reflect.apply": (a) => Reflect.apply(Float64Array.prototype.fill, a, [9])[0],
  "Object.assign": (a) => Object.assign(a, [9])[0],
  "Object.defineProperty": (a) =>
    Object.defineProperty(a, 0, { value: 9, writable: true, enumerable: true, configurable: true })[0],
  "Atomics.store": (a) => Atomics.store(new Int32Array(a.buffer, a.byteOffset, 1), 0, 9),
  "a Proxy": (a) => {
    const proxy = new Proxy(a, {
      get: (target, key) => Reflect.get(target, key),
      set: (t, k, v) => Reflect.set(t, k, v),
    });
    proxy[0] = 9;
  },
  "destructuring into it": (a) => {
    [a[0], a[1]] = [8, 9];
  },
  "destructuring of an object into it": (a) => {
    ({ x: a[0] } = { x: 9 });
  },
  "the head of for-of": (a) => {
    for (a[0] of [8, 9]);
  },
  "the head of for-in": (a: Any) => {
    for (a[0] in { 7: true });
  },
  "a callback's third argument": (a) => a.forEach((_, index, self) => void self.fill(index)),
  "a callback's this": (a) =>
    a.forEach(function (this: Any) {
      this[0] = 9;
    }, a),
  "reduce with itself": (a) => a.reduce((self: Any) => self.fill(9), a as never),
  "a captured helper": (a) => fillIt(a),
  "a helper of a helper": (a) => passOn(a),
  "a helper that gives it back": (a) => {
    same(a)[0] = 9;
  },
  "a function that calls back": (a) => callWith(a, (b) => b.fill(9)),
  "a method of a captured object": (a) => byName.fill(a),
  "a closure": (a) => {
    const write = (): void => {
      a[0] = 9;
    };
    write();
  },
  "a closure that gives it": (a) => {
    const get = (): Float64Array => a;
    get()[0] = 9;
  },
  "an object": (a) => {
    const box = { a };
    box.a[0] = 9;
  },
  "an object that is filled later": (a) => {
    const box: Any = {};
    const other = box;
    box.a = a;
    other.a[0] = 9;
  },
  "a list": (a) => {
    const [b] = [a];
    b![0] = 9;
  },
  "a list that is pushed to": (a) => {
    const list: Any[] = [];
    list.push(a);
    list[0][0] = 9;
  },
  "a Map": (a) => {
    new Map([[1, a]]).get(1)![0] = 9;
  },
  "an instance of a class": (a) => new Holder(a).write(),
  "a class made inside": (a) => {
    class Inner {
      get it(): Float64Array {
        return a;
      }
    }
    new Inner().it[0] = 9;
  },
  "a field of a class": (a) => {
    class Inner {
      it = a;
    }
    new Inner().it[0] = 9;
  },
  "a getter": (a) => {
    const box = {
      get it() {
        a[0] = 9;
        return 1;
      },
    };
    return box.it;
  },
  "a getter with this": (a) => {
    const box: Any = {
      a,
      get it() {
        this.a[0] = 9;
        return 1;
      },
    };
    return box.it;
  },
  "an object with valueOf": (a) => {
    const box: Any = {
      a,
      valueOf() {
        this.a[0] = 9;
        return 1;
      },
    };
    return box + 1;
  },
  "a method with a listed name": (a) => {
    const box: Any = {
      a,
      map() {
        this.a[0] = 9;
      },
    };
    return box.map();
  },
  "Symbol.toPrimitive": (a) => {
    const box: Any = {
      a,
      [Symbol.toPrimitive]() {
        this.a[0] = 9;
        return 1;
      },
    };
    return `${box}`;
  },
  toJSON: (a) =>
    JSON.stringify({
      a,
      toJSON(this: Any) {
        this.a[0] = 9;
        return 1;
      },
    }),
  "JSON.stringify's replacer": (a) =>
    JSON.stringify({ a }, (_, value) => (ArrayBuffer.isView(value) ? (value as Float64Array).fill(9).length : value)),
  "instanceof with code": (a) => {
    const Odd: Any = { [Symbol.hasInstance]: (value: Any) => value.fill(9).length > 0 };
    return a instanceof Odd;
  },
  "a tagged template": (a) => {
    const tag = (_: TemplateStringsArray, value: Float64Array): number => value.fill(9).length;
    return tag`${a}`;
  },
  "a parameter's default": (a, ...others) => {
    const inner = (b = a): void => {
      b[0] = 9;
    };
    inner();
    return others.length;
  },
  arguments: function () {
    // biome-ignore lint/complexity/noArguments: that it is found
    const all = arguments as Any;
    all[0][0] = 9;
  } as Fn,
  "rest parameters": (...all: Any[]) => {
    all[0][0] = 9;
  },
  spread: (a) => {
    const put = (b: Float64Array): void => {
      b[0] = 9;
    };
    put(...([a] as const));
  },
  "a generator's item": (a) => {
    function* items(): Generator<Float64Array> {
      yield a;
    }
    for (const item of items()) item[0] = 9;
  },
  "what a generator is sent": (a) => {
    function* sink(): Generator<void, void, Float64Array> {
      const got = yield;
      got[0] = 9;
    }
    const it = sink();
    it.next();
    it.next(a);
  },
  "an error": (a) => {
    try {
      throw a;
    } catch (error) {
      (error as Float64Array)[0] = 9;
    }
  },
  "an error's cause": (a) => {
    try {
      throw new Error("x", { cause: a });
    } catch (error) {
      ((error as Error).cause as Float64Array)[0] = 9;
    }
  },
  "a promise": async (a) => {
    (await Promise.resolve(a))[0] = 9;
  },
  "Promise.all": async (a) => {
    (await Promise.all([a]))[0]![0] = 9;
  },
  "a promise's then": (a) =>
    Promise.resolve(a).then((b) => {
      b[0] = 9;
    }),
  "an async helper": async (a) => {
    const give = async (): Promise<Float64Array> => a;
    (await give())[0] = 9;
  },
  "after an await": async (a) => {
    await new Promise((resolve) => setTimeout(resolve, 1));
    a[0] = 9;
  },
  "a timer's argument": (a) =>
    new Promise((resolve) =>
      setTimeout(
        (b: Float64Array) => {
          b[0] = 9;
          resolve(0);
        },
        0,
        a,
      ),
    ),
  "a variable outside": (a) => {
    last = a;
    last[0] = 9;
  },
  "a list outside": (a) => {
    kept.push(a);
    kept.at(-1)[0] = 9;
  },
  globalThis: (a) => {
    (globalThis as Any).heddleTrick = a;
    (globalThis as Any).heddleTrick[0] = 9;
    delete (globalThis as Any).heddleTrick;
  },
  eval: (a) => {
    // biome-ignore lint/security/noGlobalEval: that it is found
    eval("a[0] = 9");
    return a[0];
  },
  Function: (a) => new Function("a", "a[0] = 9")(a),
  structuredClone: (a) => {
    structuredClone(a)[0] = 9;
    return a[0];
  },
  "structuredClone with transfer": (a) => structuredClone(a, { transfer: [a.buffer as ArrayBuffer] }).length,
  WebAssembly: (a) => {
    const memory = new (globalThis as Any).WebAssembly.Memory({ initial: 1 });
    new Uint8Array(memory.buffer).set(new Uint8Array(a.buffer, a.byteOffset, 8));
    new Uint8Array(a.buffer, a.byteOffset, 8).set(new Uint8Array(memory.buffer, 8, 8));
  },
  "Buffer.from its buffer": (a) => Buffer.from(a.buffer, a.byteOffset, 8).write("999"),
  "crypto's random values": (a) => crypto.getRandomValues(new Uint8Array(a.buffer, a.byteOffset, 8)).length,
  TextEncoder: (a) => new TextEncoder().encodeInto("999", new Uint8Array(a.buffer, a.byteOffset, 8)).written,
  "a replaced method": (a: Any) => {
    const before = Float64Array.prototype.reduce;
    (Float64Array.prototype as Any).reduce = function (this: Float64Array) {
      return this.fill(9).length;
    };
    try {
      return a.reduce((x: number, y: number) => x + y, 0);
    } finally {
      Float64Array.prototype.reduce = before;
    }
  },
  "a replaced function": (a) => {
    const before = Math.max;
    Math.max = ((array: Any) => array.fill(9).length) as never;
    try {
      return Math.max(a as never);
    } finally {
      Math.max = before;
    }
  },
  "a replaced method by Object.assign": (a: Any) => {
    Object.assign(Float64Array.prototype, {
      some(this: Float64Array) {
        return this.fill(9).length > 0;
      },
    });
    try {
      return a.some(Boolean);
    } finally {
      delete (Float64Array.prototype as Any).some;
    }
  },
  "an expando that keeps it": (a) => {
    const own: Any = new Float64Array(1);
    own.it = a;
    own.it[0] = 9;
  },
  delete: (a: Any) => {
    try {
      delete a[0];
    } catch {
      // Strict code must not.
    }
    a[0] = 9;
  },
  "a label and a switch": (a) => {
    out: for (;;) {
      switch (a.length) {
        case 0:
          break out;
        default:
          a[0] = 9;
          break out;
      }
    }
  },
};
