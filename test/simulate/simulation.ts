/** Plays stories: made up from a seed, given, or cut down to what still goes wrong. */
import { perform } from "./acts.ts";
import { Chooser, chooseSetting } from "./chooser.ts";
import { checkEmpty, checkInvariants } from "./invariants.ts";
import { hasEnded } from "./observer.ts";
import { Random } from "./random.ts";
import type { Act, Story } from "./story.ts";
import { Violation } from "./violation.ts";
import { World } from "./world.ts";

/** A story has at most so many acts before everything runs to its end. */
const MOST_ACTS = 150;
const ALL = 1_000_000;

export interface Finding {
  story: Story;
  problem: string;
}

/** Makes up the story of a seed and plays it; what went wrong, or undefined. `tally` counts what happened. */
export function simulateSeed(seed: number, tally = new Map<string, number>()): Finding | undefined {
  const random = new Random(seed);
  const setting = chooseSetting(random);
  const acts: Act[] = [];
  const problem = watch(() => {
    const world = new World(setting, tally);
    const chooser = new Chooser(world, random);
    for (let left = 10 + random.below(MOST_ACTS); left > 0; left--) {
      const act = chooser.next();
      acts.push(act);
      step(world, act);
    }
    settle(world);
  });
  return problem === undefined ? undefined : { story: { setting, acts }, problem };
}

/** Plays a story; what went wrong, or undefined. */
export function playStory({ acts, setting }: Story): string | undefined {
  return watch(() => {
    const world = new World(setting);
    for (const act of acts) step(world, act);
    settle(world);
  });
}

/** The shortest story found that goes wrong in the same way. */
export function minimize(finding: Finding): Finding {
  let best = finding;
  const kind = kindOf(finding.problem);
  const tryInstead = (acts: Act[]): boolean => {
    const story = { ...best.story, acts };
    const problem = playStory(story);
    if (problem === undefined || kindOf(problem) !== kind) return false;
    best = { story, problem };
    return true;
  };
  const cutRuns = (size: number): boolean => {
    let cut = false;
    for (let from = 0; from < best.story.acts.length; ) {
      if (tryInstead(best.story.acts.toSpliced(from, size))) cut = true;
      else from += size;
    }
    return cut;
  };
  const cutNumbers = (): void => {
    for (let at = 0; at < best.story.acts.length; at++)
      for (const act of simpler(best.story.acts[at]!)) tryInstead(best.story.acts.with(at, act));
  };
  for (let size = best.story.acts.length >> 1; size > 1; size >>= 1) cutRuns(size);
  do cutNumbers();
  while (cutRuns(1));
  return best;
}

/** The act with each one of its objects left out, and as short as it can be said. */
function simpler(act: Act): Act[] {
  const shorter: Act[] = [];
  for (const name of ["needs", "carries", "objects"] as const) {
    const list = (act as unknown as Record<typeof name, number[] | undefined>)[name];
    list?.forEach((_, at) => {
      shorter.push({ ...act, [name]: list.toSpliced(at, 1) });
    });
  }
  if ("cell" in act && act.do === "submit") {
    const { cell: _, ...rest } = act;
    shorter.push(rest);
  }
  return shorter;
}

/** The problem without its numbers. */
const kindOf = (problem: string): string => problem.replace(/[\d.]+/g, "#");

function watch(play: () => void): string | undefined {
  try {
    play();
    return undefined;
  } catch (error) {
    if (error instanceof Violation) return error.message;
    return `the scheduler threw ${(error as Error).stack?.split("\n").slice(0, 3).join(" ")}`;
  }
}

function step(world: World, act: Act): boolean {
  if (!perform(world, act)) return false;
  checkInvariants(world, act);
  return true;
}

/** Lets everything run to its end, lets go of all refs, and looks for what is left. */
function settle(world: World): void {
  while (moveOn(world) || step(world, { do: "look" }) || giveUpWait(world) || cancelRest(world)) {}
  for (const thread of world.threads.values())
    for (const { known, told } of thread.actors) {
      known.clear();
      told.clear();
    }
  while (letGo(world)) {}
  checkEmpty(world);
}

/** One round in which all threads, tasks and the scheduler do what they can; whether anything happened. */
function moveOn(world: World): boolean {
  let moved = false;
  const doIt = (act: Act): void => {
    if (step(world, act)) moved = true;
  };
  for (const thread of [...world.threads.values()]) {
    const { index } = thread;
    if (thread.ending !== undefined && thread.dead === undefined)
      doIt({ do: "crash", thread: index, claiming: false, reason: "crash" });
    if (thread.told.length > 0) doIt({ do: "read", thread: index, records: ALL });
    while (thread.runnable.length > 0 && step(world, { do: "start", thread: index })) moved = true;
    for (const { openCalls, over, stopping, task } of [...thread.actors])
      if (task !== 0 && over === undefined && (openCalls === 0 || stopping))
        doIt(stopping ? { do: "obey", by: task } : { do: "finish", by: task, carries: [] });
  }
  for (const { closed, id, thread } of world.streams.values())
    while (!closed && thread.dead === undefined && step(world, { do: "take", stream: id })) moved = true;
  for (const { ended, id, kind } of [...world.calls.values()])
    if (kind === "wait" && !ended) doIt({ do: "endWait", call: id, outcome: "ok" });
  for (const thread of [...world.threads.values()]) {
    if (thread.said.length + thread.posted.length > 0) doIt({ do: "hear", thread: thread.index, records: ALL });
    if (thread.dead !== undefined) doIt({ do: "replace", thread: thread.index });
  }
  while (step(world, { do: "disk", fails: false })) moved = true;
  step(world, { do: "run" });
  return (
    moved ||
    world.disk.isBusy ||
    world.disk.waiting > 0 ||
    world.fences.size > 0 ||
    [...world.threads.values()].some(({ told }) => told.length > 0)
  );
}

/** A `wait` may be for something that waits for it. */
function giveUpWait(world: World): boolean {
  const open = [...world.calls.values()].find(({ ended, kind }) => kind === "wait" && !ended);
  return open !== undefined && step(world, { do: "endWait", call: open.id, outcome: "timeout" });
}

/** A task that no runtime of this size can run is cancelled at last. */
function cancelRest(world: World): boolean {
  const { observer, scheduler, tasks } = world;
  for (const [id, { policy }] of tasks) {
    const trace = observer.traces.get(id);
    const fits = Object.entries(policy.shape).every(([name, amount]) => amount <= (observer.totals[name] ?? 0));
    if (trace === undefined || hasEnded(trace) || fits) continue;
    observer.cancel([id], false, () => scheduler.cancel(id, false, false, world.time));
    return true;
  }
  return false;
}

function letGo(world: World): boolean {
  let moved = false;
  for (const thread of [...world.threads.values()]) {
    if (thread.dead === undefined) step(world, { do: "collect", thread: thread.index });
    if (thread.told.length > 0 && step(world, { do: "read", thread: thread.index, records: ALL })) moved = true;
    if (thread.said.length > 0 && step(world, { do: "hear", thread: thread.index, records: ALL })) moved = true;
  }
  while (step(world, { do: "disk", fails: false })) moved = true;
  step(world, { do: "run" });
  return moved || world.fences.size > 0 || world.disk.isBusy;
}
