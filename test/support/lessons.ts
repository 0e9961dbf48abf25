/** The notebooks of the course as they are on disk, and what a test reads of them. */

export const lessons = [
  "01-tasks",
  "02-object-store",
  "03-early-returns",
  "04-graphs",
  "05-streams",
  "07-failures",
  "08-patterns",
  "09-text-index",
  "10-monte-carlo",
] as const;
export type Lesson = (typeof lessons)[number];

export interface Output {
  output_type: string;
  name?: string;
  text?: string | string[];
  data?: Record<string, unknown>;
}

export interface Cell {
  id: string;
  cell_type: string;
  metadata: { tags?: string[] };
  source: string | string[];
  outputs?: Output[];
  execution_count?: number | null;
}

export interface Notebook {
  cells: Cell[];
}

export function codeCells(notebook: Notebook): Cell[] {
  return notebook.cells.filter((cell) => cell.cell_type === "code");
}

/** What a cell printed. */
export function printed(notebook: Notebook, id: string, stream = "stdout"): string {
  const cell = notebook.cells.find((one) => one.id === id);
  if (!cell) throw new Error(`the notebook has no cell ${id}`);
  return (cell.outputs ?? [])
    .filter((output) => output.name === stream)
    .map((output) => joined(output.text))
    .join("");
}

/** The bundles of the charts under a cell. */
export function chartsOf(cell: Cell): Record<string, unknown>[] {
  return (cell.outputs ?? [])
    .map((output) => output.data ?? {})
    .filter((data) => joined(data["text/html"]).includes("heddle-timeline"));
}

/** The notebook with the code of its hidden solutions as cells at its end, which `--check` does not compare. */
export function withSolutions(notebook: Notebook): Notebook {
  const solutions = notebook.cells
    .filter((cell) => cell.cell_type === "markdown")
    .flatMap((cell) => [...joined(cell.source).matchAll(/<details>([\s\S]*?)<\/details>/g)])
    .flatMap(([, hidden]) => [...hidden!.matchAll(/^ *(?:\d\. )?```ts\n([\s\S]*?)^ *```$/gm)])
    .map(([, source], index) => ({
      id: `solution-${index + 1}`,
      cell_type: "code",
      metadata: { tags: ["no-check"] },
      source: source!,
      outputs: [],
      execution_count: null,
    }));
  return { ...notebook, cells: [...notebook.cells, ...solutions] };
}

/** A field of a notebook, which is a text or its lines. */
export function joined(value: unknown): string {
  return Array.isArray(value) ? value.join("") : String(value ?? "");
}
