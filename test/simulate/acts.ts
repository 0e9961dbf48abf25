/** What each act of a story does to the world. */
import type { Block } from "../../runtime/local/block.ts";
import { TaskOk, TaskThrew, TaskThrewRetryable, TaskTimedOut, TaskWasCancelled } from "../../runtime/local/protocol.ts";
import { newStream } from "../../runtime/local/stream-desk.ts";
import { endCall, get, wait } from "./call-acts.ts";
import type { Act, Submit } from "./story.ts";
import { closeStream, produce, take } from "./stream-acts.ts";
import { newStreamOf } from "./streams.ts";
import { type Actor, type Entry, knows, type Lane, suspend, type Thread, type Told } from "./thread.ts";
import { newActor, type World } from "./world.ts";

/** Performs the act; false when it is impossible at this point. */
export function perform(world: World, act: Act): boolean {
  world.time += world.setting.stepMs;
  if ("by" in act) {
    const actor = world.actor(act.by);
    return actor !== undefined && performBy(world, actor, act);
  }
  switch (act.do) {
    case "endWait":
    case "abandon":
      return endCall(world, act.call, act.outcome, act.do === "endWait" ? "wait" : "get");
    case "cancelCell":
      for (const thread of world.threads.values()) hear(world, thread, Number.POSITIVE_INFINITY);
      world.observer.cancel(tasksOfCell(world, act.cell), true, () => world.scheduler.cancelCell(act.cell, world.time));
      return true;
    case "take":
    case "closeStream": {
      const stream = world.streams.get(act.stream);
      if (stream === undefined || stream.thread.dead !== undefined || stream.closed) return false;
      return act.do === "take" ? take(stream) : closeStream(world, stream, act.cancel);
    }
    case "disk":
      return world.disk.work(act.fails);
    case "run":
      world.fences.pass();
      world.scheduler.run(world.time);
      return true;
    case "look":
      if (world.scheduler.lookAt === Number.POSITIVE_INFINITY) return false;
      world.time = Math.max(world.time, world.scheduler.lookAt);
      world.scheduler.look(world.time);
      return true;
    default: {
      const thread = world.threads.get(act.thread);
      return thread !== undefined && performOn(world, thread, act);
    }
  }
}

function performOn(world: World, thread: Thread, act: Act & { thread: number }): boolean {
  if (act.do === "hear") return hear(world, thread, act.records);
  if (act.do === "replace") return thread.dead !== undefined && replace(world, thread, thread.dead);
  if (thread.dead !== undefined) return false;
  switch (act.do) {
    case "collect":
      thread.collect();
      return true;
    case "read":
      for (const told of thread.told.splice(0, act.records)) read(world, thread, told);
      return true;
    case "start":
      return start(world, thread);
    case "askRoom":
      world.disk.askRoom(thread, act.pieces);
      return true;
    case "crash":
      if (thread.index === 0) return false;
      if (act.claiming) thread.claimNext((entry) => world.observer.declined(entry, thread));
      end(thread, act.reason);
      return true;
    default:
      return false;
  }
}

function end(thread: Thread, reason: "crash" | "outOfMemory"): void {
  thread.dead = thread.ending ?? reason;
  for (const actor of thread.actors) actor.over ??= "lost";
}

function replace(world: World, thread: Thread, reason: NonNullable<Thread["dead"]>): boolean {
  hear(world, thread, Number.POSITIVE_INFINITY);
  world.threads.delete(thread.index);
  // A stream has one reader, and it is gone.
  const unread = [...world.streams.values()].filter((stream) => stream.thread === thread).map(({ id }) => id);
  for (const id of unread) world.streams.get(id)!.heardClosed = true;
  world.observer.lose(unread, () => world.scheduler.workerDown(thread.index, reason, world.time));
  const next = world.startThread();
  next.say((scheduler) => scheduler.workerUp(next.index));
  return true;
}

function hear(world: World, thread: Thread, records: number): boolean {
  const said = thread.takeSaid(records);
  for (const one of said) one(world.scheduler);
  return said.length > 0;
}

// ---------------------------------------------------------------- threads

function start(world: World, thread: Thread): boolean {
  const claimed = thread.claimNext((entry) => world.observer.declined(entry, thread));
  if (claimed !== undefined) begin(world, thread, claimed.entry, claimed.lane);
  return claimed !== undefined;
}

function begin(world: World, thread: Thread, entry: Entry, lane: Lane): void {
  const { time } = world;
  const actor = newActor(thread, entry.task, entry.attempt, entry.itemsTaken);
  actor.lane = lane;
  lane.current = actor;
  thread.actors.push(actor);
  if (entry.follows) world.count("follower started");
  world.observer.begins(entry.task, actor);
  thread.say((scheduler) => scheduler.started(entry.task, time));
  for (const block of [entry.args, ...entry.inputs]) learn(actor, block.refs);
  actor.reading = [entry.args, ...entry.inputs];
}

/** The code has the refs that were inside something. */
function learn(actor: Actor, refs: readonly number[]): void {
  for (const id of refs) {
    actor.thread.hold(id);
    actor.known.add(id);
  }
}

function read(world: World, thread: Thread, told: Told): void {
  switch (told.kind) {
    case "dispatch":
      return thread.enqueue(told.entry);
    case "cancel": {
      const actor = thread.actors.find(({ over, task }) => task === told.task && over === undefined);
      if (actor !== undefined) actor.stopping = true;
      return;
    }
    case "item": {
      const stream = world.streams.get(told.stream)!;
      thread.own(told.object);
      stream.arrived++;
      if (!stream.closed) stream.reader.known.add(told.object);
      return;
    }
    case "goOn": {
      const actor = thread.actors.find(({ over, task }) => task === told.task && over === undefined);
      if (actor === undefined) return;
      actor.itemsTaken = told.taken;
      if (!told.resume || !actor.waits) return;
      actor.waits = false;
      actor.openCalls--;
      return;
    }
    case "ready":
      if (thread.watched.has(told.object)) thread.watched.set(told.object, true);
      return;
    case "value": {
      const call = world.calls.get(told.call)!;
      if (told.block === undefined) return;
      learn(call.actor, told.block.refs);
      if (call.shared) thread.view(call.objects[told.index]!, told.block);
      return;
    }
    case "callDone": {
      const call = world.calls.get(told.call)!;
      world.calls.delete(told.call);
      call.actor.openCalls--;
      thread.pin(call.objects, -1);
    }
  }
}

// ---------------------------------------------------------------- code

type ActBy = Act & { by: number };

function performBy(world: World, actor: Actor, act: ActBy): boolean {
  const { thread } = actor;
  const { time } = world;
  switch (act.do) {
    case "submit":
      return submit(world, actor, act);
    case "get":
      return act.objects.every((id) => actor.known.has(id) || actor.told.has(id)) && get(world, actor, act);
    case "wait":
      return knows(actor, act.objects) && wait(world, actor, act);
    case "put": {
      if (!knows(actor, act.carries)) return false;
      world.objects.add(act.as);
      thread.own(act.as);
      actor.known.add(act.as);
      const block = world.newBlock(act.as, `put object ${act.as}`, act.carries);
      thread.say((scheduler) => {
        thread.heard.set(act.as, 1);
        scheduler.put(act.as, block, thread.index, actor.task, undefined, time);
      });
      return true;
    }
    case "tell": {
      const to = world.actor(act.to);
      if (to?.thread !== thread || to.over !== undefined || !knows(actor, act.objects)) return false;
      for (const id of act.objects) to.told.add(id);
      return true;
    }
    case "decode": {
      const { attempt, over, reading, task } = actor;
      if (over !== undefined || reading.length === 0) return false;
      actor.reading = [];
      thread.say((scheduler) => scheduler.argumentsRead(task, attempt, { viewed: 0, copied: 0, why: undefined }, time));
      return true;
    }
    case "yield":
      return produce(world, actor, act);
    case "forget":
      return actor.known.delete(act.object);
    case "free":
      if (!knows(actor, [act.object])) return false;
      thread.say((scheduler) => {
        world.freed.add(act.object);
        scheduler.free(act.object, world.time);
      });
      return true;
    case "cancel":
      if (!knows(actor, [act.object])) return false;
      thread.post((scheduler) =>
        world.observer.cancel([act.object], act.recursive, () =>
          scheduler.cancel(act.object, act.force, act.recursive, world.time),
        ),
      );
      return true;
    default:
      return actor.task !== 0 && actor.over === undefined && endAttempt(world, actor, act);
  }
}

/** What the scheduler knows to be of the cell: tasks submitted there, and what they submit while they run. */
function tasksOfCell({ scheduler, tasks }: World, cell: string): number[] {
  return [...tasks.keys()].filter((id) => scheduler.tasks.get(id)?.cell === cell);
}

function submit(world: World, actor: Actor, act: Submit): boolean {
  const { thread } = actor;
  if (!knows(actor, [...act.needs, ...act.carries]) || world.tasks.has(act.as)) return false;
  const policy = world.policyOf(act);
  const task = { submit: act, policy, starts: 0, actor: undefined, cancelAsked: false };
  world.tasks.set(act.as, task);
  const ids = Array.from({ length: act.returns }, (_, index) => act.as + index);
  for (const id of ids) {
    world.objects.add(id);
    thread.own(id);
    actor.known.add(id);
  }
  const { highWaterMark } = act;
  if (highWaterMark !== undefined) world.streams.set(act.as, newStreamOf(act.as, actor, highWaterMark));
  const args = world.newBlock(0, `arguments of ${act.as}`, [...act.needs, ...act.carries]);
  const { time } = world;
  const definition = world.definition(act.fn);
  thread.say((scheduler) => {
    for (const id of ids) thread.heard.set(id, 1);
    world.observer.submitting(act);
    scheduler.submit({
      id: act.as,
      definition,
      policy,
      args,
      inputs: [...new Set(act.needs)],
      returns: act.returns,
      stream: highWaterMark === undefined ? undefined : newStream(highWaterMark),
      parent: act.by,
      cell: act.cell,
      preview: undefined,
      client: thread.index,
      time,
    });
  });
  return true;
}

/** An attempt ends on its thread: it returns, throws, runs out of time or obeys. */
function endAttempt(world: World, actor: Actor, act: ActBy): boolean {
  const { task: id, thread } = actor;
  const { submit } = world.tasks.get(id)!;
  const carries = "carries" in act ? act.carries : [];
  if (!knows(actor, carries) || (actor.waits && (act.do === "finish" || act.do === "throw"))) return false;
  const { time } = world;
  let outcome: number;
  let blocks: Block[] = [];
  if (act.do === "finish") {
    outcome = TaskOk;
    actor.over = "returned";
    for (let index = 0; index < submit.returns; index++)
      blocks.push(world.newBlock(id + index, `the value ${id + index}`, carries));
    if (submit.returns === 1) thread.make(id, blocks[0]!);
  } else if (act.do === "throw") {
    outcome = act.retryable ? TaskThrewRetryable : TaskThrew;
    actor.over = act.retryable ? "threwRetryable" : "threw";
    blocks = [world.newBlock(0, `the error of ${id}`, carries), world.newBlock(0, `the summary of ${id}`, [])];
  } else if (act.do === "timeOut") {
    outcome = TaskTimedOut;
    actor.over = "timedOut";
  } else {
    if (!actor.stopping) return false;
    outcome = TaskWasCancelled;
    actor.over = "cancelled";
  }
  thread.say((scheduler) => scheduler.finished(id, time, time, time, outcome, blocks));
  suspend(actor);
  return true;
}
