/** heddle kernel: the kernel as a Jupyter client starts it. */
import { join } from "node:path";
import { Kernel } from "../kernel.ts";
import { type Connection, readConnectionFile } from "../wire/connection-file.ts";
import { Sockets } from "../wire/sockets.ts";
import { userDataFolder } from "./kernelspec.ts";
import { EXIT_FAILED, EXIT_OK, parseCommand, UsageError } from "./usage.ts";

const help = `heddle kernel --connection-file F

Serves one Jupyter client, or several, at the sockets that the connection file names. Jupyter calls this.`;

const WATCH_MS = 1000;

export async function command(args: string[]): Promise<number> {
  const { values } = parseCommand("kernel", args, { "connection-file": { type: "string", short: "f" }, help: { type: "boolean", short: "h" } } as const);
  if (values.help === true) {
    console.log(help);
    return EXIT_OK;
  }
  const file = values["connection-file"];
  if (file === undefined) throw new UsageError("heddle kernel: --connection-file is missing; see heddle kernel --help");
  let connection: Connection;
  try {
    connection = readConnectionFile(file);
  } catch (error) {
    console.error(`heddle kernel: ${(error as Error).message}`);
    return EXIT_FAILED;
  }
  await serve(connection);
  return EXIT_OK;
}

/** Runs until the client asks for shutdown, or is gone. */
async function serve(connection: Connection): Promise<void> {
  let stop = (): void => {};
  const stopped = new Promise<void>((resolve) => {
    stop = resolve;
  });
  let sockets: Sockets | undefined;
  const kernel = new Kernel({
    folder: process.cwd(),
    kernelspecName: connection.kernel_name || "heddle",
    historyFile: join(userDataFolder(), "heddle", "history.jsonl"),
    send: (message) => sockets?.send(message),
    onShutdown: stop,
  });
  sockets = await Sockets.listen(connection, (message) => void kernel.handle(message));
  // Interrupts come as messages; the signal, sent to the whole process group by some clients, is not meant for this process.
  process.on("SIGINT", () => {});
  // A fault in one chart or one reply must not take the user's variables along.
  process.on("uncaughtException", (error) => console.error("heddle kernel:", error));
  process.on("SIGTERM", stop);
  process.on("SIGHUP", stop);
  const parent = Number(process.env["JPY_PARENT_PID"] ?? process.ppid);
  const watch = setInterval(() => {
    if (!isAlive(parent)) stop();
  }, WATCH_MS);
  await stopped;
  clearInterval(watch);
  await kernel.close();
  await sockets.close();
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
