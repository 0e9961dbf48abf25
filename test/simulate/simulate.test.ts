/** Seeded stories of the scheduler: random graphs, crashes, cancels, resources and races, with its invariants after each act. */
import { describe, expect, test } from "vitest";
import { findingText } from "./report.ts";
import { simulateSeed } from "./simulation.ts";

const SEEDS = 10_000;

/** What the stories must have reached, so that nothing passes because it never happened. */
const corners = [
  "started",
  "blocked",
  "resumed",
  "finished",
  "deadlock",
  "sent ahead",
  "sent ahead of its input",
  "follower taken back",
  "follower started",
  "declined",
  "taken back",
  "taken back too late",
  "no room",
  "item",
  "producer goes on",
  "recycled",
  "failed while waiting",
  "failed while ready",
  "failed while running",
  "failed while blocked",
  "cancelled while waiting",
  "cancelled while ready",
  "cancelled while running",
  "cancelled while blocked",
  "tried again after lost",
  "tried again after threwRetryable",
  "on disk",
  "spilled",
  "spilled in vain",
  "restored",
  "restored in vain",
  "room made",
  "room refused",
];

describe("simulated scheduler", () => {
  const tally = new Map<string, number>();

  test(`${SEEDS} seeds keep every invariant`, { timeout: 600_000 }, () => {
    const failed: number[] = [];
    for (let seed = 0; seed < SEEDS; seed++) if (simulateSeed(seed, tally) !== undefined) failed.push(seed);
    expect(failed.slice(0, 3).map(findingText).join("\n\n"), `${failed.length} of ${SEEDS} seeds`).toBe("");
  });

  test.each(corners)("the stories reach: %s", (corner) => {
    expect(tally.get(corner) ?? 0).toBeGreaterThan(20);
  });

  test("a seed always makes the same story", () => {
    const [first, second] = [new Map<string, number>(), new Map<string, number>()];
    for (let seed = 0; seed < 50; seed++) {
      simulateSeed(seed, first);
      simulateSeed(seed, second);
    }
    expect(second).toEqual(first);
  });
});
