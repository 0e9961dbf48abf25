/** A Jupyter set-up of a test's own: kernelspec, configuration and runtime files in one temporary folder, nothing of the user's. */
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { projectFolder } from "./python.ts";

export const heddleProgram = join(projectFolder, "dist/kernel/cli/main.js");

export interface JupyterHome extends Disposable {
  readonly folder: string;
  /** A folder for notebooks. */
  readonly notebooks: string;
  /** The variables under which every Jupyter program uses this folder only. */
  readonly env: NodeJS.ProcessEnv;
}

/** Makes a set-up in which the kernel `heddle` is installed by `heddle install --prefix`. */
export async function jupyterHome(): Promise<JupyterHome> {
  const home = emptyJupyterHome();
  try {
    await promisify(execFile)(process.execPath, [heddleProgram, "install", "--prefix", home.folder]);
    return home;
  } catch (error) {
    home[Symbol.dispose]();
    throw error;
  }
}

/** Makes a set-up without a kernel but Python's own. */
export function emptyJupyterHome(): JupyterHome {
  const folder = mkdtempSync(join(tmpdir(), "heddle-jupyter-"));
  const notebooks = join(folder, "notebooks");
  mkdirSync(notebooks);
  return {
    folder,
    notebooks,
    env: {
      HOME: folder,
      JUPYTER_PATH: join(folder, "share/jupyter"),
      JUPYTER_DATA_DIR: join(folder, "data"),
      JUPYTER_CONFIG_DIR: join(folder, "config"),
      JUPYTER_RUNTIME_DIR: join(folder, "runtime"),
      JUPYTER_PLATFORM_DIRS: "0",
      IPYTHONDIR: join(folder, "ipython"),
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }),
  };
}
