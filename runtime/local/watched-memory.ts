/**
 * Memory of the store that user code holds. Each piece is given as a SharedArrayBuffer object of its own over the same
 * memory, and everything made from it (`subarray`, `.buffer`) keeps that object alive; so when it is gone, nobody can
 * reach the memory that way any more.
 */
import { enterGuard, leaveGuard } from "../host.ts";

export class WatchedMemory<Token extends object> {
  readonly #gone: (token: Token) => void;
  readonly #watched = new Map<Token, WeakRef<SharedArrayBuffer>>();
  readonly #registry = new FinalizationRegistry<Token>((token) => {
    const inside = enterGuard();
    try {
      this.#forget(token);
    } finally {
      if (inside) leaveGuard();
    }
  });

  /** @param gone is called once for each token, some time after nobody can reach its memory */
  constructor(gone: (token: Token) => void) {
    this.#gone = gone;
  }

  /** The tokens whose memory somebody may reach. */
  tokens(): IterableIterator<Token> {
    return this.#watched.keys();
  }

  /** An object of its own over `memory`. */
  hand(memory: SharedArrayBuffer, token: Token): SharedArrayBuffer {
    const own = structuredClone(memory);
    this.#watched.set(token, new WeakRef(own));
    this.#registry.register(own, token, token);
    return own;
  }

  /** The object that was handed out for a token, if somebody still has it. */
  again(token: Token): SharedArrayBuffer | undefined {
    return this.#watched.get(token)?.deref();
  }

  /** Whether anybody may reach any of it. */
  get isEmpty(): boolean {
    return this.#watched.size === 0;
  }

  /** Looks now for what a collection has found, of which finalizers would tell in a later turn of the event loop. */
  sweep(): void {
    for (const [token, own] of this.#watched) if (own.deref() === undefined) this.#forget(token);
  }

  #forget(token: Token): void {
    this.#registry.unregister(token);
    if (this.#watched.delete(token)) this.#gone(token);
  }
}
