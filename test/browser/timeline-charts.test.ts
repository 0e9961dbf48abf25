/** The charts in pages: what is drawn is counted there, trusted and not, under any base URL, at any width, exported. */
import { execFile } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import type { Locator, Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { browserMissing, openPage } from "../support/browser.ts";
import {
  failureOutput,
  kernelReady,
  notebookFault,
  runAllCells,
  startJupyterServer,
  writeNotebook,
} from "../support/browser-lab.ts";
import { projectFolder, pythonEnvironment, pythonMissing, strict } from "../support/python.ts";
import { heddleProgram, jupyterHome } from "../support/python-jupyter.ts";

const screenshots = join(projectFolder, ".cache/screenshots");
const missing = browserMissing ?? pythonMissing;
const skip = missing !== undefined && !strict;
const run = promisify(execFile);

const cells = [
  `import { cancel, get, init, progress, remote, settled, timeline, wait } from "heddle";
await init({ numCpus: 4 });
const nap = (ms: number) => new Promise<void>((done) => setTimeout(done, ms));
const lookup = remote(async function lookup(i: number) { await nap(60 + i * 45); return i; });`,
  `let pending = [0, 1, 2, 3, 4, 5, 6, 7].map((i) => lookup.remote(i));
while (pending.length > 0) {
  const [ready, rest] = await wait(pending, { numReturns: 2 });
  await get(ready);
  pending = rest;
}`,
  `const load = remote(async function load(name: string) { await nap(120); return name; });
const join = remote(async function join(a: string, b: string) { await nap(90); return a + b; });
const broken = remote(async function broken(): Promise<number> { await nap(70); throw new RangeError("no"); });
const outer = remote(async function outer(n: number) {
  const inner = remote(async function inner(i: number) { await nap(80 + i * 30); return i; });
  return (await get([inner.remote(0), inner.remote(1), inner.remote(n)])).length;
});
const doomed = lookup.remote(40);
const all = [join.remote(load.remote("a"), load.remote("b")), broken.remote(), outer.remote(2), doomed];
await wait(all, { numReturns: 4, timeout: 150 });
cancel(doomed);
(await settled<unknown>(all)).length`,
  `const tiny = remote(function tiny(i: number) { let x = 0; for (let k = 0; k < 20_000; k++) x += k; return i + x; });
const many = Array.from({ length: 2_000 }, (_, i) => tiny.remote(i));
for await (const _ of progress(many, { label: "tiny" }));
many.length`,
  "timeline()",
];
/** What the charts of the cells above show: attempts that ran and were not cancelled, returns of wait, timeouts of wait. */
const shown = [
  { bars: 8, early: 4, timedOut: 0 },
  { bars: 8, early: 0, timedOut: 1 },
];

interface Counted {
  bars: number;
  early: number;
  timedOut: number;
}

/** Counts what Plotly has drawn, in the page's own elements. */
function countMarks(chart: Locator): Promise<Counted> {
  return chart.evaluate((element) => {
    interface Plot {
      _fullData: { type: string; name: string; hovertemplate: string; x: unknown[]; visible: boolean | string }[];
    }
    const plot = (element as unknown as { querySelector(selector: string): Plot }).querySelector(".js-plotly-plot");
    const traces = plot._fullData.filter((trace) => trace.visible === true);
    const marks = (name: string): number => traces.find((trace) => trace.name === name)?.x.length ?? 0;
    const bars = traces.filter(
      ({ hovertemplate, name, type }) =>
        type === "bar" && hovertemplate && !["wait", "get", "cancelled"].includes(name),
    );
    return {
      bars: bars.reduce((sum, { x }) => sum + x.length, 0),
      early: marks("early return"),
      timedOut: marks("wait timed out"),
    };
  });
}

/** Every picture can be seen, whole and inside of the page. */
async function checkPictures(page: Page, atLeast: number): Promise<Locator[]> {
  const charts = page.locator(".heddle-timeline");
  expect(await charts.count()).toBeGreaterThanOrEqual(atLeast);
  const all = await charts.all();
  for (const chart of all) {
    const { height, naturalWidth, text } = await chart.locator("img").evaluate((img) => {
      const {
        alt,
        clientHeight,
        naturalWidth: natural,
      } = img as unknown as {
        alt: string;
        clientHeight: number;
        naturalWidth: number;
      };
      return { height: clientHeight, naturalWidth: natural, text: alt };
    });
    expect(naturalWidth).toBeGreaterThan(600);
    expect(text).toMatch(/^Timeline.*\d tasks? on \d workers? in /);
    const replaced = (await chart.locator(".js-plotly-plot").count()) > 0;
    expect(height > 100).toBe(!replaced);
  }
  return all;
}

/** Every chart on the page is upgraded. */
async function becomeInteractive(page: Page): Promise<void> {
  for (const chart of await page.locator(".heddle-timeline").all()) {
    await chart.scrollIntoViewIfNeeded();
    await chart.locator(".js-plotly-plot").waitFor({ timeout: 20_000 });
  }
}

async function takePictures(charts: readonly Locator[], name: string): Promise<void> {
  mkdirSync(screenshots, { recursive: true });
  for (const [i, chart] of charts.entries()) {
    await chart.scrollIntoViewIfNeeded();
    await chart.screenshot({ path: join(screenshots, `${name}-${i + 1}.png`) });
  }
}

describe.skipIf(skip)(skip ? `charts in pages: not run: ${missing}` : "charts in pages", () => {
  const visits = [
    { name: "charts-lab-light", app: "lab", theme: "JupyterLab Light", base: "/", width: 1400 },
    { name: "charts-lab-dark-narrow", app: "lab", theme: "JupyterLab Dark", base: "/some/prefix/", width: 760 },
    { name: "charts-notebook", app: "notebook", theme: "JupyterLab Light", base: "/", width: 1400 },
  ] as const;

  test.each(visits)("$name: as many bars as tasks, as many marks as returns", { timeout: 180_000 }, async (visit) => {
    await pythonEnvironment();
    using home = await jupyterHome();
    writeNotebook(join(home.notebooks, "charts.ipynb"), cells);
    await using server = await startJupyterServer(home, visit.theme, visit.base);
    await using watched = await openPage(server.address("charts.ipynb", visit.app));
    const { page } = watched;
    await runAllCells(page, 90_000);
    expect(await page.locator(failureOutput).allInnerTexts()).toEqual([]);
    await becomeInteractive(page);
    const all = await checkPictures(page, 4);
    await page.setViewportSize({ width: visit.width, height: 1800 });
    await takePictures(all, visit.name);
    const counted = await Promise.all(all.slice(0, 2).map(countMarks));
    expect(counted).toEqual(shown);
    expect(await page.locator('.jp-OutputArea [role="progressbar"]').textContent()).toMatch(
      /tiny[\s\S]*100 %[\s\S]*2000\/2000/,
    );
    await page
      .locator('.jp-OutputArea [role="progressbar"]')
      .screenshot({ path: join(screenshots, `${visit.name}-progress.png`) });
    expect(watched.errors.filter((error) => !notebookFault.test(error))).toEqual([]);
    expect(watched.outside).toEqual([]);
  });

  test("a notebook that the page does not trust, and one that was exported, show the pictures", {
    timeout: 180_000,
  }, async () => {
    const python = await pythonEnvironment();
    using home = await jupyterHome();
    const notebook = join(home.notebooks, "charts.ipynb");
    writeNotebook(notebook, cells);
    await run(process.execPath, [heddleProgram, "run", notebook, "--inplace", "--quiet"], {
      env: { ...process.env, ...home.env },
    });
    await using server = await startJupyterServer(home);
    await using watched = await openPage(server.address("charts.ipynb"));
    await kernelReady(watched.page, 60_000);
    await takePictures(await checkPictures(watched.page, 4), "charts-untrusted");
    expect(await watched.page.locator(".js-plotly-plot").count()).toBe(0);
    expect(watched.errors).toEqual([]);
    expect(watched.outside).toEqual([]);

    await run(python, ["-m", "nbconvert", "--to", "html", notebook], { env: { ...process.env, ...home.env } });
    const narrow = { width: 760, height: 1800 };
    await using exported = await openPage(pathToFileURL(join(home.notebooks, "charts.html")).href, narrow);
    await takePictures(await checkPictures(exported.page, 4), "charts-nbconvert");

    const output = join(home.notebooks, "page.html");
    await run(process.execPath, [heddleProgram, "convert", notebook, "--to", "html", "--output", output]);
    await using own = await openPage(pathToFileURL(output).href);
    await becomeInteractive(own.page);
    const charts = await checkPictures(own.page, 4);
    await takePictures(charts, "charts-convert");
    expect(await Promise.all(charts.slice(0, 2).map(countMarks))).toEqual(shown);
    expect(own.errors).toEqual([]);
    expect(own.outside).toEqual([]);
  });
});
