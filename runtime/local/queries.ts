/** Answers of the state calls, read from the scheduler's own records: exact, without a cap. */
import type { Question } from "../backend.ts";
import { objectIdText, taskIdText, workerIdText } from "../ids.ts";
import type { ObjectRecord, TaskRecord, WorkerState } from "../state.ts";
import { eventsOf, type LogChunk } from "./event-log.ts";
import { type StoredObject, taskName } from "./records.ts";
import type { Scheduler } from "./scheduler.ts";

/** The answer to one question, as plain data. */
export function answerQuery(question: Question, scheduler: Scheduler, object?: number): unknown {
  switch (question) {
    case "events":
      return { chunks: scheduler.log.chunks, dropped: scheduler.log.dropped };
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
      return objectRecords(scheduler);
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

function objectRecords(scheduler: Scheduler): ObjectRecord[] {
  const holders = holdersOf(scheduler);
  return [...scheduler.directory.objects.values()].map((object) => {
    const { block, home, holds, id, task } = object;
    const heldBy = holders.get(id) ?? [];
    const inMemory = block !== undefined && home?.memory !== undefined;
    return {
      objectId: objectIdText(id),
      taskId: task === 0 ? undefined : taskIdText(task),
      state: stateOf(object),
      bytes: block?.size ?? 0,
      inSharedMemory: inMemory,
      spilled: block !== undefined && home !== undefined && !inMemory,
      holders: holds,
      // The driver's own are not counted apart.
      heldBy: [...new Set(holds > heldBy.length ? ["driver", ...heldBy] : heldBy)],
    };
  });
}

/** One entry for each hold of an object that is not the driver's. */
function holdersOf({ directory, dispatcher, tasks }: Scheduler): Map<number, string[]> {
  const holders = new Map<number, string[]>();
  const note = (id: number, holder: string): void => {
    const list = holders.get(id);
    if (list === undefined) holders.set(id, [holder]);
    else list.push(holder);
  };
  const noteAll = (ids: readonly number[], holder: string): void => {
    for (const id of ids) note(id, holder);
  };
  for (const { held, index } of dispatcher.workers.values())
    for (const [id, count] of held) for (let left = count; left > 0; left--) note(id, workerIdText(index));
  for (const { args, attempts, id } of tasks.values())
    for (const { refs } of [args, ...attempts]) noteAll(refs, taskIdText(id));
  for (const { block, failure, id } of directory.objects.values()) {
    noteAll(block?.refs ?? [], objectIdText(id));
    const { attempts = [], thrown } = failure?.cause ?? {};
    for (const one of thrown === undefined ? attempts : [...attempts, thrown]) noteAll(one.refs, objectIdText(id));
  }
  for (const { functionName, refs } of directory.captures) noteAll(refs, `function ${functionName}`);
  return holders;
}

/** The answer as whoever asked wants it. */
export function readAnswer(question: Question, answer: unknown): unknown {
  if (question !== "events") return answer;
  const { chunks, dropped } = answer as { chunks: readonly LogChunk[]; dropped: number };
  return { events: eventsOf(chunks), dropped };
}

function stateOf(object: StoredObject): ObjectRecord["state"] {
  if (object.freed) return "freed";
  if (object.order === 0) return "pending";
  return object.failure === undefined ? "ready" : "failed";
}
