/** Whether Jupyter's programs find heddle: kernelspecs, what they point to, and what Jupyter itself says. */
import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { jupyterDataFolders } from "../environment.ts";
import type { Finding } from "./doctor.ts";

const program = fileURLToPath(new URL("./main.js", import.meta.url));
/** Python takes its time to start, on a machine that does other things too. */
const jupyterTimeoutMs = 30_000;

/** heddle's kernelspecs wherever Jupyter looks, and the folders of those that are sound. */
export function checkKernelspecs(): { findings: Finding[]; folders: string[] } {
  const found = jupyterDataFolders().flatMap((data) => kernelsIn(join(data, "kernels")));
  const checked = found.map((folder) => ({ folder, finding: checkKernelspec(folder) }));
  const own = checked.filter((one) => one.finding !== undefined) as { folder: string; finding: Finding }[];
  if (own.length === 0) {
    const detail = "none that Jupyter finds; only needed to open notebooks: heddle install";
    return { findings: [{ what: "kernelspec", state: "missing", detail }], folders: [] };
  }
  return {
    findings: own.map(({ finding }) => finding),
    folders: own.filter(({ finding }) => finding.state !== "broken").map(({ folder }) => folder),
  };
}

function kernelsIn(folder: string): string[] {
  try {
    return readdirSync(folder).map((name) => join(folder, name));
  } catch {
    return [];
  }
}

/** Undefined where the kernel is not heddle's. */
function checkKernelspec(folder: string): Finding | undefined {
  const what = "kernelspec";
  const file = join(folder, "kernel.json");
  let argv: string[];
  try {
    ({ argv = [] } = JSON.parse(readFileSync(file, "utf8")) as { argv?: string[] });
  } catch (error) {
    if (!basename(folder).includes("heddle")) return undefined;
    return { what, state: "broken", detail: `${file} cannot be read: ${(error as Error).message}; run heddle install` };
  }
  if (argv[2] !== "kernel" || !/main\.js$/.test(argv[1] ?? "")) return undefined;
  const gone = argv.slice(0, 2).find((path) => !existsSync(path));
  if (gone !== undefined)
    return { what, state: "broken", detail: `${file} points to ${gone}, which is gone; run heddle install` };
  if (realpathSync(argv[1]!) !== realpathSync(program))
    return {
      what,
      state: "warning",
      detail: `${file} starts another heddle, ${argv[1]}; run heddle install to start this one`,
    };
  if (!existsSync(join(folder, "plotly.min.js")))
    return {
      what,
      state: "warning",
      detail: `${folder} has no plotly.min.js, so charts stay pictures; run heddle install`,
    };
  return { what, state: "ok", detail: file };
}

export async function checkJupyter(folders: readonly string[]): Promise<Finding> {
  const what = "Jupyter";
  let listed: string;
  try {
    listed = await ask("jupyter", "kernelspec", "list", "--json");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === "ENOENT"
      ? { what, state: "missing", detail: "not on the PATH; only needed to open notebooks: pip install jupyterlab" }
      : { what, state: "warning", detail: `jupyter kernelspec list fails: ${message.split("\n", 1)[0]}` };
  }
  const { kernelspecs } = JSON.parse(listed) as { kernelspecs: Record<string, { resource_dir: string }> };
  const seen = Object.values(kernelspecs).map(({ resource_dir }) => resource_dir);
  const unseen = folders.filter((folder) => !seen.includes(folder));
  if (folders.length > 0 && unseen.length === folders.length)
    return {
      what,
      state: "broken",
      detail: `the jupyter on the PATH does not look at ${unseen[0]}; run heddle install --sys-prefix in its environment`,
    };
  return { what, state: "ok", detail: await frontEnds() };
}

async function frontEnds(): Promise<string> {
  const versions = await ask("jupyter", "--version").catch(() => "");
  const version = (name: string): string | undefined =>
    new RegExp(`^${name}\\s*:\\s*(\\d\\S*)`, "m").exec(versions)?.[1];
  const [lab, notebook] = [version("jupyterlab"), version("notebook")];
  const found = [lab && `JupyterLab ${lab}`, notebook && `Notebook ${notebook}`].filter(Boolean);
  return found.length > 0 ? found.join(", ") : "without JupyterLab; to open notebooks in it: pip install jupyterlab";
}

async function ask(command: string, ...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(command, args, { timeout: jupyterTimeoutMs });
  return stdout;
}
