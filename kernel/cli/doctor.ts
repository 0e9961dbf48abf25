/** heddle doctor: what this machine has and lacks; each line that is not fine says the repair. */
import { checkCell } from "./doctor-cell.ts";
import { checkJupyter, checkKernelspecs } from "./doctor-jupyter.ts";
import { checkMemory, checkNode, checkPackages, checkProcessors } from "./doctor-machine.ts";
import { EXIT_FAILED, EXIT_OK, parseCommand } from "./usage.ts";

export interface Finding {
  what: string;
  /** `missing` is something that not everybody needs, `warning` something that works, but not well. */
  state: "ok" | "missing" | "warning" | "broken";
  /** With the repair, where one is needed. */
  detail: string;
}

const help = `heddle doctor

Checks Node, memory and processors, the packages for this platform, the kernelspecs, Jupyter, and that a cell with a task
runs. Exit code 1 when something is broken.`;

export async function command(args: string[]): Promise<number> {
  const { values } = parseCommand("doctor", args, { help: { type: "boolean", short: "h" } } as const);
  if (values.help === true) {
    console.log(help);
    return EXIT_OK;
  }
  let isBroken = false;
  const report = (...findings: readonly Finding[]): void => {
    for (const { detail, state, what } of findings) console.log(`${state.padEnd(8)} ${what}: ${detail}`);
    isBroken ||= findings.some(({ state }) => state === "broken");
  };
  report(checkNode(process.versions.node), checkProcessors(), checkMemory());
  report(...(await checkPackages()));
  const kernelspecs = checkKernelspecs();
  report(...kernelspecs.findings, await checkJupyter(kernelspecs.folders));
  report(await checkCell());
  return isBroken ? EXIT_FAILED : EXIT_OK;
}
