/** The kernel as a process of its own, serving the clients of a connection file. */
import { clientProcess } from "./environment.ts";
import { Session } from "./session/session.ts";
import { readConnectionFile } from "./wire/connection-file.ts";
import type { Sockets } from "./wire/sockets.ts";

export interface ProcessOptions {
  /** Where executed sources are kept; default nowhere. */
  historyFile?: string;
}

const parentCheckMs = 1_000;

/**
 * Serves clients until one asks for shutdown, the process that started this one is gone, or SIGTERM comes; the cells'
 * folder is the current one. Rejects if the connection file cannot be used or its ports are taken.
 */
export async function runKernel(connectionFile: string, options: ProcessOptions = {}): Promise<void> {
  const connection = readConnectionFile(connectionFile);
  const folder = process.cwd();
  // Both take longer to start than this process, so they start while it loads the rest.
  const session = new Session({ cwd: folder });
  const { createLanguageEngine } = await import("./language/tsgo.ts");
  const engine = createLanguageEngine({ folder });
  const { Sockets } = await import("./wire/sockets.ts");
  const { Kernel } = await import("./kernel.ts");
  let stop = (): void => {};
  const stopped = new Promise<void>((resolve) => {
    stop = resolve;
  });
  let sockets: Sockets | undefined;
  const kernel = new Kernel({
    ...options,
    folder,
    session,
    engine,
    kernelspecName: connection.kernel_name || "heddle",
    send: (message) => sockets?.send(message),
    onShutdown: stop,
  });
  try {
    sockets = await Sockets.listen(connection, (message) => void kernel.handle(message));
    listenToSignals(stop);
    const parent = clientProcess();
    const watch = setInterval(() => isAlive(parent) || stop(), parentCheckMs);
    await stopped;
    clearInterval(watch);
  } finally {
    await kernel.close();
    await sockets?.close();
  }
}

function listenToSignals(stop: () => void): void {
  // Interrupts come as messages; the signal, which some clients send to the whole process group, is not for the kernel.
  process.on("SIGINT", () => {});
  process.on("SIGTERM", stop);
  process.on("SIGHUP", stop);
  // A fault in one chart or one reply must not take the user's variables along.
  process.on("uncaughtException", (error) => console.error("heddle kernel:", error));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
