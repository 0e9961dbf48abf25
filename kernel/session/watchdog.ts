/**
 * The session's watchdog thread: owns the pipe to the kernel process, has cells evaluated on the main thread, sends
 * on what they print while they compute, and ends the process when the kernel process is gone.
 */
import { writeSync } from "node:fs";
import { Socket } from "node:net";
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { DebugLine } from "./debug-line.ts";
import { Evaluator } from "./evaluator.ts";
import { encodeFrame, FrameReader } from "./frames.ts";
import { markText } from "./native-output.ts";
import { RingReader, type SharedRing } from "./output-ring.ts";
import { endGroup, noteGroup } from "./process-group.ts";
import type { Evaluated, EvaluateRequest, FromSession, MimeBundle, ToSession } from "./protocol.ts";
import { TaskObservers } from "./task-observers.ts";

/** What the main thread gives the watchdog at its start. */
export interface WatchdogData {
  ring: SharedRing;
  /** Messages of the main thread, each announced by a mark in the ring. */
  line: MessagePort;
  interruptWord: Int32Array<SharedArrayBuffer>;
  /** Set to 1 once everything has left the process: the main thread may exit. */
  flushed: Int32Array<SharedArrayBuffer>;
  nonce: string;
}

/** What the main thread posts to the line. */
export type LineMessage =
  | { type: "send"; message: FromSession }
  | { type: "result"; data: MimeBundle; metadata: Record<string, unknown>; expression: string | undefined }
  | { type: "leaving" };

const maxTextChars = 1 << 20;
const maxPendingBytes = 8 << 20;
/** How long the main thread's own shutdown may take once the kernel process is gone. */
const orphanMs = 1_000;

const { ring, line, interruptWord, flushed, nonce } = workerData as WatchdogData;
const output = new RingReader(ring);
const socket = new Socket({ fd: 3, readable: true, writable: true });
const debugLine = new DebugLine(interruptWord, send);
const evaluator = new Evaluator(interruptWord, debugLine);
const observers = new TaskObservers(send);
/** Groups of this process's children that are not its own. */
const groups = new Set<number>();
let result: { data: MimeBundle; metadata: Record<string, unknown> } | undefined;
const expressionData = new Map<string, MimeBundle>();
const drained: { position: number; done: () => void }[] = [];

function send(message: FromSession): void {
  socket.write(encodeFrame(message));
}

function receive(message: ToSession): void {
  switch (message.type) {
    case "evaluate":
      void evaluate(message);
      break;
    case "interrupt":
      void evaluator.interrupt().finally(() => debugLine.allowPauses());
      break;
    case "debugger":
    case "inspect":
      debugLine.receive(message);
      break;
    case "shutdown":
      leave();
      break;
    default:
      line.postMessage(message);
  }
}

async function evaluate(request: EvaluateRequest): Promise<void> {
  observers.latestCell = request.cell;
  result = undefined;
  expressionData.clear();
  const { expressions, ...cellRequest } = request;
  const outcome = await evaluator.run(cellRequest as EvaluateRequest);
  // Not before: the failures of its tasks would race with the interrupt for being what ends the cell.
  if (outcome.status === "interrupted") observers.cancelCell(request.cell);
  const answers: NonNullable<Evaluated["expressions"]> = {};
  if (outcome.status === "ok") {
    for (const [name, code] of Object.entries(expressions ?? {})) {
      const error = await evaluator.runExpression(request, name, code);
      await allSent();
      answers[name] = error ? { error } : { data: expressionData.get(name) ?? {} };
    }
  }
  await allSent();
  observers.cellEnded(request.cell);
  await observers.flush();
  const marks = writeMarks(request.id);
  const ending = outcome.status === "ok" && result ? { ...outcome, ...(result as object) } : outcome;
  send({ type: "evaluated", id: request.id, outcome: ending, ...(expressions && { expressions: answers }), marks });
}

/** Marks the end of what has been written to file descriptors 1 and 2 so far. */
function writeMarks(id: number): ("stdout" | "stderr")[] {
  const written: ("stdout" | "stderr")[] = [];
  for (const [fd, name] of [
    [1, "stdout"],
    [2, "stderr"],
  ] as const) {
    try {
      writeSync(fd, markText(nonce, id));
      written.push(name);
    } catch {
      // The cell closed the descriptor, or a child left it full and non-blocking: then nothing can be waited for.
    }
  }
  return written;
}

/** Resolves when everything the cells have printed so far has been sent. */
function allSent(): Promise<void> {
  return new Promise((done) => {
    drained.push({ position: output.writePosition, done });
    pump();
  });
}

/** Sends what is in the ring, as long as the kernel process keeps up; false when it does not. */
function pump(): boolean {
  for (;;) {
    while (drained[0] && output.hasReached(drained[0].position)) drained.shift()?.done();
    if (socket.writableLength >= maxPendingBytes) return false;
    const records = output.read(maxTextChars);
    if (records.length === 0) return true;
    for (const record of records) {
      if (record.kind === "message") takeLineMessage();
      else send({ type: "stream", cell: record.cell, name: record.kind, text: record.text });
    }
  }
}

function takeLineMessage(): void {
  const message = receiveMessageOnPort(line)?.message as LineMessage | undefined;
  if (message?.type === "send") {
    if (message.message.type === "processGroup") noteGroup(groups, message.message);
    send(message.message);
  } else if (message?.type === "result") {
    if (message.expression === undefined) result = { data: message.data, metadata: message.metadata };
    else expressionData.set(message.expression, message.data);
  } else if (message?.type === "leaving") {
    evaluator.close();
    debugLine.close();
    socket.write(new Uint8Array(0), () => {
      Atomics.store(flushed, 0, 1);
      Atomics.notify(flushed, 0);
    });
  }
}

async function pumpForever(): Promise<void> {
  for (;;) {
    await output.waitForOutput();
    if (!pump()) await new Promise((resolve) => socket.once("drain", resolve));
  }
}

/** Has the main thread shut down; a thread that is paused would not hear of it. */
function leave(): void {
  void debugLine.endPause();
  line.postMessage({ type: "shutdown" } satisfies ToSession);
}

function leaveWithoutKernel(): void {
  leave();
  setTimeout(() => {
    for (const leader of [...groups, process.pid]) endGroup(leader);
  }, orphanMs);
}

const reader = new FrameReader();
socket.on("data", (piece: Buffer) => {
  for (const message of reader.read(piece)) receive(message as ToSession);
});
socket.on("error", leaveWithoutKernel);
socket.on("close", leaveWithoutKernel);
parentPort?.on("message", (port: MessagePort) => observers.add(port));
void pumpForever();
