/** Breakpoints, kept by path: a cell that runs again is a new script, and a new session knows nothing. */
import { basename } from "node:path";
import { pathToFileURL } from "node:url";
import { breakablePlaces } from "../language/breakable.ts";
import { plainCode } from "../language/plain-code.ts";
import type { Position } from "../language/rewriting/positions.ts";
import type { RunCell } from "../traceback.ts";
import type { Breakpoint } from "./dap.ts";
import type { InspectorLink } from "./inspector-link.ts";
import type { Sources } from "./sources.ts";

/** What a client wants: a line, and perhaps a condition in JavaScript. */
export interface WantedBreakpoint {
  line: number;
  condition?: string;
}

interface Point {
  line: number;
  column: number;
  condition: string;
  /** What V8 calls it, in each of the scripts. */
  ids: Promise<string | undefined>[];
}

interface Script {
  url: string;
  /** Counted from 1, as in V8 they are not. */
  line: number;
  column: number;
}

export class Breakpoints {
  readonly #inspector: InspectorLink;
  readonly #sources: Sources;
  readonly #points = new Map<string, Point[]>();

  constructor(inspector: InspectorLink, sources: Sources) {
    this.#inspector = inspector;
    this.#sources = sources;
  }

  /** All that are set, as `debugInfo` tells them. */
  get all(): { source: string; breakpoints: { line: number }[] }[] {
    return [...this.#points].map(([source, points]) => ({ source, breakpoints: points.map(({ line }) => ({ line })) }));
  }

  /** Replaces the breakpoints of a path. Each goes to the first line, from the one wanted on, where code runs. */
  set(path: string, wanted: readonly WantedBreakpoint[]): Breakpoint[] {
    const before = this.#points.get(path) ?? [];
    const places = this.#placesIn(path);
    const points: Point[] = [];
    const told = wanted.map(({ condition = "", line }): Breakpoint => {
      const shown = { source: { name: basename(path), path }, line };
      if (places === "unknown")
        return { ...shown, verified: false, message: "this cell is not known; dumpCell tells it" };
      const place = places === "any" ? { line, column: 1 } : places.find((one) => one.line >= line);
      if (place === undefined) return { ...shown, verified: false, message: "no code runs at this line or after it" };
      if (!points.some((point) => point.line === place.line)) {
        const same = before.find((point) => point.line === place.line && point.condition === condition);
        points.push(same ?? { ...place, condition, ids: [] });
      }
      return { ...shown, verified: true, line: place.line };
    });
    if (points.length > 0) this.#points.set(path, points);
    else this.#points.delete(path);
    const removed = this.#remove(before.filter((point) => !points.includes(point)));
    const added = points.filter((point) => !before.includes(point));
    // V8 takes no second breakpoint where one still is.
    void removed.then(() => {
      // Unless another request has come in between.
      for (const point of added) if (this.#points.get(path)?.includes(point)) this.#arm(point, path);
    });
    return told;
  }

  /** Where code of the path can stop; anywhere in files, whose lines V8 knows. */
  #placesIn(path: string): Position[] | "any" | "unknown" {
    const source = this.#sources.sourceOfCell(path);
    if (source !== undefined) return breakablePlaces(this.#sources.typescriptOf(source));
    return this.#sources.files.isCell(path) ? "unknown" : "any";
  }

  /** A cell is about to run: sets the breakpoints of its source. */
  cellWillRun(label: string, cell: RunCell): void {
    for (const point of this.#points.get(this.#sources.pathOfCell(cell)) ?? []) this.#armInCell(point, label, cell);
  }

  /** Forgets all of them; V8 does so itself when its debugger is turned off. */
  clear(): void {
    this.#points.clear();
  }

  /** Sets them in a new session, where no cell has run yet. */
  renew(): void {
    for (const [path, points] of this.#points) {
      for (const point of points) {
        point.ids = [];
        if (!this.#sources.files.isCell(path)) this.#arm(point, path);
      }
    }
  }

  #arm(point: Point, path: string): void {
    if (this.#sources.files.isCell(path)) {
      for (const [label, cell] of this.#sources.cellsAt(path)) this.#armInCell(point, label, cell);
    } else this.#armAt(point, { url: pathToFileURL(path).href, line: point.line, column: point.column });
  }

  #armInCell(point: Point, label: string, { compiled }: RunCell): void {
    const place = compiled.compiledPosition(point.line, point.column);
    if (place !== undefined) this.#armAt(point, { url: `cell-${label}.ts`, ...place });
  }

  #armAt(point: Point, { column, line, url }: Script): void {
    const id = this.#inspector
      .request<{ breakpointId: string }>("Debugger.setBreakpointByUrl", {
        url,
        lineNumber: line - 1,
        columnNumber: column - 1,
        condition: plainCode(point.condition, (name) => this.#sources.visibleNames.hasOwn(name)),
      })
      .then(
        ({ breakpointId }) => breakpointId,
        // A session that is gone, or a breakpoint that is set already in this script.
        () => undefined,
      );
    point.ids.push(id);
  }

  /** Resolves once V8 has been told. */
  async #remove(points: readonly Point[]): Promise<void> {
    for (const id of points.flatMap(({ ids }) => ids)) {
      const breakpointId = await id;
      if (breakpointId !== undefined) this.#inspector.tell("Debugger.removeBreakpoint", { breakpointId });
    }
  }
}
