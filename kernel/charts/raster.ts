import type { TimelineData } from "../../runtime/timeline.ts";
import { channels, type FunctionColors } from "./palette.ts";
import { encodeIndexedPng } from "./png-encoder.ts";

/** What of a very large timeline can be seen: for each lane and column of pixels which function ran most, and how full it was. */
export interface Raster {
  columns: number;
  lanes: number;
  /** Names of the functions, the order of `running`. */
  functions: string[];
  /** How many tasks of each function ran, on average, in each column: `running[function * columns + column]`. */
  running: Float32Array;
  /** Failures: `failed[lane * columns + column]`. */
  failed: Uint16Array;
  /** The lanes as PNG, `laneHeight` pixels each with `gap` transparent ones between. */
  png(laneHeight: number, gap: number): Uint8Array;
}

const FULLNESS = 4;

/** Sums up all attempts; `laneRow` says in which row of the picture a lane is, -1 for none. */
export function rasterize(
  data: TimelineData,
  colors: FunctionColors,
  { columns, rows, rowOf }: { columns: number; rows: number; rowOf: (lane: number) => number },
): Raster {
  const functions = [...new Set(data.tasks.map((task) => task.functionName))];
  const indexOf = new Map(functions.map((name, index) => [name, index]));
  const time = new Float32Array(rows * columns * functions.length);
  const running = new Float32Array(functions.length * columns);
  const failed = new Uint16Array(rows * columns);
  const scale = columns / Math.max(1e-9, data.end - data.start);
  for (const task of data.tasks) {
    const kind = indexOf.get(task.functionName)!;
    for (const attempt of task.attempts) {
      const row = rowOf(attempt.lane);
      const start = Math.max(0, (attempt.start - data.start) * scale);
      const end = Math.min(columns, (attempt.end - data.start) * scale);
      if (row < 0 || end < 0 || start > columns) continue;
      const last = Math.min(columns - 1, Math.floor(end));
      for (let column = Math.floor(start); column <= last; column++) {
        const part = Math.min(end, column + 1) - Math.max(start, column);
        if (part <= 0) continue;
        time[(row * columns + column) * functions.length + kind]! += part;
        running[kind * columns + column]! += part;
      }
      if (attempt.state === "failed") failed[row * columns + last]!++;
    }
  }
  return {
    columns,
    lanes: rows,
    functions,
    running,
    failed,
    png: (laneHeight, gap) =>
      drawLanes(
        { time, rows, columns, palette: paletteOf(functions, colors), kinds: functions.length },
        laneHeight,
        gap,
      ),
  };
}

/** Entry 0 is nothing; then each function at each fullness. At most 63 functions have an entry, the others share the last. */
function paletteOf(functions: readonly string[], colors: FunctionColors): [number, number, number, number][] {
  const palette: [number, number, number, number][] = [[0, 0, 0, 0]];
  for (const name of functions.slice(0, 63))
    for (let level = 1; level <= FULLNESS; level++)
      palette.push([
        ...channels(colors.of(name)),
        level === FULLNESS ? 255 : Math.round(255 * (0.2 + (0.6 * level) / FULLNESS)),
      ]);
  return palette;
}

interface Columns {
  time: Float32Array;
  rows: number;
  columns: number;
  kinds: number;
  palette: [number, number, number, number][];
}

function drawLanes({ time, rows, columns, palette, kinds }: Columns, laneHeight: number, gap: number): Uint8Array {
  const height = rows * laneHeight;
  const pixels = new Uint8Array(height * columns);
  for (let row = 0; row < rows; row++) {
    const line = pixels.subarray(row * laneHeight * columns, (row * laneHeight + 1) * columns);
    for (let column = 0; column < columns; column++)
      line[column] = colorIndex(time, (row * columns + column) * kinds, kinds);
    for (let copy = 1; copy < laneHeight - gap; copy++) pixels.set(line, (row * laneHeight + copy) * columns);
  }
  return encodeIndexedPng({ width: columns, height, pixels, palette });
}

function colorIndex(time: Float32Array, offset: number, kinds: number): number {
  let sum = 0;
  let most = 0;
  let kind = 0;
  for (let index = 0; index < kinds; index++) {
    const part = time[offset + index]!;
    sum += part;
    if (part > most) [most, kind] = [part, index];
  }
  const level = Math.min(FULLNESS, sum > 0 ? Math.max(1, Math.round(sum * FULLNESS)) : 0);
  return level === 0 ? 0 : 1 + Math.min(kind, 62) * FULLNESS + level - 1;
}
