/** The kernel as a process of its own, serving the clients of a connection file. */
import { clientProcess } from "./environment.ts";
import { startLanguageServer } from "./language/server/documents.ts";
import { Session } from "./session/session.ts";
import { readConnectionFile } from "./wire/connection-file.ts";

export interface ProcessOptions {
  /** Where executed sources are kept; default nowhere. */
  historyFile?: string;
}

/**
 * Asked, for no event tells it: Jupyter closes a kernel's standard input as soon as it has started it, the sockets say
 * nothing of a client that is gone, and Node has no handle on a process that is not its child.
 */
const clientCheckMs = 1_000;

/**
 * Serves clients until one asks for shutdown, the process that started this one is gone, or SIGTERM comes; the cells'
 * folder is the current one. Rejects if the connection file cannot be used or its ports are taken.
 */
export async function runKernel(connectionFile: string, options: ProcessOptions = {}): Promise<void> {
  const connection = readConnectionFile(connectionFile);
  let stop = (): void => {};
  const stopped = new Promise<void>((resolve) => {
    stop = resolve;
  });
  // Before anybody can know of this process, so that no signal finds it unprepared.
  listenToSignals(stop);
  const folder = process.cwd();
  // These two take longest to start, so they come first; then clients can connect while the rest is loaded.
  const server = startLanguageServer({ folder });
  const session = new Session({ cwd: folder });
  let close = async (): Promise<unknown> =>
    Promise.all([session.shutdown(), "missing" in server ? undefined : server.close()]);
  const { Sockets } = await import("./wire/sockets.ts");
  const sockets = new Sockets(connection);
  try {
    await sockets.bind();
    const [{ Kernel }, { createLanguageEngine }] = await Promise.all([
      import("./kernel.ts"),
      import("./language/tsgo.ts"),
    ]);
    const kernel = new Kernel({
      ...options,
      folder,
      session,
      engine: createLanguageEngine({ folder }, server),
      kernelspecName: connection.kernel_name || "heddle",
      send: (message) => sockets.send(message),
      received: () => sockets.received(),
      onShutdown: stop,
    });
    close = () => kernel.close();
    sockets.receive((message) => void kernel.handle(message));
    const client = clientWatch();
    const watch = setInterval(() => client() || stop(), clientCheckMs);
    await stopped;
    clearInterval(watch);
  } finally {
    await close();
    await sockets.close();
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

/** Whether the process on whose behalf the kernel runs is still there. */
function clientWatch(): () => boolean {
  const named = clientProcess();
  const parent = process.ppid;
  // An orphan gets another parent; a process that is only known by its number may have been followed by another one.
  return named === undefined ? () => process.ppid === parent : () => isAlive(named);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
