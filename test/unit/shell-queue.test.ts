import { expect, test } from "vitest";
import { ShellQueue } from "../../kernel/shell-queue.ts";
import type { Message } from "../../kernel/wire/message.ts";

const begin = Date.parse("2026-01-01T00:00:00Z");

/** A request that the client made so many milliseconds after the first one, by its own clock. */
function madeAt(ms: number | string, session = "s"): Message {
  const date = typeof ms === "number" ? new Date(begin + ms).toISOString() : ms;
  const header = { msg_id: "1", session, username: "", date, msg_type: "execute_request", version: "5.4" };
  return { channel: "shell", identities: [], header, parentHeader: {}, metadata: {}, content: {}, buffers: [] };
}

test.each([
  ["made while the failing cell ran", madeAt(40), true],
  ["made in the same moment, as all are whose clock stands still", madeAt(0), false],
  ["made about when the failure was told", madeAt(99.5), false],
  ["made after the failure", madeAt(150), false],
  ["of another client", madeAt(40, "other"), false],
  ["without a date", madeAt(""), false],
  ["with a date in words", madeAt("today"), false],
])("a request that arrives after a failure, %s", (_, request, isAborted) => {
  const queue = new ShellQueue();
  queue.abortBehind(madeAt(0), 100);
  expect(queue.isAborted(request)).toBe(isAborted);
});

test("requests are answered one after the other; what waits at a failure is aborted, what comes later is not", async () => {
  const queue = new ShellQueue();
  const [failing, waiting, later] = [madeAt(0), madeAt(200), madeAt(201)];
  const told: [Message, boolean][] = [];
  const answer = async (request: Message): Promise<void> => {
    told.push([request, queue.isAborted(request)]);
    await null;
    if (request === failing) queue.abortBehind(failing, 100);
  };
  void queue.add(failing, answer);
  const both = queue.add(waiting, answer);
  expect(queue.holds((message) => message === waiting)).toBe(true);
  await both;
  expect(queue.emptied).toBeUndefined();
  await queue.add(later, answer);
  expect(told).toEqual([
    [failing, false],
    [waiting, true],
    [later, false],
  ]);
});
