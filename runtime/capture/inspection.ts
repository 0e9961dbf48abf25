/** What V8 knows about a live function: the variables it sees, where its text is, what it is bound to. */
import { type Debugger, Session } from "node:inspector";

export interface Scope {
  kind: "closure" | "module" | "script" | "global";
  variables: Readonly<Record<string, unknown>>;
}

export interface Script {
  id: string;
  url: string;
  /** Where its text starts in the file, counted from 0. */
  line: number;
  column: number;
  /** Read when a function of it is inspected. */
  source: string | undefined;
}

export interface Inspection {
  /** The innermost first. */
  scopes: readonly Scope[];
  script: Script | undefined;
  /** Where the function's text starts in the file, counted from 0. */
  line: number;
  column: number;
  bound: { target: object; self: unknown; args: unknown[] } | undefined;
}

/** How live values pass between this module and the inspector, which knows expressions only. */
const exchange: { value: unknown } = { value: undefined };
const EXCHANGE = Symbol.for("heddle.captureExchange");

let session: Session | undefined;
const scripts = new Map<string, Script>();

function connect(): Session {
  if (session !== undefined) return session;
  Object.defineProperty(globalThis, EXCHANGE, { value: exchange, configurable: true });
  session = new Session();
  session.connect();
  session.on("Debugger.scriptParsed", ({ params }) => rememberScript(params));
  return session;
}

/** A session of the same thread answers before `post` returns. */
function call<T>(method: string, params: object = {}): T {
  let answer: T | undefined;
  let failure: Error | null = null;
  connect().post(
    method as never,
    params as never,
    ((error: Error | null, result: T) => {
      failure = error;
      answer = result;
    }) as never,
  );
  if (failure !== null) throw new Error(`the inspector refused ${method}: ${(failure as Error).message}`);
  return answer!;
}

interface RemoteObject {
  type: string;
  objectId?: string;
  value?: unknown;
  unserializableValue?: string;
}

interface InternalProperty {
  name: string;
  value?: RemoteObject;
}

const GROUP = "heddle.capture";

function internalsOf(fn: object): Map<string, RemoteObject> {
  connect();
  exchange.value = fn;
  const { result } = call<{ result: RemoteObject }>("Runtime.evaluate", {
    expression: `globalThis[Symbol.for("${EXCHANGE.description}")].value`,
    objectGroup: GROUP,
    silent: true,
  });
  const { internalProperties = [] } = call<{ internalProperties?: InternalProperty[] }>("Runtime.getProperties", {
    objectId: result.objectId,
    ownProperties: true,
  });
  const internals = new Map<string, RemoteObject>();
  for (const { name, value } of internalProperties) if (value !== undefined) internals.set(name, value);
  return internals;
}

/** The live value behind the inspector's picture of it. */
function liveValue({ objectId, value, unserializableValue }: RemoteObject): unknown {
  if (objectId === undefined) return unserializableValue === undefined ? value : parsePrimitive(unserializableValue);
  call("Runtime.callFunctionOn", {
    objectId,
    functionDeclaration: `function () { "use strict"; globalThis[Symbol.for("${EXCHANGE.description}")].value = this; }`,
    silent: true,
  });
  return exchange.value;
}

function parsePrimitive(text: string): unknown {
  return text.endsWith("n") ? BigInt(text.slice(0, -1)) : Number(text);
}

/** Looks at a function. Takes about 0.1 ms. */
export function inspectFunction(fn: object): Inspection {
  try {
    const internals = internalsOf(fn);
    const scopes = internals.get("[[Scopes]]");
    const target = internals.get("[[TargetFunction]]");
    const location = internals.get("[[FunctionLocation]]")?.value as Debugger.Location | undefined;
    const script = location === undefined ? undefined : scriptOf(location.scriptId);
    const start = script === undefined ? { line: 0, column: 0 } : startOf(fn, script, location!);
    return {
      scopes: scopes === undefined ? [] : scopesOf(liveValue(scopes)),
      script,
      ...start,
      bound: target && boundOf(internals, target),
    };
  } finally {
    exchange.value = undefined;
    call("Runtime.releaseObjectGroup", { objectGroup: GROUP });
  }
}

function boundOf(internals: Map<string, RemoteObject>, target: RemoteObject): Inspection["bound"] {
  const self = internals.get("[[BoundThis]]");
  const args = internals.get("[[BoundArgs]]");
  return {
    target: liveValue(target) as object,
    self: self && liveValue(self),
    args: args === undefined ? [] : Array.from(liveValue(args) as ArrayLike<unknown>),
  };
}

function scopesOf(list: unknown): Scope[] {
  return Array.from(
    list as ArrayLike<{ description: string; object: Scope["variables"] }>,
    ({ description, object }) => ({
      kind: scopeKind(description),
      variables: object,
    }),
  );
}

function scopeKind(description: string): Scope["kind"] {
  if (description.startsWith("Global")) return "global";
  if (description.startsWith("Script")) return "script";
  return description.startsWith("Module") ? "module" : "closure";
}

/** A top-level `let`, `const` or `class` of some script, such as a cell; undefined when there is none or it has no value yet. */
export function readScriptVariable(name: string): { value: unknown } | undefined {
  connect();
  exchange.value = undefined;
  const { exceptionDetails } = call<{ exceptionDetails?: object }>("Runtime.evaluate", {
    expression: `globalThis[Symbol.for("${EXCHANGE.description}")].value = { value: ${name} }; undefined`,
    silent: true,
  });
  const found = exchange.value as { value: unknown } | undefined;
  exchange.value = undefined;
  return exceptionDetails === undefined ? found : undefined;
}

function scriptOf(id: string): Script | undefined {
  const known = scripts.get(id);
  if (known === undefined || (known.source === undefined && !isInternal(known))) followScripts(id);
  return scripts.get(id);
}

/**
 * The inspector tells of scripts and their texts only while its debugger is on, and then of all scripts anew, which
 * takes milliseconds: once for each cell or module that functions are captured from.
 */
function followScripts(wanted: string): void {
  call("Debugger.enable");
  try {
    const script = scripts.get(wanted);
    if (script !== undefined && !isInternal(script)) script.source = sourceOf(wanted);
  } finally {
    call("Debugger.disable");
  }
}

/** Whether the script is part of Node. */
export function isInternal(script: Script | undefined): boolean {
  return script?.url.startsWith("node:") ?? false;
}

function sourceOf(scriptId: string): string {
  return call<{ scriptSource: string }>("Debugger.getScriptSource", { scriptId }).scriptSource;
}

function rememberScript({ scriptId, url, startLine, startColumn }: Debugger.ScriptParsedEventDataType): void {
  if (!scripts.has(scriptId))
    scripts.set(scriptId, { url, id: scriptId, line: startLine, column: startColumn, source: undefined });
}

/** V8 names the place of a function's parameters; its text starts before. */
function startOf(
  fn: object,
  script: Script,
  { lineNumber, columnNumber = 0 }: Debugger.Location,
): { line: number; column: number } {
  const text = Function.prototype.toString.call(fn);
  const { source } = script;
  if (source === undefined) return { line: lineNumber, column: columnNumber };
  let offset = 0;
  for (let line = script.line; line < lineNumber; line++) {
    const end = source.indexOf("\n", offset);
    if (end < 0) break;
    offset = end + 1;
  }
  offset += columnNumber - (lineNumber === script.line ? script.column : 0);
  const start = source.lastIndexOf(text, offset);
  if (start < 0) return { line: lineNumber, column: columnNumber };
  const before = source.slice(0, start).split("\n");
  return {
    line: script.line + before.length - 1,
    column: before.at(-1)!.length + (before.length === 1 ? script.column : 0),
  };
}
