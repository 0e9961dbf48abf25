/**
 * The arguments of a task as its function gets them. Array data lies in shared memory: a function that is proven only to
 * read it gets views, and so does one with `shared: true`; any other gets private copies.
 */
import { refNumber } from "../object-ref.ts";
import { mayView, whyCopy } from "../reading/reading.ts";
import type { BlockContent } from "./block.ts";
import type { Client } from "./client.ts";
import type { WorkerTask } from "./worker-task.ts";

export interface TaskArguments {
  values: unknown[];
  /** Whether anything of them lay in the store. */
  inStore: boolean;
  viewedBytes: number;
  copiedBytes: number;
  /** Why something had to be copied. */
  why: string | undefined;
}

/** A value that was sent: all by-value arguments together, or an object that one argument names. */
interface Part {
  /** The place of the argument; undefined for those by value. */
  index: number | undefined;
  /** Number of the object, or of the task below zero. */
  owner: number;
  bytes: number;
  isViewed: boolean;
  read(): BlockContent;
}

const NOT_PLAIN = "an argument has code of its own, or is an ArrayBuffer";

export function readArguments(task: WorkerTask, client: Client): TaskArguments {
  const { payload } = task;
  const byValue = newPart(undefined, -task.id, () => payload.args(client.store));
  const parts = [byValue];
  const content = byValue.read();
  let { inStore, plain } = content;
  const values = decode(byValue, content, task, client) as unknown[];
  const refs = payload.inputs === 0 ? undefined : values.map(refNumber);
  if (refs !== undefined) {
    for (const [index, id] of refs.entries()) {
      if (id === undefined) continue;
      const part = newPart(index, id, () => payload.input(id, client.store));
      const input = part.read();
      inStore ||= input.inStore;
      plain &&= input.plain;
      values[index] = decode(part, input, task, client);
      parts.push(part);
    }
  }
  const why = takeBack(parts, values, plain, task, client, refs);
  const sum = (isViewed: boolean): number =>
    parts.reduce((bytes, part) => (part.isViewed === isViewed ? bytes + part.bytes : bytes), 0);
  return { values, inStore, why, viewedBytes: sum(true), copiedBytes: sum(false) };
}

const newPart = (index: number | undefined, owner: number, read: Part["read"]): Part => ({
  index,
  owner,
  bytes: 0,
  isViewed: false,
  read,
});

/** Rebuilds a part, with views where these may turn out to be right. */
function decode(part: Part, content: BlockContent, task: WorkerTask, client: Client): unknown {
  for (const { bytes } of content.locators) part.bytes += bytes;
  const { reading } = task.loaded;
  const mayBeRead =
    reading !== undefined && content.plain && (part.index === undefined || mayView(reading, part.index));
  part.isViewed = part.bytes > 0 && (task.options.shared || mayBeRead);
  const sharedBy = part.isViewed ? part.owner : undefined;
  return client.decodeContent(content.main, content.locators, sharedBy, { task: task.id, name: `task ${task.name}` });
}

/** Makes private copies in place of views that the function may write; why of the first of them. */
function takeBack(
  parts: readonly Part[],
  values: unknown[],
  plain: boolean,
  { loaded, options }: WorkerTask,
  client: Client,
  refs: readonly (number | undefined)[] | undefined,
): string | undefined {
  const { reading } = loaded;
  let first: string | undefined;
  if (options.shared || reading === undefined) return undefined;
  for (const part of parts) {
    if (part.bytes === 0) continue;
    const indexes =
      part.index === undefined
        ? values.flatMap((value, index) => (refs?.[index] === undefined && isObject(value) ? [index] : []))
        : [part.index];
    const why = plain
      ? firstReason(indexes, (index) => whyCopy(reading, values, index), reading.parameters)
      : NOT_PLAIN;
    if (why === undefined) continue;
    first ??= why;
    if (!part.isViewed) continue;
    part.isViewed = false;
    const { locators, main } = part.read();
    const copy = client.decodeContent(main, locators, undefined);
    if (part.index !== undefined) values[part.index] = copy;
    else for (const index of indexes) values[index] = (copy as unknown[])[index];
  }
  return first;
}

function firstReason(
  indexes: readonly number[],
  reason: (index: number) => string | undefined,
  parameters: readonly string[],
): string | undefined {
  for (const index of indexes) {
    const why = reason(index);
    if (why !== undefined) return `${parameters[index] ?? `argument ${index}`}: ${why}`;
  }
  return undefined;
}

const isObject = (value: unknown): boolean => typeof value === "object" && value !== null;
