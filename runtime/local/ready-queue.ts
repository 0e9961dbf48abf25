/**
 * Ready tasks that ask for the same resources, in turn by job: what tasks of one top-level task submitted is one job, and
 * so is all that the driver submitted. Within a job the first come is the first served; between jobs each has its
 * turn, so a small one does not wait until a large one that began before is done.
 */
import { Fifo } from "./fifo.ts";
import type { Task } from "./records.ts";

interface Job {
  readonly id: number;
  readonly tasks: Fifo<Task>;
}

const DRIVER = 0;

export class ReadyQueue {
  readonly #byId = new Map<number, Job>();
  /** In the order of their turns. */
  readonly #jobs: Job[] = [];
  #turn = 0;
  length = 0;

  /** The task whose turn it is. */
  get first(): Task | undefined {
    return this.#jobs[this.#turn]?.tasks.first;
  }

  push(task: Task): void {
    this.#jobOf(task).tasks.push(task);
    this.length++;
  }

  /** Gives a task its old place in its job again. */
  insert(task: Task): void {
    this.#jobOf(task).tasks.insert(task, (other) => other.readyOrder > task.readyOrder);
    this.length++;
  }

  /** A new job has its turn after all others. */
  #jobOf({ job: id }: Task): Job {
    let job = this.#byId.get(id);
    if (job === undefined) {
      if (this.length === 0) this.#forgetLast();
      job = { id, tasks: new Fifo() };
      this.#byId.set(id, job);
      this.#jobs.splice(this.#turn, 0, job);
      if (this.#jobs.length > 1) this.#turn++;
    }
    return job;
  }

  #forgetLast(): void {
    this.#byId.clear();
    this.#jobs.length = 0;
    this.#turn = 0;
  }

  shift(): Task | undefined {
    return this.#take(this.#turn);
  }

  /** The first task that was submitted by another task. */
  get firstNested(): Task | undefined {
    return this.#jobs[this.#nestedTurn()]?.tasks.first;
  }

  shiftNested(): Task | undefined {
    return this.#take(this.#nestedTurn());
  }

  #nestedTurn(): number {
    const { length } = this.#jobs;
    for (let step = 0; step < length; step++) {
      const at = (this.#turn + step) % length;
      if (this.#jobs[at]!.id !== DRIVER) return at;
    }
    return -1;
  }

  #take(at: number): Task | undefined {
    const job = this.#jobs[at];
    const task = job?.tasks.shift();
    if (job === undefined || task === undefined) return undefined;
    this.length--;
    this.#turn = at + 1;
    // The last job stays, for the next task is most likely one of it too.
    if (job.tasks.length === 0 && this.length > 0) {
      this.#byId.delete(job.id);
      this.#jobs.splice(at, 1);
      this.#turn = at;
    }
    if (this.#turn >= this.#jobs.length) this.#turn = 0;
    return task;
  }
}
