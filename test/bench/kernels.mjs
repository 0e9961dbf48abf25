// Rows about kernels: heddle beside ipykernel and tslab, all driven by the same client, Jupyter's own.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inTurns, output, project } from "./processes.mjs";

const peers = ["heddle", "ipykernel", "tslab"];

export const kernelRows = [
  kernelRow(
    "kernel-start",
    "from starting the kernel to the end of its first cell",
    (quick) => (quick ? 2 : 8),
    "start",
    1,
  ),
  kernelRow(
    "warm-cell",
    "a cell `1 + 1` in a kernel that has run cells: request to reply and idle, the median of a run",
    (quick) => (quick ? 1 : 5),
    "cell",
    100,
  ),
];

function kernelRow(name, what, rounds, measure, count) {
  return {
    name,
    what,
    unit: "ms",
    better: "less",
    measure: ({ quick }) =>
      withKernels(({ env, python }) => {
        const program = join(project, "test/python/kernel_bench.py");
        return inTurns(peers, rounds(quick), async (peer) =>
          Number(await output(python, [program, peer, measure, String(count)], { env })),
        );
      }),
  };
}

/** Calls `measure` with a folder in which the kernels are installed, a Python with their clients, and the environment for it. */
export async function withKernels(measure) {
  const python = (await output("python3", [join(project, "test/python/make_environment.py")])).trim();
  const folder = mkdtempSync(join(tmpdir(), "heddle-bench-"));
  try {
    await installKernels(folder);
    const env = {
      JUPYTER_PATH: join(folder, "share/jupyter"),
      JUPYTER_RUNTIME_DIR: join(folder, "runtime"),
      IPYTHONDIR: folder,
    };
    return await measure({ env, folder, python });
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function installKernels(folder) {
  await output(process.execPath, [join(project, "dist/kernel/cli/main.js"), "install", "--prefix", folder]);
  writeKernelspec(folder, "tslab", [
    process.execPath,
    join(project, "node_modules/tslab/bin/tslab"),
    "kernel",
    "--config-path={connection_file}",
  ]);
  writeKernelspec(folder, "ipykernel", ["python", "-m", "ipykernel_launcher", "-f", "{connection_file}"]);
}

function writeKernelspec(folder, name, argv) {
  const home = join(folder, "share/jupyter/kernels", name);
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, "kernel.json"), JSON.stringify({ argv, display_name: name, language: name }));
}
