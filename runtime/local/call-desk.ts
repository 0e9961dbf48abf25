/**
 * `get` and `wait`: from the moment a thread asks until it has its answer. A task that asks gives its slot back, and
 * gets one again before the answer goes out; while it has several open calls it goes on without a slot until the last
 * of them is decided, because holding one could keep what it waits for from running.
 */
import { CircleSearch, circleText, type WaitGraph, type Waiting } from "./deadlocks.ts";
import type { Dispatcher } from "./dispatcher.ts";
import { type EventLog, Row } from "./event-log.ts";
import { failureOf } from "./failures.ts";
import { Fifo } from "./fifo.ts";
import type { ObjectDirectory } from "./object-directory.ts";
import { CallFailed, CallInterrupted, CallOk, CallTimeout } from "./protocol.ts";
import { type Call, type Failure, type StoredObject, stepTime, type Task } from "./records.ts";
import type { StoreDesk } from "./store-desk.ts";

/** How long a `get` waits before it is looked at for what it waits for. */
const CHECK_MS = 1000;
const NO_CALLS: readonly Call[] = [];
/** Ids that an event shows of a call; the totals are exact. */
const SHOWN = 64;

export interface CallEffects {
  value(client: number, call: number, index: number, object: StoredObject): void;
  /** The call fails at one of its objects, though that has no failure. */
  refuse(client: number, call: number, index: number, failure: Failure): void;
  callDone(client: number, call: number, outcome: number): void;
}

export interface CallSurroundings {
  effects: CallEffects;
  log: EventLog;
  directory: ObjectDirectory;
  dispatcher: Dispatcher;
  store: StoreDesk;
  clock: { now: number };
  task(id: number): Task | undefined;
  /** The task has what it waited for, with a slot or without. */
  goOn(task: Task): void;
  /** The object of that number; one that nobody knows is a lost one. */
  object(id: number): StoredObject;
}

/** What the event of a call's beginning says. */
export interface CallDetail {
  cell: string | undefined;
  timeout: number | undefined;
  time: number;
}

/** What a `wait` asks for; `objects` are some of the list. */
export interface AskedWait extends CallDetail {
  objects: number[];
  total: number;
  numReturns: number;
}

/** What a `wait` came to: how many were ready, some of them, and how many not. */
export interface TakenByWait {
  outcome: number;
  objects: number[];
  ready: number;
  pending: number;
}

export class CallDesk {
  readonly #with: CallSurroundings;
  readonly #open = new Map<number, Call>();
  readonly #byTask = new Map<Task, Set<Call>>();
  /** Calls of tasks that may close a circle, in the order in which they were asked. */
  readonly #unchecked = new Fifo<Call>();

  constructor(surroundings: CallSurroundings) {
    this.#with = surroundings;
  }

  /** Calls that have not returned, and tasks that have any. */
  get size(): number {
    return this.#open.size + this.#byTask.size;
  }

  /** A `get` began: its values go to the client as they come, then the call is done. `poll` answers at once. */
  get(
    client: number,
    id: number,
    taskId: number,
    objects: number[],
    flags: { settled: boolean; poll: boolean; limited: boolean },
    detail: CallDetail,
  ): void {
    const call = this.#begin(client, id, "get", taskId, objects, flags, detail);
    this.#logStart(callNumber(call), "get", taskId, objects, objects.length, 0, detail);
    for (let index = 0; index < objects.length; index++) {
      const object = this.#with.object(objects[index]!);
      object.looked = true;
      if (call.done) continue;
      if (object.order !== 0) this.progress(call, index, object);
      else if (object.call === undefined) {
        object.call = call;
        object.callIndex = index;
      } else {
        object.calls ??= [];
        object.calls.push({ call, index });
      }
    }
    if (objects.length === 0) this.#decide(call, CallOk);
    if (flags.poll) this.#decide(call, CallTimeout);
    if (call.task !== undefined && !call.done && !flags.limited) this.#noteUnchecked(call);
  }

  #noteUnchecked(call: Call): void {
    while (this.#unchecked.first?.done === true) this.#unchecked.shift();
    this.#unchecked.push(call);
  }

  /** When `refuseDeadlocks` has something to do; infinite where it has not. */
  get checkAt(): number {
    return (this.#unchecked.first?.askedAt ?? Number.POSITIVE_INFINITY) + CHECK_MS;
  }

  /** Lets one call of each circle of tasks that wait for each other fail. A circle is closed by a call, so each is looked at once. */
  refuseDeadlocks(now: number): void {
    const { directory, task } = this.#with;
    const graph: WaitGraph = {
      task,
      object: (id) => directory.objects.get(id),
      callsOf: (asking) => this.#byTask.get(asking) ?? NO_CALLS,
    };
    let search = new CircleSearch(graph);
    while (this.checkAt <= now) {
      const call = this.#unchecked.first!;
      const circle = call.done || call.task === undefined ? undefined : search.from(call.task);
      if (circle === undefined) this.#unchecked.shift();
      else {
        // There may be another one behind the same call.
        this.#refuse(circle);
        search = new CircleSearch(graph);
      }
    }
  }

  /** The call that closed the circle fails. */
  #refuse(circle: readonly Waiting[]): void {
    let last = circle.find(({ call }) => call !== undefined)!;
    for (const one of circle) if (one.call !== undefined && one.call.askedAt > last.call!.askedAt) last = one;
    const { object, task } = last;
    const call = last.call!;
    const failure = { ...failureOf("deadlock", task), message: circleText(circle, circle.indexOf(last)) };
    this.#with.effects.refuse(call.client, call.id, call.objects.indexOf(object), failure);
    this.#decide(call, CallFailed);
  }

  /** A `wait` began. Its client counts for itself; here it holds its task's slot back and stands in the log. */
  waitBegin(client: number, id: number, taskId: number, asked: AskedWait): void {
    const call = this.#begin(client, id, "wait", taskId, [], { settled: false, limited: true }, asked);
    this.#logStart(callNumber(call), "wait", taskId, asked.objects, asked.total, asked.numReturns, asked);
  }

  /** The client of a `wait` has its answer. */
  waitEnd(client: number, id: number, taken: TakenByWait, time: number): void {
    this.#with.clock.now = time;
    const call = this.#open.get(numberOf(client, id));
    if (call === undefined) return;
    this.#logWaitEnd(callNumber(call), taken, time);
    this.#decide(call, taken.outcome);
  }

  /** A client needed not wait: its task never gave its slot back. */
  waited(client: number, id: number, taskId: number, asked: AskedWait, taken: TakenByWait): void {
    this.#with.clock.now = asked.time;
    const call = numberOf(client, id);
    this.#logStart(call, "wait", taskId, asked.objects, asked.total, asked.numReturns, asked);
    this.#logWaitEnd(call, taken, asked.time);
  }

  #logWaitEnd(call: number, { objects, outcome, pending, ready }: TakenByWait, time: number): void {
    const detail = { objects, outcome: outcomeName(outcome) };
    this.#with.log.add(Row.callReturned, time, call, 0, 1, ready, pending, 0, detail);
  }

  /** The client gave up waiting: its time was over or its signal aborted. */
  abandon(client: number, id: number, outcome: number, time: number): void {
    this.#with.clock.now = time;
    const call = this.#open.get(numberOf(client, id));
    if (call !== undefined) this.#decide(call, outcome);
  }

  #begin(
    client: number,
    id: number,
    kind: "get" | "wait",
    taskId: number,
    objects: number[],
    { limited, settled }: { settled: boolean; limited: boolean },
    { time }: CallDetail,
  ): Call {
    this.#with.clock.now = time;
    const asking = taskId === 0 ? undefined : this.#with.task(taskId);
    // What an earlier attempt left behind on its thread holds no slot.
    const task = asking?.worker?.index === client ? asking : undefined;
    const call: Call = {
      id,
      client,
      kind,
      task,
      objects,
      settled,
      askedAt: time,
      limited,
      remaining: objects.length,
      outcome: CallOk,
      done: false,
    };
    this.#open.set(numberOf(client, id), call);
    if (task !== undefined) {
      const calls = this.#byTask.get(task);
      if (calls === undefined) this.#byTask.set(task, new Set([call]));
      else calls.add(call);
      this.suspend(task);
    }
    return call;
  }

  #logStart(
    call: number,
    kind: "get" | "wait",
    task: number,
    objects: readonly number[],
    total: number,
    numReturns: number,
    { cell, time, timeout }: CallDetail,
  ): void {
    const flag = kind === "wait" ? 1 : 0;
    this.#with.log.add(Row.callStarted, time, call, task, flag, total, numReturns, 0, {
      objects: objects.slice(0, SHOWN),
      cell,
      timeout,
    });
  }

  /** The task awaits something: its slot goes to others. */
  suspend(task: Task): void {
    task.openCalls++;
    if (task.openCalls > 1) return;
    // It was to have a slot again, and goes on without one: what it asks for now may depend on what it has been given.
    if (task.lane === undefined) return this.#with.goOn(task);
    this.#with.log.add(Row.blocked, stepTime(task, this.#with.clock.now), task.id);
    this.#with.dispatcher.leaveLane(task);
    task.worker?.suspended.add(task);
  }

  /** One of the call's objects is ready. */
  progress(call: Call, index: number, object: StoredObject): void {
    if (call.done) return;
    if (object.home !== undefined) this.#with.store.send(object.home);
    this.#with.effects.value(call.client, call.id, index, object);
    if (object.failure !== undefined && !call.settled) this.#decide(call, CallFailed);
    else if (--call.remaining === 0) this.#decide(call, CallOk);
  }

  /** The outcome is known; the answer waits for the task's slot. */
  #decide(call: Call, outcome: number): void {
    if (call.done) return;
    call.done = true;
    call.outcome = outcome;
    if (call.kind === "get") this.#logReturn(call, outcome);
    this.#leaveObjects(call);
    const { task } = call;
    if (task === undefined || task.state !== "running") this.#answer(call);
    else this.release(task, () => this.#answer(call));
  }

  /** One of the things that the task awaits is there: it goes on with a slot (`resumed` follows), or at once while it awaits others. */
  release(task: Task, goOn: () => void): void {
    task.openCalls--;
    if (task.openCalls > 0) goOn();
    else this.#with.dispatcher.addResuming(task);
  }

  #logReturn(call: Call, outcome: number): void {
    const { clock, log } = this.#with;
    const detail = { objects: call.objects.slice(0, SHOWN), outcome: outcomeName(outcome) };
    log.add(Row.callReturned, clock.now, callNumber(call), 0, 0, call.objects.length, call.remaining, 0, detail);
  }

  #leaveObjects(call: Call): void {
    const { directory } = this.#with;
    if (call.remaining === 0) return;
    for (const id of call.objects) {
      const object = directory.objects.get(id);
      if (object === undefined) continue;
      if (object.call === call) object.call = undefined;
      if (object.calls !== undefined) object.calls = object.calls.filter((entry) => entry.call !== call);
    }
  }

  #answer(call: Call): void {
    this.#open.delete(callNumber(call));
    if (call.task !== undefined) this.#byTask.get(call.task)?.delete(call);
    this.#with.effects.callDone(call.client, call.id, call.outcome);
  }

  /** The task has a slot again, or awaits something else by now: what was decided for it goes out. */
  resumed(task: Task): void {
    if (task.lane !== undefined) this.#with.log.add(Row.resumed, stepTime(task, this.#with.clock.now), task.id);
    for (const call of [...(this.#byTask.get(task) ?? [])]) if (call.done) this.#answer(call);
  }

  /** The task's attempt has ended. Code that goes on all the same has its answers, and no slot to give back for them. */
  forgetTask(task: Task): void {
    // A generator that was held back at its yield counts as one, too.
    task.openCalls = 0;
    const calls = this.#byTask.size === 0 ? undefined : this.#byTask.get(task);
    if (calls === undefined) return;
    this.#byTask.delete(task);
    for (const call of calls) {
      call.task = undefined;
      if (call.done) this.#answer(call);
    }
  }

  /** A thread is gone: nobody waits for its answers. */
  forgetClient(index: number): void {
    for (const [number, call] of this.#open) {
      if (call.client !== index) continue;
      this.#open.delete(number);
      call.done = true;
      this.#leaveObjects(call);
    }
  }
}

const numberOf = (client: number, id: number): number => client * 2 ** 32 + id;
const callNumber = (call: Call): number => numberOf(call.client, call.id);

function outcomeName(outcome: number): "ok" | "failed" | "timeout" | "interrupted" {
  if (outcome === CallFailed) return "failed";
  if (outcome === CallTimeout) return "timeout";
  return outcome === CallInterrupted ? "interrupted" : "ok";
}
