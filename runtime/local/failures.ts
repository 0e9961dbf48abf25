/** Failures as the scheduler keeps them: what happened, and through which tasks it passed. */
import { describeHop, type TaskHop } from "../errors.ts";
import { taskIdText, workerIdText } from "../ids.ts";
import type { Block } from "./block.ts";
import { type Cause, type Failure, type FailureKind, type Task, taskName, type WorkerRecord } from "./records.ts";

/** A failure that begins with this task. */
export function failureOf(kind: FailureKind, task: Task, thrown?: Block, worker?: WorkerRecord): Failure {
  return { kind, message: "", hops: [hopOf(task, worker)], cause: causeOf(thrown, task.attempts) };
}

const causeOf = (thrown: Block | undefined, attempts: readonly Block[]): Cause | undefined =>
  thrown === undefined && attempts.length === 0 ? undefined : { thrown, attempts, holds: 0 };

/** The failure of an object that has no task to tell of. */
export const failureWithoutTask = (kind: "lost" | "freed"): Failure => ({
  kind,
  message: "",
  hops: [],
  cause: undefined,
});

/** The task as one hop of a story. */
export function hopOf(task: Task, worker = task.worker): TaskHop {
  return {
    taskId: taskIdText(task.id),
    taskName: taskName(task),
    functionName: task.definition.functionName,
    attempt: task.attempt,
    ...(worker === undefined ? {} : { workerId: workerIdText(worker.index) }),
    ...(task.cell === undefined ? {} : { cell: task.cell }),
  };
}

/** The report of a failure that nobody has looked at. */
export function unlookedText({ kind, message, hops }: Failure): string {
  const task = describeHop(hops[0]!);
  const origin = hops.length > 1 ? ` because of ${describeHop(hops.at(-1)!)}` : "";
  return `Task ${task} failed${origin}, and nobody has looked at its error: ${message || kind}\n`;
}

/** What a task whose input has no value says of it. */
export function inputMessage(kind: FailureKind): string {
  if (kind === "freed") return "an input was freed";
  return kind === "lost" ? "an input is not known to this runtime" : "";
}
