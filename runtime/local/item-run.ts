/**
 * Runs a generator on its worker, item by item. Each yield is a cancellation point, and the place where a producer that
 * has run ahead too far waits for its reader.
 */
import { taskStorage, type WorkerTask } from "./worker-task.ts";

/** A generator that never awaits must not keep the thread's timers and other tasks waiting for longer. */
const TURN_MS = 10;

/** What a running generator needs of its thread. */
export interface ItemSurroundings {
  /** Sends an item; with `waits` the task stops until `WorkerTask.goOn`. Throws when the item cannot travel. */
  send(index: number, value: unknown, waits: boolean): void;
  /** Reads what has arrived for this thread: a cancellation among others. */
  look(): void;
  /** The task waits: its slot goes to others. */
  suspend(): void;
  /** Whether the task was let go. */
  isOver(): boolean;
}

type AnyGenerator = Generator<unknown, unknown> | AsyncGenerator<unknown, unknown>;

/** Drives the generator to its end. Rejects with what it threw, or with the reason when the task was told to stop. */
export async function runItems(task: WorkerTask, generator: AnyGenerator, thread: ItemSurroundings): Promise<void> {
  const { highWaterMark = Number.POSITIVE_INFINITY } = task.options;
  let turnBegan = performance.now();
  for (let index = 0; ; index++) {
    const coming = taskStorage.run(task, () => generator.next());
    const step = coming instanceof Promise ? await coming : coming;
    if (step.done === true) return;
    try {
      if (thread.isOver()) task.stopNow();
      const waits = index + 1 - task.itemsTaken >= highWaterMark;
      thread.send(index, step.value, waits);
      if (waits) await waitForRoom(task, thread);
      else if (performance.now() - turnBegan > TURN_MS) await new Promise((resolve) => setImmediate(resolve));
      else thread.look();
      if (waits || performance.now() - turnBegan > TURN_MS) turnBegan = performance.now();
      task.stopNow();
    } catch (error) {
      await close(task, generator);
      throw error;
    }
  }
}

async function waitForRoom(task: WorkerTask, thread: ItemSurroundings): Promise<void> {
  const room = task.room();
  thread.suspend();
  await task.awaiting(room);
}

/** Lets the generator clean up; what it yields or throws meanwhile changes nothing. */
async function close(task: WorkerTask, generator: AnyGenerator): Promise<void> {
  try {
    await taskStorage.run(task, () => generator.return(undefined));
  } catch {
    // The reason why it is closed is told.
  }
}
