/** What people do in JupyterLab besides running all cells: open somebody else's notebook, stop a cell. */
import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { browserMissing, openPage } from "../support/browser.ts";
import { failureOutput, kernelReady, startJupyterServer, writeNotebook } from "../support/browser-lab.ts";
import { projectFolder, pythonEnvironment, pythonMissing, strict } from "../support/python.ts";
import { jupyterHome } from "../support/python-jupyter.ts";

const screenshots = join(projectFolder, ".cache/screenshots");
const missing = browserMissing ?? pythonMissing;
const skip = missing !== undefined && !strict;

describe.skipIf(skip)(skip ? `in the browser: not run: ${missing}` : "in the browser", () => {
  test("a notebook that is not trusted shows the pictures of its charts", { timeout: 120_000 }, async () => {
    mkdirSync(screenshots, { recursive: true });
    await pythonEnvironment();
    using home = await jupyterHome();
    copyFileSync(join(projectFolder, "notebooks/03-early-returns.ipynb"), join(home.notebooks, "foreign.ipynb"));
    await using server = await startJupyterServer(home);
    await using watched = await openPage(server.address("foreign.ipynb"));
    const pictures = watched.page.locator('.jp-OutputArea-output img[src^="data:image/"]');
    await pictures.first().scrollIntoViewIfNeeded();
    await pictures.first().waitFor({ state: "visible" });
    const box = await pictures.first().boundingBox();
    await watched.page.screenshot({ path: join(screenshots, "untrusted.png") });
    expect(box?.width).toBeGreaterThan(600);
    expect(await watched.page.locator(".js-plotly-plot").count()).toBe(0);
    expect(watched.outside).toEqual([]);
  });

  test("the stop button ends an endless loop and the kernel goes on", { timeout: 120_000 }, async () => {
    await pythonEnvironment();
    using home = await jupyterHome();
    writeNotebook(join(home.notebooks, "endless.ipynb"), [
      "let x = 41;\nconsole.log('looping');\nwhile (true) x = 42;",
      "console.log('x is ' + x);",
    ]);
    await using server = await startJupyterServer(home);
    await using watched = await openPage(server.address("endless.ipynb"));
    const { page } = watched;
    await kernelReady(page, 60_000);
    await page.locator(".jp-CodeCell .jp-InputArea-editor").first().click();
    await page.keyboard.press("Shift+Enter");
    await page.locator(".jp-OutputArea-output", { hasText: "looping" }).waitFor({ timeout: 30_000 });
    await page.locator('.jp-NotebookPanel-toolbar [data-command="notebook:interrupt-kernel"]').click();
    await page.locator(failureOutput).waitFor({ timeout: 10_000 });
    await page.locator(".jp-CodeCell .jp-InputArea-editor").nth(1).click();
    await page.keyboard.press("Shift+Enter");
    await page.locator(".jp-OutputArea-output", { hasText: "x is 42" }).waitFor({ timeout: 30_000 });
  });
});
