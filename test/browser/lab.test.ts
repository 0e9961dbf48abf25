/** The course in a real JupyterLab and a real Notebook 7, in Chromium. Screenshots go to `.cache/screenshots/`. */
import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { browserMissing, openPage } from "../support/browser.ts";
import { failureOutput, notebookFault, runAllCells, startJupyterServer, type Theme } from "../support/browser-lab.ts";
import { projectFolder, pythonEnvironment, pythonMissing, strict } from "../support/python.ts";
import { jupyterHome } from "../support/python-jupyter.ts";

const screenshots = join(projectFolder, ".cache/screenshots");
const missing = browserMissing ?? pythonMissing;
const skip = missing !== undefined && !strict;

const visits = [
  { lesson: "01-tasks", charts: 2, app: "lab", theme: "JupyterLab Light" },
  { lesson: "03-early-returns", charts: 5, app: "lab", theme: "JupyterLab Light" },
  { lesson: "03-early-returns", charts: 5, app: "lab", theme: "JupyterLab Dark" },
  { lesson: "02-object-store", charts: 1, app: "notebook", theme: "JupyterLab Light" },
] satisfies { lesson: string; charts: number; app: "lab" | "notebook"; theme: Theme }[];

describe.skipIf(skip)(skip ? `in the browser: not run: ${missing}` : "in the browser", () => {
  test.each(visits)("$app, $theme: $lesson runs and shows its charts", { timeout: 180_000 }, async (visit) => {
    mkdirSync(screenshots, { recursive: true });
    await pythonEnvironment();
    using home = await jupyterHome();
    copyFileSync(join(projectFolder, "notebooks", `${visit.lesson}.ipynb`), join(home.notebooks, "lesson.ipynb"));
    await using server = await startJupyterServer(home, visit.theme);
    await using watched = await openPage(server.address("lesson.ipynb", visit.app));
    const name = `${visit.lesson}-${visit.app}-${visit.theme === "JupyterLab Dark" ? "dark" : "light"}`;
    try {
      await runAllCells(watched.page, 60_000);
      await checkCharts(watched.page, visit.charts, name);
    } catch (error) {
      throw new Error(`${(error as Error).message}\nthe server's log:\n${server.log}`, { cause: error });
    } finally {
      await watched.page.screenshot({ path: join(screenshots, `${name}.png`) });
    }
    expect(watched.errors.filter((error) => !notebookFault.test(error))).toEqual([]);
    expect(watched.outside).toEqual([]);
  });
});

/** Every chart shows its picture, whole and inside the page, and becomes interactive without leaving this machine. */
async function checkCharts(page: Page, atLeast: number, name: string): Promise<void> {
  expect(await page.locator(failureOutput).allInnerTexts()).toEqual([]);
  const charts = page.locator(".jp-OutputArea-output", { has: page.locator('img[src^="data:image/svg+xml"]') });
  expect(await charts.count()).toBeGreaterThanOrEqual(atLeast);
  for (const [i, chart] of (await charts.all()).entries()) {
    await chart.scrollIntoViewIfNeeded();
    await chart.locator(".js-plotly-plot").waitFor({ timeout: 10_000 });
    const picture = chart.locator("img");
    expect(await picture.evaluate((img) => (img as unknown as { naturalWidth: number }).naturalWidth)).toBeGreaterThan(
      600,
    );
    await chart.screenshot({ path: join(screenshots, `${name}-chart-${i + 1}.png`) });
  }
}
