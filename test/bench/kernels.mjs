// Rows about kernels: heddle beside ipykernel and tslab, all driven by the same client, Jupyter's own.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inTurns, output, project } from "./processes.mjs";

const peers = ["heddle", "ipykernel", "tslab"];

export const kernelRows = [
  kernelRow({
    name: "kernel-start",
    what: "from starting the kernel to the end of its first cell, as Jupyter's client waits for it",
    rounds: [2, 8],
    measure: "start",
    count: [1, 1],
  }),
  kernelRow({
    name: "first-result",
    what: "from starting the kernel to the end of its first cell, sent as soon as the kernel answers",
    rounds: [2, 8],
    measure: "first",
    count: [1, 1],
  }),
  kernelRow({
    name: "warm-cell",
    what: "a cell `1 + 1` in a kernel that has run cells: request to reply and idle, the median of a run",
    rounds: [1, 5],
    measure: "cell",
    count: [100, 100],
  }),
  kernelRow({
    name: "completion",
    what: "the members of a list that begin with some letters, the median of a run",
    rounds: [1, 5],
    measure: "completion",
    count: [50, 50],
  }),
  kernelRow({
    name: "idle-memory",
    what: "all processes of a kernel that has run a cell and idles, pages that they share counted once",
    rounds: [1, 3],
    measure: "memory",
    count: [5, 20],
    unit: "MB",
  }),
  kernelRow({
    name: "idle-cpu",
    what: "all processes of a kernel that idles, in per cent of one processor",
    rounds: [1, 1],
    measure: "cpu",
    count: [5, 30],
    unit: "%",
  }),
  kernelRow({
    name: "cells-memory",
    what: "what 2,000 cells that declare a name each add to the memory of all processes",
    rounds: [1, 1],
    measure: "growth",
    count: [300, 2_000],
    unit: "MB",
  }),
  kernelRow({
    name: "cells-slowdown",
    what: "cells 901 to 1,000 in times of cells 1 to 100, a name declared by each",
    rounds: [1, 3],
    measure: "slowdown",
    count: [300, 1_000],
    unit: "×",
  }),
];

/** `rounds` and `count`: for a quick run, and for a whole one. */
function kernelRow({ name, what, rounds, measure, count, unit = "ms" }) {
  return {
    name,
    what,
    unit,
    better: "less",
    measure: ({ quick }) =>
      withKernels(({ env, python }) => {
        const size = quick ? 0 : 1;
        const program = join(project, "test/python/kernel_bench.py");
        return inTurns(peers, rounds[size], async (peer) =>
          Number(await output(python, [program, peer, measure, String(count[size])], { env })),
        );
      }),
  };
}

/** Runs something with a Python in which the three kernels are found, in a folder that goes afterwards. */
export async function withKernels(run) {
  const python = (await output("python3", [join(project, "test/python/make_environment.py")])).trim();
  const folder = mkdtempSync(join(tmpdir(), "heddle-bench-"));
  try {
    await installKernels(folder);
    const env = {
      JUPYTER_PATH: join(folder, "share/jupyter"),
      JUPYTER_RUNTIME_DIR: join(folder, "runtime"),
      IPYTHONDIR: folder,
    };
    return await run({ env, folder, python });
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
