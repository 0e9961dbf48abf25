/** Follows every task by the events that a user would see, and refuses what the scheduler must never do on the way. */
import type { TaskEvent } from "../../runtime/events.ts";
import { CLAIM_WAITING } from "../../runtime/local/claims.ts";
import type { Failure, Lane, StoredObject, Task } from "../../runtime/local/records.ts";
import type { Submit } from "./story.ts";
import type { Actor, Entry, Thread } from "./thread.ts";
import { Violation } from "./violation.ts";
import type { World } from "./world.ts";

export type TraceState = "waiting" | "ready" | "running" | "blocked" | "retrying" | "finished" | "failed" | "cancelled";

/** A task as its events tell. */
export interface Trace {
  readonly id: number;
  state: TraceState;
  attempt: number;
  time: number;
  /** Place among all that became ready. */
  readyOrder: number;
  /** Where it was sent. */
  thread: Thread | undefined;
}

const ENDED: ReadonlySet<TraceState> = new Set(["finished", "failed", "cancelled"]);
export const hasEnded = ({ state }: Trace): boolean => ENDED.has(state);

/** States in which an event may come. */
const legal: Partial<Record<TaskEvent["type"], readonly TraceState[]>> = {
  ready: ["waiting", "retrying"],
  started: ["ready"],
  blocked: ["running"],
  resumed: ["blocked"],
  finished: ["running", "blocked"],
  failed: ["waiting", "ready", "running", "blocked"],
  cancelled: ["waiting", "ready", "running", "blocked"],
};

const numberOf = (text: string): number => Number.parseInt(text.slice(1), 16);

export class Observer {
  readonly traces = new Map<number, Trace>();
  readonly #world: World;
  readonly totals: Record<string, number>;
  readonly #unlooked = new Set<string>();
  /** Tasks that ran when they were cancelled: the attempt is their last. */
  readonly #stopping = new Set<number>();
  /** Tasks whose cancelling reaches what they submit. */
  readonly #cancelsChildren = new Set<number>();
  #read = 0;
  #readyOrder = 0;

  constructor(world: World, totals: Record<string, number>) {
    this.#world = world;
    this.totals = totals;
  }

  /** Where the task lies or runs, if that thread is still there. */
  placeOf({ thread }: Trace): Thread | undefined {
    return thread !== undefined && this.#world.threads.get(thread.index) === thread ? thread : undefined;
  }

  readEvents(): void {
    const { log } = this.#world;
    if (log.end === this.#read) return;
    const { events, next } = log.read(this.#read);
    this.#read = next;
    for (const event of events) if ("taskId" in event && event.type in legal) this.#step(event as never);
  }

  submitting(act: Submit): void {
    this.traces.set(act.as, {
      id: act.as,
      state: "waiting",
      attempt: 0,
      time: 0,
      readyOrder: 0,
      thread: undefined,
    });
    if (!this.#cancelsChildren.has(act.by)) return;
    this.#cancelsChildren.add(act.as);
    this.#world.tasks.get(act.as)!.cancelAsked = true;
  }

  #step(event: TaskEvent & { taskId: string; attempt?: number }): void {
    const id = numberOf(event.taskId);
    const trace = this.traces.get(id)!;
    const before = event.type === "failed" || event.type === "cancelled" ? ` while ${trace.state}` : "";
    this.#world.count(`${event.type}${before}`);
    if (!legal[event.type]!.includes(trace.state))
      throw new Violation(`task ${id}: event "${event.type}" while it is ${trace.state}`);
    if (event.time < trace.time)
      throw new Violation(`task ${id}: event "${event.type}" has time ${event.time}, the one before it ${trace.time}`);
    trace.time = event.time;
    if ("attempt" in event && event.attempt !== trace.attempt)
      throw new Violation(`task ${id}: "${event.type}" of attempt ${event.attempt} during attempt ${trace.attempt}`);
    switch (event.type) {
      case "ready":
        // One that was sent ahead of its inputs stays where it lies.
        if (trace.state === "retrying") trace.thread = undefined;
        trace.state = "ready";
        trace.readyOrder = ++this.#readyOrder;
        return;
      case "started":
      case "resumed":
        trace.state = "running";
        return;
      case "failed":
        return this.#failed(trace, event);
      case "cancelled":
        if (!this.#world.tasks.get(id)!.cancelAsked) throw new Violation(`task ${id} was cancelled unasked`);
    }
    trace.state = event.type as TraceState;
  }

  #failed(trace: Trace, event: TaskEvent & { type: "failed" }): void {
    const { actor, starts, submit } = this.#world.tasks.get(trace.id)!;
    if (event.workerId === undefined) this.#failedByInput(trace.id, submit);
    else {
      const again = actor?.over === "lost" || actor?.over === "threwRetryable";
      const mayRetry = again && !this.#stopping.has(trace.id) && (submit.maxRetries < 0 || starts <= submit.maxRetries);
      if (event.willRetry !== mayRetry)
        throw new Violation(
          `task ${trace.id}: attempt ${starts} of ${submit.maxRetries + 1} ended (${actor?.over}) and is ${event.willRetry ? "" : "not "}tried again`,
        );
    }
    if (event.willRetry) {
      this.#world.count(`tried again after ${actor?.over}`);
      trace.attempt++;
      trace.state = "retrying";
    } else trace.state = "failed";
  }

  /** The failure of an input is the task's, one hop longer. */
  #failedByInput(id: number, { needs }: Submit): void {
    const { objects } = this.#world.scheduler.directory;
    const own = objects.get(id)?.failure;
    const causes = needs.map((need) => objects.get(need)).filter((input) => input === undefined || input.failure);
    if (causes.length === 0) throw new Violation(`task ${id} failed before it ran, and no input failed`);
    // What was let go of explicitly no longer tells of its failure.
    if (own === undefined || own.kind === "freed" || causes.some((input) => input === undefined || input.freed)) return;
    const isHop = (input: StoredObject | undefined): boolean =>
      input?.failure?.kind === own.kind && input.failure.hops.length + 1 === own.hops.length;
    if (!causes.some(isHop)) throw new Violation(`task ${id} failed as "${own.kind}", which is no input's failure`);
  }

  /** A task is sent to a worker. */
  dispatching(task: Task, lane: Lane, thread: Thread): void {
    this.readEvents();
    const trace = this.traces.get(task.id)!;
    if ((trace.state !== "ready" && trace.state !== "waiting") || this.placeOf(trace) !== undefined)
      throw new Violation(`task ${task.id} is sent to a worker while it is ${trace.state}`);
    const { policy } = this.#world.tasks.get(task.id)!;
    if (trace.state === "waiting") this.#checkFollower(task, lane);
    for (const other of this.traces.values()) {
      if (other === trace || other.state !== "ready" || this.placeOf(other) !== undefined) continue;
      const equal =
        this.#world.tasks.get(other.id)!.policy.shapeKey === policy.shapeKey &&
        this.#world.scheduler.tasks.get(other.id)!.job === task.job;
      if (equal && other.readyOrder < trace.readyOrder)
        throw new Violation(`task ${task.id} is sent to a worker before ${other.id}, which was ready earlier`);
    }
    if (lane.policy.shapeKey !== policy.shapeKey)
      throw new Violation(`task ${task.id} is in a lane of other resources`);
    trace.thread = thread;
  }

  /** What a task that is sent ahead of its inputs still lacks is made by tasks before it on its lane, and nothing is ready. */
  #checkFollower(task: Task, lane: Lane): void {
    const { directory, tasks } = this.#world.scheduler;
    for (const id of task.inputs) {
      const object = directory.objects.get(id);
      const maker = tasks.get(object?.task ?? 0);
      if (object?.order === 0 && (maker?.lane !== lane || ![...lane.tasks].includes(maker)))
        throw new Violation(`task ${task.id} is sent to a worker where input ${id} is not made`);
    }
    for (const other of this.traces.values())
      if (other.state === "ready" && this.placeOf(other) === undefined)
        throw new Violation(
          `task ${task.id} is sent to a worker before its inputs are there, while ${other.id} is ready`,
        );
  }

  /** The thread that a task was sent to, also when it is gone. */
  threadOf(task: number): Thread {
    return this.traces.get(task)!.thread!;
  }

  takenBack(task: number): void {
    this.traces.get(task)!.thread = undefined;
  }

  /** The scheduler hears that a worker gives a task back, unless it has taken it back itself. */
  declined({ slot, task: id }: Entry, thread: Thread): void {
    const task = this.#world.scheduler.tasks.get(id);
    if (task?.worker?.index === thread.index && task.slot === slot) this.takenBack(id);
    this.#world.count("declined");
  }

  /** Whether the end of a task waits for the object and the object for the end of the task, as far as the scheduler has heard. */
  waitsForItself(task: number, object: number): boolean {
    const { calls, scheduler, tasks } = this.#world;
    const isPending = (id: number): boolean => scheduler.directory.objects.get(id)?.order === 0;
    const reached = new Set([object]);
    for (const id of reached) {
      const maker = id - (id % 10);
      if (maker === task) return true;
      const trace = this.traces.get(maker);
      if (trace?.state === "waiting")
        for (const need of tasks.get(maker)!.submit.needs) if (isPending(need)) reached.add(need);
      for (const { actor, heard, kind, objects, ended, task: asking } of calls.values())
        if (kind === "get" && heard && !ended && asking === maker && tasks.get(maker)?.actor === actor)
          for (const one of objects) if (isPending(one)) reached.add(one);
    }
    return false;
  }

  /** An attempt begins on its thread. */
  begins(id: number, actor: Actor): void {
    const task = this.#world.tasks.get(id)!;
    const trace = this.traces.get(id)!;
    const before = task.actor;
    task.starts++;
    task.actor = actor;
    if (hasEnded(trace)) throw new Violation(`task ${id} began after it was ${trace.state}`);
    if (before === undefined) return;
    if (before.over !== "lost" && before.over !== "threwRetryable")
      throw new Violation(`task ${id} began again while an attempt ${before.over ?? "runs"}`);
    if (task.submit.maxRetries >= 0 && task.starts > task.submit.maxRetries + 1)
      throw new Violation(`task ${id} began ${task.starts} times with maxRetries: ${task.submit.maxRetries}`);
  }

  // ---------------------------------------------------------------- cancelling

  /** The scheduler handles a cancel: what had not begun has ended then, what runs was told. */
  cancel(objects: readonly number[], recursive: boolean, handle: () => void): void {
    this.readEvents();
    const ids = objects.flatMap((object) => this.#cancelled(object, recursive));
    for (const id of ids) {
      this.#world.tasks.get(id)!.cancelAsked = true;
      if (recursive) this.#cancelsChildren.add(id);
    }
    handle();
    this.readEvents();
    for (const id of ids) this.#checkCancelled(id);
  }

  /** The scheduler notices that a thread is gone; streams that it read are cancelled, unless they ended with it. */
  lose(unread: readonly number[], handle: () => void): void {
    this.readEvents();
    for (const id of unread.flatMap((stream) => this.#cancelled(stream, true))) {
      this.#world.tasks.get(id)!.cancelAsked = true;
      this.#cancelsChildren.add(id);
    }
    handle();
  }

  /** What had not begun has ended, what runs was told. */
  #checkCancelled(id: number): void {
    const trace = this.traces.get(id)!;
    if (hasEnded(trace) || trace.state === "retrying") return;
    const thread = this.placeOf(trace);
    const lies = [...(thread?.entries() ?? [])].some(
      ({ slot, task }) => task === id && thread!.claims[slot] === CLAIM_WAITING,
    );
    if (thread === undefined || lies) throw new Violation(`task ${id} had not begun and survived its cancelling`);
    this.#stopping.add(id);
    const actor = this.#world.tasks.get(id)!.actor;
    const told = thread.told.some((one) => one.kind === "cancel" && one.task === id);
    if (thread.dead === undefined && actor?.over === undefined && actor?.stopping === false && !told)
      throw new Violation(`task ${id} runs and was not told of its cancelling`);
  }

  #cancelled(object: number, recursive: boolean): number[] {
    // An object that is gone can still name its task when it was the first that the task made.
    const maker = this.#world.scheduler.directory.objects.get(object)?.task ?? object;
    const first = this.traces.get(maker);
    if (first === undefined || hasEnded(first)) return [];
    const ids = [maker];
    if (recursive)
      for (const id of ids)
        for (const [child, { submit }] of this.#world.tasks)
          if (submit.by === id && this.traces.has(child) && !hasEnded(this.traces.get(child)!)) ids.push(child);
    return ids;
  }

  // ---------------------------------------------------------------- failures

  /** Somebody is told of the object's failure. */
  failureSeen({ failure, id }: StoredObject): void {
    const base = id - (id % 10);
    const first = failure!.hops[0];
    if (first !== undefined && numberOf(first.taskId) !== base)
      throw new Violation(`the failure of ${id} begins with ${first.taskId}`);
    if (this.traces.has(base) && first === undefined && failure!.kind !== "freed" && failure!.kind !== "lost")
      throw new Violation(`the failure of ${id} names no task`);
  }

  unlooked(failure: Failure): void {
    const { taskId } = failure.hops[0]!;
    if (this.#unlooked.has(taskId)) throw new Violation(`the failure of ${taskId} was reported twice`);
    this.#unlooked.add(taskId);
  }
}
