/**
 * The scheduler's thread: reads what the driver and the workers say, steps the scheduler, sends out what it decides.
 * No user code runs here, so nothing a cell does can delay it.
 */
import { dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { LONGEST_TIMER_MS, now } from "../clock.ts";
import type { ObserverMessage, ObserverRequest } from "../host.ts";
import { taskIdText, workerIdText } from "../ids.ts";
import { Bell } from "./bell.ts";
import { CLAIM_SLOTS } from "./claims.ts";
import { Cutter } from "./cutter.ts";
import { Disk } from "./disk.ts";
import { EventLog, Row } from "./event-log.ts";
import { unlookedText } from "./failures.ts";
import { Intake } from "./intake.ts";
import { Outbox } from "./outbox.ts";
import { Peer } from "./peer.ts";
import type { Link, SessionFacts, ToScheduler } from "./protocol.ts";
import { answerQuery } from "./queries.ts";
import { type Failure, type Task, taskName } from "./records.ts";
import { Scheduler } from "./scheduler.ts";
import { Segments } from "./segments.ts";
import { sweepSpillFolders } from "./spill-folder.ts";
import { type ExitReason, type WorkerEnd, WorkerPool } from "./worker-pool.ts";

/** What the driver starts the thread with. */
export interface SchedulerStart {
  driver: Link;
  port: MessagePort;
  threads: number;
  totals: Record<string, number>;
  observer: MessagePort | undefined;
  session: SessionFacts;
}

const OBSERVE_MS = 50;
/** A worker does not wake this thread when it starts a task, so it looks after such a time. */
const LOOK_MS = 20;
/** After a turn with work the thread blocks this long for more before it goes back to its event loop. */
const LINGER_MS = 5;
/** A turn without end would keep the event loop from workers that exit. */
const TURN_MS = 10;

/** How long a task that is to be stopped by force may stay before its thread is ended. */
const STOP_MS = 1000;
const LOOK_AGAIN_MS = 10;
/** The same for a task whose time is over on a thread that others run on too. */
const LATEST_MS = 10_000;
/** Records of one thread that are handled before others have their turn and what became ready is sent out. */
const RECORDS_A_STEP = 256;

/** Whether it can only be the task's own code that keeps its thread from noticing that its time is over. */
function isAlone(task: Task): boolean {
  for (const { tasks } of task.worker!.lanes)
    for (const other of tasks) if (other !== task && other.startedAt > 0) return false;
  return true;
}

class SchedulerThread {
  readonly #peers = new Map<number, Peer>();
  readonly #bell: Bell;
  readonly #log = new EventLog();
  readonly #scheduler: Scheduler;
  readonly #outbox: Outbox;
  readonly #intake: Intake;
  readonly #pool: WorkerPool;
  readonly #cutter = new Cutter();
  readonly #disk: Disk | undefined;
  readonly #start: SchedulerStart;
  #observed = 0;
  #observing: NodeJS.Timeout | undefined;
  #looking: NodeJS.Timeout | undefined;
  #lookAt = Number.POSITIVE_INFINITY;
  #turning = false;

  constructor(start: SchedulerStart) {
    this.#start = start;
    this.#bell = new Bell(start.driver.schedulerBell);
    const segments = new Segments();
    this.#disk = this.#openDisk(segments);
    this.#outbox = new Outbox(
      this.#peers,
      {
        retireWorker: (index) => this.#pool.end(index, "recycled"),
        stopTask: (task) => void this.#stopTask(task),
      },
      start.driver,
      segments,
      this.#disk,
      (failure) => this.#reportUnlooked(failure),
    );
    this.#scheduler = new Scheduler(start.totals, this.#outbox, this.#log);
    this.#intake = new Intake(
      this.#scheduler,
      this.#outbox,
      (peer, message) => this.#handle(peer, message),
      (worker, task, stream, text) => this.#output(worker, task, stream, text),
    );
    this.#addPeer(new Peer(start.driver, start.port));
    const { definitions, schedulerBell, storeAccount, storePool, session } = start.driver;
    this.#pool = new WorkerPool(
      start.threads,
      { definitions, schedulerBell, storeAccount, storePool, session },
      {
        starting: (worker) => this.#workerStarting(worker),
        ended: (index, reason, thrown) => this.#workerEnded(index, reason, thrown),
      },
    );
    // What has arrived by now may already ask for the pool's end.
    this.#pool.start();
    start.observer?.on("message", (request: ObserverRequest) => this.#observerAsks(request));
    this.#bell.sleep();
  }

  #openDisk(segments: Segments): Disk | undefined {
    const { schedulerBell, session, storeAccount: account, storePool: pool } = this.#start.driver;
    const { spillPlace: place } = session;
    if (place === undefined) return undefined;
    void sweepSpillFolders(dirname(place.folder));
    return new Disk({
      place,
      account,
      pool,
      schedulerBell,
      segments,
      events: {
        made: (id, memory, pooled) => this.#outbox.addSegment(undefined, { id, memory, pooled }),
        dropped: (id) => this.#outbox.forgetSegment(id),
        unused: (id) => this.#outbox.reuseSegment(id),
      },
      spilled: (home, block) => this.#scheduler.store.spilled(home, block, now()),
      restored: (home, block) => this.#scheduler.store.restored(home, block, now()),
      done: () => this.#turn(),
    });
  }

  #addPeer(peer: Peer): void {
    this.#peers.set(peer.index, peer);
    for (const [id, memory] of this.#outbox.segments.memories()) peer.port.postMessage({ type: "segment", id, memory });
    peer.port.on("message", (message: ToScheduler) => {
      if (message !== null) this.#intake.postpone(peer, message);
      this.#turn();
    });
  }

  #workerStarting({ index, port, link, claims }: WorkerEnd): void {
    this.#outbox.claims.set(index, claims);
    this.#addPeer(new Peer(link, port));
    this.#scheduler.workerStarts(index, CLAIM_SLOTS, now());
  }

  #workerEnded(index: number, reason: ExitReason, thrown: string): void {
    const peer = this.#peers.get(index);
    // What it said before it ended still counts.
    if (peer !== undefined) this.#intake.hear(peer);
    this.#scheduler.workerDown(index, reason, now(), thrown);
    peer?.port.close();
    this.#peers.delete(index);
    this.#outbox.forgetWorker(index, peer?.charged ?? 0);
    this.#cutter.forget(index);
    this.#turn();
  }

  /** Reads, decides and sends until there is nothing to read. */
  #turn(): void {
    if (this.#turning) return;
    this.#turning = true;
    this.#bell.awake();
    const until = performance.now() + TURN_MS;
    for (;;) {
      const worked = this.#step();
      if (!this.#pending()) {
        if (worked) this.#bell.block(LINGER_MS, () => this.#pending());
        else {
          this.#bell.sleep();
          if (!this.#pending()) break;
          this.#bell.awake();
        }
      }
      if (performance.now() > until) {
        setImmediate(() => this.#turn());
        break;
      }
    }
    if (this.#looking === undefined && (this.#outbox.hasFences || this.#scheduler.dispatcher.awaitsStart())) {
      this.#looking = setTimeout(() => {
        this.#looking = undefined;
        this.#turn();
      }, LOOK_MS).unref();
    }
    this.#turning = false;
    const { lookAt } = this.#scheduler;
    if (lookAt < this.#lookAt) {
      this.#lookAt = lookAt;
      setTimeout(() => this.#look(lookAt), Math.min(Math.max(lookAt - now(), 1), LONGEST_TIMER_MS)).unref();
    }
    if (this.#start.observer !== undefined && this.#observing === undefined && this.#observed < this.#log.end) {
      this.#observing = setTimeout(() => this.#observe(), OBSERVE_MS);
    }
  }

  #look(due: number): void {
    if (this.#lookAt === due) this.#lookAt = Number.POSITIVE_INFINITY;
    this.#hearAll();
    this.#scheduler.look(now());
    this.#turn();
  }

  #step(): boolean {
    let any = false;
    for (const peer of this.#peers.values()) if (this.#intake.drain(peer, RECORDS_A_STEP)) any = true;
    this.#outbox.passFences();
    this.#scheduler.run(now());
    for (const peer of this.#peers.values()) peer.flush();
    return any;
  }

  #pending(): boolean {
    for (const peer of this.#peers.values()) if (peer.reader.pending) return true;
    return false;
  }

  #handle(peer: Peer, message: NonNullable<ToScheduler>): void {
    switch (message.type) {
      case "cancel":
        return this.#scheduler.cancel(message.id, message.force, message.recursive, now());
      case "helm":
        return this.#cutter.learn(peer.index, message.helm);
      case "collect":
        for (const other of this.#peers.values()) if (other !== peer) other.port.postMessage(message);
        return;
      case "told":
        return this.#log.add(Row.told, message.event.time, 0, 0, 0, 0, 0, 0, { event: message.event });
      case "query": {
        this.#hearAll();
        peer.port.postMessage({
          type: "answer",
          id: message.id,
          answer: answerQuery(message.question, this.#scheduler, message.object),
        });
        Atomics.store(message.answered, 0, 1);
        Atomics.notify(message.answered, 0);
        return;
      }
      case "shutdown":
        void this.#shutdown(peer);
        return;
      default:
        this.#intake.learn(peer, message);
    }
  }

  /** An answer takes in all that any thread has said before it was asked for. */
  #hearAll(): void {
    for (const peer of this.#peers.values()) this.#intake.hear(peer);
  }

  /** Stops a task that is to stop: by itself, by cutting its code, or at last with its thread. */
  async #stopTask({ attempt, cancelRequested, id, worker: on }: Task): Promise<void> {
    const worker = on!.index;
    const until = performance.now() + (this.#pool.canCut || !cancelRequested ? STOP_MS : 0);
    for (;;) {
      const task = this.#scheduler.tasks.get(id);
      if (task?.worker?.index !== worker || task.attempt !== attempt) return;
      if (!task.cancelRequested && !task.overTime) return;
      const late = performance.now() - until;
      if (late >= 0 && (task.cancelRequested || isAlone(task))) break;
      // Another task may keep the thread, and it is not to go for that; nor is this one to wait for ever.
      if (late >= LATEST_MS && !this.#cutter.runsAnother(worker, id)) break;
      const { overTime } = task;
      const announce = (): void => this.#peers.get(worker)?.port.postMessage({ type: "cut", task: id, overTime });
      if (this.#pool.canCut) await this.#cutter.cut(worker, id, announce);
      // Its thread may be in the runtime just now, or report the end of the task.
      await delay(LOOK_AGAIN_MS, undefined, { ref: false });
    }
    this.#pool.end(worker, "cancelled");
  }

  async #shutdown(driver: Peer): Promise<void> {
    this.#hearAll();
    clearTimeout(this.#observing);
    this.#scheduler.directory.reportUnlooked();
    this.#observe();
    await this.#pool.close();
    await this.#disk?.close();
    for (const peer of this.#peers.values()) if (peer !== driver) peer.port.close();
    this.#start.observer?.close();
    driver.port.postMessage({ type: "down" });
    driver.port.close();
    parentPort?.close();
  }

  #output(worker: number, taskId: number, stream: "stdout" | "stderr", text: string): void {
    if (!this.#start.session.logToDriver) return;
    const task = this.#scheduler.tasks.get(taskId);
    const { observer } = this.#start;
    if (observer === undefined) {
      // Not process.stdout: in a thread that goes through the main thread, which may be busy.
      (stream === "stdout" ? writeOut : writeError)(text);
      return;
    }
    this.#post({
      type: "output",
      taskId: taskIdText(taskId),
      taskName: task === undefined ? "" : taskName(task),
      workerId: workerIdText(worker),
      cell: task?.cell,
      stream,
      text,
    });
  }

  #reportUnlooked(failure: Failure): void {
    const text = unlookedText(failure);
    const { taskId, taskName, workerId = "", cell } = failure.hops[0]!;
    if (this.#start.observer === undefined) writeError(text);
    else this.#post({ type: "output", taskId, taskName, workerId, cell, stream: "stderr", text });
  }

  #observe(): void {
    this.#observing = undefined;
    if (this.#start.observer === undefined) return;
    const { events, next } = this.#log.read(this.#observed, 20_000);
    this.#observed = next;
    if (events.length > 0) this.#post({ type: "events", events });
    if (next < this.#log.end) this.#observing = setTimeout(() => this.#observe(), OBSERVE_MS);
  }

  #observerAsks(request: ObserverRequest): void {
    this.#hearAll();
    if (request.type === "cancelCell") this.#scheduler.cancelCell(request.cell, now());
    else if (request.type === "cellEnded") this.#scheduler.directory.cellEnded(request.cell);
    else {
      while (this.#observed < this.#log.end) this.#observe();
      this.#post({ type: "flushed", id: request.id });
    }
    // Also because what was heard may have been what would have woken this thread.
    this.#turn();
  }

  #post(message: ObserverMessage): void {
    this.#start.observer?.postMessage(message);
  }
}

const { writeSync } = await import("node:fs");
const writeOut = (text: string): void => writeAll(1, text);
const writeError = (text: string): void => writeAll(2, text);

function writeAll(fd: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (error) {
      // A pipe that is full for the moment; anything else means that nobody listens any more.
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") return;
    }
  }
}

new SchedulerThread(workerData as SchedulerStart);
