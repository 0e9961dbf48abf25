let hasStarted = false;

/** A runtime has begun to start in this session. */
export function noteRuntime(): void {
  hasStarted = true;
}

/** Shuts the runtime down, if one was started; loads nothing otherwise. */
export async function shutdownRuntime(): Promise<void> {
  if (!hasStarted) return;
  const runtime = (await import("../../runtime/index.ts")) as { shutdown?(): Promise<void> };
  await runtime.shutdown?.();
}
