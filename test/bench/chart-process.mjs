// One measurement of the charts: chart-process.mjs MEASURE ARGUMENT… Prints the figure.
import { get, init, remote, shutdown, timeline } from "heddle";
import { fullBundle } from "../../dist/kernel/charts/bundle.js";
import { LiveChart } from "../../dist/kernel/charts/live-chart.js";
import { FunctionColors } from "../../dist/kernel/charts/palette.js";
import { renderSvg } from "../../dist/kernel/charts/svg.js";
import { summarize } from "../../dist/runtime/timeline.js";
import { timelineOf } from "./graphs.mjs";
import { median } from "./table.mjs";

const step = remote(function step(ms) {
  const until = performance.now() + ms;
  while (performance.now() < until);
});

/** The timeline of `count` tasks on eight workers. */
async function tasks(count, ms) {
  await init({ numCpus: 8 });
  await get(Array.from({ length: count }, () => step.remote(ms)));
  const run = timeline();
  await shutdown();
  return run;
}

/** Draws a chart live from events that happen again, on a clock that goes on in jumps: percent of a core. */
async function follow(events) {
  const timers = new Set();
  let now = events[0].time;
  let drawingSince;
  const clock = {
    now: () => now + (drawingSince === undefined ? 0 : performance.now() - drawingSince),
    setTimer(run, delay) {
      const timer = { due: clock.now() + delay, run };
      timers.add(timer);
      return timer;
    },
    clearTimer: (timer) => timers.delete(timer),
  };
  const chart = new LiveChart({ cell: undefined, kernelspecName: "heddle", clock, publish() {} });
  const began = process.cpuUsage();
  const end = events.at(-1).time;
  for (let next = 0; now < end; now += 50) {
    drawingSince = performance.now();
    for (const timer of timers) if (timer.due <= now && timers.delete(timer)) timer.run();
    drawingSince = undefined;
    let upTo = next;
    while (upTo < events.length && events[upTo].time <= now) upTo++;
    chart.add(events.slice(next, upTo));
    next = upTo;
  }
  const { system, user } = process.cpuUsage(began);
  await chart.close();
  return ((user + system) / 1_000 / (end - events[0].time)) * 100;
}

const measures = {
  /** Milliseconds to draw the picture of so many tasks. */
  async svg(count) {
    const { data } = await tasks(Number(count), count > 1_000 ? 0.02 : 2);
    const colors = new FunctionColors();
    const stats = summarize(data);
    const draws = Array.from({ length: count > 1_000 ? 5 : 50 }, () => {
      const began = performance.now();
      renderSvg(data, stats, { colors });
      return performance.now() - began;
    });
    return median(draws);
  },
  /** Kilobytes of the whole chart in a notebook. */
  async size(count) {
    const { data } = await tasks(Number(count), count > 1_000 ? 0.02 : 2);
    const bundle = await fullBundle(data, { colors: new FunctionColors(), kernelspecName: "heddle" });
    return JSON.stringify(bundle).length / 1_000;
  },
  /** Percent of a core that a chart takes while so many tasks of 4 ms run; not the first one of the process. */
  async live(count) {
    const { events } = await tasks(Number(count), 4);
    await follow(events);
    return follow(events);
  },
  /** By how many percent the wall time that a run on some workers predicts for others misses a real run on them. */
  async simulate(graph, from, to) {
    const predicted = (await timelineOf(graph, Number(from))).simulate({ workers: Number(to) }).wall;
    const real = (await timelineOf(graph, Number(to))).stats.wall;
    return Math.abs(predicted / real - 1) * 100;
  },
};

const [what, ...args] = process.argv.slice(2);
console.log(JSON.stringify(await measures[what](...args)));
