import { isAlive } from "../runtime/host.ts";
import { clientProcess } from "./environment.ts";

const firstMs = 10;
const longestMs = 5_000;

/**
 * Calls `gone` once the process is gone on whose behalf the kernel runs; returns how to end the watch. No event tells it
 * for sure: Jupyter closes a kernel's standard input as soon as it has started it, and Node has no handle on a process
 * that is not its child. What a dying client leaves is an ended connection, so that is when it is looked for, at once
 * and ever more seldom from then on, for its connections end a moment before it does; without one every five seconds.
 */
export function watchClient(onDisconnect: (look: () => void) => void, gone: () => void): () => void {
  const isThere = clientLook();
  let timer: NodeJS.Timeout | undefined;
  let waitMs = firstMs;
  let ended = false;
  function look(): void {
    if (ended) return;
    if (!isThere()) return gone();
    timer = setTimeout(look, waitMs);
    waitMs = Math.min(2 * waitMs, longestMs);
  }
  onDisconnect(() => {
    clearTimeout(timer);
    waitMs = firstMs;
    look();
  });
  look();
  return () => {
    ended = true;
    clearTimeout(timer);
  };
}

function clientLook(): () => boolean {
  const named = clientProcess();
  const parent = process.ppid;
  // An orphan gets another parent; a process that is only known by its number may have been followed by another one.
  return named === undefined ? () => process.ppid === parent : () => isAlive(named);
}
