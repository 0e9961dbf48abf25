/** The session's clock: milliseconds on the system's monotonic clock, which all threads of a process share. */

/** Timers of Node.js that are longer than this fire at once. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

const offset = measureOffset();

/** The clocks are read one after the other and a busy machine may pause the thread in between: the closest pair counts. */
function measureOffset(): number {
  let closest = Infinity;
  let offset = 0;
  for (let attempt = 0; attempt < 50 && closest > 0.005; attempt++) {
    const before = performance.now();
    const [seconds, nanoseconds] = process.hrtime();
    const gap = performance.now() - before;
    if (gap >= closest) continue;
    closest = gap;
    offset = seconds * 1000 + nanoseconds / 1e6 - before - gap / 2;
  }
  return offset;
}

/** Now, in milliseconds; only differences and comparisons between threads mean something. */
export function now(): number {
  return performance.now() + offset;
}
