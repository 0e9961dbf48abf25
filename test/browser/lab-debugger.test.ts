/** The debugger as a person uses it in JupyterLab: the mouse in the gutter, the panels at the right. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Locator, Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { browserMissing, openPage } from "../support/browser.ts";
import { failureOutput, kernelReady, startJupyterServer, writeNotebook } from "../support/browser-lab.ts";
import { projectFolder, pythonEnvironment, pythonMissing, strict } from "../support/python.ts";
import { jupyterHome } from "../support/python-jupyter.ts";

const screenshots = join(projectFolder, ".cache/screenshots");
const missing = browserMissing ?? pythonMissing;
const skip = missing !== undefined && !strict;

const cell = `interface Order { item: string; count: number }
const orders: Order[] = [{ item: "tea", count: 2 }, { item: "rice", count: 5 }];
function total(list: Order[]): number {
  let sum: number = 0;
  for (const order of list) {
    sum += order.count;
  }
  return sum;
}
total(orders)`;

describe.skipIf(skip)(skip ? `in the browser: not run: ${missing}` : "in the browser", () => {
  test("a breakpoint set in the gutter pauses its cell, which is stepped and goes on", {
    timeout: 180_000,
  }, async () => {
    mkdirSync(screenshots, { recursive: true });
    await pythonEnvironment();
    using home = await jupyterHome();
    writeNotebook(join(home.notebooks, "debugged.ipynb"), [cell, "const after: number = total(orders) + 1;\nafter"]);
    await using server = await startJupyterServer(home);
    await using watched = await openPage(server.address("debugged.ipynb"));
    try {
      await debugCell(watched.page);
    } catch (error) {
      await watched.page.screenshot({ path: join(screenshots, "debugger-failed.png") });
      throw new Error(`${(error as Error).message}\nthe server's log:\n${server.log}`, { cause: error });
    }
    expect(server.log).not.toMatch(/Traceback|heddle kernel:/);
    expect(watched.errors).toEqual([]);
    expect(watched.outside).toEqual([]);
  });
});

async function debugCell(page: Page): Promise<void> {
  await kernelReady(page, 60_000);
  const bug = page.locator(".jp-NotebookPanel-toolbar .jp-DebuggerBugButton");
  await bug.click();
  const code = page.locator(".jp-CodeCell").first();
  await code.locator(".cm-gutter.cm-breakpoint-gutter").waitFor({ timeout: 30_000 });
  await gutter(code, 6).click();
  await gutter(code, 6).getByLabel("Breakpoint").waitFor({ timeout: 10_000 });
  await run(page, code);

  await highlighted(code, "sum += order.count;");
  await shows(page, "sum", "0");
  await shows(page, "order", '{item: "tea", count: 2}');
  await page.screenshot({ path: join(screenshots, "debugger-paused.png") });

  await press(page, "next");
  await highlighted(code, "for (const order of list) {");
  await shows(page, "sum", "2");
  await page.screenshot({ path: join(screenshots, "debugger-stepped.png") });

  await press(page, "continue");
  await highlighted(code, "sum += order.count;");
  await shows(page, "order", '{item: "rice", count: 5}');
  await press(page, "continue");
  await code.locator(".jp-OutputArea-executeResult", { hasText: "7" }).waitFor({ timeout: 10_000 });
  // Not paused: the variables of the notebook.
  await shows(page, "orders", /^Array\(2\)/);

  await run(page, code);
  await highlighted(code, "sum += order.count;");
  await page.locator('.jp-NotebookPanel-toolbar [data-command="notebook:interrupt-kernel"]').click();
  await page.locator(failureOutput, { hasText: "KeyboardInterrupt" }).waitFor({ timeout: 10_000 });
  await page.screenshot({ path: join(screenshots, "debugger-interrupted.png") });

  await page.locator('.jp-NotebookPanel-toolbar [data-command="notebook:restart-kernel"]').click();
  await page.locator(".jp-Dialog button", { hasText: "Restart" }).click();
  await kernelReady(page, 30_000);
  await bug.and(page.locator('[aria-pressed="true"]')).waitFor({ timeout: 10_000 });
  await run(page, code);
  await highlighted(code, "sum += order.count;");
  await shows(page, "sum", "0");
  await page.screenshot({ path: join(screenshots, "debugger-restarted.png") });

  await bug.click();
  await code.locator(".jp-OutputArea-executeResult", { hasText: "7" }).waitFor({ timeout: 10_000 });
  await run(page, page.locator(".jp-CodeCell").nth(1));
  await page.locator(".jp-OutputArea-executeResult", { hasText: "8" }).waitFor({ timeout: 10_000 });
}

async function run(page: Page, code: Locator): Promise<void> {
  await code.locator(".jp-InputArea-editor .cm-line").last().click();
  await page.keyboard.press("Shift+Enter");
}

/** Presses a button of the panel that shows the frames. */
async function press(page: Page, command: "next" | "continue"): Promise<void> {
  await page.locator(`.jp-AccordionPanel-title [data-command="debugger:${command}"]`).click();
}

/** The place left of a line where a breakpoint is set; the first element of the gutter is there to keep its width. */
function gutter(code: Locator, line: number): Locator {
  return code.locator(".cm-gutter.cm-breakpoint-gutter .cm-gutterElement").nth(line);
}

/** Resolves when the thread is shown to stand in this line. */
async function highlighted(code: Locator, text: string): Promise<void> {
  await code.locator(".jp-DebuggerEditor-highlight", { hasText: text }).waitFor({ timeout: 10_000 });
}

/** Resolves when the panel shows a variable with this value. */
async function shows(page: Page, name: string, value: string | RegExp): Promise<void> {
  const variable = page.locator(".jp-DebuggerVariables-body .jp-TreeItem", {
    has: page.locator(".jp-DebuggerVariables-name", { hasText: new RegExp(`^${name}$`) }),
  });
  await variable.locator(".jp-DebuggerVariables-detail", { hasText: value }).first().waitFor({ timeout: 10_000 });
}
