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

/** Where a block lies. */
interface Place {
  views: Views;
  word: number;
}

export class Payload {
  readonly #args: Place;
  /** The objects that came along, by number; those that are not there yet are in `missing`. */
  readonly #inputs: ReadonlyMap<number, Place>;
  readonly missing: readonly number[];

  constructor(views: Views, word: number, inputs: number) {
    this.#args = { views, word };
    this.#inputs = NO_INPUTS;
    this.missing = NONE;
    if (inputs === 0) return;
    const places = new Map<number, Place>();
    const missing: number[] = [];
    let at = word + blockWords(views, word);
    for (let left = inputs; left > 0; left--) {
      const id = views.f64[at++]!;
      if (id < 0) missing.push(-id);
      else {
        places.set(id, { views, word: at });
        at += blockWords(views, at);
      }
    }
    this.#inputs = places;
    this.missing = missing;
  }

  /** How many objects its arguments name. */
  get inputs(): number {
    return this.#inputs.size;
  }

  /** Whether all that its arguments name is there. */
  get complete(): boolean {
    return this.missing.length === 0 || this.missing.every((id) => this.#inputs.has(id));
  }

  /** Adds an object that was not there yet; the payload keeps `content`. */
  supply(id: number, content: Int32Array): void {
    (this.#inputs as Map<number, Place>).set(id, { views: viewsOf(content), word: 0 });
  }

  /** What must be imported before any of it can be decoded. */
  modules(store: ObjectStore): readonly string[] {
    let modules = blockModules(this.#args.views, this.#args.word, store);
    for (const { views, word } of this.#inputs.values()) {
      const more = blockModules(views, word, store);
      if (more.length > 0) modules = [...modules, ...more];
    }
    return modules;
  }

  args(store: ObjectStore): BlockContent {
    return readBlock(this.#args.views, this.#args.word, store);
  }

  /** An object that came along. */
  input(id: number, store: ObjectStore): BlockContent {
    const { views, word } = this.#inputs.get(id)!;
    return readBlock(views, word, store);
  }
}

const NO_INPUTS: ReadonlyMap<number, Place> = new Map();
const NONE: readonly number[] = [];
