/** A failure as the scheduler tells it → the error that `get` throws. */
import {
  DeadlockError,
  describeHop,
  ObjectFreedError,
  ObjectLostError,
  OutOfMemoryError,
  TaskCancelledError,
  type TaskHop,
  TaskTimeoutError,
  taskErrorOf,
  WorkerCrashedError,
  withoutFrames,
} from "../errors.ts";
import { objectIdText } from "../ids.ts";
import { loadModules } from "../serialization/decode.ts";
import { readBlock, viewsOf } from "./block.ts";
import type { Client } from "./client.ts";
import type { FailureMessage } from "./protocol.ts";

/** Builds the error; asynchronous because the thrown value may need modules. */
export async function errorOfFailure(failure: FailureMessage, object: number, client: Client): Promise<unknown> {
  if (failure.kind === "thrown") {
    const cause = await thrownValue(failure.cause!, client);
    const attempts = await Promise.all(failure.attempts.map((attempt) => thrownValue(attempt, client)));
    return taskErrorOf(cause, failure.hops, attempts);
  }
  const error = withoutFrames(() => runtimeError(failure, object));
  if (failure.hops.length > 1) Object.assign(error, { hops: failure.hops });
  return error;
}

async function thrownValue(block: Int32Array, client: Client): Promise<unknown> {
  const content = readBlock(viewsOf(block), 0, client.store);
  const main = content.main.slice();
  await loadModules(content.modules);
  return client.decodeContent(main, content.locators, undefined);
}

function runtimeError(failure: FailureMessage, object: number): Error {
  const origin = failure.hops.at(-1);
  const task = origin === undefined ? "" : `task ${describeHop(origin)}`;
  const via = failure.hops.length > 1 ? `; needed by ${describeHop(failure.hops[0]!)}` : "";
  switch (failure.kind) {
    case "cancelled":
      return new TaskCancelledError(`${task} was cancelled${via}`);
    case "timeout":
      return new TaskTimeoutError(`${task} took longer than its timeout${via}`);
    case "outOfMemory":
      return new OutOfMemoryError(`the worker of ${task} went over its memory limit${attemptsText(origin)}${via}`);
    case "crashed":
      return new WorkerCrashedError(
        `the worker thread of ${task} ended while the task ran${attemptsText(origin)}${endText(failure.message)}${via}`,
      );
    case "deadlock":
      return new DeadlockError(
        `get: these tasks wait for each other and none can go on: ${failure.message}. Let one of them give the ref back instead of awaiting it`,
      );
    case "freed":
      return new ObjectFreedError(
        `object ${objectIdText(object)} was freed${origin === undefined ? "" : `, so ${task} could not run`}`,
      );
    default:
      return new ObjectLostError(
        `object ${objectIdText(object)} is not known to this runtime: its last ref is gone, or it belongs to a runtime that was shut down`,
      );
  }
}

const endText = (thrown: string): string =>
  thrown === ""
    ? "; process.exit, a native crash or a forced cancel does that"
    : `, of an error that nothing on it caught, as in a timer or a promise that nobody awaits: ${thrown}`;

const attemptsText = (hop: TaskHop | undefined): string =>
  hop === undefined || hop.attempt === 0 ? "" : `, also on attempt ${hop.attempt + 1}`;
