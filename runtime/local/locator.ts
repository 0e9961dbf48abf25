/** Where a piece of a value lies: in a segment of shared memory or in a file of the spill folder. */

/** A piece; one of zero bytes lies nowhere. */
export interface Locator {
  /** Number of a segment (0 and more) or of a file (-2 and less). */
  segment: number;
  offset: number;
  bytes: number;
}

export const NOWHERE: Locator = { segment: -1, offset: 0, bytes: 0 };

const FILES_PER_THREAD = 2 ** 20;

/** The number under which locators know the n-th file of a thread. */
export const fileNumber = (thread: number, n: number): number => -2 - (thread * FILES_PER_THREAD + n);

export const isOnDisk = (segment: number): boolean => segment <= -2;

/** The thread that wrote a file. */
export const writerOf = (file: number): number => Math.floor((-2 - file) / FILES_PER_THREAD);

/** A file's name in the spill folder. */
export const fileName = (file: number): string => `${writerOf(file)}-${(-2 - file) % FILES_PER_THREAD}`;

/** The thread of a file by its name. */
export const writerByName = (name: string): number => Number.parseInt(name, 10);
