/** The timeline charts of a notebook: one a cell that submitted or awaited tasks, fed with the session's events. */
import { TimelineBuilder } from "../runtime/host.ts";
import type { TaskEvent } from "../runtime/index.ts";
import { type ChartFrame, LiveChart } from "./charts/live-chart.ts";
import { FunctionColors } from "./charts/palette.ts";

export class NotebookCharts {
  enabled = true;
  plotlyMime = false;
  readonly #publish: (cell: string, frame: ChartFrame) => void;
  readonly #kernelspecName: string;
  readonly #colors = new FunctionColors();
  readonly #charts = new Map<string, LiveChart>();
  #timeline = new TimelineBuilder();
  /** Last frames of charts whose session is over. */
  #closing: Promise<unknown> = Promise.resolve();

  constructor(kernelspecName: string, publish: (cell: string, frame: ChartFrame) => void) {
    this.#kernelspecName = kernelspecName;
    this.#publish = publish;
  }

  /** A cell begins: what it submits is drawn under it. */
  cellBegins(cell: string): void {
    // Charts of earlier cells are needed as long as their tasks go on.
    for (const [earlier, chart] of this.#charts) if (!chart.live) this.#charts.delete(earlier);
    if (!this.enabled) return;
    const chart = new LiveChart({
      cell,
      publish: (frame) => this.#publish(cell, frame),
      kernelspecName: this.#kernelspecName,
      plotlyMime: this.plotlyMime,
      timeline: this.#timeline,
      colors: this.#colors,
    });
    this.#charts.set(cell, chart);
  }

  add(events: readonly TaskEvent[]): void {
    this.#timeline.add(events);
    if (this.enabled) for (const chart of this.#charts.values()) chart.add(events);
  }

  /** The cell is over and its events are in; resolves when its chart is published. */
  async cellEnded(cell: string): Promise<void> {
    await Promise.all([this.#charts.get(cell)?.cellEnded(), this.#closing]);
  }

  /** The session is over, and with it its tasks: resolves when what was has been drawn. */
  sessionEnded(): Promise<void> {
    const charts = [...this.#charts.values()];
    this.#charts.clear();
    this.#timeline = new TimelineBuilder();
    const closed = Promise.all(charts.map((chart) => chart.close())).then(() => {});
    this.#closing = closed;
    return closed;
  }
}
