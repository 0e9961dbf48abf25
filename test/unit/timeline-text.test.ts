import { expect, test } from "vitest";
import type { TaskEvent } from "../../runtime/events.ts";
import { renderText, summarize, TimelineBuilder, type TimelineFilter } from "../../runtime/timeline.ts";
import { earlyReturns, everything, inOrder, manyTasks, taskEvents, workerEvents } from "../support/traces.ts";

function text(events: readonly TaskEvent[], filter: TimelineFilter = {}, width?: number): string {
  const builder = new TimelineBuilder();
  builder.add(events);
  const data = builder.view(filter);
  return renderText(data, summarize(data), width === undefined ? {} : { width });
}

test("the early-return example, to the letter", () => {
  expect(text(earlyReturns(), { cell: "3" })).toMatchInlineSnapshot(`
    "[3] 8 tasks · wait(numReturns: 2)
    wall 708 ms   task time 2.81 s   speed-up 4.0×   capacity used 50 %
    lower bound 701 ms

              0                  200 ms              400 ms             600 ms
      driver |----------v-------------------v-------------------v------------------v
    worker 0 |# retrieve(0)
    worker 1 |[#########] retrieve(1)
    worker 2 |[retrieve(2)########]
    worker 3 |[retrieve(3)##################]
    worker 4 |[retrieve(4)############################]
    worker 5 |[retrieve(5)######################################]
    worker 6 |[retrieve(6)###############################################]
    worker 7 |[retrieve(7)#########################################################]

    early returns
       107 ms  v retrieve(0) retrieve(1), 6 pending
       307 ms  v retrieve(2) retrieve(3), 4 pending
       508 ms  v retrieve(4) retrieve(5), 2 pending
       707 ms  v retrieve(6) retrieve(7)"
  `);
});

test("every kind of mark, to the letter", () => {
  expect(text(everything(), { cell: "1" })).toMatchInlineSnapshot(`
    "[1] 23 tasks · wait × 2
    wall 957 ms   task time 2.85 s   speed-up 3.0×   capacity used 60 %
    lower bound 845 ms   failed 1   retried 1   cancelled 2

                 0            200 ms        400 ms        600 ms        800 ms
         driver |===================== ---------t-------------v                 ====
       worker 0 |[load(a)######[#parse(a)###][#######[trial(2)]
       worker 1 |[load(b)#############][~#parse(b)######[~~#join##########[~#report]
       worker 2 |[load(c)##[parse(c)#][sweep.....................####][slow////]
       worker 3 |[xxxxx] [########]    [trial(1)#[#trial(3)######[xx] bad(9)
      Counter#1 |                    [###][###][###][###][##] [##] inc()
    did not run |                                                / spare

    early returns
       446 ms  t timed out, 4 pending
       647 ms  v trial(0) trial(1), 2 pending

    failed
      x bad(9): TypeError: x is not iterable"
  `);
});

test("tasks that a worker has at the same time have lines of their own", () => {
  const events = inOrder(
    workerEvents(2),
    ...[80, 60, 100].map((end, i) => taskEvents({ id: `nap(${i})`, fn: "nap", submit: 0, start: i, end })),
    taskEvents({ id: "nap(3)", fn: "nap", submit: 0, start: 62, end: 100, worker: "worker-1" }),
  );
  expect(text(events, {}, 60).split("\n").slice(4, 9)).toEqual(
    [
      "          0         20 ms     40 ms     60 ms     80 ms",
      "worker 0 |[nap(0)################################]",
      "         |[nap(1)######################]",
      "         | [nap(2)##########################################]",
      "worker 1 |                               [nap(3)###########]",
    ].map((line) => expect.stringMatching(line.replaceAll(/[[\](|)]/g, "\\$&").replaceAll(/[ #]+/g, "[ #]+"))),
  );
});

test("lines are as long as they may be, and end in no space", () => {
  for (const width of [60, 80, 120])
    for (const line of text(everything(), { cell: "1" }, width).split("\n")) {
      expect(line.length, line).toBeLessThanOrEqual(width + 2);
      expect(line).toBe(line.trimEnd());
    }
});

test("many lanes and returns are cut with a count", () => {
  const lines = text(manyTasks(2_000, 64)).split("\n");
  expect(lines).toContainEqual(expect.stringContaining("|and 25 more lanes"));
  expect(lines.length).toBeLessThan(70);
});

test("nothing gives a title and figures only", () => {
  expect(text([]).split("\n")).toEqual([
    "no tasks",
    "wall 0 ms   task time 0 ms   speed-up 0.0×   capacity used 0 %",
    "lower bound 0 ms",
  ]);
});
