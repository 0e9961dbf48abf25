/**
 * The tasks that the runtime's conformance tests share. Only what can travel stands here: vitest makes one object of a
 * module's exports, and a function that uses one of them takes all along.
 */
import { type ObjectRef, remote } from "heddle";

export class UserError extends Error {
  override name = "UserError";
}

const after = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Gives `value` after `ms`. */
export const sleep = remote(async function sleep<T>(ms: number, value: T): Promise<T> {
  await after(ms);
  return value;
}) as unknown as { remote<T>(ms: number, value: T): ObjectRef<T> };

/** Gives `value` once the file is there; takes no slot. */
export const opened = remote(
  async function opened<T>(path: string, value: T): Promise<T> {
    const { existsSync } = process.getBuiltinModule("node:fs");
    while (!existsSync(path)) await after(5);
    return value;
  },
  { numCpus: 0 },
) as unknown as { remote<T>(path: string, value: T): ObjectRef<T> };

/** Computes for `ms` without ever giving the thread away. */
export const compute = remote(function compute(ms: number) {
  const until = performance.now() + ms;
  while (performance.now() < until);
  return ms;
});

export const echo = remote(function echo(value: unknown) {
  return value;
});

export const add = remote(function add(a: number, b: number) {
  return a + b;
});

export const fail = remote(async function fail(message: string, ms = 0): Promise<never> {
  if (ms > 0) await after(ms);
  throw new UserError(message);
});

/** Ends its own worker thread. */
export const exitWorker = remote(function exitWorker(): void {
  process.exit(3);
});

const isRef = (value: unknown): boolean => typeof value === "object" && value !== null && "taskId" in value;

function typeOf(value: unknown): string {
  if (isRef(value)) return "ref";
  if (Array.isArray(value)) return `list of ${value.map(typeOf).join()}`;
  if (typeof value === "object" && value !== null) return `map of ${Object.values(value).map(typeOf).join()}`;
  return typeof value;
}

/** For each argument "ref" or its plain type, as the task sees it. */
export const typesOf = remote(function typesOf(...args: unknown[]) {
  return args.map(typeOf);
});

/** Counts through a file, so that attempts are counted without the runtime; the count includes this call. */
export function countIn(path: string): number {
  const fs = process.getBuiltinModule("node:fs");
  fs.appendFileSync(path, "x");
  return fs.readFileSync(path).length;
}
