/** Files of the spill folder as a thread uses them: it reads any of them, and writes what does not fit into memory at all. */
import { unlinkSync } from "node:fs";
import { join } from "node:path";
import { ObjectLostError, ObjectStoreFullError } from "../errors.ts";
import { fileName, fileNumber, type Locator, NOWHERE } from "./locator.ts";
import { readSpillFile, type SpillPlace, writeSpillFile } from "./spill-folder.ts";

export class SpillFiles {
  readonly #place: SpillPlace | undefined;
  readonly #thread: number;
  #count = 0;
  /** The file that is being written; one that is still here when the next is begun was cut on the way. */
  #unfinished: string | undefined;

  constructor(place: SpillPlace | undefined, thread: number) {
    this.#place = place;
    this.#thread = thread;
  }

  /** Whether there may be files. */
  get enabled(): boolean {
    return this.#place !== undefined;
  }

  get #folder(): string {
    return this.#place!.folder;
  }

  /** Writes the pieces of a value into a file of their own. Throws `ObjectStoreFullError`. */
  write(pieces: readonly ArrayBufferView[]): Locator[] {
    this.#removeUnfinished();
    const segment = fileNumber(this.#thread, this.#count++);
    const name = fileName(segment);
    this.#unfinished = name;
    try {
      const bytes = pieces.map(({ buffer, byteLength, byteOffset }) => new Uint8Array(buffer, byteOffset, byteLength));
      writeSpillFile(this.#place!, name, bytes);
    } catch (error) {
      throw fullError(this.#folder, pieces, error as NodeJS.ErrnoException);
    } finally {
      this.#unfinished = undefined;
    }
    let offset = 0;
    return pieces.map(({ byteLength }) => {
      const locator = byteLength === 0 ? NOWHERE : { segment, offset, bytes: byteLength };
      offset += byteLength;
      return locator;
    });
  }

  #removeUnfinished(): void {
    if (this.#unfinished === undefined) return;
    remove(join(this.#folder, this.#unfinished));
    this.#unfinished = undefined;
  }

  /** Reads a piece. Throws `ObjectLostError` when it is not there any more. */
  read({ bytes, offset, segment }: Locator, into: Uint8Array): Uint8Array {
    try {
      readSpillFile(this.#folder, fileName(segment), offset, into);
      return into;
    } catch (error) {
      throw new ObjectLostError(
        `${bytes} bytes of an object were spilled to ${this.#folder} and cannot be read any more: ${(error as Error).message}`,
        { cause: error },
      );
    }
  }

  /** Removes a file that this thread wrote and nobody else knows of. */
  remove({ segment }: Locator): void {
    remove(join(this.#folder, fileName(segment)));
  }
}

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // It is gone already, or goes with the folder.
  }
}

function fullError(folder: string, pieces: readonly ArrayBufferView[], error: NodeJS.ErrnoException): Error {
  const bytes = pieces.reduce((sum, { byteLength }) => sum + byteLength, 0);
  return new ObjectStoreFullError(
    `an object of ${bytes} bytes does not fit into the object store, and spilling it to ${folder} failed: ${error.message}; free objects, make room on that disk or choose another one by init({ spillDirectory })`,
    { cause: error },
  );
}
