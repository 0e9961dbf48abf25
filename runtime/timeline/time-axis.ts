/** Marks on an axis of time: where, and what stands there. Milliseconds. */
export interface Tick {
  value: number;
  label: string;
}

const SECOND = 1_000;
const MINUTE = 60_000;
const HOUR = 3_600_000;
/** Beyond this, steps are parts of a minute or an hour instead of powers of ten. */
const LONG = 3 * MINUTE;
const LONG_STEPS = [10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 21_600, 43_200, 86_400].map(
  (seconds) => seconds * SECOND,
);

/** About `count` ticks from 0 to `length`, all in one unit: `200 ms`, `1.5 s`, `2 m 30 s`. */
export function timeTicks(length: number, count: number): Tick[] {
  if (!(length > 0)) return [{ value: 0, label: "0" }];
  const step = length > LONG ? longStep(length / count) : roundStep(length / count);
  const label = length > LONG ? longLabel : shortLabel(length, step);
  const ticks: Tick[] = [];
  for (let index = 0; index * step <= length * (1 + 1e-9); index++)
    ticks.push({ value: index * step, label: index === 0 ? "0" : label(index * step) });
  return ticks;
}

function roundStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  const factor = rough / power;
  // The borders are the geometric means of the steps.
  return power * (factor <= 1.41 ? 1 : factor <= 3.16 ? 2 : factor <= 7.07 ? 5 : 10);
}

function longStep(rough: number): number {
  return LONG_STEPS.find((step) => step >= rough) ?? Math.ceil(rough / HOUR / 24) * HOUR * 24;
}

function shortLabel(length: number, step: number): (value: number) => string {
  const [unit, name] = length < 2 ? [0.001, "µs"] : length < 1_000 ? [1, "ms"] : [SECOND, "s"];
  const decimals = Math.max(0, -Math.floor(Math.log10(step / unit) + 1e-9));
  return (value) => `${(value / unit).toFixed(decimals)} ${name}`;
}

function longLabel(value: number): string {
  const hours = Math.floor(value / HOUR);
  const minutes = Math.floor((value % HOUR) / MINUTE);
  const seconds = Math.round((value % MINUTE) / SECOND);
  const parts = [hours && `${hours} h`, minutes && `${minutes} m`, seconds && `${seconds} s`].filter(Boolean);
  return parts.join(" ");
}
