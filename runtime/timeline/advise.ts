import type { Advice } from "./advice.ts";
import {
  getAllAdvice,
  getInLoopAdvice,
  hotActorAdvice,
  nestedGetAdvice,
  returnedPutAdvice,
  submissionOrderAdvice,
} from "./advise-calls.ts";
import { largeArgumentAdvice, largeCaptureAdvice } from "./advise-data.ts";
import { concurrencyAdvice, spillAdvice, stragglerAdvice, tooFineAdvice } from "./advise-tasks.ts";
import type { TimelineData } from "./data.ts";

const RULES: ((data: TimelineData) => Advice | undefined)[] = [
  getInLoopAdvice,
  submissionOrderAdvice,
  getAllAdvice,
  nestedGetAdvice,
  returnedPutAdvice,
  hotActorAdvice,
  tooFineAdvice,
  stragglerAdvice,
  concurrencyAdvice,
  spillAdvice,
  largeArgumentAdvice,
  largeCaptureAdvice,
];

/** Looks for anti-patterns in a snapshot, the costliest first. Silent while something still runs: it may yet turn out well. */
export function advise(data: TimelineData): Advice[] {
  if (data.live) return [];
  return RULES.map((rule) => rule(data))
    .filter((advice) => advice !== undefined)
    .sort((a, b) => b.cost - a.cost);
}
