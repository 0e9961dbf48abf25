// The row about notebooks without a front end: `heddle run` beside nbclient, each from its start to its end.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { withKernels } from "./kernels.mjs";
import { inTurns, output, project } from "./processes.mjs";

const heddle = join(project, "dist/kernel/cli/main.js");
const nbclient = join(project, "test/python/run_notebook.py");

export const headlessRows = [
  {
    name: "run-start",
    what: "a notebook with the one cell `1 + 1`, run and written: from the program's start to its end",
    unit: "ms",
    better: "less",
    measure: ({ quick }) =>
      withKernels(async ({ env, folder, python }) => {
        const commands = {
          heddle: (source, target) => [process.execPath, [heddle, "run", source, "--output", target, "--quiet"]],
          "nbclient + ipykernel": (source, target) => [python, [nbclient, source, target]],
          "nbclient + tslab": (source, target) => [python, [nbclient, source, target]],
        };
        return inTurns(Object.keys(commands), quick ? 2 : 8, async (peer) => {
          const kernel = peer.split(" ").at(-1);
          const source = writeNotebook(folder, kernel);
          const [command, args] = commands[peer](source, join(folder, "ran.ipynb"));
          const began = performance.now();
          await output(command, args, { env });
          return performance.now() - began;
        });
      }),
  },
];

function writeNotebook(folder, kernel) {
  const cells = [{ cell_type: "code", id: "one", metadata: {}, execution_count: null, outputs: [], source: "1 + 1" }];
  const language = kernel === "ipykernel" ? "python" : "typescript";
  const kernelspec = { name: kernel, display_name: kernel, language };
  const path = join(folder, `${kernel}.ipynb`);
  writeFileSync(path, JSON.stringify({ nbformat: 4, nbformat_minor: 5, metadata: { kernelspec }, cells }));
  return path;
}
