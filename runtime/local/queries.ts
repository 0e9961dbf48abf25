/** Answers of the state calls, read from the scheduler's own records: exact, without a cap. */
import type { Question } from "../backend.ts";
import { objectIdText, taskIdText, workerIdText } from "../ids.ts";
import type { ObjectRecord, TaskRecord, WorkerState } from "../state.ts";
import { type StoredObject, taskName } from "./records.ts";
import type { Scheduler } from "./scheduler.ts";

/** The answer to one question, as plain data. */
export function answerQuery(question: Question, scheduler: Scheduler, object?: number): unknown {
  switch (question) {
    case "events":
      return { events: scheduler.log.read(0).events, dropped: scheduler.log.dropped };
    case "tasks":
      return [...scheduler.tasks.values()].map(
        (task): TaskRecord => ({
          taskId: taskIdText(task.id),
          name: taskName(task),
          functionName: task.definition.functionName,
          state: task.openCalls > 0 ? "blocked" : task.state,
          attempt: task.attempt,
          parentTaskId: task.parent === 0 ? undefined : taskIdText(task.parent),
          workerId: task.worker === undefined ? undefined : workerIdText(task.worker.index),
          cell: task.cell,
          inputs: task.inputs.map(objectIdText),
        }),
      );
    case "objects":
      return [...scheduler.directory.objects.values()].map(
        (object): ObjectRecord => ({
          objectId: objectIdText(object.id),
          taskId: object.task === 0 ? undefined : taskIdText(object.task),
          state: stateOf(object),
          bytes: object.block?.size ?? 0,
          inSharedMemory: (object.block?.locators.length ?? 0) > 0,
          holders: object.holds,
        }),
      );
    case "workers":
      return [...scheduler.dispatcher.workers.values()].map(
        (worker): WorkerState => ({
          workerId: workerIdText(worker.index),
          runningTasks: [...worker.lanes].flatMap((lane) =>
            [...lane.tasks].filter((task) => task.startedAt > 0).map((task) => taskIdText(task.id)),
          ),
          suspendedTasks: [...worker.suspended].map((task) => taskIdText(task.id)),
        }),
      );
    case "resources":
      return scheduler.availableResources();
    case "state": {
      const found = scheduler.directory.objects.get(object ?? 0);
      return found === undefined ? "gone" : stateOf(found);
    }
    case "sync":
      return undefined;
  }
}

function stateOf(object: StoredObject): ObjectRecord["state"] {
  if (object.freed) return "freed";
  if (object.order === 0) return "pending";
  return object.failure === undefined ? "ready" : "failed";
}
