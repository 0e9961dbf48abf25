/** The thread while it is paused: its frames, what can be seen from each, and why it stands. */
import type { Debugger, Runtime } from "node:inspector";
import { isGuarded } from "../language/breakable.ts";
import type { StackFrame, Variable } from "./dap.ts";
import type { Place, Sources } from "./sources.ts";
import type { Variables } from "./variables.ts";

/** Why the thread stands, in the protocol's words. */
export type PauseReason = "breakpoint" | "step" | "exception" | "pause";

interface Frame {
  shown: StackFrame;
  place: Place;
  call: Debugger.CallFrame;
}

export interface PausedException {
  value: Runtime.RemoteObject;
  /** Whether no code of the user's around it catches it. */
  isUncaught: boolean;
}

/** What the compiler calls the function that it makes of a cell's loop. */
const LOOP = "__heddle_loop__";
const localScopes: ReadonlySet<string> = new Set(["local", "block", "catch", "with", "eval"]);

export class Pause {
  static #lastFrame = 0;
  /** The user's frames, innermost first. */
  readonly frames: readonly Frame[];
  readonly exception: PausedException | undefined;
  readonly hitsBreakpoint: boolean;
  /** Whether the innermost frame is the user's. */
  readonly isInUserCode: boolean;
  readonly #sources: Sources;

  constructor(paused: Debugger.PausedEventDataType, sources: Sources) {
    this.#sources = sources;
    this.frames = paused.callFrames.flatMap((call, index) => {
      // Under a loop that was made a function stands only its call.
      if (paused.callFrames[index - 1]?.functionName === LOOP) return [];
      const place = sources.locate(call.location);
      return place === undefined ? [] : [{ call, place, shown: shownFrame(++Pause.#lastFrame, call, place) }];
    });
    this.isInUserCode = this.frames[0]?.call === paused.callFrames[0] && this.frames.length > 0;
    this.hitsBreakpoint = (paused.hitBreakpoints ?? []).length > 0;
    const isException = paused.reason === "exception" || paused.reason === "promiseRejection";
    if (isException && paused.data !== undefined) {
      const value = paused.data as Runtime.RemoteObject;
      this.exception = { value, isUncaught: !this.#isCaught(paused.asyncStackTrace) };
    }
  }

  frame(id: number): Frame {
    const frame = this.frames.find(({ shown }) => shown.id === id);
    if (frame === undefined) throw new Error(`there is no frame ${id}: the thread has gone on since`);
    return frame;
  }

  /** Variables of the frame's own functions and blocks; at the top level of a cell also those that the cell declares. */
  async locals({ call, place }: Frame, variables: Variables): Promise<Variable[]> {
    const inner = await namesIn(call, (type) => localScopes.has(type), variables);
    const isTopLevel = call.functionName === LOOP || !call.scopeChain.some(({ type }) => type === "local");
    const cell = isTopLevel ? this.#sources.cell(place.cell ?? "") : undefined;
    const declared = cell === undefined ? [] : this.#sources.scriptNames(cell.compiled.declares);
    const own = call.this.type === "undefined" || isTopLevel ? [] : ["this"];
    // What is further in comes last, and counts where a name stands for two variables.
    return variables.named([...new Set([...own, ...declared, ...inner])], call.callFrameId);
  }

  /** Names of the frame's own functions and blocks and of those around. */
  namesAround({ call }: Frame, variables: Variables): Promise<string[]> {
    return namesIn(call, (type) => localScopes.has(type) || type === "closure", variables);
  }

  /** Variables of the functions around the frame's. */
  async closures({ call }: Frame, variables: Variables): Promise<Variable[]> {
    return variables.named(await namesIn(call, (type) => type === "closure", variables), call.callFrameId);
  }

  /** A frame's place in what called it counts too; so does what awaits it. */
  #isCaught(awaiting: Runtime.StackTrace | undefined): boolean {
    const places = this.frames.map(({ place }) => place);
    for (let trace = awaiting; trace !== undefined; trace = trace.parent)
      places.push(...trace.callFrames.flatMap((frame) => this.#sources.locate(frame) ?? []));
    return places.some((place) => {
      const source = place.cell === undefined ? undefined : this.#sources.cell(place.cell)?.source;
      return source !== undefined && isGuarded(this.#sources.typescriptOf(source), place);
    });
  }
}

function shownFrame(id: number, call: Debugger.CallFrame, { cell, column, line, source }: Place): StackFrame {
  const isTopLevel = cell !== undefined && !call.scopeChain.some(({ type }) => type === "local");
  // Also functions that the compiler makes of loops.
  const isCellItself = isTopLevel || call.functionName.startsWith("__heddle");
  const name = isCellItself ? source.name : call.functionName || "(anonymous)";
  return { id, name, source, line, column };
}

/** Names in the frame's scopes of these types, outermost first. What V8 shows as their values was true when it paused. */
async function namesIn(
  { scopeChain }: Debugger.CallFrame,
  fits: (type: string) => boolean,
  variables: Variables,
): Promise<string[]> {
  const scopes = scopeChain
    .toReversed()
    .flatMap(({ object, type }) =>
      fits(type) && object.objectId !== undefined ? [variables.members(object.objectId)] : [],
    );
  return (await Promise.all(scopes)).flat().map(({ name }) => name);
}
