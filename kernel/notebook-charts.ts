/** The timeline charts of a notebook: one a cell that submitted or awaited tasks, fed with the session's events. */
import { TimelineBuilder } from "../runtime/host.ts";
import type { TaskEvent } from "../runtime/index.ts";
import { type ChartFrame, LiveChart } from "./charts/live-chart.ts";
import { FunctionColors } from "./charts/palette.ts";

export class NotebookCharts {
  readonly #publish: (cell: string, frame: ChartFrame) => void;
  readonly #kernelspecName: string;
  readonly #timeline = new TimelineBuilder();
  readonly #colors = new FunctionColors();
  readonly #charts = new Map<string, LiveChart>();
  enabled = true;
  plotlyMime = false;

  constructor(kernelspecName: string, publish: (cell: string, frame: ChartFrame) => void) {
    this.#kernelspecName = kernelspecName;
    this.#publish = publish;
  }

  /** A cell begins: what it submits is drawn under it. */
  cellBegins(cell: string): void {
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
    for (const [cell, chart] of this.#charts) {
      chart.add(events);
      if (this.#over.has(cell) && !chart.live) this.#retire(cell, chart);
    }
  }

  readonly #over = new Set<string>();

  /** The cell is over and its events are in; resolves when its chart is published. */
  async cellEnded(cell: string): Promise<void> {
    const chart = this.#charts.get(cell);
    if (chart === undefined) return;
    this.#over.add(cell);
    await chart.cellEnded();
    if (!chart.live) this.#retire(cell, chart);
  }

  #retire(cell: string, chart: LiveChart): void {
    this.#charts.delete(cell);
    this.#over.delete(cell);
    void chart.close();
  }

  /** The session is over: what was is drawn. */
  async sessionEnded(): Promise<void> {
    const charts = [...this.#charts.values()];
    this.#charts.clear();
    this.#over.clear();
    await Promise.all(charts.map((chart) => chart.close()));
  }
}
