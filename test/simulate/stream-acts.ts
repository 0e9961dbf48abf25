/** Acts of a generator task and of the one who reads its stream. */
import type { Act } from "./story.ts";
import type { SimulatedStream } from "./streams.ts";
import { type Actor, knows, suspend } from "./thread.ts";
import type { World } from "./world.ts";

export function produce(world: World, actor: Actor, act: Act & { do: "yield"; by: number }): boolean {
  const { attempt, task, thread } = actor;
  const stream = world.streams.get(act.by);
  if (stream === undefined || actor.over !== undefined || actor.waits || !knows(actor, act.carries)) return false;
  const index = actor.items++;
  const waits = index + 1 - actor.itemsTaken >= stream.highWaterMark;
  stream.indexes.set(act.as, index);
  world.objects.add(act.as);
  const block = world.newBlock(act.as, `item ${index} of ${task}`, act.carries);
  if (waits) {
    actor.waits = true;
    actor.openCalls++;
    suspend(actor);
  }
  const { time } = world;
  thread.say((scheduler) => {
    if (scheduler.tasks.get(task)?.attempt === attempt) {
      stream.items = Math.max(stream.items, index + 1);
      stream.reached = index + 1;
      if (waits) stream.waiting = actor;
    }
    scheduler.streams.yielded({ worker: thread.index, task, attempt, index, item: act.as, block, waits, time });
  });
  return true;
}

export function take(stream: SimulatedStream): boolean {
  if (stream.taken >= stream.arrived) return false;
  const count = ++stream.taken;
  stream.thread.say((scheduler) => {
    stream.heardTaken = count;
    scheduler.streams.taken(stream.id, count);
  });
  return true;
}

export function closeStream(world: World, stream: SimulatedStream, cancel: boolean): boolean {
  const { id, thread } = stream;
  stream.closed = true;
  thread.say((scheduler) => {
    if (cancel) world.observer.cancel([id], true, () => scheduler.cancel(id, false, true, world.time));
    stream.heardClosed = true;
    scheduler.streams.close(id);
  });
  return true;
}
