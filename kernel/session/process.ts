/**
 * The session process: its main thread runs the cells. Everything that must go on while a cell computes is the
 * watchdog's; this file puts the main thread's parts together.
 */
import { MessageChannel, Worker } from "node:worker_threads";
import { attachHost, guarded, interruptWord } from "../../runtime/host.ts";
import { attachNotebook } from "../display/notebook-link.ts";
import { inUserNames } from "../language/user-names.ts";
import { wrapCallbacks } from "./cell-callbacks.ts";
import { cellOfPromise, currentCell, failingCell, latestCell, tagPromises } from "./cell-context.ts";
import { describeError } from "./cell-error.ts";
import { defineHostObject } from "./host-object.ts";
import { InterruptedError } from "./interrupted-awaits.ts";
import { NotebookLine } from "./notebook-line.ts";
import { createRing, RingWriter } from "./output-ring.ts";
import { noteRuntime } from "./runtime-link.ts";
import { captureStreams } from "./standard-streams.ts";
import { keepGlobals } from "./vital-globals.ts";
import type { LineMessage, WatchdogData } from "./watchdog.ts";

const leaveMs = 2_000;

const ring = createRing();
const writer = new RingWriter(ring);
const flushed = new Int32Array(new SharedArrayBuffer(4));
const { port1: line, port2: watchdogEnd } = new MessageChannel();

/** Posts to the watchdog, in order with what has been printed. */
function post(message: LineMessage): void {
  writer.reserveMark();
  guarded(() => {
    line.postMessage(message);
    writer.putMark();
  });
}

captureStreams(writer);
const watchdog = startWatchdog();
const notebook = new NotebookLine(post);
attachNotebook(notebook);
line.on("message", (message) => notebook.receive(message));
attachHost({
  currentCell: () => currentCell().label,
  nameOf: inUserNames,
  typescriptLoader: new URL(`./typescript-loader.js?folder=${encodeURIComponent(process.cwd())}`, import.meta.url).href,
  openObserver() {
    noteRuntime();
    const { port1, port2 } = new MessageChannel();
    watchdog.postMessage(port1, [port1]);
    return port2;
  },
  display: (displayId, data, update) => notebook.display({ data, metadata: {}, displayId, update }),
});
flushBeforeExit();
defineHostObject(notebook, post);
tagPromises();
wrapCallbacks();
keepGlobals();
// Last: an error before this line must end the process, not be shown as some cell's.
reportLateErrors();
post({ type: "send", message: { type: "ready", pid: process.pid } });

function startWatchdog(): Worker {
  const workerData: WatchdogData = {
    ring,
    line: watchdogEnd,
    interruptWord,
    flushed,
    nonce: process.argv[2] ?? "",
  };
  const worker = new Worker(new URL("./watchdog.js", import.meta.url), {
    workerData,
    transferList: [watchdogEnd],
    execArgv: [],
    stdin: false,
  });
  // Without its watchdog a session can be neither heard nor stopped.
  worker.on("error", (error) => {
    throw error;
  });
  return worker;
}

/** Errors that nobody awaits are shown under the cell they come from; the session goes on. */
function reportLateErrors(): void {
  process.on("unhandledRejection", (reason, promise) => {
    if (reason instanceof InterruptedError) return;
    const { label } = cellOfPromise(promise) ?? latestCell();
    post({ type: "send", message: { type: "lateError", cell: label, error: describeError(reason) } });
  });
  process.on("uncaughtException", (error) => {
    post({ type: "send", message: { type: "lateError", cell: failingCell().label, error: describeError(error) } });
  });
}

/** `process.exit` in a cell: what was printed before is sent before the process ends. */
function flushBeforeExit(): void {
  const holder = process as unknown as { reallyExit(code?: number): never };
  const reallyExit = holder.reallyExit;
  holder.reallyExit = (code) => {
    post({ type: "leaving" });
    Atomics.wait(flushed, 0, 0, leaveMs);
    return reallyExit.call(process, code);
  };
}
