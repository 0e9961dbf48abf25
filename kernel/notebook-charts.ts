/** The timeline charts of a notebook: one a cell that submitted or awaited tasks, fed with the session's events. */

import type { TaskEvent } from "../runtime/index.ts";
import { snapshotOf, TIMELINE_MIME, TimelineBuilder, type TimelineReference } from "../runtime/timeline.ts";
import { type ChartBundle, fullBundle, liveBundle } from "./charts/bundle.ts";
import { type ChartFrame, LiveChart } from "./charts/live-chart.ts";
import { FunctionColors } from "./charts/palette.ts";

export class NotebookCharts {
  enabled = true;
  plotlyMime = false;
  readonly #publish: (cell: string, frame: ChartFrame) => void;
  readonly #kernelspecName: string;
  readonly #colors = new FunctionColors();
  /** Charts of the running cell and of cells whose tasks go on. */
  readonly #charts = new Map<string, LiveChart>();
  /** Charts that have been published and whose tasks are over. */
  readonly #resting = new Map<string, LiveChart>();
  /** Cells that have charts if they have tasks. */
  readonly #drawn = new Set<string>();
  /** Drawings that need events which have not come yet. */
  readonly #awaited = new Set<{ time: number; resolve: () => void }>();
  #timeline = new TimelineBuilder();
  /** Last frames of charts whose session is over, and charts that cells have displayed: a cell's end waits for them. */
  readonly #drawing = new Set<Promise<unknown>>();

  constructor(kernelspecName: string, publish: (cell: string, frame: ChartFrame) => void) {
    this.#kernelspecName = kernelspecName;
    this.#publish = publish;
  }

  /** A cell begins: what it submits, now or later, is drawn under it. */
  cellBegins(cell: string): void {
    for (const [earlier, chart] of this.#charts) {
      if (chart.live) continue;
      this.#charts.delete(earlier);
      if (chart.published) this.#resting.set(earlier, chart);
    }
    if (!this.enabled) return;
    this.#drawn.add(cell);
    this.#charts.set(cell, this.#chartOf(cell));
  }

  #chartOf(cell: string): LiveChart {
    return new LiveChart({
      cell,
      publish: (frame) => this.#publish(cell, frame),
      kernelspecName: this.#kernelspecName,
      plotlyMime: this.plotlyMime,
      timeline: this.#timeline,
      colors: this.#colors,
    });
  }

  add(events: readonly TaskEvent[]): void {
    this.#timeline.add(events);
    this.#tellSeen();
    if (!this.enabled) return;
    for (const event of events)
      if (event.type === "submitted" || event.type === "callStarted") this.#reopen(event.cell);
    for (const chart of this.#charts.values()) chart.add(events);
  }

  /** A timer or a listener of a cell that has ended submits tasks: its chart goes on, or begins. */
  #reopen(cell: string | undefined): void {
    if (cell === undefined || this.#charts.has(cell) || !this.#drawn.has(cell)) return;
    const chart = this.#resting.get(cell) ?? this.#chartOf(cell);
    this.#resting.delete(cell);
    this.#charts.set(cell, chart);
    void chart.cellEnded();
  }

  /** The cell is over and its events are in; resolves when its chart is published. */
  async cellEnded(cell: string): Promise<void> {
    this.#tellSeen(true);
    await Promise.all([this.#charts.get(cell)?.cellEnded(), ...this.#drawing]);
  }

  /** What a cell shows, with the chart in the place of a timeline. */
  async draw(data: ChartBundle): Promise<ChartBundle> {
    const { [TIMELINE_MIME]: timeline, ...rest } = data;
    return isReference(timeline) ? { ...rest, ...(await this.#whole(timeline)) } : data;
  }

  /**
   * The same for an output that can be replaced: what to show at once, so that outputs stay in their order, and what to
   * put in its place by `replace` as soon as all events are there and it is drawn.
   */
  drawInPlace(data: ChartBundle, replace: (whole: ChartBundle) => void): ChartBundle {
    const { [TIMELINE_MIME]: timeline, ...rest } = data;
    if (!isReference(timeline)) return data;
    const seen = new Promise<void>((resolve) => this.#awaited.add({ time: timeline.last, resolve }));
    this.#tellSeen();
    this.#await(seen.then(() => this.#whole(timeline)).then((whole) => replace({ ...rest, ...whole })));
    return { ...rest, ...liveBundle(snapshotOf(this.#timeline, timeline), { colors: this.#colors }) };
  }

  #whole(timeline: TimelineReference): Promise<ChartBundle> {
    const { plotlyMime } = this;
    const options = { colors: this.#colors, kernelspecName: this.#kernelspecName, plotlyMime, withFunctions: true };
    return fullBundle(snapshotOf(this.#timeline, timeline), options);
  }

  /** Whoever waits for events up to now goes on; with `all` everybody, for no more will come. */
  #tellSeen(all = false): void {
    for (const awaited of this.#awaited) {
      if (!all && awaited.time > this.#timeline.lastTime) continue;
      this.#awaited.delete(awaited);
      awaited.resolve();
    }
  }

  /** A drawing that fails leaves what is shown already. */
  #await(drawing: Promise<unknown>): void {
    const ended: Promise<unknown> = drawing.catch(() => {}).then(() => this.#drawing.delete(ended));
    this.#drawing.add(ended);
  }

  /** The session is over, and with it its tasks: resolves when what was has been drawn. */
  sessionEnded(): Promise<void> {
    this.#tellSeen(true);
    const charts = [...this.#charts.values()];
    this.#charts.clear();
    this.#resting.clear();
    this.#drawn.clear();
    this.#timeline = new TimelineBuilder();
    const closed = Promise.all(charts.map((chart) => chart.close())).then(() => {});
    this.#await(closed);
    return closed;
  }
}

/** What somebody else puts under that type is shown as it is. */
function isReference(value: unknown): value is TimelineReference {
  const { filter, first, last, now } = (value ?? {}) as Partial<Record<keyof TimelineReference, unknown>>;
  return typeof filter === "object" && filter !== null && [first, last, now].every(Number.isFinite);
}
