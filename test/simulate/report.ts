/** What is printed of a seed that goes wrong. */
import { minimize, simulateSeed } from "./simulation.ts";
import { storyText } from "./story.ts";

/** The problem, the minimal story and how to play the seed again. */
export function findingText(seed: number): string {
  const finding = simulateSeed(seed);
  if (finding === undefined) return `seed ${seed}: nothing went wrong`;
  const { problem, story } = minimize(finding);
  return `seed ${seed}: ${problem}\n${storyText(story)}\nthen everything runs to its end\nagain: npm run simulate -- --seed ${seed}`;
}
