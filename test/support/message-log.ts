/** Messages as they come in, and the wait for one of them. */
export class MessageLog<M> {
  readonly received: M[] = [];
  readonly #checks = new Set<() => void>();
  readonly #rejects = new Set<(reason: Error) => void>();
  #failure: Error | undefined;

  add(message: M): void {
    this.received.push(message);
    for (const check of this.#checks) check();
  }

  /** No message will come any more: whoever waits for one is told why. */
  fail(reason: Error): void {
    this.#failure = reason;
    for (const reject of this.#rejects) reject(reason);
  }

  /** Resolves with the first message, past or to come, that fits; rejects once `fail` has been called. */
  next(fits: (message: M) => boolean): Promise<M> {
    return new Promise((resolve, reject) => {
      const check = (): void => {
        const found = this.received.find(fits);
        if (found === undefined) return;
        this.#checks.delete(check);
        this.#rejects.delete(reject);
        resolve(found);
      };
      this.#checks.add(check);
      this.#rejects.add(reject);
      check();
      if (this.#failure !== undefined) reject(this.#failure);
    });
  }
}
