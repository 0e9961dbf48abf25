/** heddle doctor: what this machine has and lacks; each line that is not fine says the repair. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { userDataFolder } from "../environment.ts";
import { EXIT_FAILED, EXIT_OK, parseCommand } from "./usage.ts";

interface Finding {
  what: string;
  state: "ok" | "missing" | "broken";
  detail: string;
}

export async function command(args: string[]): Promise<number> {
  const { values } = parseCommand("doctor", args, { help: { type: "boolean", short: "h" } } as const);
  if (values.help === true) {
    console.log("heddle doctor\n\nChecks Node, the platform packages, the kernelspec and Jupyter.");
    return EXIT_OK;
  }
  const findings = [checkNode(), ...(await checkPackages()), checkKernelspec(), checkJupyter(), checkSharedMemory()];
  for (const { detail, state, what } of findings) console.log(`${state.padEnd(8)}${what}: ${detail}`);
  return findings.some((finding) => finding.state === "broken") ? EXIT_FAILED : EXIT_OK;
}

function checkNode(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const fits = (major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major >= 24;
  return {
    what: "Node",
    state: fits ? "ok" : "broken",
    detail: fits ? process.version : `${process.version}; install 20.19 or later, 22.12 or later, or 24`,
  };
}

async function checkPackages(): Promise<Finding[]> {
  const load: Record<string, () => Promise<unknown>> = {
    zeromq: () => import("zeromq"),
    piscina: () => import("piscina"),
    "oxc-parser": () => import("oxc-parser"),
    "@resvg/resvg-js": () => import("@resvg/resvg-js"),
  };
  return Promise.all(
    Object.entries(load).map(async ([what, body]): Promise<Finding> => {
      try {
        await body();
        return { what, state: "ok", detail: "loads" };
      } catch (error) {
        return {
          what,
          state: "broken",
          detail: `${(error as Error).message.split("\n", 1)[0]}; install again on this platform: npm install`,
        };
      }
    }),
  );
}

function checkKernelspec(): Finding {
  const file = join(userDataFolder(), "kernels", "heddle", "kernel.json");
  if (!existsSync(file))
    return { what: "kernelspec", state: "missing", detail: "not installed for this user; run heddle install" };
  let argv: string[];
  try {
    ({ argv = [] } = JSON.parse(readFileSync(file, "utf8")) as { argv?: string[] });
  } catch (error) {
    return {
      what: "kernelspec",
      state: "broken",
      detail: `${file} cannot be read: ${(error as Error).message}; run heddle install`,
    };
  }
  const gone = argv.slice(0, 2).find((path) => !existsSync(path));
  if (gone !== undefined)
    return {
      what: "kernelspec",
      state: "broken",
      detail: `${file} points to ${gone}, which is gone; run heddle install`,
    };
  return { what: "kernelspec", state: "ok", detail: file };
}

function checkJupyter(): Finding {
  try {
    const version = execFileSync("jupyter", ["--version"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    const lab = /jupyterlab\s*:\s*(.+)/.exec(version)?.[1] ?? "without JupyterLab";
    return {
      what: "Jupyter",
      state: "ok",
      detail: lab === "without JupyterLab" || lab === "not installed" ? "without JupyterLab" : `JupyterLab ${lab}`,
    };
  } catch {
    return {
      what: "Jupyter",
      state: "missing",
      detail: "not on the PATH; only needed to open notebooks: pip install jupyterlab",
    };
  }
}

function checkSharedMemory(): Finding {
  try {
    new SharedArrayBuffer(1 << 20);
    return { what: "shared memory", state: "ok", detail: "available" };
  } catch (error) {
    return { what: "shared memory", state: "broken", detail: (error as Error).message };
  }
}
