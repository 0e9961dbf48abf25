/** Catches what tasks print on a worker thread, so that it can be shown as the output of its task. */

type Receiver = (stream: "stdout" | "stderr", bytes: Uint8Array) => void;

/** Redirects this thread's standard streams. */
export function captureOutput(receive: Receiver): void {
  redirect(process.stdout, "stdout", receive);
  redirect(process.stderr, "stderr", receive);
}

function redirect(target: NodeJS.WriteStream, stream: "stdout" | "stderr", receive: Receiver): void {
  target.write = ((
    chunk: string | Uint8Array,
    encoding?: BufferEncoding | ((error?: Error) => void),
    done?: (error?: Error) => void,
  ) => {
    receive(
      stream,
      typeof chunk === "string" ? Buffer.from(chunk, typeof encoding === "string" ? encoding : "utf8") : chunk,
    );
    const callback = typeof encoding === "function" ? encoding : done;
    if (callback !== undefined) queueMicrotask(() => callback());
    return true;
  }) as typeof target.write;
}
