/**
 * The private folder that spilled objects lie in, one a runtime. Its name tells which process it belongs to, so that
 * folders of processes that are gone are found and removed when another runtime starts: the process's number, when it
 * started (a number is used again some day) and the space in which numbers count (containers may share a folder).
 */
import { randomBytes } from "node:crypto";
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readlinkSync,
  readSync,
  rmSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { lstat, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { isAlive } from "../process-life.ts";

const PREFIX = "heddle-spill";
const NAME = /^heddle-spill-(\d+)-(\d+)-(\d+)-[0-9a-f]+$/;
/** No single write or read is longer: the system refuses more than 2 GiB. */
const LONGEST_TRANSFER = 1 << 30;

/** A path for a new runtime's folder; it is made when something is spilled. Throws `TypeError` where it could not be. */
function spillFolderIn(directory: string): string {
  try {
    if (!existsSync(directory)) mkdirSync(directory);
    accessSync(directory, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new TypeError(
      `init: option "spillDirectory" must be a folder that can be written to (or false for none), and ${directory} is not: ${(error as Error).message}`,
    );
  }
  const name = [PREFIX, process.pid, startOf(process.pid) ?? 0, numberSpace(), randomBytes(6).toString("hex")];
  return join(directory, name.join("-"));
}

/** Removes the folders of processes that are gone. What belongs to others, or cannot be told, stays. */
export async function sweepSpillFolders(directory: string): Promise<void> {
  const names = await readdir(directory).catch(() => []);
  for (const name of names) {
    if (!isStale(name)) continue;
    const path = join(directory, name);
    try {
      const entry = await lstat(path);
      if (entry.isDirectory() && entry.uid === (process.getuid?.() ?? entry.uid)) await rm(path, { recursive: true });
    } catch {
      // Another process sweeps too, or may do what this one may not.
    }
  }
}

function isStale(name: string): boolean {
  const [, pid, start, space] = NAME.exec(name) ?? [];
  if (pid === undefined || Number(space) !== numberSpace()) return false;
  if (!isAlive(Number(pid))) return true;
  const started = startOf(Number(pid));
  return started !== undefined && started !== Number(start);
}

/** When a process started, in ticks since the system did; undefined where that is not known. */
function startOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The name before it may hold blanks and brackets.
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]);
  } catch {
    return undefined;
  }
}

/** Which numbers of processes are comparable. */
function numberSpace(): number {
  try {
    return Number(/\d+/.exec(readlinkSync("/proc/self/ns/pid"))?.[0] ?? 0);
  } catch {
    return 0;
  }
}

/** Where a runtime's threads spill to. */
export interface SpillPlace {
  readonly folder: string;
  /** One Int32: 1 once the folder goes, and nothing may be written there any more. */
  readonly over: SharedArrayBuffer;
}

/** Makes a runtime's place in a directory. */
export const spillPlaceIn = (directory: string): SpillPlace => ({
  folder: spillFolderIn(directory),
  over: new SharedArrayBuffer(4),
});

/** Removes a runtime's folder with all that is in it; other threads may be writing. */
export function removeSpillPlace({ folder, over }: SpillPlace): void {
  Atomics.store(new Int32Array(over), 0, 1);
  try {
    // Again where a file came in between.
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 10 });
  } catch (error) {
    process.emitWarning(`${folder} could not be removed: ${(error as Error).message}`, "HeddleWarning");
  }
}

/** Writes a new file, all of it or nothing. Throws the system's error. */
export function writeSpillFile(place: SpillPlace, name: string, pieces: readonly Uint8Array[]): void {
  if (Atomics.load(new Int32Array(place.over), 0) === 1) throw new Error("the runtime was shut down");
  const { folder } = place;
  const fd = openNew(folder, name);
  try {
    try {
      for (const piece of pieces) writeAll(fd, piece);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    unlinkSync(join(folder, name));
    throw error;
  }
}

function openNew(folder: string, name: string): number {
  const path = join(folder, name);
  try {
    return openSync(path, "wx", 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    makeFolder(folder);
    return openSync(path, "wx", 0o600);
  }
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    // Another thread was first.
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}

function writeAll(fd: number, piece: Uint8Array): void {
  for (let at = 0; at < piece.length; ) at += writeSync(fd, piece, at, Math.min(piece.length - at, LONGEST_TRANSFER));
}

/** Fills `into` from a place in a file. Throws the system's error, or one that says that the file is too short. */
export function readSpillFile(folder: string, name: string, offset: number, into: Uint8Array): void {
  const fd = openSync(join(folder, name), "r");
  try {
    for (let at = 0; at < into.length; ) {
      const count = readSync(fd, into, at, Math.min(into.length - at, LONGEST_TRANSFER), offset + at);
      if (count === 0) throw new Error(`${name} ends after ${offset + at} bytes`);
      at += count;
    }
  } finally {
    closeSync(fd);
  }
}
