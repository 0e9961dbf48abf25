/** JupyterLab and Notebook 7 as a user has them: a real server on loopback, a page in Chromium, the mouse. */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { pythonEnvironment } from "./python.ts";
import type { JupyterHome } from "./python-jupyter.ts";

export type Theme = "JupyterLab Light" | "JupyterLab Dark";

/** Finds the outputs of cells that failed, and what cells wrote to their standard error: JupyterLab gives both this type. */
export const failureOutput = '[data-mime-type="application/vnd.jupyter.stderr"]';

/** Notebook 7.6 throws this while it loads, whatever the kernel and the notebook. */
export const notebookFault =
  /^uncaught TypeError: Cannot read properties of undefined \(reading 'schema'\)[\s\S]*notebook_core/;

export interface JupyterServer extends AsyncDisposable {
  /** The address of a notebook, given by its name in `home.notebooks`, in JupyterLab or in Notebook 7. */
  address(notebook: string, app?: "lab" | "notebook"): string;
  /** What the server printed so far, kernels' own error output included. */
  readonly log: string;
}

/** Starts a server over `home.notebooks`, under `base`, and resolves when it listens. Its disposal ends it and its kernels. */
export async function startJupyterServer(
  home: JupyterHome,
  theme: Theme = "JupyterLab Light",
  base = "/",
): Promise<JupyterServer> {
  const token = randomBytes(16).toString("hex");
  writeSettings(home, theme);
  const child = spawn(
    await pythonEnvironment(),
    [
      "-m",
      "jupyterlab",
      "--no-browser",
      "--allow-root",
      "--ServerApp.ip=127.0.0.1",
      "--ServerApp.port=0",
      `--IdentityProvider.token=${token}`,
      `--ServerApp.root_dir=${home.notebooks}`,
      `--ServerApp.base_url=${base}`,
      "--LabApp.news_url=None",
      "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
      "--LabApp.extension_manager=readonly",
    ],
    { env: { ...process.env, ...home.env }, stdio: ["ignore", "pipe", "pipe"] },
  );
  let log = "";
  const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const origin = await new Promise<string>((resolve, reject) => {
    const read = (text: string) => {
      log += text;
      const found = /http:\/\/127\.0\.0\.1:[1-9]\d*/.exec(log);
      if (found && log.includes("is running at")) resolve(found[0]);
    };
    child.stdout.setEncoding("utf8").on("data", read);
    child.stderr.setEncoding("utf8").on("data", read);
    child.once("error", reject);
    child.once("close", (status) =>
      reject(new Error(`JupyterLab ended with status ${status} before it listened:\n${log}`)),
    );
  });
  return {
    address: (notebook, app = "lab") =>
      `${origin}${base}${app === "lab" ? "lab/tree" : "notebooks"}/${encodeURIComponent(notebook)}?token=${token}`,
    get log() {
      return log;
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM"); // ends the server with its kernels; SIGINT would ask for a confirmation
      await closed;
    },
  };
}

function writeSettings(home: JupyterHome, theme: Theme): void {
  const folder = join(home.folder, "config/lab/user-settings/@jupyterlab/apputils-extension");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "themes.jupyterlab-settings"), JSON.stringify({ theme, "adaptive-theme": false }));
  writeFileSync(
    join(folder, "notification.jupyterlab-settings"),
    JSON.stringify({ fetchNews: "false", checkForUpdates: false }),
  );
}

/** Runs all cells from the Run menu and resolves when the last code cell has got its number; rejects after `timeout` ms. */
export async function runAllCells(page: Page, timeout: number): Promise<void> {
  await kernelReady(page, timeout);
  await page.locator(".lm-MenuBar-item", { hasText: /^Run$/ }).click();
  await page.locator(".lm-Menu-item", { hasText: /^Run All Cells/ }).click();
  const prompts = page.locator(".jp-Notebook .jp-CodeCell .jp-InputArea-prompt");
  await prompts
    .last()
    .filter({ hasText: /\[\d+\]/ })
    .waitFor({ timeout });
  await kernelIdle(page).waitFor({ timeout });
}

/** Resolves when the notebook is shown and its kernel is connected and idle. */
export async function kernelReady(page: Page, timeout: number): Promise<void> {
  await page.locator(".jp-Notebook .jp-CodeCell").first().waitFor({ timeout });
  const kernelName = page.locator(".jp-NotebookPanel-toolbar .jp-Toolbar-kernelName");
  await kernelName.filter({ hasNotText: "No Kernel" }).waitFor({ timeout });
  await kernelIdle(page).waitFor({ timeout });
}

function kernelIdle(page: Page) {
  return page.locator('.jp-NotebookPanel-toolbar .jp-Notebook-ExecutionIndicator[data-status="idle"]');
}

/** Writes a notebook of these code cells, for heddle. */
export function writeNotebook(path: string, sources: readonly string[]): void {
  const cells = sources.map((source, i) => ({
    cell_type: "code",
    id: `cell-${i}`,
    metadata: {},
    execution_count: null,
    outputs: [],
    source,
  }));
  const kernelspec = { name: "heddle", display_name: "TypeScript (heddle)", language: "typescript" };
  writeFileSync(path, JSON.stringify({ nbformat: 4, nbformat_minor: 5, metadata: { kernelspec }, cells }));
}
