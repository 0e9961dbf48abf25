/** The host object that compiled cells refer to, as tasks see it: every await is a cancellation point. */
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { importModule } from "../serialization/decode.ts";
import type { WorkerTask } from "./worker-task.ts";

/** Defines the global `__heddle__` of this thread. */
export function defineHostObject(current: () => WorkerTask | undefined): void {
  const folder = pathToFileURL(`${process.cwd()}/`);
  const require = createRequire(new URL("noop.js", folder));
  const resolve = (specifier: string): string =>
    specifier === "heddle"
      ? new URL("../index.js", import.meta.url).href
      : /^\.{0,2}\//.test(specifier)
        ? new URL(specifier, folder).href
        : specifier.includes(":")
          ? specifier
          : pathOrBuiltin(require, specifier);
  const host = {
    await: <T>(value: T | PromiseLike<T>): T | PromiseLike<T> => current()?.awaiting(value) ?? value,
    iterate: (iterable: AsyncIterable<unknown> | Iterable<unknown>) => iterate(iterable, current),
    import: (specifier: string): Promise<unknown> => importModule(resolve(specifier)),
    require,
    turn: (): Promise<void> => Promise.resolve(),
  };
  Object.defineProperty(globalThis, "__heddle__", {
    value: host,
    configurable: true,
    enumerable: false,
    writable: true,
  });
}

function pathOrBuiltin(require: NodeJS.Require, specifier: string): string {
  const path = require.resolve(specifier);
  return path.startsWith("/") || /^[A-Za-z]:\\/.test(path) ? pathToFileURL(path).href : path;
}

async function* iterate(
  iterable: AsyncIterable<unknown> | Iterable<unknown>,
  current: () => WorkerTask | undefined,
): AsyncGenerator<unknown> {
  const source =
    (iterable as AsyncIterable<unknown>)[Symbol.asyncIterator]?.() ??
    (iterable as Iterable<unknown>)[Symbol.iterator]();
  try {
    for (;;) {
      const step = await (current()?.awaiting(source.next()) ?? source.next());
      if (step.done === true) return;
      yield step.value;
    }
  } finally {
    await source.return?.();
  }
}
