import { expect, test } from "vitest";
import { ReadyQueue } from "../../runtime/local/ready-queue.ts";
import type { Task } from "../../runtime/local/records.ts";

const task = (job: number, id: number, readyOrder = id): Task => ({ job, id, readyOrder }) as Task;
const ids = (queue: ReadyQueue): number[] =>
  Array.from({ length: queue.length }, () => {
    const first = queue.first?.id;
    const taken = queue.shift()!.id;
    expect(taken).toBe(first);
    return taken;
  });

test("one job is first in, first out", () => {
  const queue = new ReadyQueue();
  for (let id = 1; id <= 5; id++) queue.push(task(0, id));
  queue.shift();
  const second = queue.shift()!;
  queue.insert(second);
  expect(ids(queue)).toEqual([2, 3, 4, 5]);
  expect(queue.first).toBeUndefined();
  expect(queue.shift()).toBeUndefined();
});

test("jobs have their turns, a new one after all others", () => {
  const queue = new ReadyQueue();
  for (let id = 1; id <= 4; id++) queue.push(task(7, id));
  for (let id = 11; id <= 13; id++) queue.push(task(8, id));
  expect(queue.shift()!.id).toBe(1);
  queue.push(task(9, 21));
  expect(ids(queue)).toEqual([11, 2, 21, 12, 3, 13, 4]);
});

test("a job that comes again waits for its turn again", () => {
  const queue = new ReadyQueue();
  queue.push(task(7, 1));
  queue.push(task(8, 11));
  queue.push(task(8, 12));
  expect(queue.shift()!.id).toBe(1);
  queue.push(task(7, 2));
  expect(ids(queue)).toEqual([11, 2, 12]);
});

test("nested tasks can be taken past those of the driver", () => {
  const queue = new ReadyQueue();
  queue.push(task(0, 1));
  expect(queue.shiftNested()).toBeUndefined();
  queue.push(task(5, 2));
  queue.push(task(0, 3));
  expect(queue.firstNested?.id).toBe(2);
  expect(queue.shiftNested()?.id).toBe(2);
  expect(ids(queue)).toEqual([1, 3]);
});

test("no task is lost or doubled, whatever comes in between", () => {
  const queue = new ReadyQueue();
  let random = 1;
  const next = (below: number): number => {
    random = (random * 48_271) % 2_147_483_647;
    return random % below;
  };
  const inside = new Set<number>();
  for (let id = 1; id < 5000; id++) {
    const choice = next(5);
    if (choice < 2) queue.push(task(next(4), id));
    else if (choice === 2) queue.insert(task(next(4), id, id - next(20)));
    if (choice <= 2) inside.add(id);
    else {
      const taken = choice === 3 ? queue.shift() : queue.shiftNested();
      if (taken !== undefined) expect(inside.delete(taken.id)).toBe(true);
    }
    expect(queue.length).toBe(inside.size);
  }
  expect(new Set(ids(queue))).toEqual(inside);
});
