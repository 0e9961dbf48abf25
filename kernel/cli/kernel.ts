/** heddle kernel: the kernel as a Jupyter client starts it. */
import { join } from "node:path";
import { userDataFolder } from "../environment.ts";
import { runKernel } from "../process.ts";
import { EXIT_FAILED, EXIT_OK, parseCommand, UsageError } from "./usage.ts";

const help = `heddle kernel --connection-file F

Serves one Jupyter client, or several, at the sockets that the connection file names. Jupyter calls this.`;

const options = {
  "connection-file": { type: "string", short: "f" },
  help: { type: "boolean", short: "h" },
} as const;

export async function command(args: string[]): Promise<number> {
  const { values } = parseCommand("kernel", args, options);
  if (values.help === true) {
    console.log(help);
    return EXIT_OK;
  }
  const file = values["connection-file"];
  if (file === undefined) throw new UsageError("heddle kernel: --connection-file is missing; see heddle kernel --help");
  try {
    await runKernel(file, { historyFile: join(userDataFolder(), "heddle", "history.jsonl") });
    return EXIT_OK;
  } catch (error) {
    console.error(`heddle kernel: ${(error as Error).message}`);
    return EXIT_FAILED;
  }
}
