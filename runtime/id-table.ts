/**
 * What is kept under an id. Ids of a thread follow each other, so they are looked up by page and place: several times
 * faster than a Map of many entries, and without its rehashing. A page goes when nothing is left on it.
 */

const PAGE = 256;

interface Page<T> {
  readonly places: (T | undefined)[];
  used: number;
}

export class IdTable<T extends NonNullable<unknown>> {
  readonly #pages = new Map<number, Page<T>>();
  /** The page made last stays when it is empty: more will come. */
  #newest = -1;
  /** The page of the last look. */
  #number = -1;
  #page: Page<T> | undefined;

  #find(id: number): Page<T> | undefined {
    const number = Math.floor(id / PAGE);
    if (number !== this.#number) {
      this.#number = number;
      this.#page = this.#pages.get(number);
    }
    return this.#page;
  }

  get(id: number): T | undefined {
    return this.#find(id)?.places[id % PAGE];
  }

  has(id: number): boolean {
    return this.get(id) !== undefined;
  }

  set(id: number, value: T): void {
    let page = this.#find(id);
    if (page === undefined) {
      page = this.#page = { places: new Array<T | undefined>(PAGE).fill(undefined), used: 0 };
      if (this.#pages.get(this.#newest)?.used === 0) this.#pages.delete(this.#newest);
      this.#newest = this.#number;
      this.#pages.set(this.#number, page);
    }
    const place = id % PAGE;
    if (page.places[place] === undefined) page.used++;
    page.places[place] = value;
  }

  delete(id: number): void {
    const page = this.#find(id);
    const place = id % PAGE;
    if (page?.places[place] === undefined) return;
    page.places[place] = undefined;
    if (--page.used > 0 || this.#number === this.#newest) return;
    this.#pages.delete(this.#number);
    this.#page = undefined;
  }

  get size(): number {
    let size = 0;
    for (const page of this.#pages.values()) size += page.used;
    return size;
  }

  *values(): Generator<T> {
    for (const { places } of [...this.#pages.values()])
      for (const value of places) if (value !== undefined) yield value;
  }
}
