/** Kills a process that leads a group, and what it started; a process that has ended already is no error. */
export function endGroup(pid: number, signal: NodeJS.Signals = "SIGKILL"): void {
  // A session leads a process group of its own, so that children of cells end with it. Windows has no such groups.
  for (const target of process.platform === "win32" ? [pid] : [-pid, pid]) {
    try {
      process.kill(target, signal);
    } catch {
      // It is gone.
    }
  }
}

/** Keeps the leaders of the groups that run. */
export function noteGroup(groups: Set<number>, { leader, isRunning }: { leader: number; isRunning: boolean }): void {
  if (isRunning) groups.add(leader);
  else groups.delete(leader);
}
