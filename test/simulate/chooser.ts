/** Makes up a story, act by act, out of what is possible. */
import type { Random } from "./random.ts";
import type { Act, Setting } from "./story.ts";
import type { Actor, Thread } from "./thread.ts";
import type { World } from "./world.ts";

const kinds = [
  "work",
  "get",
  "wait",
  "put",
  "end",
  "fail",
  "forget",
  "free",
  "cancel",
  "crash",
  "leftover",
  "stream",
  "disturb",
  "tell",
] as const;
type Kind = (typeof kinds)[number];

export function chooseSetting(random: Random): Setting {
  return {
    threads: 1 + random.below(3),
    cpus: 1 + random.below(3),
    gpus: random.below(3) / 2,
    slots: random.pick([1, 2, 4, 64]),
    room: random.pick([1, 2, 8, 1000]),
    pieces: random.pick([2, 4, 8, 1000]),
    spills: random.chance(0.8),
    stepMs: random.pick([0.01, 0.05, 0.1, 0.5, 4]),
  };
}

export class Chooser {
  readonly #world: World;
  readonly #random: Random;
  /** How often the code does what in this story; some things it never does. */
  readonly #weights: [Kind, number][];
  readonly #streams: boolean;
  readonly #maxCalls: boolean;
  /** How often a task needs the value of the one submitted last. */
  readonly #chain: number;
  readonly #cpus: number[];
  readonly #retries: number[];
  #label = 10;
  /** What follows the present act. */
  #next: Act | undefined;
  readonly #tells: boolean;
  #call = 1;

  constructor(world: World, random: Random) {
    this.#world = world;
    this.#random = random;
    const usual: Record<Kind, number> = {
      work: 24,
      get: 10,
      wait: 8,
      put: 3,
      end: 14,
      fail: 4,
      forget: 4,
      free: 1,
      cancel: 3,
      crash: 2,
      leftover: 1,
      stream: 12,
      disturb: 6,
      tell: 12,
    };
    const rare: ReadonlySet<Kind> = new Set([
      "fail",
      "free",
      "cancel",
      "crash",
      "leftover",
      "put",
      "wait",
      "stream",
      "tell",
    ]);
    const often = random.pick(kinds);
    this.#weights = kinds.map((kind) => {
      if (rare.has(kind) && random.chance(0.4)) return [kind, 0];
      return [kind, usual[kind] * (kind === often ? 4 : 1)];
    });
    this.#streams = this.#weights.some(([kind, weight]) => kind === "stream" && weight > 0);
    this.#tells = this.#weights.some(([kind, weight]) => kind === "tell" && weight > 0);
    this.#maxCalls = random.chance(0.15);
    this.#chain = random.pick([0, 0, 0.5, 0.9, 0.98]);
    this.#cpus = random.pick([[1], [1, 1, 0.5], [0.5, 1, 2], [1, 0, 2, 0.25], [0.5]]);
    this.#retries = random.pick([[0], [3], [0, 1, 2], [0, 1, -1]]);
  }

  /** The next act; it may turn out to be impossible. */
  next(): Act {
    const random = this.#random;
    const due = this.#next;
    this.#next = undefined;
    if (due !== undefined) return due;
    if (random.chance(0.62)) {
      const act = this.#machinery();
      if (act !== undefined) return act;
    }
    return this.#code() ?? { do: "run" };
  }

  // ---------------------------------------------------------------- threads and scheduler

  #machinery(): Act | undefined {
    const random = this.#random;
    const thread = random.pick([...this.#world.threads.values()]);
    const { index } = thread;
    if (thread.dead !== undefined) {
      if (random.chance(0.5)) return { do: "replace", thread: index };
    } else if (thread.ending !== undefined && random.chance(0.4))
      return { do: "crash", thread: index, claiming: false, reason: "crash" };
    const records = random.pick([1, 1, 2, 1000]);
    const choices: Act[] = [];
    if (thread.said.length + thread.posted.length > 0) choices.push({ do: "hear", thread: index, records });
    if (thread.dead === undefined) {
      if (thread.told.length > 0) choices.push({ do: "read", thread: index, records });
      if (thread.runnable.length > 0) choices.push({ do: "start", thread: index });
      if (random.chance(0.05)) choices.push({ do: "collect", thread: index });
    }
    choices.push({ do: "run" });
    if (this.#world.disk.isBusy) choices.push({ do: "disk", fails: random.chance(0.15) });
    if (thread.dead === undefined && random.chance(0.05))
      choices.push({ do: "askRoom", thread: index, pieces: 1 + random.below(4) });
    const reading = thread.actors.find(({ over, reading }) => over === undefined && reading.length > 0);
    if (reading !== undefined) choices.push({ do: "decode", by: reading.task });
    return random.pick(choices);
  }

  // ---------------------------------------------------------------- code

  #code(): Act | undefined {
    const random = this.#random;
    const kind = random.weighted(this.#weights);
    switch (kind) {
      case "crash": {
        const thread = random.pick([...this.#world.threads.keys()]);
        const reason = random.pick(["crash", "outOfMemory"] as const);
        return { do: "crash", thread, claiming: random.chance(0.3), reason };
      }
      case "end": {
        const open = [...this.#world.calls.values()].filter(({ ended }) => !ended);
        if (open.length > 0 && random.chance(0.4)) return this.#endCall(random.pick(open));
        return this.#endTask();
      }
      case "fail":
        return this.#failTask();
      case "stream":
        return this.#stream();
      case "disturb":
        return this.#disturb();
      case "tell":
        return this.#tell();
    }
    const actor = kind === "leftover" ? this.#leftover() : this.#actor();
    return actor === undefined || kind === undefined ? undefined : this.#codeOf(actor, kind);
  }

  #codeOf(actor: Actor, kind: Kind): Act | undefined {
    const random = this.#random;
    const by = actor.task;
    const known = [...actor.known];
    switch (kind) {
      case "work":
        return this.#submit(by, known);
      case "put":
        return { do: "put", by, as: this.#newLabel(), carries: random.some(known, 2) };
      case "leftover":
      case "get": {
        const objects = random.some(known, 3);
        if (objects.length > 0 && random.chance(0.1)) objects.push(objects[0]!);
        const [settled, poll, shared] = [random.chance(0.2), random.chance(0.1), random.chance(0.2)];
        return { do: "get", by, call: this.#call++, objects, settled, poll, shared };
      }
      case "wait":
        return { do: "wait", by, call: this.#call++, objects: random.some(known, 3) };
    }
    if (known.length === 0) return undefined;
    const object = random.pick(known);
    if (kind === "cancel") {
      if (by === 0 && random.chance(0.2)) return { do: "cancelCell", cell: random.pick(["1", "2"]) };
      return { do: "cancel", by, object, force: random.chance(0.3), recursive: random.chance(0.6) };
    }
    return { do: kind === "free" ? "free" : "forget", by, object };
  }

  /** Code tells other code of its thread of something that is not there yet, and that awaits it most likely. */
  #tell(): Act | undefined {
    const random = this.#random;
    const { objects } = this.#world.scheduler.directory;
    const pairs = this.#running().flatMap(({ known, task: by, thread }) => {
      const pending = [...known].filter((id) => objects.get(id)?.order === 0);
      if (pending.length === 0) return [];
      const others = thread.actors.filter(({ over, task }) => over === undefined && task !== by);
      return others.map(({ task: to }) => ({ by, to, pending }));
    });
    if (pairs.length === 0) return undefined;
    const { by, pending, to } = random.pick(pairs);
    const told = random.some(pending, 2);
    if (told.length === 0) return undefined;
    const settled = random.chance(0.2);
    if (random.chance(0.7))
      this.#next = { do: "get", by: to, call: this.#call++, objects: told, settled, poll: false, shared: false };
    return { do: "tell", by, to, objects: told };
  }

  /** Something that may keep a task from having what it was sent ahead of. */
  #disturb(): Act | undefined {
    const random = this.#random;
    const lying = [...this.#world.threads.values()].flatMap((thread) =>
      [...thread.entries()].filter(({ missing }) => missing.size > 0).map((entry) => ({ entry, thread })),
    );
    if (lying.length === 0) return undefined;
    const { entry, thread } = random.pick(lying);
    const [object] = entry.missing;
    const maker = this.#running().find(({ task }) => task === object);
    switch (random.below(5)) {
      case 0:
        return { do: "free", by: 0, object: object! };
      case 1:
        return { do: "cancel", by: 0, object: random.pick([object!, entry.task]), force: false, recursive: false };
      case 2:
        return { do: "crash", thread: thread.index, claiming: random.chance(0.5), reason: "crash" };
      case 3:
        return maker && { do: "throw", by: maker.task, retryable: random.chance(0.5), carries: [] };
      default:
        return maker && this.#codeOf(maker, "get");
    }
  }

  #stream(): Act | undefined {
    const random = this.#random;
    const producers = this.#running().filter(({ task, waits }) => !waits && this.#world.streams.has(task));
    if (producers.length > 0 && random.chance(0.6)) {
      const { known, task, thread } = random.pick(producers);
      const ends = random.below(20);
      if (ends === 0) return { do: "crash", thread: thread.index, claiming: false, reason: "crash" };
      if (ends === 1) return { do: "throw", by: task, retryable: true, carries: [] };
      return { do: "yield", by: task, as: this.#newLabel(), carries: random.some([...known], 1) };
    }
    const open = [...this.#world.streams.values()].filter(({ closed }) => !closed);
    if (open.length === 0) return undefined;
    const { id: stream, thread: reader } = random.pick(open);
    if (reader.index !== 0 && random.chance(0.08))
      return { do: "crash", thread: reader.index, claiming: false, reason: "crash" };
    return random.chance(0.1) ? { do: "closeStream", stream, cancel: random.chance(0.5) } : { do: "take", stream };
  }

  #submit(by: number, known: readonly number[]): Act {
    const random = this.#random;
    const last = this.#label;
    const isChained = known.includes(last) && random.chance(this.#chain);
    const others = random.some(known, random.chance(isChained ? 0.8 : 0.5) ? 0 : 3);
    return {
      do: "submit",
      by,
      as: this.#newLabel(),
      fn: random.below(3),
      needs: isChained && !others.includes(last) ? [...others, last] : others,
      carries: random.chance(this.#tells ? 0.8 : 0.3) ? random.some(known, 2) : [],
      returns: random.chance(0.85) ? 1 : 1 + random.below(3),
      cpus: isChained ? this.#cpus[0]! : random.pick(this.#cpus),
      gpus: !isChained && random.chance(0.15) ? 0.5 : 0,
      maxRetries: random.pick(this.#retries),
      ...(this.#streams && random.chance(0.4) ? { returns: 1, highWaterMark: random.pick([1, 2, 3, 1000]) } : {}),
      ...(this.#maxCalls && random.chance(0.4) ? { maxCalls: random.pick([1, 2, 3]) } : {}),
      ...(by === 0 && random.chance(0.3) ? { cell: random.pick(["1", "2"]) } : {}),
    };
  }

  #newLabel(): number {
    this.#label += 10;
    return this.#label;
  }

  #running(): Actor[] {
    const threads: Thread[] = [...this.#world.threads.values()].filter(({ dead }) => dead === undefined);
    return threads.flatMap(({ actors }) => actors.filter(({ over, task }) => task !== 0 && over === undefined));
  }

  /** Whose code acts: a running task's or the driver's. */
  #actor(): Actor {
    const running = this.#running();
    return running.length === 0 || this.#random.chance(0.4) ? this.#world.driver : this.#random.pick(running);
  }

  /** Code that goes on after its attempt has ended. */
  #leftover(): Actor | undefined {
    const over = [...this.#world.tasks.values()].flatMap(({ actor }) => (actor?.over === undefined ? [] : [actor]));
    return over.length === 0 ? undefined : this.#random.pick(over);
  }

  #endCall({ id, kind }: { id: number; kind: "get" | "wait" }): Act {
    const random = this.#random;
    if (kind === "wait")
      return { do: "endWait", call: id, outcome: random.pick(["ok", "ok", "ok", "timeout", "interrupted"] as const) };
    return { do: "abandon", call: id, outcome: random.pick(["timeout", "interrupted"] as const) };
  }

  #endTask(): Act | undefined {
    const running = this.#running();
    if (running.length === 0) return undefined;
    const { known, stopping, task } = this.#random.pick(running);
    if (stopping && this.#random.chance(0.5)) return { do: "obey", by: task };
    return { do: "finish", by: task, carries: this.#random.chance(0.3) ? this.#random.some([...known], 2) : [] };
  }

  #failTask(): Act | undefined {
    const running = this.#running();
    if (running.length === 0) return undefined;
    const { known, task } = this.#random.pick(running);
    if (this.#random.chance(0.2)) return { do: "timeOut", by: task };
    const carries = this.#random.chance(0.3) ? this.#random.some([...known], 1) : [];
    return { do: "throw", by: task, retryable: this.#random.chance(0.6), carries };
  }
}
