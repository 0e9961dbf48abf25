/**
 * Who runs where and when: ready tasks, free resources, lanes. Pure: effects go through `DispatchEffects`.
 *
 * A lane is a slot on a worker: it holds resources and runs its tasks one after the other. Short tasks are sent ahead
 * of time, as many as take about two milliseconds, so that the worker does not wait for the scheduler between them;
 * long ones never are, so that they start in the order of submission. What was sent ahead and has not started is taken
 * back when another worker has nothing to do.
 *
 * While nothing waits for a slot, a task may be sent ahead of its input too: a **follower** lies in the lane behind the
 * task that makes it, and starts there with that value as soon as it exists. It is taken back when something else is
 * ready to start, and when the task before it leaves the lane without a value.
 */
import type { ResourceShape } from "../options.ts";
import { Fifo } from "./fifo.ts";
import { ReadyQueue } from "./ready-queue.ts";
import type { Lane, Policy, Task, WorkerRecord } from "./records.ts";
import { countCall, isSpent, uncountCall } from "./retirement.ts";

const AHEAD_MS = 2;
const MAX_AHEAD = 512;
/** Empty queues that are kept for the next task of their shape. */
const MAX_SHAPES = 32;
const LAST_CHOICE = 1_000_000;

export interface DispatchEffects {
  /** Whether the task can start as things are; one that cannot has ended. */
  mayStart(task: Task): boolean;
  dispatch(task: Task, lane: Lane): boolean;
  /** Takes a task back that has not started; false when it has. */
  revoke(task: Task): boolean;
  /** A task that waits only for what the task and others of its lane make. */
  followerOf(task: Task): Task | undefined;
  /** A task that awaited calls has a slot again, or goes on without one. */
  resumed(task: Task): void;
  /** A worker has run a function as often as it may, and has nothing left. */
  retire(worker: WorkerRecord): void;
}

export class Dispatcher {
  readonly workers = new Map<number, WorkerRecord>();
  readonly available: Record<string, number>;
  readonly #effects: DispatchEffects;
  readonly #ready = new Map<string, ReadyQueue>();
  readonly #resuming = new Fifo<Task>();
  /** Workers that had no room for a record in this run. */
  readonly #full = new Set<WorkerRecord>();
  #readyTasks = 0;
  #nextLane = 1;
  #uses = 0;

  constructor(totals: ResourceShape, effects: DispatchEffects) {
    this.available = { ...totals };
    this.#effects = effects;
  }

  /** Tasks in queues. */
  get queued(): number {
    let count = this.#resuming.length;
    for (const queue of this.#ready.values()) count += queue.length;
    return count;
  }

  /** The task waits for a slot, behind all that wait already; a follower has one. */
  addReady(task: Task): void {
    task.readyOrder = ++this.#readyTasks;
    if (task.lane === undefined) this.#queueOf(task).push(task);
  }

  /** The task did not start where it was sent, and has its old place again. */
  putBack(task: Task): void {
    this.#queueOf(task).insert(task);
  }

  #queueOf({ policy }: Task): ReadyQueue {
    let queue = this.#ready.get(policy.shapeKey);
    if (queue === undefined) {
      queue = new ReadyQueue();
      this.#ready.set(policy.shapeKey, queue);
    }
    return queue;
  }

  /** Whether a worker may have started a task without having been heard. */
  awaitsStart(): boolean {
    for (const worker of this.workers.values())
      for (const { tasks } of worker.lanes) if (tasks.first !== undefined && tasks.first.slot >= 0) return true;
    return false;
  }

  /** A suspended task wants its slot back; it goes before all that have not started. */
  addResuming(task: Task): void {
    this.#resuming.push(task);
  }

  /**
   * The task ended, was suspended or did not start: the next one of its lane has the slot, or the slot is free. Unless
   * it has made its value (`done`), followers cannot have that there.
   */
  leaveLane(task: Task, done = false): void {
    const { lane } = task;
    if (lane === undefined) return;
    task.lane = undefined;
    lane.tasks.remove(task);
    if (!done) this.#takeFollowersBack(lane);
    if (lane.tasks.length === 0 && lane.worker.lanes.has(lane)) this.#closeLane(lane);
  }

  /** Whether there were any. */
  #takeFollowersBack({ tasks }: Lane): boolean {
    let any = false;
    for (let task = tasks.last; task?.state === "waiting" && this.takeBack(task); task = tasks.last) any = true;
    return any;
  }

  #closeLane(lane: Lane): void {
    lane.worker.lanes.delete(lane);
    for (const name in lane.policy.shape) this.available[name]! += lane.policy.shape[name]!;
  }

  /** Starts and resumes whatever can be. Call it after a batch of changes. */
  run(): void {
    this.#full.clear();
    this.#resume();
    while (this.#startOne()) {}
    if (this.queued > 0) this.#makeWay();
    for (const worker of this.workers.values()) {
      if (isSpent(worker)) this.#retire(worker);
      for (const lane of worker.lanes) this.#sendAhead(lane);
    }
    // A thread whose tasks moved may be the next that is idle; what resumes may come before what lies on its thread.
    while (this.#balance() || this.#resume()) {}
    if (this.queued > 0) return this.#makeWay();
    for (const worker of this.workers.values()) for (const lane of worker.lanes) this.#sendFollowers(lane);
  }

  /** Something waits for a slot: what is not even ready does not go before it. */
  #makeWay(): void {
    let any = false;
    for (const worker of this.workers.values())
      for (const lane of [...worker.lanes]) if (this.#takeFollowersBack(lane)) any = true;
    if (!any) return;
    this.#resume();
    while (this.#startOne()) {}
  }

  #takesMore(worker: WorkerRecord): boolean {
    return worker.up && worker.freeSlots.length > 0 && !this.#full.has(worker);
  }

  #retire(worker: WorkerRecord): void {
    worker.up = false;
    this.#effects.retire(worker);
  }

  #fits(shape: ResourceShape): boolean {
    for (const name in shape) if ((this.available[name] ?? 0) < shape[name]!) return false;
    return true;
  }

  #openLane(worker: WorkerRecord, policy: Policy, solo = false): Lane {
    for (const name in policy.shape) this.available[name]! -= policy.shape[name]!;
    const lane: Lane = { id: this.#nextLane++, worker, policy, tasks: new Fifo(), solo };
    worker.lanes.add(lane);
    return lane;
  }

  /** Whether any of those that wait to go on does. */
  #resume(): boolean {
    let any = false;
    for (let task = this.#resuming.first; task !== undefined; task = this.#resuming.first) {
      // One that has a lane is another attempt than the one that was to resume, or has resumed already.
      const waits = task.state === "running" && task.openCalls === 0 && task.lane === undefined;
      if (waits && !this.#fits(task.policy.shape)) break;
      this.#resuming.shift();
      if (!waits) continue;
      const worker = task.worker!;
      const lane = this.#openLane(worker, task.policy, true);
      lane.tasks.push(task);
      task.lane = lane;
      worker.suspended.delete(task);
      this.#effects.resumed(task);
      any = true;
    }
    return any;
  }

  /** The oldest ready task that fits goes to the worker with the least to do. */
  #startOne(): boolean {
    const worker = this.#leastBusy();
    if (worker === undefined) return false;
    // What the tasks of a worker that is to be replaced wait for may find no other worker; nothing else goes there,
    // unless all are to be replaced: they may wait for what the driver submitted.
    const nested = worker.retiring && [...this.workers.values()].some(({ retiring, up }) => up && !retiring);
    const queue = this.#oldestThatFits(nested);
    if (queue === undefined) return false;
    const task = nested ? queue.shiftNested()! : queue.shift()!;
    const lane = this.#openLane(this.#nearer(task, worker), task.policy);
    if (!this.#send(task, lane)) {
      this.#closeLane(lane);
      this.putBack(task);
    }
    return true;
  }

  /** The worker that is near to the task, where it has as little to do as the one chosen. */
  #nearer({ near }: Task, chosen: WorkerRecord): WorkerRecord {
    if (near === undefined || near.retiring || !this.#takesMore(near)) return chosen;
    return near.lanes.size === 0 && near.suspended.size === 0 ? near : chosen;
  }

  #oldestThatFits(nested: boolean): ReadyQueue | undefined {
    let oldest: ReadyQueue | undefined;
    let order = Number.POSITIVE_INFINITY;
    for (const [key, queue] of this.#ready) {
      const first = this.#firstOf(queue, nested);
      if (queue.length === 0 && this.#ready.size > MAX_SHAPES) this.#ready.delete(key);
      if (first === undefined || first.readyOrder >= order || !this.#fits(first.policy.shape)) continue;
      oldest = queue;
      order = first.readyOrder;
    }
    return oldest;
  }

  /** The first task of a queue that may start; those that ended while they waited go. */
  #firstOf(queue: ReadyQueue, nested = false): Task | undefined {
    for (;;) {
      const task = nested ? queue.firstNested : queue.first;
      if (task === undefined || (task.state === "ready" && this.#effects.mayStart(task))) return task;
      if (nested) queue.shiftNested();
      else queue.shift();
    }
  }

  #leastBusy(): WorkerRecord | undefined {
    let best: WorkerRecord | undefined;
    let bestLoad = Number.POSITIVE_INFINITY;
    for (const worker of this.workers.values()) {
      if (!this.#takesMore(worker) || (worker.retiring && worker.suspended.size === 0)) continue;
      // A thread whose suspended tasks may come back at any time is the second choice.
      let load = worker.lanes.size * 2 + (worker.suspended.size > 0 ? 1 : 0);
      if (worker.retiring) load += LAST_CHOICE;
      // Among equals the one that has rested longest, so that short tasks spread over the threads too.
      if (load < bestLoad || (load === bestLoad && worker.lastUsed < best!.lastUsed)) {
        best = worker;
        bestLoad = load;
      }
    }
    return best;
  }

  #send(task: Task, lane: Lane): boolean {
    const { worker } = lane;
    task.slot = worker.freeSlots.pop() ?? -1;
    if (task.slot < 0) return false;
    task.lane = lane;
    task.worker = worker;
    worker.lastUsed = ++this.#uses;
    lane.tasks.push(task);
    if (this.#effects.dispatch(task, lane)) {
      countCall(worker, task);
      return true;
    }
    this.#full.add(worker);
    lane.tasks.remove(task);
    worker.freeSlots.push(task.slot);
    task.slot = -1;
    task.lane = task.worker = undefined;
    return false;
  }

  #sendAhead(lane: Lane): void {
    const queue = this.#ready.get(lane.policy.shapeKey);
    if (lane.solo || queue === undefined || queue.length === 0 || this.#resuming.length > 0) return;
    const share = Math.ceil(queue.length / Math.max(1, this.#upWorkers()));
    for (let sent = 0; sent < share; sent++) {
      const task = this.#firstOf(queue);
      if (task === undefined) return;
      if (lane.tasks.length > mostAhead(task) || lane.worker.retiring) return;
      queue.shift();
      if (!this.#send(task, lane)) {
        this.putBack(task);
        return;
      }
    }
  }

  /** Only those behind its last task: what is ready on a lane comes before what is not. */
  #sendFollowers(lane: Lane): void {
    if (lane.solo) return;
    for (let last = lane.tasks.last; last !== undefined && this.#takesMore(lane.worker); last = lane.tasks.last) {
      const task = this.#effects.followerOf(last);
      if (task === undefined || lane.tasks.length > mostAhead(task) || lane.worker.retiring) return;
      if (!this.#send(task, lane)) return;
    }
  }

  #upWorkers(): number {
    let count = 0;
    for (const worker of this.workers.values()) if (worker.up) count++;
    return count;
  }

  /** Where a worker has nothing to do, it takes over about half of what lies behind something else on another one; whether any did. */
  #balance(): boolean {
    let any = false;
    for (const idle of this.workers.values()) {
      if (idle.lanes.size > 0 || idle.retiring || !this.#takesMore(idle)) continue;
      // What was taken back may have gone to another idle worker.
      while (idle.lanes.size === 0 && this.#takesMore(idle)) {
        if (!this.#lanesBehind().some((lane) => this.#relieve(lane, idle))) return any;
        while (this.#startOne()) {}
        any = true;
      }
      for (const lane of idle.lanes) this.#sendAhead(lane);
    }
    return any;
  }

  /** Lanes with unstarted tasks behind others on their thread; the fullest first. */
  #lanesBehind(): Lane[] {
    const found: Lane[] = [];
    for (const worker of this.workers.values())
      for (const lane of worker.lanes)
        if ((lane.tasks.length > 1 || worker.lanes.size > 1) && [...lane.tasks].some(isReady)) found.push(lane);
    return found.sort((a, b) => b.tasks.length - a.tasks.length);
  }

  /** Takes tasks of the lane back that the idle thread could start sooner; whether there were any. */
  #relieve({ policy, tasks, worker }: Lane, idle: WorkerRecord): boolean {
    const waiting = [...tasks].filter(isReady);
    const allWait = tasks.first!.startedAt === 0;
    const alone = worker.lanes.size === 1 && (worker.suspended.size === 0 || idle.suspended.size > 0);
    let most = Math.ceil((allWait && alone ? waiting.length - 1 : waiting.length) / 2);
    if (!this.#fits(policy.shape)) {
      // There is no room for a second lane; this one as a whole can move.
      if (!allWait || alone) return false;
      most = waiting.length;
    }
    let taken = 0;
    for (let task = waiting.pop(); task !== undefined && taken < most; task = waiting.pop()) {
      if (!this.takeBack(task)) continue;
      this.putBack(task);
      taken++;
    }
    return taken > 0;
  }

  /** Takes a dispatched task back if it has not started. */
  takeBack(task: Task): boolean {
    if (task.slot < 0 || !this.#effects.revoke(task)) return false;
    this.#withdraw(task);
    return true;
  }

  /** The worker gave a follower back: its turn came and what it was sent ahead for was not there. */
  declined(task: Task): void {
    this.#withdraw(task);
    if (isReady(task)) this.putBack(task);
  }

  #withdraw(task: Task): void {
    const worker = task.worker!;
    task.slot = -1;
    task.worker = undefined;
    uncountCall(worker, task);
    this.leaveLane(task);
  }
}

const isReady = ({ state }: Task): boolean => state === "ready";

/** Behind how many others the task may lie on a worker. */
function mostAhead({ definition: { meanMs } }: Task): number {
  return meanMs === undefined ? 0 : Math.min(MAX_AHEAD, Math.floor(AHEAD_MS / Math.max(meanMs, 0.001)));
}
