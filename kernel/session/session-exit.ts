import type { SessionExit } from "./protocol.ts";

/** What is known when a session process has ended. */
export interface ProcessEnd {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** The last text on its standard error. */
  stderr: string;
  /** What this side had asked for. */
  intent: "shutdown" | "replace" | undefined;
  wasReady: boolean;
}

/** Why a session process ended, in words for the user too. */
export function sessionExit({ code, signal, stderr, intent, wasReady }: ProcessEnd): SessionExit {
  const end = (reason: SessionExit["reason"], message: string): SessionExit => ({ reason, code, signal, message });
  if (intent === "shutdown") return end("shutdown", "the session was shut down");
  if (intent === "replace") {
    return end(
      "notInterruptible",
      "the running code could not be interrupted (it was inside native code), so its process was killed: all variables are lost",
    );
  }
  if (!wasReady)
    return end("notStarted", `the session process could not start (${how(code, signal)})${lastLines(stderr)}`);
  if (/heap out of memory|invalid (array|table) size|OOM error/i.test(stderr) && signal !== null) {
    return end("outOfMemory", "the session ran out of memory and was ended by V8: all variables are lost");
  }
  if (signal === null) return end("exit", `the session exited with code ${code}: all variables are lost`);
  if (crashSignals.has(signal)) return end("crash", `the session crashed (${signal}): all variables are lost`);
  return end("signal", `the session was killed (${signal}): all variables are lost`);
}

const crashSignals = new Set<string>(["SIGABRT", "SIGSEGV", "SIGBUS", "SIGILL", "SIGFPE", "SIGTRAP"]);

function how(code: number | null, signal: NodeJS.Signals | null): string {
  return signal ?? `exit code ${code}`;
}

function lastLines(stderr: string): string {
  const lines = stderr.trim().split("\n").slice(-5).join("\n");
  return lines === "" ? "" : `:\n${lines}`;
}
