/** What `%time` and `%%time` say. */
export function wallTime(ms: number): string {
  return `Wall time: ${ms < 1_000 ? `${ms.toPrecision(3)} ms` : `${(ms / 1_000).toFixed(2)} s`}\n`;
}
