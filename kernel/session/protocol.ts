/**
 * What the kernel process and the session process say to each other, over one duplex pipe (file descriptor 3 of the
 * session) that the session's watchdog thread owns, so that it is read and written while a cell computes.
 *
 * A frame is a 4-byte little-endian length and then `v8.serialize(message)`; both ends are the same Node binary.
 * `cell` is always the label of the cell that caused something: its execution count as text.
 */
import type { TaskEvent } from "../../runtime/index.ts";
import type { MimeBundle } from "../display/mime-bundle.ts";
import type { CommPacket, SessionOptions } from "../display/notebook-link.ts";

export type { CommPacket, MimeBundle, SessionOptions };

export type ToSession =
  | EvaluateRequest
  | { type: "interrupt" }
  /** Connects V8's debugger to the cells' thread, or lets go of it; what is paused then goes on. */
  | { type: "debugger"; on: boolean }
  /** A message of the inspector's protocol; `inspected` with the same id answers it. */
  | { type: "inspect"; id: number; method: string; params: object }
  | { type: "inputReply"; id: number; value: string }
  /** `commHandled` of the same id follows, once the handlers of the cells have returned. */
  | ({ type: "comm"; id: number } & CommPacket)
  | { type: "shutdown" };

/** Run one compiled cell. Cells come one at a time: the next after the `evaluated` of the one before. */
export interface EvaluateRequest {
  type: "evaluate";
  id: number;
  cell: string;
  /** The compiled script, see `kernel/language/compiler.ts`; frames of it name the file `cell-<cell>.ts`. */
  code: string;
  /** No result and no output is wanted (`silent`). */
  silent: boolean;
  allowStdin: boolean;
  /** `user_expressions`: name → compiled expression. */
  expressions?: Record<string, string>;
}

export type FromSession =
  | { type: "ready"; pid: number }
  | { type: "stream"; cell: string; name: "stdout" | "stderr"; text: string }
  | {
      type: "display";
      cell: string;
      data: MimeBundle;
      metadata: Record<string, unknown>;
      displayId?: string;
      update: boolean;
    }
  | { type: "clearOutput"; cell: string; wait: boolean }
  | { type: "inputRequest"; cell: string; id: number; prompt: string; password: boolean }
  | ({ type: "comm"; cell: string } & CommPacket)
  /** From now on the front end can open comms to this target, or no longer. */
  | { type: "commTarget"; name: string; registered: boolean }
  | { type: "commHandled"; id: number }
  | { type: "configure"; options: SessionOptions }
  /** An error nobody awaited: an unhandled rejection, a throw in a timer or an emitter. The session goes on. */
  | { type: "lateError"; cell: string; error: CellError }
  | { type: "taskEvents"; events: TaskEvent[] }
  /** A process group beside the session's own, which is to end with it. */
  | { type: "processGroup"; leader: number; isRunning: boolean }
  | { type: "inspected"; id: number; result?: object; error?: string }
  /** What V8's debugger tells by itself. */
  | { type: "inspectorEvent"; method: string; params: object }
  | Evaluated;

/** The end of a cell. Everything it printed before has been sent before. */
export interface Evaluated {
  type: "evaluated";
  id: number;
  outcome:
    | { status: "ok"; data?: MimeBundle; metadata?: Record<string, unknown> }
    | { status: "error"; error: CellError }
    /** `how`: its awaits were rejected and `finally` blocks ran, or its JavaScript was cut and they did not. */
    | { status: "interrupted"; how: "awaits" | "terminated" }
    /** The process ended under the cell. Told by the parent side, never sent. */
    | { status: "lost"; exit: SessionExit };
  expressions?: Record<string, { data: MimeBundle } | { error: CellError }>;
  /** File descriptors at whose end the watchdog wrote the mark of this id. */
  marks?: ("stdout" | "stderr")[];
}

/** Why a session process ended. */
export interface SessionExit {
  /** `notInterruptible`: it was killed because an interrupt could not end the cell in time. */
  reason: "shutdown" | "exit" | "signal" | "crash" | "outOfMemory" | "notInterruptible" | "notStarted";
  code: number | null;
  signal: NodeJS.Signals | null;
  /** The reason in words for the user. */
  message: string;
}

/** An error as the session saw it; positions still refer to the compiled script. */
export interface CellError {
  name: string;
  message: string;
  /** `error.stack`, frames of the kernel and of Node's loader removed; absent where something other than an Error was thrown. */
  stack?: string;
  cause?: CellError;
  /** `AggregateError.errors`. */
  errors?: CellError[];
}
