/**
 * A block: one encoded value as it lies in a ring record or in the scheduler's memory. The scheduler reads its head
 * (which objects it refers to, which shared memory it holds) and never its content.
 *
 * Words: [i words, i flags] [i buffers, i refs] [f main bytes], 3 words a buffer, 1 a ref, then the main bytes, or the
 * locator of the main bytes where they are too many for a record.
 */
import type { Encoded } from "../serialization/encode.ts";
import { isOnDisk, type Locator } from "./locator.ts";
import type { ObjectStore } from "./object-store.ts";

const MainInStore = 1;
const HasModules = 2;
/** Something in it is no plain data. */
const HasCode = 4;

const HEAD_WORDS = 3;
/** Longer main bytes go to shared memory. */
const INLINE_BYTES = 8192;

const NO_REFS: readonly number[] = [];
const NO_LOCATORS: readonly Locator[] = [];

/** The three typed views of a piece of memory. */
export interface Views {
  readonly i32: Int32Array;
  readonly f64: Float64Array;
  readonly u8: Uint8Array;
}

/** A value ready to be written: array data and long main bytes are in shared memory already. */
export interface Prepared {
  words: number;
  flags: number;
  locators: readonly Locator[];
  refs: readonly number[];
  main: Uint8Array;
  mainLocator: Locator | undefined;
}

/**
 * Moves what does not fit into a record to the store, all of it or nothing; `lend` tells of an array that lies there
 * already. The result holds `encoded.bytes`, so write it before the next encode. Throws `ObjectStoreFullError`.
 */
export function prepareBlock(encoded: Encoded, store: ObjectStore, lend?: Lend): Prepared {
  let main = encoded.bytes;
  let flags = encoded.plain ? 0 : HasCode;
  if (encoded.modules.length > 0) {
    main = withModules(main, encoded.modules);
    flags |= HasModules;
  }
  const mainIsLong = main.length > INLINE_BYTES;
  const pieces = mainIsLong ? [...encoded.buffers, main] : encoded.buffers;
  let locators = pieces.length === 0 ? NO_LOCATORS : place(pieces, store, lend);
  let mainLocator: Locator | undefined;
  if (mainIsLong) {
    mainLocator = locators[locators.length - 1];
    locators = locators.slice(0, -1);
    flags |= MainInStore;
  }
  const mainWords = mainLocator === undefined ? (main.length + 7) >> 3 : 3;
  const words = HEAD_WORDS + locators.length * 3 + encoded.refs.length + mainWords;
  return { words, flags, locators, refs: encoded.refs, main, mainLocator };
}

type Lend = (data: ArrayBufferView) => Locator | undefined;

function place(pieces: readonly ArrayBufferView[], store: ObjectStore, lend: Lend | undefined): Locator[] {
  const lent = lend === undefined ? [] : pieces.map(lend);
  if (!lent.some((locator) => locator !== undefined)) return store.store(pieces);
  let stored: Locator[] = [];
  try {
    stored = store.store(pieces.filter((_, index) => lent[index] === undefined));
    if (!stored.some(({ segment }) => isOnDisk(segment))) {
      const others = stored.values();
      return lent.map((locator) => locator ?? others.next().value!);
    }
  } catch (error) {
    for (const locator of lent) if (locator !== undefined) store.release(locator);
    throw error;
  }
  // A value lies in memory or on disk as a whole.
  for (const locator of [...lent, ...stored]) if (locator !== undefined) store.release(locator);
  return store.store(pieces);
}

function withModules(main: Uint8Array, modules: readonly string[]): Uint8Array {
  const text = Buffer.from(JSON.stringify(modules));
  const bytes = new Uint8Array(4 + text.length + main.length);
  new DataView(bytes.buffer).setUint32(0, text.length, true);
  bytes.set(text, 4);
  bytes.set(main, 4 + text.length);
  return bytes;
}

/** Writes a prepared block at `word` and returns the word after it. */
export function writeBlock(to: Views, word: number, block: Prepared): number {
  const { i32, f64, u8 } = to;
  i32[word * 2] = block.words;
  i32[word * 2 + 1] = block.flags;
  i32[word * 2 + 2] = block.locators.length;
  i32[word * 2 + 3] = block.refs.length;
  f64[word + 2] = block.main.length;
  let at = word + HEAD_WORDS;
  for (const locator of block.locators) at = writeLocator(to, at, locator);
  for (const ref of block.refs) f64[at++] = ref;
  if (block.mainLocator !== undefined) return writeLocator(to, at, block.mainLocator);
  const { main } = block;
  const end = at + ((main.length + 7) >> 3);
  if (main.length > 64) {
    u8.set(main, at * 8);
    return end;
  }
  // Equal values make equal words.
  if (main.length > 0) f64[end - 1] = 0;
  for (let index = 0, base = at * 8; index < main.length; index++) u8[base + index] = main[index]!;
  return end;
}

function writeLocator({ f64 }: Views, word: number, locator: Locator): number {
  f64[word] = locator.segment;
  f64[word + 1] = locator.offset;
  f64[word + 2] = locator.bytes;
  return word + 3;
}

function readLocator({ f64 }: Views, word: number): Locator {
  return { segment: f64[word]!, offset: f64[word + 1]!, bytes: f64[word + 2]! };
}

/** A block copied out of a ring, with what the scheduler has to know about it. It is never changed. */
export interface Block {
  /** Its words, two numbers a word. */
  readonly content: Int32Array;
  readonly refs: readonly number[];
  /** Everything it holds in shared memory. */
  readonly locators: readonly Locator[];
  /** Encoded size with array data. */
  readonly size: number;
}

/** The same value with its pieces at other places, in the same order. */
export function moveBlock(block: Block, locators: readonly Locator[]): Block {
  const content = block.content.slice();
  const views = viewsOf(content);
  const buffers = content[2]!;
  locators.forEach((locator, index) => {
    const word = index < buffers ? index * 3 : buffers * 3 + content[3]!;
    writeLocator(views, HEAD_WORDS + word, locator);
  });
  return { ...block, content, locators };
}

/** Length of the block at `word`, in words. */
export function blockWords(from: Views, word: number): number {
  return from.i32[word * 2]!;
}

/** Copies the block at `word` out of a ring. */
export function copyBlock(from: Views, word: number): Block {
  const { f64, i32 } = from;
  const words = i32[word * 2]!;
  const flags = i32[word * 2 + 1]!;
  const buffers = i32[word * 2 + 2]!;
  const refCount = i32[word * 2 + 3]!;
  if (words === HEAD_WORDS + 1 && flags + buffers + refCount === 0) return smallBlock(from, word);
  const content = new Int32Array(words * 2);
  copyWords(i32, word, content, words);
  let size = f64[word + 2]!;
  let locators = NO_LOCATORS;
  if (buffers > 0 || (flags & MainInStore) !== 0) {
    const list: Locator[] = [];
    for (let index = 0; index < buffers; index++) list.push(readLocator(from, word + HEAD_WORDS + index * 3));
    for (const locator of list) size += locator.bytes;
    if ((flags & MainInStore) !== 0) list.push(readLocator(from, word + HEAD_WORDS + buffers * 3 + refCount));
    locators = list;
  }
  let refs = NO_REFS;
  if (refCount > 0) {
    const first = word + HEAD_WORDS + buffers * 3;
    refs = Array.from(f64.subarray(first, first + refCount));
  }
  return { content, refs, locators, size };
}

const SMALL_KEPT = 256;
/** Values of at most one word repeat (undefined, true, small numbers): equal ones are one block. */
const smallBlocks: (Block | undefined)[] = new Array(SMALL_KEPT).fill(undefined);

function smallBlock({ f64, i32 }: Views, word: number): Block {
  const low = i32[(word + HEAD_WORDS) * 2]!;
  const high = i32[(word + HEAD_WORDS) * 2 + 1]!;
  const size = f64[word + 2]!;
  const slot = (Math.imul(low, 31) ^ (low >> 16) ^ high) & (SMALL_KEPT - 1);
  const recent = smallBlocks[slot];
  if (recent !== undefined && recent.size === size) {
    const { content } = recent;
    if (content[HEAD_WORDS * 2] === low && content[HEAD_WORDS * 2 + 1] === high) return recent;
  }
  const content = new Int32Array((HEAD_WORDS + 1) * 2);
  copyWords(i32, word, content, HEAD_WORDS + 1);
  const block: Block = { content, refs: NO_REFS, locators: NO_LOCATORS, size };
  smallBlocks[slot] = block;
  return block;
}

function copyWords(from: Int32Array, word: number, to: Int32Array, words: number): void {
  if (words > 32) {
    to.set(from.subarray(word * 2, (word + words) * 2));
    return;
  }
  for (let index = 0, base = word * 2, end = words * 2; index < end; index++) to[index] = from[base + index]!;
}

/** Writes a copied block back into a ring at `word`; returns the word after it. */
export function pasteBlock({ i32 }: Views, word: number, content: Int32Array): number {
  const base = word * 2;
  if (content.length > 64) i32.set(content, base);
  else for (let index = 0; index < content.length; index++) i32[base + index] = content[index]!;
  return word + (content.length >> 1);
}

/** What a reader needs to rebuild the value of a block. */
export interface BlockContent {
  modules: readonly string[];
  main: Uint8Array;
  locators: readonly Locator[];
  /** Whether any of it had to be read from the store. */
  inStore: boolean;
  /** Whether it is data alone: see `Encoded`. */
  plain: boolean;
}

const NO_MODULES: readonly string[] = [];
const scratch = new Uint8Array(INLINE_BYTES + 8);
const scratchWords = new Int32Array(scratch.buffer);

/** Reads a block for decoding. `main` may lie in a scratch buffer that the next call overwrites, and may have bytes after its end. */
export function readBlock(from: Views, word: number, store: ObjectStore): BlockContent {
  const flags = from.i32[word * 2 + 1]!;
  const buffers = from.i32[word * 2 + 2]!;
  const refs = from.i32[word * 2 + 3]!;
  let locators = NO_LOCATORS;
  if (buffers > 0) {
    const list: Locator[] = [];
    for (let index = 0; index < buffers; index++) list.push(readLocator(from, word + HEAD_WORDS + index * 3));
    locators = list;
  }
  const at = word + HEAD_WORDS + buffers * 3 + refs;
  let main: Uint8Array;
  if ((flags & MainInStore) !== 0) main = store.copy(readLocator(from, at));
  else {
    copyWords(from.i32, at, scratchWords, (from.f64[word + 2]! + 7) >> 3);
    main = scratch;
  }
  const inStore = buffers > 0 || (flags & MainInStore) !== 0;
  const plain = (flags & HasCode) === 0;
  if ((flags & HasModules) === 0) return { modules: NO_MODULES, main, locators, inStore, plain };
  const length = new DataView(main.buffer, main.byteOffset).getUint32(0, true);
  const modules = JSON.parse(Buffer.from(main.buffer, main.byteOffset + 4, length).toString()) as string[];
  return { modules, main: main.slice(4 + length), locators, inStore, plain };
}

/** What must be imported before the block at `word` can be decoded. */
export function blockModules(from: Views, word: number, store: ObjectStore): readonly string[] {
  return (from.i32[word * 2 + 1]! & HasModules) === 0 ? NO_MODULES : readBlock(from, word, store).modules;
}

/** Views on a block that travelled by a port or stayed in memory. */
export function viewsOf(content: Int32Array): Views {
  const { buffer, byteOffset, byteLength } = content.byteOffset % 8 === 0 ? content : content.slice();
  return {
    u8: new Uint8Array(buffer, byteOffset, byteLength),
    i32: new Int32Array(buffer, byteOffset, byteLength >> 2),
    f64: new Float64Array(buffer, byteOffset, byteLength >> 3),
  };
}

/** A prepared block in memory of its own. */
export function blockContent(block: Prepared): Int32Array {
  const content = new Int32Array(block.words * 2);
  writeBlock(viewsOf(content), 0, block);
  return content;
}
