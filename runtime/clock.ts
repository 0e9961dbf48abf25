/** The session's clock: milliseconds on the system's monotonic clock, which all threads of a process share. */

const [seconds, nanoseconds] = process.hrtime();
const offset = seconds * 1000 + nanoseconds / 1e6 - performance.now();

/** Now, in milliseconds; only differences and comparisons between threads mean something. */
export function now(): number {
  return performance.now() + offset;
}

/** What to add to `now()` for milliseconds since 1970. */
export function epochOffset(): number {
  return Date.now() - now();
}
