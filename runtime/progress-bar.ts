/** How far a loop has come, as a line of text and as markup. */

const BAR = 24;
const COLOR = "#0072B2";
const FAILURE = "#D55E00";

/** The state of a loop. */
export interface ProgressState {
  label: string;
  done: number;
  /** Of those that are done. */
  failed: number;
  /** Unknown for what does not tell. */
  total: number | undefined;
  /** Milliseconds since the loop began. */
  time: number;
}

/** One state as a line: `pages  ██████░░░ 25 %  25/100  5.0 s  5.0/s  15.0 s left  2 failed`. */
export function progressLine(state: ProgressState): string {
  const { failed, label, total } = state;
  const parts = label === "" ? [] : [label];
  if (total !== undefined) {
    const filled = Math.floor(partOf(state) * BAR);
    parts.push(`${"█".repeat(filled)}${"░".repeat(BAR - filled)} ${percentOf(state)} %`);
  }
  parts.push(...figuresOf(state));
  if (failed > 0) parts.push(failedText(failed));
  return parts.join("  ");
}

/** One state as HTML that a page shows without trusting it: no scripts, no style sheet. */
export function progressHtml(state: ProgressState): string {
  const { done, failed, label, total } = state;
  const parts: string[] = [];
  if (label !== "") parts.push(`<b>${escapeHtml(label)}</b>`);
  if (total !== undefined) {
    const whole = Math.max(1, total);
    const bad = Math.min(100, (failed / whole) * 100);
    const good = Math.max(0, partOf(state) * 100 - bad);
    parts.push(barHtml(good, bad), `<span style="${TEXT}">${percentOf(state)} %</span>`);
  }
  for (const figure of figuresOf(state)) parts.push(`<span style="${TEXT}">${figure}</span>`);
  if (failed > 0) parts.push(`<span style="${TEXT}color:${FAILURE};font-weight:bold">${failedText(failed)}</span>`);
  const value = total === undefined ? "" : ` aria-valuemax="${total}" aria-valuenow="${done}"`;
  return `<div role="progressbar"${value} style="font-family:system-ui,sans-serif;font-size:13px;padding:2px 0">${parts.join("")}</div>`;
}

const TEXT = "display:inline-block;margin-left:12px;";

function barHtml(good: number, bad: number): string {
  const piece = (percent: number, color: string): string =>
    percent === 0
      ? ""
      : `<span style="display:inline-block;height:10px;width:${percent.toFixed(2)}%;background-color:${color}"></span>`;
  return (
    '<span style="display:inline-block;width:240px;height:10px;line-height:10px;margin-left:12px;' +
    'background-color:rgba(128,136,146,0.25);border-radius:5px;overflow:hidden;text-align:left">' +
    `${piece(good, COLOR)}${piece(bad, FAILURE)}</span>`
  );
}

/** Count, time, rate and what is left, each where it says something. */
function figuresOf({ done, time, total }: ProgressState): string[] {
  const figures = [total === undefined ? String(done) : `${done}/${total}`, duration(time)];
  if (done > 0 && time >= 100) figures.push(rate(done / (time / 1000)));
  if (total !== undefined && done > 0 && done < total) figures.push(`${duration((time / done) * (total - done))} left`);
  return figures;
}

const partOf = ({ done, total = 0 }: ProgressState): number => (total === 0 ? 1 : Math.min(1, done / total));
const percentOf = (state: ProgressState): number => Math.floor(partOf(state) * 100);
const failedText = (failed: number): string => `${failed} failed`;

function duration(ms: number): string {
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min ${Math.floor((ms % 60_000) / 1000)} s`;
  return `${Math.floor(ms / 3_600_000)} h ${Math.floor((ms % 3_600_000) / 60_000)} min`;
}

/** Per second, or per minute where that is below one. */
function rate(perSecond: number): string {
  if (perSecond >= 100) return `${Math.round(perSecond).toLocaleString("en")}/s`;
  if (perSecond >= 1) return `${perSecond.toFixed(1)}/s`;
  return `${(perSecond * 60).toFixed(1)}/min`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
