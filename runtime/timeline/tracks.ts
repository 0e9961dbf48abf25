import type { TimelineAttempt, TimelineData } from "./data.ts";

/**
 * On which line of its lane each attempt is: those of one worker overlap where tasks wait, for nested tasks or for
 * anything else. Each gets the first line that is free, and there are at most `most`.
 */
export function assignTracks(data: TimelineData, most: number): Map<TimelineAttempt, number> {
  const tracks = new Map<TimelineAttempt, number>();
  const ends = data.lanes.map(() => [] as number[]);
  const attempts = data.tasks.flatMap((task) => task.attempts).sort((a, b) => a.start - b.start);
  for (const attempt of attempts) {
    const lane = ends[attempt.lane];
    if (!lane) continue;
    const free = lane.findIndex((end) => end <= attempt.start + 1e-6);
    const track = free >= 0 ? free : Math.min(lane.length, most - 1);
    lane[track] = Math.max(lane[track] ?? 0, attempt.end);
    tracks.set(attempt, track);
  }
  return tracks;
}
