/** What a thread tells the event log beside what the scheduler sees: what the timeline's advice is made from. */
import { crc32 } from "node:zlib";
import { now } from "../clock.ts";
import type { TaskEvent } from "../events.ts";
import { currentHost } from "../host.ts";
import { taskIdText } from "../ids.ts";
import type { Encoded } from "../serialization/encode.ts";
import { callersPlace } from "./callers-place.ts";
import type { Line } from "./line.ts";

/** Places are found for so many submissions and so many calls of each cell: finding one costs more than the call. */
const MOST_PLACES = 24;
const LARGE_BYTES = 100_000;
/** After so many submissions of one cell with large arguments it is known. */
const MOST_LARGE = 64;

export class Notes {
  readonly #line: Line;
  readonly #submissions: CellQuota;
  readonly #calls: CellQuota;
  readonly #large = new CellQuota(MOST_LARGE);

  /** Only the driver's thread tells places. */
  constructor(line: Line, isDriver: boolean) {
    this.#line = line;
    this.#submissions = new CellQuota(isDriver ? MOST_PLACES : 0);
    this.#calls = new CellQuota(isDriver ? MOST_PLACES : 0);
  }

  /** Puts an event into the log. */
  tell(event: TaskEvent): void {
    this.#line.post({ type: "told", event });
  }

  /** A span of a task's time, or with 0 of the driver's. */
  span({ data, end, name, start }: { name: string; data: unknown; start: number; end: number }, task: number): void {
    const cell = currentHost()?.currentCell();
    const where = task > 0 ? { taskId: taskIdText(task) } : cell === undefined ? {} : { cell };
    this.tell({ type: "span", time: start, end, name, data, ...where });
  }

  /** A function was shipped that captures this much, most of it in `largest`. */
  captured(functionName: string, bytes: number, largest: string | undefined): void {
    const cell = currentHost()?.currentCell();
    const more = { ...(largest === undefined ? {} : { largest }), ...(cell === undefined ? {} : { cell }) };
    this.tell({ type: "largeCapture", time: now(), functionName, bytes, ...more });
  }

  /** A task was submitted; cells are numbered as they come. */
  submitted(task: number, cell: number, time: number, { buffers, bytes }: Encoded): void {
    if (this.#submissions.take(cell)) this.#place(taskIdText(task), time);
    if (buffers.length === 0 && bytes.length < LARGE_BYTES) return;
    const large = [...buffers, bytes].filter((piece) => piece.byteLength >= LARGE_BYTES);
    if (large.length === 0 || !this.#large.take(cell)) return;
    for (const { buffer, byteLength, byteOffset } of large) {
      const hash = crc32(new Uint8Array(buffer, byteOffset, byteLength));
      this.tell({ type: "largeArgument", time, taskId: taskIdText(task), bytes: byteLength, hash });
    }
  }

  /** A call that waits begins; returns its number. */
  called(call: number, cell: number): number {
    if (this.#calls.take(cell)) this.#place(`c${call}`, now());
    return call;
  }

  #place(id: string, time: number): void {
    const place = callersPlace();
    if (place !== undefined) this.tell({ type: "place", time, id, place });
  }
}

/** So many of each cell; a cell that came before the newest has none left. */
class CellQuota {
  readonly #each: number;
  #cell = -1;
  #left = 0;

  constructor(each: number) {
    this.#each = each;
  }

  take(cell: number): boolean {
    if (cell > this.#cell) {
      this.#cell = cell;
      this.#left = this.#each;
    }
    return cell === this.#cell && this.#left-- > 0;
  }
}
