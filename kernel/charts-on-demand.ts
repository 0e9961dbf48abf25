import type { TaskEvent } from "../runtime/index.ts";
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
    this.#loading ??= this.#load();
    void this.#tell((charts) => charts.add(events));
  }

  /** The cell is over and its events are in; resolves when its chart is published. */
  async cellEnded(cell: string): Promise<void> {
    if (this.#loading !== undefined) await this.#tell((charts) => charts.cellEnded(cell));
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

  /** What is told while the charts are being loaded is told in the same order once they are. */
  #tell<T>(act: (charts: NotebookCharts) => T): T | Promise<T> {
    return this.#charts === undefined ? this.#loading!.then(act) : act(this.#charts);
  }
}
