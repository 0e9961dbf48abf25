/** The thread that writes spilled objects and reads them back, so that the scheduler never waits for a disk. */
import { readdirSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import { BellPush } from "./bell.ts";
import { fileName, writerByName } from "./locator.ts";
import { readSpillFile, type SpillPlace, writeSpillFile } from "./spill-folder.ts";

/** Bytes in memory. */
export interface MemoryPiece {
  memory: SharedArrayBuffer;
  offset: number;
  bytes: number;
}

export type DiskJob =
  /** A new file out of these pieces. */
  | { type: "write"; id: number; file: number; pieces: MemoryPiece[] }
  /** Pieces of files into memory. */
  | { type: "read"; id: number; pieces: { file: number; at: number; to: MemoryPiece }[] }
  | { type: "remove"; file: number }
  /** A thread is gone: what it wrote and nobody knows of. */
  | { type: "tidy"; thread: number; known: number[] };

export interface DiskAnswer {
  id: number;
  /** The system's message, when it did not work. */
  error: string | undefined;
}

export interface DiskStart {
  place: SpillPlace;
  schedulerBell: SharedArrayBuffer;
}

const { place, schedulerBell } = workerData as DiskStart;
const { folder } = place;
/** The answer itself wakes the scheduler's event loop, but not when it blocks, or has gone to sleep since. */
const bell = new BellPush(schedulerBell, () => parentPort?.postMessage(null));

const bytesOf = ({ bytes, memory, offset }: MemoryPiece): Uint8Array => new Uint8Array(memory, offset, bytes);

function perform(job: DiskJob): void {
  switch (job.type) {
    case "write":
      return writeSpillFile(place, fileName(job.file), job.pieces.map(bytesOf));
    case "read":
      for (const { at, file, to } of job.pieces) readSpillFile(folder, fileName(file), at, bytesOf(to));
      return;
    case "remove":
      return unlinkSync(join(folder, fileName(job.file)));
    case "tidy": {
      const known = new Set(job.known.map(fileName));
      for (const name of readdirSync(folder))
        if (writerByName(name) === job.thread && !known.has(name)) unlinkSync(join(folder, name));
    }
  }
}

parentPort?.on("message", (job: DiskJob) => {
  let error: string | undefined;
  try {
    perform(job);
  } catch (caught) {
    error = (caught as Error).message;
  }
  if (!("id" in job)) return;
  parentPort?.postMessage({ id: job.id, error } satisfies DiskAnswer);
  bell.ring();
});
