/** Random numbers that a seed decides: xorshift over 32 bits, spread by a multiplication. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) | 1;
    for (let round = 0; round < 4; round++) this.#next();
  }

  #next(): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return Math.imul(this.#state, 0x2545f491) >>> 0;
  }

  /** A whole number of at least 0 and less than `limit`. */
  below(limit: number): number {
    return Math.floor((this.#next() / 2 ** 32) * limit);
  }

  chance(probability: number): boolean {
    return this.#next() / 2 ** 32 < probability;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }

  /** Some of the items, at most `most`, each once. */
  some<T>(items: readonly T[], most: number): T[] {
    const left = [...items];
    const picked: T[] = [];
    for (let count = this.below(Math.min(most, left.length) + 1); count > 0; count--) {
      picked.push(...left.splice(this.below(left.length), 1));
    }
    return picked;
  }

  /** A key, as often as its weight says. */
  weighted<K extends string>(weights: readonly (readonly [K, number])[]): K | undefined {
    let total = 0;
    for (const [, weight] of weights) total += weight;
    let at = this.below(total);
    for (const [key, weight] of weights) {
      at -= weight;
      if (at < 0) return key;
    }
    return undefined;
  }
}
