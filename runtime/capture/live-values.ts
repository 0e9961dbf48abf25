/**
 * The live values of the names a function uses, asked of V8: an inspector session on this very thread reads the
 * function's scope chain. Runs only as guarded runtime code, since a cut in the middle of an inspector call is not safe.
 */
import { Session } from "node:inspector";

/** Where a captured name lives. Names of one `place` are one variable, whoever uses them. */
export interface LiveValue {
  value: unknown;
  /** "script" for top-level names of cells and scripts, "module" for a module's, "closure" for everything else. */
  place: "script" | "module" | "closure";
}

export interface FunctionFacts {
  values: Map<string, LiveValue>;
  /** Target, this and arguments of a bound function. */
  bound: { target: unknown; self: unknown; args: unknown[] } | undefined;
  /** Zero-based place of the function in its script. */
  location: { scriptId: string; line: number; column: number } | undefined;
}

interface RemoteObject {
  type: string;
  objectId?: string;
  value?: unknown;
  unserializableValue?: string;
  description?: string;
}

interface Property {
  name: string;
  value?: RemoteObject;
}

const HAND = Symbol.for("heddle.captureHand");
/** Through which values pass between this code and the inspector. */
const hand: { give: unknown; take: unknown } = { give: undefined, take: undefined };
Object.defineProperty(globalThis, HAND, { value: hand, enumerable: false });
const HAND_TEXT = 'globalThis[Symbol.for("heddle.captureHand")]';

const session = new Session();
const scriptUrls = new Map<string, string>();
let connected = false;
let following = false;

function post<T>(method: string, parameters: object): T {
  if (!connected) {
    session.connect();
    connected = true;
  }
  let answer: { error: Error | null; result: T } | undefined;
  (session as unknown as { post(m: string, p: object, done: (error: Error | null, result: T) => void): void }).post(method, parameters, (error, result) => {
    answer = { error, result };
  });
  if (answer === undefined) throw new Error(`the inspector did not answer ${method}`);
  if (answer.error !== null) throw answer.error;
  return answer.result;
}

const GROUP = "heddle.capture";

/** Reads what a function's free names are bound to now. Names that nothing binds are left out. */
export function inspectFunction(fn: object, names: readonly string[]): FunctionFacts {
  hand.give = fn;
  try {
    const { result } = post<{ result: RemoteObject }>("Runtime.evaluate", { expression: `${HAND_TEXT}.give`, objectGroup: GROUP });
    const { internalProperties = [] } = propertiesOf(result.objectId!);
    const internal = (name: string): RemoteObject | undefined => internalProperties.find((property) => property.name === name)?.value;
    const scopes = internal("[[Scopes]]");
    const values = new Map<string, LiveValue>();
    if (scopes?.objectId !== undefined && names.length > 0) readScopes(scopes.objectId, new Set(names), values);
    const location = internal("[[FunctionLocation]]")?.value as { scriptId: string; lineNumber: number; columnNumber: number } | undefined;
    return {
      values,
      bound: boundOf(internal),
      location: location === undefined ? undefined : { scriptId: location.scriptId, line: location.lineNumber, column: location.columnNumber },
    };
  } finally {
    hand.give = hand.take = undefined;
    post("Runtime.releaseObjectGroup", { objectGroup: GROUP });
  }
}

const propertiesOf = (objectId: string) =>
  post<{ result: Property[]; internalProperties?: Property[] }>("Runtime.getProperties", { objectId, ownProperties: true });

function boundOf(internal: (name: string) => RemoteObject | undefined): FunctionFacts["bound"] {
  const target = internal("[[TargetFunction]]");
  if (target === undefined) return undefined;
  return { target: valueOf(target), self: valueOf(internal("[[BoundThis]]")), args: (valueOf(internal("[[BoundArgs]]")) as unknown[] | undefined) ?? [] };
}

function readScopes(scopesId: string, wanted: Set<string>, values: Map<string, LiveValue>): void {
  const scopes = propertiesOf(scopesId).result.filter((property) => /^\d+$/.test(property.name));
  for (const { value: scope } of scopes) {
    if (wanted.size === 0) return;
    const kind = (scope?.description ?? "").split(" ")[0];
    if (kind === "Script") readScript(wanted, values);
    else if (kind === "Global") readGlobal(wanted, values);
    else if (scope?.objectId !== undefined) {
      for (const { name, value } of propertiesOf(scope.objectId).result) {
        if (!wanted.has(name)) continue;
        values.set(name, { value: valueOf(value), place: kind === "Module" ? "module" : "closure" });
        wanted.delete(name);
      }
    }
  }
}

/** Top-level `let`, `const` and `class` of cells and scripts are no properties of anything: they are asked for by name. */
function readScript(wanted: Set<string>, values: Map<string, LiveValue>): void {
  for (const name of wanted) {
    if (Object.hasOwn(globalThis, name)) continue;
    const answer = post<{ result: RemoteObject; exceptionDetails?: object }>("Runtime.evaluate", { expression: name, objectGroup: GROUP, silent: true });
    if (answer.exceptionDetails !== undefined) continue;
    values.set(name, { value: valueOf(answer.result), place: "script" });
    wanted.delete(name);
  }
}

const nativeGlobals = new Set(Object.getOwnPropertyNames(globalThis));

/** `var` and function declarations of cells are properties of the global object. */
function readGlobal(wanted: Set<string>, values: Map<string, LiveValue>): void {
  for (const name of wanted) {
    if (nativeGlobals.has(name) || !Object.hasOwn(globalThis, name)) continue;
    values.set(name, { value: (globalThis as Record<string, unknown>)[name], place: "script" });
    wanted.delete(name);
  }
}

/** Whether every thread has this global by itself. */
export function isNativeGlobal(name: string): boolean {
  return nativeGlobals.has(name);
}

function valueOf(remote: RemoteObject | undefined): unknown {
  if (remote === undefined) return undefined;
  if (remote.objectId === undefined && remote.type !== "symbol") {
    if (remote.unserializableValue === undefined) return remote.value;
    const text = remote.unserializableValue;
    return text.endsWith("n") ? BigInt(text.slice(0, -1)) : Number(text === "-0" ? -0 : text);
  }
  hand.take = undefined;
  post("Runtime.callFunctionOn", { objectId: remote.objectId, functionDeclaration: `function(){"use strict";${HAND_TEXT}.take=this}` });
  return hand.take;
}

/** The name of a script, as frames show it. */
export function scriptUrl(scriptId: string): string {
  if (!following) {
    following = true;
    session.on("Debugger.scriptParsed", ({ params }) => {
      scriptUrls.set(params.scriptId, params.url);
    });
  }
  let url = scriptUrls.get(scriptId);
  if (url === undefined) {
    // Enabling tells of all scripts so far; left on it would slow the thread down.
    post("Debugger.enable", {});
    post("Debugger.disable", {});
    url = scriptUrls.get(scriptId) ?? "";
    scriptUrls.set(scriptId, url);
  }
  return url;
}
