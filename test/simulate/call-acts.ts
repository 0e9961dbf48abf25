/** `get` and `wait` from the thread's side. */
import { CallInterrupted, CallOk, CallTimeout } from "../../runtime/local/protocol.ts";
import type { Act, Get, Outcome } from "./story.ts";
import { type Actor, suspend } from "./thread.ts";
import type { SimulatedCall, World } from "./world.ts";

const outcomes: Record<Outcome, number> = { ok: CallOk, timeout: CallTimeout, interrupted: CallInterrupted };

function openCall(world: World, actor: Actor, act: Pick<Get, "call" | "objects">, get?: Get): SimulatedCall {
  const call: SimulatedCall = {
    id: act.call,
    actor,
    kind: get === undefined ? "wait" : "get",
    objects: act.objects,
    settled: get?.settled ?? false,
    shared: get?.shared ?? false,
    // Code that goes on after its attempt has ended holds no slot that it could give back.
    task: actor.over === undefined ? actor.task : 0,
    values: new Set(),
    failed: false,
    ended: false,
    heard: false,
    answered: false,
  };
  world.calls.set(act.call, call);
  actor.openCalls++;
  actor.thread.pin(call.objects, 1);
  suspend(actor);
  return call;
}

export function get(world: World, actor: Actor, act: Get): boolean {
  if (world.calls.has(act.call)) return false;
  const { thread } = actor;
  const { time } = world;
  const call = openCall(world, actor, act, act);
  const flags = { settled: act.settled, poll: act.poll, limited: false };
  thread.say((scheduler) => {
    call.heard = true;
    if (act.poll) call.ended = true;
    scheduler.calls.get(thread.index, call.id, call.task, [...act.objects], flags, detailAt(time));
  });
  return true;
}

export function wait(world: World, actor: Actor, act: Act & { do: "wait" }): boolean {
  if (world.calls.has(act.call) || act.objects.length === 0) return false;
  const { thread } = actor;
  const { time } = world;
  for (const id of act.objects) {
    if (thread.watched.has(id)) continue;
    thread.watched.set(id, false);
    thread.say((scheduler) => scheduler.subscribe(thread.index, id));
  }
  const call = openCall(world, actor, act);
  const { length } = act.objects;
  thread.say((scheduler) => {
    call.heard = true;
    const asked = { objects: [...act.objects], total: length, numReturns: 1, ...detailAt(time) };
    scheduler.calls.waitBegin(thread.index, call.id, call.task, asked);
  });
  return true;
}

const detailAt = (time: number) => ({ cell: undefined, timeout: undefined, time });

/** The thread ends a wait by its own counting, or gives up a get. */
export function endCall(world: World, id: number, outcome: Outcome, kind: "get" | "wait"): boolean {
  const call = world.calls.get(id);
  if (call === undefined || call.kind !== kind || call.ended) return false;
  const { thread } = call.actor;
  if (thread.dead !== undefined) return false;
  const ready = call.objects.filter((object) => thread.watched.get(object) === true);
  if (kind === "wait" && outcome === "ok" && ready.length === 0) return false;
  const { time } = world;
  thread.say((scheduler) => {
    call.ended = true;
    if (kind === "get") scheduler.calls.abandon(thread.index, id, outcomes[outcome], time);
    else {
      const pending = call.objects.length - ready.length;
      const taken = { outcome: outcomes[outcome], objects: ready, ready: ready.length, pending };
      scheduler.calls.waitEnd(thread.index, id, taken, time);
    }
  });
  return true;
}
