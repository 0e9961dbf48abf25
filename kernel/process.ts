/** The kernel as a process of its own, serving the clients of a connection file. */
import { setFlagsFromString } from "node:v8";
import { watchClient } from "./client-watch.ts";
import { startLanguageServer } from "./language/server/documents.ts";
import { Session } from "./session/session.ts";
import { readConnectionFile } from "./wire/connection-file.ts";

export interface ProcessOptions {
  /** Where executed sources are kept; default nowhere. */
  historyFile?: string;
}

/**
 * Serves clients until one asks for shutdown, the process that started this one is gone, or SIGTERM comes; the cells'
 * folder is the current one. Rejects if the connection file cannot be used or its ports are taken.
 */
export async function runKernel(connectionFile: string, options: ProcessOptions = {}): Promise<void> {
  // A cell is little work for this process: without room for much garbage it stays small, and no slower.
  setFlagsFromString("--semi-space-growth-factor=1");
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
    const endWatch = watchClient((look) => sockets.onDisconnect(look), stop);
    await stopped;
    endWatch();
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
