/**
 * One class stays one class: an object sent to a worker and a function sent there before agree on `instanceof`, and an
 * error that comes back is an instance of the very class that the user wrote.
 */
import { threadId } from "node:worker_threads";

/** Tells the classes of this thread from those of every other. */
const origin = `${process.pid}.${threadId}.${Math.random().toString(36).slice(2)}`;
let made = 0;

const tokens = new WeakMap<object, string>();
const classes = new Map<string, WeakRef<object>>();
const collected = new FinalizationRegistry<string>((token) => {
  if (classes.get(token)?.deref() === undefined) classes.delete(token);
});

/** The name of a class among all threads. */
export function tokenOf(Class: object): string {
  let token = tokens.get(Class);
  if (token === undefined) {
    token = `${origin}/${made++}`;
    rememberClass(Class, token);
  }
  return token;
}

/** This thread's class of that name, if it has it. */
export function knownClass(token: string): object | undefined {
  return classes.get(token)?.deref();
}

export function rememberClass(Class: object, token: string): void {
  tokens.set(Class, token);
  classes.set(token, new WeakRef(Class));
  collected.register(Class, token);
}
