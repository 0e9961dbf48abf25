/** What a task was sent to a worker with: a block with its arguments, and one for each object that an argument names. */
import { type BlockContent, blockModules, blockWords, readBlock, type Views, viewsOf } from "./block.ts";
import type { ObjectStore } from "./object-store.ts";

const PAGE_WORDS = 1 << 13;

/** Memory for payloads that lie on a worker: many share one page, which goes with the last of them. */
export class Pages {
  #page = viewsOf(new Int32Array(PAGE_WORDS * 2));
  #used = 0;

  /** Copies a payload out of a ring. */
  keep(from: Views, word: number, words: number, inputs: number): Payload {
    if (words > PAGE_WORDS >> 2) return new Payload(viewsOf(from.i32.slice(word * 2, (word + words) * 2)), 0, inputs);
    if (this.#used + words > PAGE_WORDS) {
      this.#page = viewsOf(new Int32Array(PAGE_WORDS * 2));
      this.#used = 0;
    }
    const at = this.#used;
    this.#used += words;
    const { i32 } = this.#page;
    for (let index = 0; index < words * 2; index++) i32[at * 2 + index] = from.i32[word * 2 + index]!;
    return new Payload(this.#page, at, inputs);
  }
}

export class Payload {
  readonly #views: Views;
  readonly #word: number;
  /** How many objects came along. */
  readonly inputs: number;

  constructor(views: Views, word: number, inputs: number) {
    this.#views = views;
    this.#word = word;
    this.inputs = inputs;
  }

  /** What must be imported before any of it can be decoded. */
  modules(store: ObjectStore): readonly string[] {
    let modules = blockModules(this.#views, this.#word, store);
    for (const word of this.#inputWords().values()) {
      const more = blockModules(this.#views, word, store);
      if (more.length > 0) modules = [...modules, ...more];
    }
    return modules;
  }

  args(store: ObjectStore): BlockContent {
    return readBlock(this.#views, this.#word, store);
  }

  /** How to read an object that came along, by its number. */
  inputReader(store: ObjectStore): (id: number) => BlockContent {
    const words = this.#inputWords();
    return (id) => readBlock(this.#views, words.get(id)!, store);
  }

  /** Where the block of each object is. */
  #inputWords(): ReadonlyMap<number, number> {
    if (this.inputs === 0) return NO_INPUTS;
    const words = new Map<number, number>();
    let at = this.#word + blockWords(this.#views, this.#word);
    for (let count = this.inputs; count > 0; count--) {
      words.set(this.#views.f64[at]!, at + 1);
      at += 1 + blockWords(this.#views, at + 1);
    }
    return words;
  }
}

const NO_INPUTS: ReadonlyMap<number, number> = new Map();
