/**
 * Who runs where and when: ready tasks, free resources, lanes. Pure: effects go through `DispatchEffects`.
 *
 * A lane is a slot on a worker: it holds resources and runs its tasks one after the other. Short tasks are sent ahead
 * of time, as many as take about two milliseconds, so that the worker does not wait for the scheduler between them;
 * long ones never are, so that they start in the order of submission. What was sent ahead and has not started is taken
 * back when another worker has nothing to do.
 */
import type { ResourceShape } from "../options.ts";
import { Fifo } from "./fifo.ts";
import type { Lane, Policy, Task, WorkerRecord } from "./records.ts";

const AHEAD_MS = 2;
const MAX_AHEAD = 512;

export interface DispatchEffects {
  dispatch(task: Task, lane: Lane): boolean;
  /** Takes a task back that has not started; false when it has. */
  revoke(task: Task): boolean;
  /** A task that awaited calls has a slot again, or goes on without one. */
  resumed(task: Task): void;
}

export class Dispatcher {
  readonly workers = new Map<number, WorkerRecord>();
  readonly available: Record<string, number>;
  readonly #effects: DispatchEffects;
  readonly #ready = new Map<string, Fifo<Task>>();
  readonly #resuming = new Fifo<Task>();
  #nextLane = 1;
  #uses = 0;

  constructor(totals: ResourceShape, effects: DispatchEffects) {
    this.available = { ...totals };
    this.#effects = effects;
  }

  addReady(task: Task, first = false): void {
    let queue = this.#ready.get(task.policy.shapeKey);
    if (queue === undefined) {
      queue = new Fifo();
      this.#ready.set(task.policy.shapeKey, queue);
    }
    if (first) queue.unshift(task);
    else queue.push(task);
  }

  /** A suspended task wants its slot back; it goes before all that have not started. */
  addResuming(task: Task): void {
    this.#resuming.push(task);
  }

  /** The task at the head of its lane ended or was suspended: the next one has the slot, or the slot is free. */
  leaveLane(task: Task): void {
    const { lane } = task;
    if (lane === undefined) return;
    task.lane = undefined;
    lane.tasks.remove(task);
    if (lane.tasks.length === 0) this.#closeLane(lane);
  }

  #closeLane(lane: Lane): void {
    lane.worker.lanes.delete(lane);
    for (const name in lane.policy.shape) this.available[name]! += lane.policy.shape[name]!;
  }

  /** Starts and resumes whatever can be. Call it after a batch of changes. */
  run(): void {
    this.#resume();
    while (this.#startOne()) {}
    for (const worker of this.workers.values()) for (const lane of worker.lanes) this.#sendAhead(lane);
    this.#balance();
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

  #resume(): void {
    for (let task = this.#resuming.first; task !== undefined; task = this.#resuming.first) {
      const gone = task.state !== "running" || task.worker === undefined;
      if (!gone && !this.#fits(task.policy.shape)) return;
      this.#resuming.shift();
      // One that has a lane is another attempt than the one that was to resume.
      if (gone || task.lane !== undefined) continue;
      // It awaits something else by now: it goes on without a slot, since that may depend on what it has been given.
      if (task.openCalls > 0) {
        this.#effects.resumed(task);
        continue;
      }
      const worker = task.worker!;
      const lane = this.#openLane(worker, task.policy, true);
      lane.tasks.push(task);
      task.lane = lane;
      worker.suspended.delete(task);
      this.#effects.resumed(task);
    }
  }

  /** The oldest ready task that fits goes to the worker with the least to do. */
  #startOne(): boolean {
    let oldest: Fifo<Task> | undefined;
    for (const queue of this.#ready.values()) {
      const { first } = queue;
      if (first === undefined || !this.#fits(first.policy.shape)) continue;
      if (oldest === undefined || first.sequence < oldest.first!.sequence) oldest = queue;
    }
    if (oldest === undefined) return false;
    const worker = this.#leastBusy();
    if (worker === undefined) return false;
    const task = oldest.shift()!;
    if (task.state !== "ready") return true;
    const lane = this.#openLane(worker, task.policy);
    if (this.#send(task, lane)) return true;
    this.#closeLane(lane);
    this.addReady(task, true);
    return false;
  }

  #leastBusy(): WorkerRecord | undefined {
    let best: WorkerRecord | undefined;
    let bestLoad = Number.POSITIVE_INFINITY;
    for (const worker of this.workers.values()) {
      if (!worker.up || worker.freeSlots.length === 0) continue;
      // A thread whose suspended tasks may come back at any time is the second choice.
      const load = worker.lanes.size * 2 + (worker.suspended.size > 0 ? 1 : 0);
      // Among equals the one that has rested longest, so that short tasks spread over the threads too.
      if (load < bestLoad || (load === bestLoad && worker.lastUsed < best!.lastUsed)) {
        best = worker;
        bestLoad = load;
      }
    }
    return best;
  }

  #send(task: Task, lane: Lane): boolean {
    task.slot = lane.worker.freeSlots.pop() ?? -1;
    if (task.slot < 0) return false;
    task.lane = lane;
    task.worker = lane.worker;
    lane.worker.lastUsed = ++this.#uses;
    lane.tasks.push(task);
    if (this.#effects.dispatch(task, lane)) return true;
    lane.tasks.remove(task);
    lane.worker.freeSlots.push(task.slot);
    task.slot = -1;
    task.lane = task.worker = undefined;
    return false;
  }

  #sendAhead(lane: Lane): void {
    const queue = this.#ready.get(lane.policy.shapeKey);
    if (lane.solo || queue === undefined || queue.length === 0 || this.#resuming.length > 0) return;
    const share = Math.ceil(queue.length / Math.max(1, this.#upWorkers()));
    for (let sent = 0; sent < share; sent++) {
      const task = queue.first;
      if (task === undefined) return;
      if (task.state !== "ready") {
        queue.shift();
        continue;
      }
      const { meanMs } = task.definition;
      const ahead = meanMs === undefined ? 0 : Math.min(MAX_AHEAD, Math.floor(AHEAD_MS / Math.max(meanMs, 0.001)));
      if (lane.tasks.length > ahead) return;
      queue.shift();
      if (!this.#send(task, lane)) {
        queue.unshift(task);
        return;
      }
    }
  }

  #upWorkers(): number {
    let count = 0;
    for (const worker of this.workers.values()) if (worker.up) count++;
    return count;
  }

  /** Where a worker has nothing to do and no task is ready, takes back half of what the fullest lane has not started. */
  #balance(): void {
    for (const idle of this.workers.values()) {
      if (!idle.up || idle.lanes.size > 0) continue;
      const victim = this.#fullestLane();
      if (victim === undefined || !this.#fits(victim.policy.shape)) return;
      const waiting = [...victim.tasks].filter((task) => task.startedAt === 0);
      let toTake =
        waiting.length === victim.tasks.length
          ? waiting.length - (victim.worker.suspended.size > 0 || victim.worker.lanes.size > 1 ? 0 : 1)
          : waiting.length;
      toTake = Math.ceil(toTake / 2);
      const taken: Task[] = [];
      for (let index = waiting.length - 1; taken.length < toTake && index >= 0; index--) {
        const task = waiting[index]!;
        if (this.takeBack(task)) taken.push(task);
      }
      if (taken.length === 0) return;
      for (const task of taken) this.addReady(task, true);
      const head = this.#ready.get(victim.policy.shapeKey)!.shift()!;
      const lane = this.#openLane(idle, head.policy);
      if (!this.#send(head, lane)) {
        this.#closeLane(lane);
        this.addReady(head, true);
        return;
      }
      this.#sendAhead(lane);
    }
  }

  #fullestLane(): Lane | undefined {
    let fullest: Lane | undefined;
    for (const worker of this.workers.values()) {
      for (const lane of worker.lanes) {
        if (lane.tasks.length > 1 && lane.tasks.length > (fullest?.tasks.length ?? 0)) fullest = lane;
      }
    }
    return fullest;
  }

  /** Takes a dispatched task back if it has not started. */
  takeBack(task: Task): boolean {
    if (task.slot < 0 || !this.#effects.revoke(task)) return false;
    this.leaveLane(task);
    task.slot = -1;
    task.worker = undefined;
    return true;
  }
}
