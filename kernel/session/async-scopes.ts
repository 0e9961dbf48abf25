/**
 * Empties Node's stack of async ids, as Node itself does after an uncaught exception. A cut unwinds JavaScript without
 * running what would take the ids off that stack, and with async hooks in use (an AsyncLocalStorage on Node 20 and 22)
 * Node aborts the process at the end of the callback for what it finds there.
 */
export function leaveAsyncScopes(): void {
  const { _fatalException: handleUncaught } = process as unknown as { _fatalException?(error: unknown): boolean };
  if (handleUncaught === undefined || process.hasUncaughtExceptionCaptureCallback()) return;
  try {
    process.setUncaughtExceptionCaptureCallback(() => {});
    handleUncaught.call(process, undefined);
    process.setUncaughtExceptionCaptureCallback(null);
  } catch {
    // The module `domain` is in use and wants the callback for itself: then the cut has to do without.
  }
}
