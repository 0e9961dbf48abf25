/**
 * Tasks that wait for each other in a circle. A task waits for the inputs that are not there, or for the objects of its
 * `get` calls without a limit of time; whoever makes such an object has to end first. Tasks give their slots back while
 * they wait, so slots and resources close no circle; refs that reach a task late do, by what tasks of one thread share.
 */
import { objectIdText } from "../ids.ts";
import { type Call, type StoredObject, type Task, taskName } from "./records.ts";

export interface WaitGraph {
  task(id: number): Task | undefined;
  object(id: number): StoredObject | undefined;
  /** The open calls of a task. */
  callsOf(task: Task): Iterable<Call>;
}

/** One step of a circle: the task waits for the object, by a call or as an input. */
export interface Waiting {
  task: Task;
  object: number;
  call: Call | undefined;
}

/** Looks for circles behind several tasks, at each task once. */
export class CircleSearch {
  readonly #graph: WaitGraph;
  readonly #done = new Set<Task>();

  constructor(graph: WaitGraph) {
    this.#graph = graph;
  }

  /** A circle that can be reached from the task; undefined when there is none. */
  from(start: Task): Waiting[] | undefined {
    if (this.#done.has(start)) return undefined;
    const way: { waiting: Waiting; rest: Iterator<Waiting> }[] = [];
    const places = new Map<Task, number>();
    const enter = (task: Task): Iterator<Waiting> => {
      places.set(task, way.length);
      this.#done.add(task);
      return this.#waitsOf(task);
    };
    for (let rest = enter(start); ; ) {
      const { done, value } = rest.next();
      if (done === true) {
        const last = way.pop();
        if (last === undefined) return undefined;
        places.delete(this.#makerOf(last.waiting.object)!);
        rest = last.rest;
        continue;
      }
      const maker = this.#makerOf(value.object);
      if (maker === undefined) continue;
      const at = places.get(maker);
      if (at !== undefined) return [...way.slice(at).map(({ waiting }) => waiting), value];
      if (this.#done.has(maker)) continue;
      way.push({ waiting: value, rest });
      rest = enter(maker);
    }
  }

  *#waitsOf(task: Task): Generator<Waiting> {
    if (task.state === "waiting")
      for (const object of task.inputs) if (this.#isPending(object)) yield { task, object, call: undefined };
    for (const call of this.#graph.callsOf(task)) {
      if (call.done || call.limited || call.kind !== "get") continue;
      for (const object of call.objects) if (this.#isPending(object)) yield { task, object, call };
    }
  }

  #isPending(object: number): boolean {
    return this.#graph.object(object)?.order === 0;
  }

  #makerOf(object: number): Task | undefined {
    return this.#graph.task(this.#graph.object(object)?.task ?? 0);
  }
}

/** The circle in words, from the step at `first` on: who waits for whom, and how. */
export function circleText(circle: readonly Waiting[], first: number): string {
  const steps = [...circle.slice(first), ...circle.slice(0, first)];
  const parts = steps.map(({ call, object, task }, at) => {
    const next = steps[(at + 1) % steps.length]!.task;
    const how = call === undefined ? "needs as input" : "awaits in get";
    return `${taskName(task)} ${how} ${objectIdText(object)} of ${next === task ? "itself" : taskName(next)}`;
  });
  return parts.join(", ");
}
