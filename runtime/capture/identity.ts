/**
 * One class stays one class, and one symbol one symbol: an object sent to a worker and a function sent there before agree
 * on `instanceof` and on keys, and an error that comes back is an instance of the very class that the user wrote.
 */
import { threadId } from "node:worker_threads";

/** A class, a function used as one, or a symbol that is not registered. */
type Lasting = object | symbol;

/** Tells what this thread made from what others made. */
const origin = `${process.pid}.${threadId}.${Math.random().toString(36).slice(2)}`;
let made = 0;

// Node 20 knows symbols as keys of weak collections; the types do not yet.
const tokens = new WeakMap<object, string>();
const lasting = new Map<string, WeakRef<object>>();
const collected = new FinalizationRegistry<string>((token) => {
  if (known(token) === undefined) lasting.delete(token);
});

/** The name of a class or symbol among all threads. */
export function tokenOf(value: Lasting): string {
  let token = tokens.get(value as object);
  if (token === undefined) {
    token = `${origin}/${made++}`;
    remember(value, token);
  }
  return token;
}

/** This thread's class or symbol of that name, if it has it. */
export function known(token: string): Lasting | undefined {
  return lasting.get(token)?.deref();
}

export function remember(value: Lasting, token: string): void {
  if (known(token) !== undefined) return;
  tokens.set(value as object, token);
  lasting.set(token, new WeakRef(value as object));
  collected.register(value as object, token);
}
