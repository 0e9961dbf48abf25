/** The one place in which the kernel's side reads environment variables. */
import { homedir, platform } from "node:os";
import { delimiter, join } from "node:path";

const set = (value: string | undefined): value is string => value !== undefined && value !== "";

/** Jupyter's data folder of the user, as jupyter_core finds it. */
export function userDataFolder(): string {
  const { APPDATA, JUPYTER_DATA_DIR, XDG_DATA_HOME } = process.env;
  if (set(JUPYTER_DATA_DIR)) return JUPYTER_DATA_DIR;
  if (platform() === "darwin") return join(homedir(), "Library", "Jupyter");
  if (platform() === "win32") return join(set(APPDATA) ? APPDATA : join(homedir(), "AppData", "Roaming"), "jupyter");
  return join(set(XDG_DATA_HOME) ? XDG_DATA_HOME : join(homedir(), ".local", "share"), "jupyter");
}

/** All folders in which Jupyter programs look for kernelspecs, as far as it can be told without Python. */
export function jupyterDataFolders(): string[] {
  const { JUPYTER_PATH } = process.env;
  const prefix = activePythonPrefix();
  const named = set(JUPYTER_PATH) ? JUPYTER_PATH.split(delimiter).filter(set) : [];
  const system = platform() === "win32" ? [] : ["/usr/local/share/jupyter", "/usr/share/jupyter"];
  return [...named, userDataFolder(), ...(prefix === undefined ? [] : [join(prefix, "share", "jupyter")]), ...system];
}

/** The prefix of the Python environment that is active in this shell. */
export function activePythonPrefix(): string | undefined {
  const { CONDA_PREFIX, VIRTUAL_ENV } = process.env;
  return [VIRTUAL_ENV, CONDA_PREFIX].find(set);
}

/** The step of a GitHub Action that this process is part of. */
export function githubStep(): { isAction: boolean; summaryFile: string | undefined; repository: string } {
  const { GITHUB_ACTIONS, GITHUB_STEP_SUMMARY, GITHUB_WORKSPACE } = process.env;
  return {
    isAction: GITHUB_ACTIONS === "true",
    summaryFile: set(GITHUB_STEP_SUMMARY) ? GITHUB_STEP_SUMMARY : undefined,
    repository: set(GITHUB_WORKSPACE) ? GITHUB_WORKSPACE : process.cwd(),
  };
}

/** The process on whose behalf the kernel runs, as Jupyter names it; undefined where it is the one that started it. */
export function clientProcess(): number | undefined {
  const named = Number(process.env.JPY_PARENT_PID);
  return named > 0 && named !== process.ppid ? named : undefined;
}
