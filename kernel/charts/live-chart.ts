import { randomUUID } from "node:crypto";
import type { TaskEvent } from "../../runtime/index.ts";
import { TimelineBuilder, type TimelineData } from "../../runtime/timeline.ts";
import { type ChartBundle, fullBundle, liveBundle } from "./bundle.ts";
import { FunctionColors } from "./palette.ts";

/** What to send: `display_data` the first time, `update_display_data` (`update`) from then on. */
export interface ChartFrame {
  data: ChartBundle;
  metadata: Record<string, unknown>;
  displayId: string;
  update: boolean;
}

/** The passing of time, given from outside. */
export interface Clock {
  /** Milliseconds, from any start. */
  now(): number;
  setTimer(run: () => void, delay: number): unknown;
  clearTimer(timer: unknown): void;
}

export interface LiveChartOptions {
  /** Label of the cell: its execution count. */
  cell: string;
  publish(frame: ChartFrame): void;
  kernelspecName: string;
  plotlyMime?: boolean;
  /**
   * The timeline of the whole session, which its owner adds every event to before `add` of any chart is called: then the
   * chart knows tasks of earlier cells. Without it the chart keeps a timeline of its own.
   */
  timeline?: TimelineBuilder;
  /** Shared by the charts of a notebook, so that a function keeps its colour. */
  colors?: FunctionColors;
  clock?: Clock;
}

/** Work shorter than this has its chart at the cell's end only. */
const FIRST_FRAME_MS = 100;
const FRAME_INTERVAL_MS = 100;
/** Drawing takes at most one part in this many of the time. */
const IDLE_PARTS = 100;
/** Where only running bars grow: the slowest that still looks alive. */
const GROWTH_INTERVAL_MS = 500;
/** ... and by what part of the whole a bar must have grown to be seen. */
const GROWTH_PART = 0.01;
/** A single task that runs shorter than this is not worth a chart, however long it waited. */
const TRIVIAL_MS = 50;

const SYSTEM_CLOCK: Clock = {
  now: () => performance.now(),
  setTimer: (run, delay) => setTimeout(run, delay),
  clearTimer: (timer) => clearTimeout(timer as NodeJS.Timeout),
};

/**
 * The timeline chart of one cell, from its first task to the end of its last one, which may be long after the cell's.
 *
 * While something goes on it publishes the picture alone, at most ten times a second and never using more than a
 * hundredth of the time; when nothing changes it is silent. The last frame is the full bundle.
 */
export class LiveChart {
  readonly #options: LiveChartOptions;
  readonly #timeline: TimelineBuilder;
  readonly #colors: FunctionColors;
  readonly #clock: Clock;
  readonly #displayId = `heddle-timeline-${randomUUID()}`;
  /** Tasks of other cells that this one waits for. */
  readonly #watched = new Set<string>();
  readonly #openCalls = new Set<string>();
  #published = false;
  #ended = false;
  #closed = false;
  /** Something happened that the last frame does not show. */
  #changed = false;
  /** The last frame was a full bundle of a finished timeline. */
  #complete = false;
  #firstWorkAt: number | undefined;
  #lastFrameAt = -Infinity;
  #lastCost = 0;
  /** Session's clock minus this one's, as near as the events show. */
  #clockOffset = -Infinity;
  #timer: unknown;
  #timerDue = Infinity;
  #finishing: Promise<void> = Promise.resolve();

  constructor(options: LiveChartOptions) {
    this.#options = options;
    this.#timeline = options.timeline ?? new TimelineBuilder();
    this.#colors = options.colors ?? new FunctionColors();
    this.#clock = options.clock ?? SYSTEM_CLOCK;
  }

  /** Whether a frame of it has been shown. */
  get published(): boolean {
    return this.#published;
  }

  /** Whether a task or call of the cell goes on: then `add` must go on too. */
  get live(): boolean {
    return this.#view().live;
  }

  /** Takes in what happened in the session; events of other cells change nothing. */
  add(events: readonly TaskEvent[]): void {
    if (this.#closed) return;
    if (!this.#options.timeline) this.#timeline.add(events);
    const last = events.at(-1);
    if (last) this.#clockOffset = Math.max(this.#clockOffset, last.time - this.#clock.now());
    let relevant = false;
    for (const event of events) if (this.#concerns(event)) relevant = true;
    if (!relevant) return;
    this.#changed = true;
    this.#complete = false;
    this.#firstWorkAt ??= this.#clock.now();
    this.#schedule();
  }

  /** The cell is over and its events have all been added. Resolves when its chart has been published, if it has one. */
  cellEnded(): Promise<void> {
    this.#ended = true;
    return this.#finish();
  }

  /** Nothing more will come, for the session is over: publishes what was, resolves when that is done. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#stopTimer();
    await this.#finishing;
    if (this.#firstWorkAt !== undefined && !this.#complete) await this.#publishFull(this.#view());
  }

  #concerns(event: TaskEvent): boolean {
    const { cell } = this.#options;
    if (event.type === "callReturned") return this.#openCalls.delete(event.callId);
    if ("taskId" in event && event.taskId !== undefined && this.#watched.has(event.taskId)) return true;
    if (this.#timeline.cellOf(event) !== cell) return false;
    if (event.type === "callStarted") {
      this.#openCalls.add(event.callId);
      for (const id of event.objectIds) this.#watch(id);
    }
    return true;
  }

  #watch(objectId: string): void {
    const task = this.#timeline.producerOf(objectId);
    if (task !== undefined && this.#timeline.tasks.get(task)?.cell !== this.#options.cell) this.#watched.add(task);
  }

  #view(): TimelineData {
    const now = this.#closed ? this.#timeline.lastTime : this.#clock.now() + this.#clockOffset;
    return this.#timeline.view({ cell: this.#options.cell }, Number.isFinite(now) ? now : 0);
  }

  #schedule(): void {
    const interval = Math.max(FRAME_INTERVAL_MS, this.#lastCost * IDLE_PARTS);
    this.#drawAt(this.#published ? this.#lastFrameAt + interval : this.#firstWorkAt! + FIRST_FRAME_MS);
  }

  /** At this moment, or sooner where that is planned already. */
  #drawAt(due: number): void {
    if (this.#closed || this.#timerDue <= due) return;
    this.#stopTimer();
    this.#timerDue = due;
    this.#timer = this.#clock.setTimer(
      () => {
        this.#timerDue = Infinity;
        this.#draw();
      },
      Math.max(0, due - this.#clock.now()),
    );
  }

  #stopTimer(): void {
    if (this.#timerDue !== Infinity) this.#clock.clearTimer(this.#timer);
    this.#timerDue = Infinity;
  }

  #draw(): void {
    const started = this.#clock.now();
    const data = this.#view();
    if (!data.live && this.#ended) {
      void this.#finish();
      return;
    }
    if (!this.#changed && !data.live) return;
    if (!this.#published && isTrivial(data)) {
      if (isRunning(data)) this.#drawAt(started + FRAME_INTERVAL_MS);
      return;
    }
    this.#send(liveBundle(data, { colors: this.#colors }));
    this.#changed = false;
    this.#lastFrameAt = this.#clock.now();
    this.#lastCost = this.#lastFrameAt - started;
    if (isRunning(data)) {
      const growth = Math.max(GROWTH_INTERVAL_MS, (data.end - data.start) * GROWTH_PART, this.#lastCost * IDLE_PARTS);
      this.#drawAt(this.#lastFrameAt + growth);
    }
  }

  /** The full bundle of what there is now, after frames that are being made. */
  #finish(): Promise<void> {
    this.#stopTimer();
    this.#finishing = this.#finishing.then(async () => {
      if (this.#closed || this.#complete || this.#firstWorkAt === undefined) return;
      const data = this.#view();
      await this.#publishFull(data);
      if (data.live) this.#schedule();
    });
    return this.#finishing;
  }

  async #publishFull(data: TimelineData): Promise<void> {
    if (data.tasks.length === 0 || (!this.#published && isTrivial(data))) return;
    this.#changed = false;
    this.#complete = !data.live || this.#closed;
    const { kernelspecName, plotlyMime = false } = this.#options;
    const bundle = await fullBundle(data, { colors: this.#colors, kernelspecName, plotlyMime });
    this.#send(bundle);
    this.#lastFrameAt = this.#clock.now();
  }

  #send(data: ChartBundle): void {
    const update = this.#published;
    this.#published = true;
    this.#options.publish({ data, metadata: {}, displayId: this.#displayId, update });
  }
}

function isRunning({ tasks }: TimelineData): boolean {
  return tasks.some((task) => task.state === "running");
}

function isTrivial({ tasks }: TimelineData): boolean {
  if (tasks.length > 1) return false;
  const runs = tasks[0]?.attempts ?? [];
  return runs.reduce((sum, { end, start }) => sum + end - start, 0) < TRIVIAL_MS;
}
