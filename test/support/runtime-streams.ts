/** Generator tasks that the tests of streams share. */
import { get, type ObjectRef, remote } from "heddle";
import { countIn, UserError } from "./runtime-tasks.ts";

/** Yields 0 … n-1, `ms` apart; throws before item `failAt`. */
export const gen = remote(async function* gen(n: number, failAt = -1, ms = 0) {
  for (let i = 0; i < n; i++) {
    if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
    if (i === failAt) throw new UserError(`before item ${i}`);
    yield i;
  }
});

/** The same without awaits. */
export const plain = remote(function* plain(n: number) {
  for (let i = 0; i < n; i++) yield i;
});

/** Counts in a file before each item. */
export const counting = remote(function* counting(path: string, n: number) {
  for (let i = 0; i < n; i++) {
    countIn(path);
    yield i;
  }
});

/** The values of a stream's refs. */
export async function valuesOf<T>(stream: AsyncIterable<ObjectRef<T>>): Promise<T[]> {
  const values: T[] = [];
  for await (const ref of stream) values.push(await get(ref));
  return values;
}

/** All items of an iterable. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}
