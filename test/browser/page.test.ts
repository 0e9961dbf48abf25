/** The page of `heddle run --html`, opened from a file: whole, interactive, and in need of nothing else. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, test } from "vitest";
import { browserMissing, openPage } from "../support/browser.ts";
import { Workshop } from "../support/headless.ts";
import { projectFolder, strict } from "../support/python.ts";

const screenshots = join(projectFolder, ".cache/screenshots");
const skip = browserMissing !== undefined && !strict;

const cells = [
  { source: "# A page\n\n| a | b |\n|---|---|\n| 1 | 2 |", markdown: true },
  'import { get, remote } from "heddle";\nimport { plot } from "heddle/notebook";\nconst nap = remote(async function nap(ms: number) { await new Promise((done) => setTimeout(done, ms)); });\nawait get([nap.remote(80), nap.remote(120)]);',
  'plot([{ x: [1, 2, 3], y: [2, 1, 3] }], { title: { text: "own" } })',
  { source: 'throw new Error("<b>as expected</b>")', tags: ["raises-exception"] },
];

describe.skipIf(skip)(skip ? `a page: not run: ${browserMissing}` : "a page", () => {
  test("has its charts drawn by Plotly, which is on the page, and says nothing to any other machine", {
    timeout: 90_000,
  }, async () => {
    mkdirSync(screenshots, { recursive: true });
    using shop = new Workshop();
    shop.notebook("a.ipynb", cells);
    expect((await shop.heddle("run", "a.ipynb", "--html", "a.html", "--quiet")).code).toBe(0);
    await using watched = await openPage(pathToFileURL(join(shop.folder, "a.html")).href);
    const { errors, outside, page } = watched;
    await page.locator(".heddle-timeline .js-plotly-plot .barlayer").first().waitFor({ timeout: 20_000 });
    await page.locator(".figure .main-svg").first().waitFor({ timeout: 20_000 });
    expect(await page.title()).toBe("A page");
    expect(await page.locator(".heddle-timeline > img").isVisible()).toBe(false);
    // A click in the legend hides the bars: the chart is alive.
    const bars = page.locator(".heddle-timeline .barlayer .point");
    const before = await bars.count();
    await page.locator('.heddle-timeline [data-trace="nap"]').click();
    await expect.poll(() => bars.count()).toBeLessThan(before);
    expect(await page.locator(".error").textContent()).toContain("<b>as expected</b>");
    expect(await page.locator("td").allInnerTexts()).toEqual(["1", "2"]);
    await page.screenshot({ path: join(screenshots, "page.png"), fullPage: true });
    expect(errors).toEqual([]);
    expect(outside).toEqual([]);
  });

  test("without charts carries no Plotly and works from a string", { timeout: 60_000 }, async () => {
    using shop = new Workshop();
    shop.notebook("a.ipynb", ["console.log('plain')"]);
    expect((await shop.heddle("run", "a.ipynb", "--html", "a.html", "--quiet")).code).toBe(0);
    writeFileSync(join(shop.folder, "moved.html"), shop.read("a.html"));
    await using watched = await openPage(pathToFileURL(join(shop.folder, "moved.html")).href);
    expect(await watched.page.locator(".stdout").textContent()).toContain("plain");
    expect(shop.read("a.html").length).toBeLessThan(20_000);
    expect(watched.errors).toEqual([]);
  });
});
