import { type Advice, advice, costless, largestGroup, linesOf, runTime } from "./advice.ts";
import type { TimelineCall, TimelineData, TimelineTask } from "./data.ts";
import { formatTime, spread } from "./statistics.ts";

/** `get` right after each `.remote()`: ray-get-loop. */
export function getInLoopAdvice(data: TimelineData): Advice | undefined {
  const byId = taskIndex(data);
  const top = data.tasks.filter((task) => task.parentId === undefined && !task.foreign);
  const found: { task: TimelineTask; call: TimelineCall; line: string }[] = [];
  let line = "";
  for (const call of data.calls) {
    const task = onlyTask(call, byId);
    if (call.kind !== "get" || !task) continue;
    const before = top.findLast((one) => one.submittedAt <= call.start);
    const next = top.find((one) => one.submittedAt > call.start);
    if (before !== task || (next && next.submittedAt < call.end)) continue;
    // Those after the first ones of a cell have no place: they are taken for the same loop.
    line = [...linesOf([call])][0] ?? line;
    found.push({ task, call, line });
  }
  const loop = largestGroup(found, (one) => `${one.task.functionName} ${one.line}`);
  const runs = loop.map(({ task }) => task);
  if (runs.length < 3 || data.workers < 2 || runs.some((task) => task.dependencies.length > 0)) return undefined;
  const at = loop.map(({ call }) => call);
  const total = runs.reduce((sum, task) => sum + runTime(task), 0);
  const longest = Math.max(...runs.map(runTime));
  const cost = total - Math.max(longest, total / Math.min(data.workers, runs.length));
  return advice("getInLoop", data, { tasks: runs, at }, cost, () => {
    const name = runs[0]!.functionName;
    return `${runs.length} calls of ${name} ran one after the other, because each was awaited before the next was submitted: up to ${formatTime(cost)} lost. Unless each needs the one before, submit them all, then get the list of refs.`;
  });
}

/** One `get` after the other in the order of submission while later results lay ready: ray-get-submission-order. */
export function submissionOrderAdvice(data: TimelineData): Advice | undefined {
  const byId = taskIndex(data);
  const gets = data.calls.filter((call) => call.kind === "get" && onlyTask(call, byId));
  const first = gets[0];
  if (!first || gets.length < 3) return undefined;
  const tasks = gets.map((call) => onlyTask(call, byId)!);
  const inOrder = tasks.every(
    (task, index) =>
      task.submittedAt < first.start && (index === 0 || task.submittedAt >= tasks[index - 1]!.submittedAt),
  );
  if (!inOrder || new Set(tasks.map((task) => task.functionName)).size > 1 || linesOf(gets).size > 1) return undefined;
  let blocked = 0;
  let work = 0;
  gets.forEach((call, index) => {
    const ready = tasks.slice(index + 1).some((task) => (task.endedAt ?? Infinity) < (tasks[index]!.endedAt ?? 0) - 10);
    if (ready) blocked += call.end - call.start;
    const next = gets[index + 1];
    if (next) work += Math.max(0, next.start - call.end);
  });
  const cost = Math.min(blocked, work);
  return advice("getInSubmissionOrder", data, { tasks, at: gets }, cost, () => {
    return `Results were awaited in the order of submission while later ones lay ready: up to ${formatTime(cost)} lost. Take them as they come, with wait or asCompleted.`;
  });
}

/** A `get` of everything, then a long piece of work on the driver. */
export function getAllAdvice(data: TimelineData): Advice | undefined {
  const byId = taskIndex(data);
  for (const call of data.calls) {
    const tasks = call.taskIds.map((id) => byId.get(id)).filter((task) => task !== undefined);
    if (call.kind !== "get" || call.outcome !== "ok" || call.total < 4 || tasks.length < 4) continue;
    const ends = tasks.map((task) => task.endedAt ?? data.end);
    const waited = Math.max(...ends) - Math.max(call.start, Math.min(...ends));
    const next = Math.min(
      data.end,
      ...data.calls.filter((one) => one.start >= call.end).map((one) => one.start),
      ...data.tasks.filter((task) => task.submittedAt >= call.end).map((task) => task.submittedAt),
    );
    const work = next - call.end;
    const wall = data.end - data.start;
    const cost = Math.min(waited, work);
    if (waited < wall * 0.3 || work < wall * 0.2) continue;
    return advice("getAllBeforeProcessing", data, { tasks, at: [call] }, cost, () => {
      return `The first result lay ready ${formatTime(waited)} before the last, and all were awaited before ${formatTime(work)} of work began: up to ${formatTime(cost)} lost. Work on each as it comes, with wait or asCompleted.`;
    });
  }
  return undefined;
}

/** A task that waits for a task it did not submit: nested-ray-get. */
export function nestedGetAdvice(data: TimelineData): Advice | undefined {
  const byId = taskIndex(data);
  const found: { task: TimelineTask; call: TimelineCall; blocked: number }[] = [];
  for (const call of data.nestedCalls) {
    const task = byId.get(call.taskId ?? "");
    if (
      !task ||
      call.taskIds.length === 0 ||
      call.taskIds.some((id) => byId.get(id)?.parentId === task.id || !byId.has(id))
    )
      continue;
    const blocked = call.end - call.start;
    const life = (task.endedAt ?? data.end) - (task.attempts[0]?.start ?? data.end);
    if (blocked > life * 0.3) found.push({ task, call, blocked });
  }
  const cost = found.reduce((sum, one) => sum + one.blocked, 0);
  const tasks = found.map((one) => one.task);
  return advice("nestedGet", data, { tasks, at: found.map(({ call }) => call) }, cost, () => {
    const name = tasks[0]!.functionName;
    return `${name} waited ${formatTime(cost)} inside for results of tasks that it was handed. Pass those refs as arguments of their own: then it starts when they are there.`;
  });
}

/** A task returned the ref of something that it put: return-ray-put. */
export function returnedPutAdvice(data: TimelineData): Advice | undefined {
  const byId = taskIndex(data);
  const maker = new Map(data.puts.filter((put) => put.taskId !== undefined).map((put) => [put.objectId, put]));
  const used = new Set([
    ...data.calls.flatMap((call) => call.objectIds),
    ...data.tasks.filter((task) => task.parentId === undefined).flatMap((task) => task.inputs),
  ]);
  const returned = [...maker.values()].filter((put) => used.has(put.objectId));
  const tasks = returned.map((put) => byId.get(put.taskId!)).filter((task) => task !== undefined);
  const [task] = tasks;
  if (!task) return undefined;
  const message = `${task.functionName} puts a value and hands out its ref, which makes every reader fetch twice. Return the value itself, or yield the parts.`;
  return costless("returnedPut", data, { tasks, at: [] }, message);
}

/** One actor behind which calls queue up. */
export function hotActorAdvice(data: TimelineData): Advice | undefined {
  const calls = largestGroup(
    data.tasks.filter((task) => task.actor !== undefined && task.attempts.length > 0),
    (task) => task.actor!,
  );
  if (calls.length < 20) return undefined;
  const queued = spread(calls.map((task) => task.attempts[0]!.start - (task.readyAt ?? task.submittedAt)));
  const ran = spread(calls.map(runTime));
  if (queued.median < ran.median * 10 || ran.total < (data.end - data.start) * 0.8) return undefined;
  const cost = ran.total / 2;
  return advice("hotActor", data, { tasks: calls }, cost, () => {
    return `${calls.length} calls queued behind ${calls[0]!.actor}: ${formatTime(queued.median)} each for ${formatTime(ran.median)} of work. Spread them over several actors with ActorPool, or make its methods async.`;
  });
}

function taskIndex(data: TimelineData): Map<string, TimelineTask> {
  return new Map(data.tasks.map((task) => [task.id, task]));
}

/** The task whose result the call asked for, and nothing else; an item of a stream is no result. */
function onlyTask(call: TimelineCall, byId: ReadonlyMap<string, TimelineTask>): TimelineTask | undefined {
  const task = call.total === 1 ? byId.get(call.taskIds[0] ?? "") : undefined;
  return task?.returns.includes(call.objectIds[0] ?? "") ? task : undefined;
}
