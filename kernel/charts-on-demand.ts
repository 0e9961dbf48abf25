import type { TaskEvent } from "../runtime/index.ts";
import { TIMELINE_MIME } from "../runtime/timeline.ts";
import type { ChartBundle } from "./charts/bundle.ts";
import type { ChartFrame } from "./charts/live-chart.ts";
import type { NotebookCharts } from "./notebook-charts.ts";

/** The charts of a notebook, loaded with its first task: a kernel that starts has better to do, and many have none. */
export class ChartsOnDemand {
  readonly #kernelspecName: string;
  readonly #publish: (cell: string, frame: ChartFrame) => void;
  #options = { enabled: true, plotlyMime: false };
  /** The cells that have begun before the charts were there. */
  #cells: string[] = [];
  #loading: Promise<NotebookCharts> | undefined;
  #charts: NotebookCharts | undefined;

  constructor(kernelspecName: string, publish: (cell: string, frame: ChartFrame) => void) {
    this.#kernelspecName = kernelspecName;
    this.#publish = publish;
  }

  /** Whether cells that begin have charts, and whether these are for VS Code's own renderer too. */
  configure(options: { enabled?: boolean; plotlyMime?: boolean }): void {
    Object.assign(this.#options, options);
    if (this.#charts !== undefined) Object.assign(this.#charts, this.#options);
  }

  cellBegins(cell: string): void {
    if (this.#loading !== undefined) void this.#tell((charts) => charts.cellBegins(cell));
    else if (this.#options.enabled) this.#cells.push(cell);
  }

  add(events: readonly TaskEvent[]): void {
    void this.#tell((charts) => charts.add(events));
  }

  /** The cell is over and its events are in; resolves when its chart is published. */
  async cellEnded(cell: string): Promise<void> {
    if (this.#loading !== undefined) await this.#tell((charts) => charts.cellEnded(cell));
  }

  /** What a cell shows, with the chart in the place of a timeline. */
  async draw(data: ChartBundle): Promise<ChartBundle> {
    return TIMELINE_MIME in data ? this.#tell((charts) => charts.draw(data)) : data;
  }

  /** The same for an output that can be replaced: what to show at once; by `replace` what to put in its place. */
  drawInPlace(data: ChartBundle, replace: (whole: ChartBundle) => void): ChartBundle {
    if (!(TIMELINE_MIME in data)) return data;
    if (this.#charts !== undefined) return this.#charts.drawInPlace(data, replace);
    void this.#tell((charts) => replace(charts.drawInPlace(data, replace)));
    const { [TIMELINE_MIME]: _timeline, ...rest } = data;
    return rest;
  }

  /** The session is over, and with it its tasks: resolves when what was has been drawn. */
  async sessionEnded(): Promise<void> {
    this.#cells = [];
    if (this.#loading !== undefined) await this.#tell((charts) => charts.sessionEnded());
  }

  async #load(): Promise<NotebookCharts> {
    const { NotebookCharts } = await import("./notebook-charts.ts");
    const charts = new NotebookCharts(this.#kernelspecName, this.#publish);
    Object.assign(charts, this.#options);
    for (const cell of this.#cells) charts.cellBegins(cell);
    this.#cells = [];
    this.#charts = charts;
    return charts;
  }

  /** Loads the charts where they are not there; what is told meanwhile is told in the same order once they are. */
  #tell<T>(act: (charts: NotebookCharts) => T): T | Promise<T> {
    if (this.#charts !== undefined) return act(this.#charts);
    this.#loading ??= this.#load();
    return this.#loading.then(act);
  }
}
