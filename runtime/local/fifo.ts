/** First in, first out, without moving what is behind the head. */
export class Fifo<T> implements Iterable<T> {
  #items: (T | undefined)[] = [];
  #head = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  get first(): T | undefined {
    return this.#items[this.#head];
  }

  get last(): T | undefined {
    return this.#items.at(-1);
  }

  push(item: T): void {
    this.#items.push(item);
  }

  /** Puts an item before all that come after it, which are all from some place on. */
  insert(item: T, comesAfter: (other: T) => boolean): void {
    let at = this.#head;
    while (at < this.#items.length && !comesAfter(this.#items[at]!)) at++;
    if (at === this.#head && at > 0) this.#items[--this.#head] = item;
    else this.#items.splice(at, 0, item);
  }

  shift(): T | undefined {
    const item = this.#items[this.#head];
    if (item === undefined) return undefined;
    this.#items[this.#head++] = undefined;
    if (this.#head === this.#items.length) {
      this.#items.length = 0;
      this.#head = 0;
    } else if (this.#head > 1024 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }

  /** Takes an item out, wherever it is; quickly at both ends. */
  remove(item: T): void {
    if (this.first === item) {
      this.shift();
      return;
    }
    const at = this.#items.lastIndexOf(item);
    if (at >= this.#head) this.#items.splice(at, 1);
  }

  *[Symbol.iterator](): Iterator<T> {
    for (let at = this.#head; at < this.#items.length; at++) yield this.#items[at]!;
  }
}
