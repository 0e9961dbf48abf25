/** What must hold after each act, whatever has happened. */

import { CLAIM_WAITING } from "../../runtime/local/claims.ts";
import type { StoredObject, WorkerRecord } from "../../runtime/local/records.ts";
import { hasEnded } from "./observer.ts";
import type { Act } from "./story.ts";
import { hasRoom } from "./streams.ts";
import type { Actor } from "./thread.ts";
import { Violation } from "./violation.ts";
import { blocksOf, isDecided, type World } from "./world.ts";

/** Throws a `Violation` for whatever does not hold after an act. */
export function checkInvariants(world: World, act: Act): void {
  checkExecution(world);
  if (!reachesScheduler.has(act.do)) return;
  world.observer.readEvents();
  checkResources(world);
  checkWaiting(world);
  checkAttempts(world);
  checkCalls(world);
  checkObjects(world);
  if (act.do !== "run") return;
  checkResumed(world);
  checkStarted(world);
  checkBalance(world);
  checkFollowers(world);
}

/** Other acts change nothing that the scheduler knows of. */
const reachesScheduler: ReadonlySet<Act["do"]> = new Set(["hear", "replace", "run", "look", "cancelCell", "disk"]);

function checkResources({ observer, scheduler }: World): void {
  const { available } = scheduler.dispatcher;
  for (const name in observer.totals) {
    let taken = 0;
    for (const worker of scheduler.dispatcher.workers.values())
      for (const lane of worker.lanes) taken += lane.policy.shape[name] ?? 0;
    if (available[name]! < 0) throw new Violation(`${name} is oversubscribed: ${available[name]} are left`);
    if (available[name]! + taken !== observer.totals[name]!)
      throw new Violation(`${taken} of ${observer.totals[name]} ${name} are in use, ${available[name]} are left`);
  }
}

/** What really runs, as opposed to what the scheduler believes. */
function checkExecution({ observer, tasks, threads }: World): void {
  for (const name in observer.totals) {
    let taken = 0;
    for (const thread of threads.values()) {
      if (thread.dead !== undefined) continue;
      for (const { openCalls, over, task } of thread.actors)
        if (task !== 0 && over === undefined && openCalls === 0) taken += tasks.get(task)!.policy.shape[name] ?? 0;
    }
    if (taken > observer.totals[name]!) throw new Violation(`${taken} of ${observer.totals[name]} ${name} run at once`);
  }
}

/** A task waits for inputs only while one is missing and none has failed. */
function checkWaiting({ freed, observer, scheduler, tasks }: World): void {
  for (const trace of observer.traces.values()) {
    if (trace.state !== "waiting") continue;
    let missing = 0;
    for (const id of tasks.get(trace.id)!.submit.needs) {
      const object = scheduler.directory.objects.get(id);
      if (object === undefined) throw new Violation(`input ${id} of waiting task ${trace.id} is gone`);
      if (object.order === 0) missing++;
      // One that was there and was let go of is noticed when the task would start.
      else if (object.failure !== undefined && !freed.has(id))
        throw new Violation(`task ${trace.id} waits though input ${id} has failed`);
    }
    if (missing === 0) throw new Violation(`task ${trace.id} waits though its inputs are there`);
  }
}

/** A task does not end while an attempt of it runs. */
function checkAttempts({ observer, threads }: World): void {
  for (const { actors, dead } of threads.values())
    for (const { over, task } of actors)
      if (dead === undefined && task !== 0 && over === undefined && hasEnded(observer.traces.get(task)!))
        throw new Violation(`task ${task} is ${observer.traces.get(task)!.state} while it runs`);
}

function noteOpen(open: Map<Actor, OpenCalls>, actor: Actor, id: number, isDecided: boolean): void {
  const calls = open.get(actor) ?? { decided: [], undecided: 0 };
  open.set(actor, calls);
  if (isDecided) calls.decided.push(id);
  else calls.undecided++;
}

interface OpenCalls {
  decided: number[];
  undecided: number;
}

/** Open calls by the code that made them, as far as the scheduler has heard and somebody is there to be answered. */
function openCalls(world: World): Map<Actor, OpenCalls> {
  const open = new Map<Actor, OpenCalls>();
  for (const call of world.calls.values()) {
    const { actor } = call;
    if (!call.heard || call.answered || world.threads.get(actor.thread.index) !== actor.thread) continue;
    const state = world.observer.traces.get(call.task)?.state;
    const asks = world.tasks.get(call.task)?.actor === actor && (state === "running" || state === "blocked");
    if (!asks) {
      if (isDecided(call)) throw new Violation(`call ${call.id} is decided and was not answered`);
      continue;
    }
    noteOpen(open, actor, call.id, isDecided(call));
  }
  for (const stream of world.streams.values()) {
    const { id, waiting } = stream;
    const { cancelAsked, actor } = world.tasks.get(id)!;
    const state = world.observer.traces.get(id)?.state;
    if (waiting === undefined || waiting !== actor || cancelAsked) continue;
    if (world.threads.get(waiting.thread.index) !== waiting.thread || (state !== "running" && state !== "blocked"))
      continue;
    noteOpen(open, waiting, id, hasRoom(stream));
  }
  return open;
}

/** A task with several open calls goes on with each that is decided, since what it does then may decide the others. */
function checkCalls(world: World): void {
  for (const { decided, undecided } of openCalls(world).values())
    if (undecided > 0 && decided.length > 0)
      throw new Violation(`call ${decided[0]} is decided and waits for another call of its task`);
}

/** Objects are there as long as somebody can reach them, and no longer. */
function checkObjects(world: World): void {
  const { objects } = world.scheduler.directory;
  const reachable = reachableObjects(world);
  for (const id of world.objects)
    if (!reachable.has(id) && (objects.get(id)?.order ?? 0) !== 0)
      throw new Violation(`object ${id} is kept though nobody can reach it`);
  // Whoever reads a value while somebody lets it go explicitly may find refs inside that lead nowhere.
  if (world.freed.size > 0) return;
  for (const id of reachable)
    if (!objects.has(id)) throw new Violation(`object ${id} is gone though it can be reached`);
}

function reachableObjects({ observer, scheduler, tasks, threads }: World): Set<number> {
  const reachable = new Set<number>();
  for (const thread of threads.values()) for (const id of thread.heard.keys()) reachable.add(id);
  for (const trace of observer.traces.values()) {
    if (hasEnded(trace)) continue;
    const { carries, needs } = tasks.get(trace.id)!.submit;
    for (const id of needs) reachable.add(id);
    for (const id of carries) reachable.add(id);
    for (const { refs } of scheduler.tasks.get(trace.id)!.attempts) for (const id of refs) reachable.add(id);
  }
  for (const id of reachable) {
    const object = scheduler.directory.objects.get(id);
    if (object !== undefined) for (const inside of refsInside(object)) reachable.add(inside);
  }
  return reachable;
}

function* refsInside({ block, failure }: StoredObject): Generator<number> {
  if (block !== undefined) yield* block.refs;
  for (const { refs } of blocksOf(failure)) yield* refs;
}

// ---------------------------------------------------------------- after the scheduler has started what it could

const fits = ({ scheduler }: World, shape: Record<string, number>): boolean =>
  Object.entries(shape).every(([name, amount]) => (scheduler.dispatcher.available[name] ?? 0) >= amount);

/** Whether one more task could be sent to the worker. */
const takesMore = ({ setting, threads }: World, { freeSlots, index, retiring, up }: WorkerRecord): boolean =>
  up && !retiring && freeSlots.length > 0 && threads.get(index)!.told.length < setting.room;

/** A task whose calls are decided has its slot again, unless those before it take all. */
function checkResumed(world: World): void {
  let allFit: number[] = [];
  for (const [actor, { decided, undecided }] of openCalls(world)) {
    if (undecided > 0 || world.observer.traces.get(actor.task)!.state !== "blocked") continue;
    // In which order they were decided is not known here: one of them is the first, and that one must not fit.
    if (!fits(world, world.tasks.get(actor.task)!.policy.shape)) return;
    allFit = decided;
  }
  if (allFit.length > 0) throw new Violation(`call ${allFit[0]} is decided and its task could have its slot back`);
}

function checkStarted(world: World): void {
  const { observer, scheduler, tasks } = world;
  for (const trace of observer.traces.values()) {
    if (trace.state !== "ready" || observer.placeOf(trace) !== undefined) continue;
    if (!fits(world, tasks.get(trace.id)!.policy.shape)) continue;
    for (const worker of scheduler.dispatcher.workers.values())
      if (takesMore(world, worker))
        throw new Violation(`task ${trace.id} is ready and worker ${worker.index} could run it`);
  }
}

/** Nothing lies on a worker behind something else while another worker has nothing to do. */
function checkBalance(world: World): void {
  const workers = [...world.scheduler.dispatcher.workers.values()];
  const idle = workers.find((worker) => worker.lanes.size === 0 && takesMore(world, worker));
  if (idle === undefined) return;
  for (const worker of workers) {
    const lanes = [...worker.lanes];
    const present = lanes.flatMap(({ tasks }) => [...tasks]).filter(({ state }) => state !== "waiting");
    if (present.length < 2) continue;
    const { claims } = world.threads.get(worker.index)!;
    for (const { policy, tasks } of lanes) {
      const movable = [...tasks].find(({ slot, state }) => state === "ready" && claims[slot] === CLAIM_WAITING);
      if (movable !== undefined && (tasks.length === 1 || fits(world, policy.shape)))
        throw new Violation(`task ${movable.id} lies on worker ${worker.index} while worker ${idle.index} is idle`);
    }
  }
}

/** Nothing waits for a slot while a task whose input is not there lies ahead in one, and what it lacks is made before it. */
function checkFollowers(world: World): void {
  const { observer, scheduler } = world;
  const waits = [...observer.traces.values()].find(
    (trace) => trace.state === "ready" && observer.placeOf(trace) === undefined,
  );
  for (const { index, lanes } of scheduler.dispatcher.workers.values())
    for (const { tasks } of lanes) {
      const before = new Set<number>();
      for (const { id, inputs, slot, state } of tasks) {
        if (state === "waiting" && world.threads.get(index)!.claims[slot] === CLAIM_WAITING) {
          if (waits !== undefined) throw new Violation(`task ${id} lies ahead of its input while ${waits.id} is ready`);
          for (const input of inputs)
            if (scheduler.directory.objects.get(input)?.order === 0 && !before.has(input))
              throw new Violation(`task ${id} lies on a lane where input ${input} is not made`);
        }
        before.add(id);
      }
    }
}

/** When all is over and all refs are gone, nothing is left. */
export function checkEmpty(world: World): void {
  const { observer, scheduler } = world;
  for (const trace of observer.traces.values())
    if (!hasEnded(trace)) throw new Violation(`task ${trace.id} never ended: it is ${trace.state}`);
  for (const call of world.calls.values())
    if (!call.answered && call.actor.thread.dead === undefined)
      throw new Violation(`call ${call.id} was never answered`);
  for (const { delivered, ended, heardClosed, id, items, thread } of world.streams.values())
    if (thread.dead === undefined && !heardClosed && (!ended || delivered !== items))
      throw new Violation(`stream ${id} has not ended, or not all of its ${items} items came`);
  for (const name in observer.totals)
    if (scheduler.dispatcher.available[name] !== observer.totals[name])
      throw new Violation(`${scheduler.dispatcher.available[name]} of ${observer.totals[name]} ${name} came back`);
  for (const { freeSlots, index, lanes, suspended } of scheduler.dispatcher.workers.values()) {
    const left = lanes.size + suspended.size + world.setting.slots - freeSlots.length;
    if (left > 0) throw new Violation(`worker ${index} still has lanes, suspended tasks or claim words in use`);
  }
  for (const [what, count] of Object.entries(scheduler.census()))
    if (count > 0) throw new Violation(`${count} ${what} are remembered for ever`);
  if (world.disk.waiting > 0) throw new Violation(`${world.disk.waiting} threads wait for room for ever`);
  const memory = world.leftMemory();
  if (memory.length > 0) throw new Violation(`the memory of ${memory.join(", ")} was never let go`);
}
