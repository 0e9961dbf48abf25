/** What each command of the Debug Adapter Protocol, and of Jupyter's additions to it, does. */
import type { Runtime } from "node:inspector";
import { mentions, plainCode } from "../language/plain-code.ts";
import type { WantedBreakpoint } from "./breakpoints.ts";
import type { Variable } from "./dap.ts";
import type { Debugger } from "./debugger.ts";
import { isName, objectGroup, type Page } from "./variables.ts";

export type Arguments = Record<string, unknown>;
/** Gives the body of the response, or nothing. */
type Answer = (args: Arguments) => unknown;

interface Evaluation {
  result: Runtime.RemoteObject;
  exceptionDetails?: Runtime.ExceptionDetails;
}

/** Which exceptions a client may have the thread pause on. */
const exceptionFilters = [
  { filter: "uncaught", label: "Uncaught Exceptions", default: false },
  { filter: "all", label: "All Exceptions", default: false },
];

const capabilities = {
  supportsConfigurationDoneRequest: true,
  supportsConditionalBreakpoints: true,
  supportsEvaluateForHovers: true,
  supportsExceptionInfoRequest: true,
  supportsModulesRequest: true,
  supportsSetVariable: true,
  supportTerminateDebuggee: false,
  exceptionBreakpointFilters: exceptionFilters,
};

/** Commands that are answered when nobody debugs too; the others need `initialize` first. */
const always: ReadonlySet<string> = new Set(["initialize", "debugInfo", "dumpCell", "source", "modules", "disconnect"]);

/** Commands that look at values, for which V8's debugger need not be on. */
const looking: ReadonlySet<string> = new Set(["inspectVariables", "richInspectVariables", "variables"]);

/** How long an expression may compute. */
const evaluateMs = 4_000;

export class Requests {
  readonly #debugger: Debugger;
  readonly #answers: Readonly<Record<string, Answer>>;

  constructor(owner: Debugger) {
    this.#debugger = owner;
    this.#answers = { ...this.#life(), ...this.#sources(), ...this.#moves(), ...this.#views(), ...this.#values() };
  }

  /** The body of the response. Rejects with what to tell the client. */
  async answer(command: string, args: Arguments): Promise<object | undefined> {
    const answer = Object.hasOwn(this.#answers, command) ? this.#answers[command] : undefined;
    if (answer === undefined) throw new Error(`the command ${JSON.stringify(command)} is not supported`);
    if (looking.has(command)) this.#debugger.inspector.connect();
    else if (!this.#debugger.isStarted && !always.has(command))
      throw new Error(`${command}: the debugger is not started; initialize starts it`);
    const body = await answer(args);
    return typeof body === "object" && body !== null ? body : undefined;
  }

  #life(): Record<string, Answer> {
    const owner = this.#debugger;
    return {
      initialize: ({ clientID }) => {
        owner.variables.withTypes = clientID !== "jupyterlab";
        owner.start();
        return capabilities;
      },
      attach: () => {
        owner.emit("initialized", {});
      },
      configurationDone: () => undefined,
      disconnect: () => {
        owner.stop();
      },
      debugInfo: () => {
        const { files } = owner.sources;
        return {
          isStarted: owner.isStarted,
          hashMethod: files.hashMethod,
          hashSeed: files.hashSeed,
          tmpFilePrefix: files.prefix,
          tmpFileSuffix: files.suffix,
          breakpoints: owner.breakpoints.all,
          stoppedThreads: owner.pause === undefined ? [] : [1],
          richRendering: true,
          exceptionPaths: [],
          copyToGlobals: true,
        };
      },
    };
  }

  #sources(): Record<string, Answer> {
    const { breakpoints, inspector, sources } = this.#debugger;
    return {
      dumpCell: (args) => ({ sourcePath: sources.files.dump(text(args, "code")) }),
      source: async (args) => {
        const path = text((args.source ?? {}) as Arguments, "path");
        const cell = sources.sourceOfCell(path);
        if (cell !== undefined) return { content: cell, mimeType: "text/typescript" };
        const script = sources.scriptAt(path);
        if (script === undefined) throw new Error(`source: nothing is known of ${path}`);
        const { scriptSource } = await inspector.call<{ scriptSource: string }>("Debugger.getScriptSource", {
          scriptId: script.id,
        });
        return { content: scriptSource, mimeType: "text/javascript" };
      },
      modules: () => ({ modules: sources.modules, totalModules: sources.modules.length }),
      setBreakpoints: (args) => {
        const path = text((args.source ?? {}) as Arguments, "path");
        const wanted = Array.isArray(args.breakpoints) ? (args.breakpoints as WantedBreakpoint[]) : [];
        if (!wanted.every((one) => Number.isInteger(one?.line)))
          throw new Error("setBreakpoints: each breakpoint must have a line, a whole number");
        return { breakpoints: breakpoints.set(path, wanted) };
      },
    };
  }

  #moves(): Record<string, Answer> {
    const owner = this.#debugger;
    const step = (method: string): Answer => {
      return () => owner.move(method, "step");
    };
    return {
      threads: () => ({ threads: [{ id: 1, name: "main" }] }),
      pause: () => owner.interrupt(),
      continue: async () => {
        await owner.move("Debugger.resume");
        return { allThreadsContinued: true };
      },
      next: step("Debugger.stepOver"),
      stepIn: step("Debugger.stepInto"),
      stepOut: step("Debugger.stepOut"),
      setExceptionBreakpoints: ({ filters }) => {
        const known = exceptionFilters.map(({ filter }) => filter);
        owner.pauseOnExceptions(known.filter((one) => Array.isArray(filters) && filters.includes(one)));
      },
    };
  }

  #views(): Record<string, Answer> {
    const owner = this.#debugger;
    const { sources, variables } = owner;
    const listGlobals = (): Promise<Variable[]> => variables.named(sources.scriptNames(sources.names));
    return {
      stackTrace: ({ levels = 0, startFrame = 0 }) => {
        const frames = owner.paused().frames.map(({ shown }) => shown);
        const end = levels === 0 ? undefined : Number(startFrame) + Number(levels);
        return { stackFrames: frames.slice(Number(startFrame), end), totalFrames: frames.length };
      },
      scopes: (args) => {
        const pause = owner.paused();
        const frame = pause.frame(Number(args.frameId));
        const scope = (name: string, list: () => Promise<Variable[]>, expensive = false): object => ({
          name,
          variablesReference: variables.reference(list),
          expensive,
        });
        const hasClosure = frame.call.scopeChain.some(({ type }) => type === "closure");
        const closure = hasClosure ? [scope("Closure", () => pause.closures(frame, variables))] : [];
        return {
          scopes: [scope("Locals", () => pause.locals(frame, variables)), ...closure, scope("Globals", listGlobals)],
        };
      },
      variables: async (args) => ({ variables: await variables.list(Number(args.variablesReference), pageOf(args)) }),
      inspectVariables: async () => {
        if (owner.pause === undefined) variables.forget();
        return { variables: await listGlobals() };
      },
      exceptionInfo: () => {
        const exception = owner.paused().exception;
        if (exception === undefined) throw new Error("exceptionInfo: the thread is not paused on an exception");
        const { className = exception.value.type, description = "" } = exception.value;
        const breakMode = exception.isUncaught ? "unhandled" : "always";
        return { exceptionId: className, description, breakMode, details: { stackTrace: description } };
      },
    };
  }

  #values(): Record<string, Answer> {
    const { inspector, variables } = this.#debugger;
    return {
      evaluate: async (args) => {
        const value = await this.#evaluate(text(args, "expression"), args.frameId, args.context === "hover");
        const { value: result, ...shown } = variables.variable("", value);
        return { ...shown, result };
      },
      setVariable: async (args) => {
        const name = text(args, "name");
        const known = await variables.list(Number(args.variablesReference));
        const target = known.find((one) => one.name === name)?.evaluateName ?? name;
        const frame = this.#debugger.pause?.frames[0]?.shown.id;
        return variables.variable(name, await this.#evaluate(`${target} = (${text(args, "value")})`, frame));
      },
      richInspectVariables: async (args) => {
        const value = await this.#evaluate(text(args, "variableName"), args.frameId);
        const host = await this.#evaluate("__heddle__.session", undefined);
        const { result } = await inspector.callFunction<Evaluation>({
          objectId: host.objectId,
          functionDeclaration: "function (value) { return this.showVariable(value); }",
          arguments: [asArgument(value)],
        });
        return JSON.parse(String(result.value)) as object;
      },
      copyToGlobals: async (args) => {
        const from = text(args, "srcVariableName");
        const to = text(args, "dstVariableName");
        if (!isName(from) || !isName(to))
          throw new Error("copyToGlobals: srcVariableName and dstVariableName must be names of variables");
        const value = await this.#evaluate(from, args.srcFrameId);
        await this.#setGlobal(to, value);
        return { value: variables.variable(to, value).value };
      },
    };
  }

  /** Sets a variable of the notebook, from outside of whatever frame is paused. */
  async #setGlobal(name: string, value: Runtime.RemoteObject): Promise<void> {
    const { inspector, sources } = this.#debugger;
    const isNew = !sources.names.has(name);
    if (isNew) this.#debugger.declare(name);
    const written = sources.visibleNames.scriptName(name);
    // A script of this kind is answered only once the thread goes on; its `let` is there at once.
    if (isNew) inspector.tell("Runtime.evaluate", { expression: `let ${written};`, replMode: true });
    const host = await this.#evaluate("__heddle__.session", undefined);
    await inspector.callFunction({
      objectId: host.objectId,
      functionDeclaration: `function (value) { ${written} = value; }`,
      arguments: [asArgument(value)],
    });
  }

  /** An expression as the script of that frame would have it. */
  async #scriptCode(expression: string, frameId: unknown): Promise<string> {
    const { pause, sources, variables } = this.#debugger;
    const isOwn = (name: string): boolean => sources.visibleNames.hasOwn(name);
    if (pause === undefined || typeof frameId !== "number" || !mentions(expression, isOwn))
      return plainCode(expression, isOwn);
    const nearer = new Set(await pause.namesAround(pause.frame(frameId), variables));
    return plainCode(expression, (name) => isOwn(name) && !nearer.has(name));
  }

  /** The value of an expression in a paused frame, or without one in the notebook. Rejects with what it throws. */
  async #evaluate(expression: string, frameId: unknown, throwOnSideEffect = false): Promise<Runtime.RemoteObject> {
    const { inspector, pause } = this.#debugger;
    const asked = {
      expression: await this.#scriptCode(expression, frameId),
      objectGroup,
      generatePreview: true,
      silent: true,
      throwOnSideEffect,
      timeout: evaluateMs,
    };
    const isInFrame = pause !== undefined && typeof frameId === "number";
    const { exceptionDetails, result } = isInFrame
      ? await inspector.call<Evaluation>("Debugger.evaluateOnCallFrame", {
          ...asked,
          callFrameId: pause.frame(frameId).call.callFrameId,
        })
      : await inspector.call<Evaluation>("Runtime.evaluate", {
          ...asked,
          disableBreaks: true,
          // Nothing is awaited while the thread is paused.
          ...(pause === undefined && { replMode: true, awaitPromise: true }),
        });
    if (exceptionDetails !== undefined) {
      const { exception, text } = exceptionDetails;
      throw new Error(exception?.description?.split("\n")[0] ?? `${text} ${exception?.value ?? ""}`);
    }
    return result;
  }
}

function text(args: Arguments, name: string): string {
  const value = args[name];
  if (typeof value !== "string") throw new Error(`${name} must be a text, got ${JSON.stringify(value)}`);
  return value;
}

function pageOf({ count, start }: Arguments): Page | undefined {
  if (typeof start !== "number" && typeof count !== "number") return undefined;
  return { start: Number(start ?? 0), count: Number(count ?? 0) };
}

function asArgument({ objectId, unserializableValue, value }: Runtime.RemoteObject): object {
  if (objectId !== undefined) return { objectId };
  return unserializableValue === undefined ? { value } : { unserializableValue };
}
