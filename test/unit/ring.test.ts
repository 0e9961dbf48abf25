import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRingMemory, RingReader, RingWriter } from "../../runtime/local/ring.ts";

const CAPACITY = 64;

function ends() {
  const memory = createRingMemory(CAPACITY);
  return { writer: new RingWriter(memory), reader: new RingReader(memory) };
}

function write(writer: RingWriter, type: number, body: readonly number[]): boolean {
  if (!writer.begin(body.length)) return false;
  for (const [index, value] of body.entries()) writer.f64[writer.word + index] = value;
  writer.commit(type, body.length);
  return true;
}

const bodyOf = (reader: RingReader): number[] =>
  Array.from({ length: reader.words }, (_, index) => reader.f64[reader.word + index]!);

describe("ring", () => {
  it("gives records whole and in order, however writing and reading alternate", () => {
    const record = fc.record({ write: fc.array(fc.nat(), { maxLength: CAPACITY / 4 - 1 }) });
    const step = fc.oneof({ weight: 3, arbitrary: record }, fc.record({ read: fc.nat(10) }));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const { reader, writer } = ends();
        const unread: { type: number; body: number[] }[] = [];
        let next = 0;
        for (const act of steps) {
          if ("write" in act) {
            const type = (next++ % 30) + 1;
            if (write(writer, type, act.write)) unread.push({ type, body: act.write });
            // The reader tells of room only now and then; with nothing unread there is always some.
            else expect(unread.length).toBeGreaterThan(0);
            continue;
          }
          for (let count = act.read; count > 0; count--) {
            const type = reader.next();
            const expected = unread.shift();
            expect(type).toBe(expected?.type ?? 0);
            if (expected === undefined) break;
            expect(bodyOf(reader)).toEqual(expected.body);
          }
        }
      }),
    );
  });

  it("has room again for everything once all was read", () => {
    const { reader, writer } = ends();
    const body = Array.from({ length: CAPACITY / 4 - 1 }, (_, index) => index);
    for (let round = 0; round < 50; round++) {
      let written = 0;
      while (write(writer, 1, body)) written++;
      expect(written).toBeGreaterThanOrEqual(3);
      for (let read = 0; read < written; read++) expect(reader.next()).toBe(1);
      expect(reader.pending).toBe(false);
      expect(reader.next()).toBe(0);
    }
  });

  it("knows when what was written up to a moment has been read", () => {
    const { reader, writer } = ends();
    write(writer, 1, [1]);
    write(writer, 2, [2, 2]);
    const end = reader.end;
    write(writer, 3, []);
    expect(reader.next()).toBe(1);
    expect(reader.isPast(end)).toBe(false);
    expect(reader.next()).toBe(2);
    expect(reader.isPast(end)).toBe(true);
    expect(reader.pending).toBe(true);
  });

  it.each([CAPACITY / 2, CAPACITY - 1, CAPACITY, 1000])("carries a record of %i words in parts", (length) => {
    const { reader, writer } = ends();
    const long = Array.from({ length }, (_, index) => index + 0.5);
    for (let round = 0; round < 5; round++) {
      expect(write(writer, 1, [round])).toBe(true);
      expect(write(writer, 7, long)).toBe(true);
      expect(reader.next()).toBe(1);
      let type = reader.next();
      while (!writer.writeRest()) type = reader.next();
      if (type === 0) type = reader.next();
      expect([type, bodyOf(reader)]).toEqual([7, long]);
      expect(write(writer, 2, [round])).toBe(true);
      expect([reader.next(), bodyOf(reader), reader.next()]).toEqual([2, [round], 0]);
    }
  });

  it("takes nothing else until a long record is there", () => {
    const { reader, writer } = ends();
    expect(
      write(
        writer,
        7,
        Array.from({ length: 200 }, () => 1),
      ),
    ).toBe(true);
    expect(writer.unfinished).toBe(true);
    expect(
      write(
        writer,
        7,
        Array.from({ length: 200 }, () => 2),
      ),
    ).toBe(false);
    expect(reader.next()).toBe(0);
  });
});
