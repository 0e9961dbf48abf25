/** One thing that the driver or a task does; times in milliseconds. */
export type Step =
  | { type: "run"; time: number }
  | { type: "submit"; taskId: string }
  /** Until `count` of the tasks have ended, or the timeout is over. */
  | { type: "wait"; taskIds: readonly string[]; count: number; timeout?: number };

export interface ReplayTask {
  id: string;
  slots: number;
  /** Tasks of one actor run one after the other. */
  actor?: string;
  dependencies: readonly string[];
  work: number;
  steps: readonly Step[];
}

interface Process {
  task: ReplayTask | undefined;
  steps: readonly Step[];
  next: number;
  holdsSlot: boolean;
  /** Counts the waits, so that the timeout of an earlier one is told from the current. */
  waits: number;
}

/** Runs a plan on a made-up clock: first come, first served, and a task that waits gives its slot back. */
export class Replay {
  readonly #tasks: Map<string, ReplayTask>;
  readonly #driver: Process;
  readonly #clock = new EventQueue();
  readonly #ended = new Set<string>();
  readonly #dependents = new Map<string, (() => void)[]>();
  /** Busy actors and the calls that stand behind them. */
  readonly #actors = new Map<string, Process[]>();
  #ready: Process[] = [];
  #head = 0;
  #freeSlots: number;
  #now = 0;
  /** Not `#now`: that also goes on to timeouts of waits that are over. */
  #lastStep = 0;

  constructor(tasks: readonly ReplayTask[], driver: readonly Step[], { workers }: { workers: number }) {
    // A task that needs more slots than there are would never start: it takes all. Actors have theirs for good.
    this.#tasks = new Map(
      tasks.map((task) => [task.id, { ...task, slots: task.actor === undefined ? Math.min(task.slots, workers) : 0 }]),
    );
    this.#driver = { task: undefined, steps: driver, next: 0, holdsSlot: true, waits: 0 };
    this.#freeSlots = workers;
  }

  /** The time at which the last step is done. */
  run(): number {
    this.#step(this.#driver);
    for (let event = this.#clock.pop(); event; event = this.#clock.pop()) {
      this.#now = event.time;
      event.run();
    }
    return this.#lastStep;
  }

  #step(process: Process): void {
    this.#lastStep = this.#now;
    while (process.next < process.steps.length) {
      const step = process.steps[process.next++]!;
      if (step.type === "submit") this.#submit(step.taskId);
      else if (step.type === "run") {
        this.#clock.push(this.#now + step.time, () => this.#step(process));
        return;
      } else if (!this.#isOver(step)) {
        this.#wait(process, step);
        return;
      }
    }
    if (process.task) this.#end(process, process.task);
  }

  #submit(id: string): void {
    const task = this.#tasks.get(id);
    if (!task) return;
    let missing = 0;
    const start = (): void => {
      if (--missing < 0) this.#queue({ task, steps: task.steps, next: 0, holdsSlot: false, waits: 0 });
    };
    for (const dependency of task.dependencies)
      if (!this.#ended.has(dependency) && this.#tasks.has(dependency)) {
        missing++;
        this.#onEnd(dependency, start);
      }
    start();
  }

  #queue(process: Process): void {
    const actor = process.task?.actor;
    if (actor === undefined) {
      this.#ready.push(process);
      this.#dispatch();
    } else if (process.next > 0 || !this.#actors.has(actor)) {
      if (!this.#actors.has(actor)) this.#actors.set(actor, []);
      this.#startNow(process);
    } else this.#actors.get(actor)!.push(process);
  }

  #dispatch(): void {
    for (let first = this.#ready[this.#head]; first; first = this.#ready[this.#head]) {
      if (first.task!.slots > this.#freeSlots) return;
      this.#head++;
      this.#freeSlots -= first.task!.slots;
      first.holdsSlot = true;
      this.#startNow(first);
    }
    this.#ready = [];
    this.#head = 0;
  }

  #startNow(process: Process): void {
    this.#clock.push(this.#now, () => this.#step(process));
  }

  #wait(process: Process, step: Extract<Step, { type: "wait" }>): void {
    const wait = ++process.waits;
    this.#release(process);
    const goOn = (): void => {
      if (process.waits !== wait) return;
      process.waits++;
      if (process.task) this.#queue(process);
      else this.#step(process);
    };
    for (const id of step.taskIds)
      if (!this.#ended.has(id))
        this.#onEnd(id, () => {
          if (this.#isOver(step)) goOn();
        });
    if (step.timeout !== undefined) this.#clock.push(this.#now + step.timeout, goOn);
    this.#dispatch();
  }

  #isOver(step: Extract<Step, { type: "wait" }>): boolean {
    let ended = 0;
    for (const id of step.taskIds) if (this.#ended.has(id) || !this.#tasks.has(id)) ended++;
    return ended >= step.count;
  }

  #end(process: Process, task: ReplayTask): void {
    this.#release(process);
    if (task.actor !== undefined) this.#freeActor(task.actor);
    this.#ended.add(task.id);
    const waiting = this.#dependents.get(task.id) ?? [];
    this.#dependents.delete(task.id);
    for (const wake of waiting) wake();
    this.#dispatch();
  }

  #freeActor(actor: string): void {
    const next = this.#actors.get(actor)?.shift();
    if (next) this.#startNow(next);
    else this.#actors.delete(actor);
  }

  #release(process: Process): void {
    if (process.task && process.holdsSlot) this.#freeSlots += process.task.slots;
    process.holdsSlot = process.task === undefined;
  }

  #onEnd(id: string, wake: () => void): void {
    const waiting = this.#dependents.get(id);
    if (waiting) waiting.push(wake);
    else this.#dependents.set(id, [wake]);
  }
}

interface Timed {
  time: number;
  order: number;
  run: () => void;
}

/** A binary heap: earliest first, and of equal times the one that was pushed first. */
class EventQueue {
  readonly #heap: Timed[] = [];
  #pushed = 0;

  push(time: number, run: () => void): void {
    const heap = this.#heap;
    const entry = { time, order: this.#pushed++, run };
    let index = heap.length;
    heap.push(entry);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (isBefore(heap[parent]!, entry)) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = entry;
  }

  pop(): Timed | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (!first || !last || heap.length === 0) return first;
    let index = 0;
    for (;;) {
      let child = index * 2 + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (isBefore(last, heap[child]!)) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = last;
    return first;
  }
}

function isBefore(a: Timed, b: Timed): boolean {
  return a.time < b.time || (a.time === b.time && a.order < b.order);
}
