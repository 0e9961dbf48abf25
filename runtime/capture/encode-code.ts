/** Functions, classes and their instances as nodes of an encoded graph. */

import { currentHost } from "../host.ts";
import { encodeBuiltin } from "../serialization/encode-builtin.ts";
import type { Encoder } from "../serialization/encoder.ts";
import type { Kind } from "../serialization/kinds.ts";
import * as tags from "../serialization/tags.ts";
import { exportPathOf, globalPathOf } from "./builtins.ts";
import { digestOf } from "./capture-report.ts";
import { type Binding, Captures, type Variable } from "./captures.ts";
import { BINDING_EARLY, FLAG_CLASS, FLAG_METHOD, FLAG_STRICT, FLAG_THIS } from "./code-format.ts";
import { BOXED_FIELD, type FunctionSource, readFunctionSource, textToSend } from "./function-source.ts";
import { tokenOf } from "./identity.ts";
import { importOf } from "./imports.ts";
import { type Inspection, isInternal } from "./inspection.ts";
import { isOwnScript } from "./modules.ts";

type AnyFunction = (...args: never[]) => unknown;

const NATIVE = /\{\s*\[native code\]\s*\}\s*$/;

/** Writes a value that every thread can find by a name instead of its content: a global, an export. False if it is none. */
export function encodeKnown(encoder: Encoder, value: object): boolean {
  const global = globalPathOf(value);
  if (global !== undefined) {
    encoder.to.byte(tags.TAG_GLOBAL);
    writeNames(encoder, global);
    return true;
  }
  const imported = importOf(value);
  if (imported === undefined) return false;
  encodeImport(encoder, imported.url, [imported.name]);
  return true;
}

function encodeImport(encoder: Encoder, url: string, path: readonly string[], tag: number = tags.TAG_IMPORT): void {
  encoder.needsModule(url);
  encoder.to.byte(tag);
  encoder.to.text(url);
  writeNames(encoder, path);
}

function writeNames(encoder: Encoder, names: readonly string[]): void {
  encoder.to.count(names.length);
  for (const name of names) encoder.to.text(name);
}

/** Writes a function or class with all it uses. */
export function encodeFunctionNode(encoder: Encoder, fn: AnyFunction): void {
  encoder.captures ??= new Captures(encoder.captured !== undefined);
  encoder.plain = false;
  if (encodeKnown(encoder, fn)) return;
  const text = Function.prototype.toString.call(fn);
  const inspection = encoder.captures.inspect(fn);
  if (isOwnScript(inspection.script?.url)) encodeOwn(encoder, fn);
  else if (inspection.bound !== undefined) encodeBound(encoder, inspection.bound);
  else if (NATIVE.test(text) || isInternal(inspection.script)) encodeForeign(encoder, fn);
  else if (!encodeExport(encoder, fn)) encodeSource(encoder, fn, text, inspection);
}

/** What users import of the runtime is imported again; its inner parts belong to their thread. */
function encodeOwn(encoder: Encoder, fn: AnyFunction): void {
  if (!encodeKnown(encoder, fn))
    encoder.refuse(`${fn.name || "a function"} is an inner part of heddle and belongs to its thread`);
}

function encodeBound(encoder: Encoder, { target, self, args }: NonNullable<Inspection["bound"]>): void {
  encoder.to.byte(tags.TAG_BOUND);
  encoder.writeAt("(the bound function)", target);
  encoder.writeAt("(its this)", self);
  encoder.to.count(args.length);
  for (const [index, arg] of args.entries()) encoder.writeAt(`(its argument ${index})`, arg);
}

function encodeExport(encoder: Encoder, value: object): boolean {
  const found = exportPathOf(value);
  if (found === undefined) return false;
  encodeImport(encoder, found.url, found.path);
  return true;
}

function encodeForeign(encoder: Encoder, fn: AnyFunction): void {
  if (encodeExport(encoder, fn)) return;
  const name = fn.name || "(anonymous)";
  encoder.refuse(
    `the function ${name} is part of Node and belongs to its thread; call it outside the task, or import it inside`,
  );
}

function encodeSource(encoder: Encoder, fn: AnyFunction, text: string, inspection: Inspection): void {
  const source = readFunctionSource(text);
  if (source === undefined)
    encoder.refuse(
      `the source of the function ${fn.name || "(anonymous)"} does not stand alone (does it use private names of a class?)`,
    );
  if (source.problem !== undefined)
    encoder.refuse(`the function ${fn.name || "(anonymous)"} cannot travel: ${source.problem}`);
  const captures = encoder.captures!;
  const given = encoder.given?.fn === fn ? encoder.given.values : undefined;
  const bindings = captures.bindingsOf(fn, source, given);
  for (const { from } of bindings) if ("users" in from) noticeSharing(encoder, from);
  const owner = source.usesOuterThis ? captures.owners.get(fn) : undefined;
  const { to } = encoder;
  to.byte(tags.TAG_FUNCTION);
  to.byte(flagsOf(source, inspection) | (owner === undefined ? 0 : FLAG_THIS));
  to.text(hasInstances(fn, source) ? tokenOf(fn) : "");
  to.text(textToSend(text, source, boxedNames(bindings)));
  to.text(inspection.script?.url ?? "");
  to.count(inspection.line);
  to.count(inspection.column);
  to.text(fn.name);
  writeBindings(encoder, bindings);
  // A function of another kind than a class's has its own `this` or none.
  if (owner !== undefined) encoder.write(owner);
  writeValues(encoder, bindings);
  writeOwnFields(encoder, fn, source.isClass);
}

/** A class, or a function that is used as one. */
function hasInstances(fn: AnyFunction, { isClass }: FunctionSource): boolean {
  if (isClass) return true;
  const { prototype } = fn as { prototype?: unknown };
  return (
    typeof prototype === "object" &&
    prototype !== null &&
    Object.hasOwn(prototype, "constructor") &&
    Object.getOwnPropertyNames(prototype).length > 1
  );
}

/** A variable that several functions share and one assigns to is one box for all of them. */
function noticeSharing(encoder: Encoder, variable: Variable): void {
  if (!variable.isWritten || variable.isBoxed || variable.users.size < 2) return;
  variable.isBoxed = true;
  encoder.startAgain = true;
}

function flagsOf({ isMethod, isClass }: FunctionSource, { scopes, script }: Inspection): number {
  const isStrict =
    scopes.some((scope) => scope.kind === "module") || (script !== undefined && startsStrict(script.source ?? ""));
  return (isStrict ? FLAG_STRICT : 0) | (isMethod ? FLAG_METHOD : 0) | (isClass ? FLAG_CLASS : 0);
}

/** A directive at the start of a script, or of the frame around a function that was rebuilt here. */
function startsStrict(source: string): boolean {
  return (
    /^(?:\s|\/\/.*\n|\/\*[\s\S]*?\*\/)*["']use strict["']/.test(source) ||
    /^\(function \(\$heddle\) \{.{0,40}"use strict"/.test(source)
  );
}

function boxedNames(bindings: readonly Binding[]): Set<string> {
  return new Set(bindings.filter(({ from }) => "users" in from && from.isBoxed).map(({ name }) => name));
}

/** The names, with what has to be known before the function can be made. */
function writeBindings(encoder: Encoder, bindings: readonly Binding[]): void {
  const { to } = encoder;
  to.count(bindings.length);
  for (const { name, from, isEarly } of bindings) {
    to.text(name);
    to.byte(isEarly ? BINDING_EARLY : 0);
    if (isEarly) writeBinding(encoder, name, from);
  }
}

function writeValues(encoder: Encoder, bindings: readonly Binding[]): void {
  for (const { name, from, isEarly } of bindings) {
    if (!isEarly) writeBinding(encoder, name, from);
  }
}

function writeBinding(encoder: Encoder, variable: string, from: Binding["from"]): void {
  const name = currentHost()?.nameOf?.(variable) ?? variable;
  const start = encoder.to.at;
  const buffers = encoder.buffers.length;
  if (!("users" in from)) encodeImport(encoder, from.url, from.path, tags.TAG_IMPORTED_NAME);
  else if (!from.isBoxed) encoder.writeAt(name, from.value);
  else if (!encoder.repeats(from)) encoder.writeObjectOf(BOXED_FIELD, name, from.value);
  if (encoder.captured !== undefined) noteCaptured(encoder, name, start, buffers);
}

function noteCaptured(encoder: Encoder, name: string, start: number, buffers: number): void {
  const path = [...encoder.steps(), name].join(" → ");
  const data = encoder.buffers.slice(buffers);
  const bytes = data.reduce((sum, buffer) => sum + buffer.byteLength, encoder.to.at - start);
  encoder.captured!.push({ name: path, bytes, digest: digestOf(encoder.to, start, data) });
}

/** Fields that were added to a function, static fields, methods added to the prototype of a plain function. */
function writeOwnFields(encoder: Encoder, fn: AnyFunction, isClass: boolean): void {
  const fields = Object.entries(Object.getOwnPropertyDescriptors(fn)).filter(
    ([, item]) => item.enumerable && "value" in item,
  );
  encoder.to.count(fields.length);
  for (const [key, { value }] of fields) {
    // In an arrow function of a static field, `this` is the class.
    if (isClass && typeof value === "function") encoder.captures!.owners.set(value, fn);
    encoder.to.text(key);
    encoder.writeAt(key, value);
  }
  const prototype = isClass ? undefined : (fn as { prototype?: unknown }).prototype;
  const methods =
    typeof prototype === "object" && prototype !== null
      ? Object.entries(Object.getOwnPropertyDescriptors(prototype)).filter(
          ([key, item]) => key !== "constructor" && "value" in item,
        )
      : [];
  encoder.to.count(methods.length);
  for (const [key, { value }] of methods) {
    encoder.to.text(key);
    encoder.writeAt(`prototype.${key}`, value);
  }
}

/** Writes an object whose prototype is not a builtin class's: the object as its builtin kind, then class or prototype. */
export function encodeOfClass(encoder: Encoder, value: object, kind: Kind): void {
  encoder.plain = false;
  if (encodeKnown(encoder, value)) return;
  const prototype = Object.getPrototypeOf(value) as object | null;
  if (prototype === null) {
    encodeBuiltin(encoder, value, kind);
    return;
  }
  const Class = classOf(prototype);
  if (Class === undefined) {
    encoder.to.byte(tags.TAG_WITH_PROTOTYPE);
    encodeBuiltin(encoder, value, kind);
    encoder.writeAt("(its prototype)", prototype);
    return;
  }
  encoder.captures ??= new Captures(encoder.captured !== undefined);
  if (!canRebuildClass(encoder, Class)) {
    if (kind.kind !== "error")
      encoder.refuse(`an object of ${Class.name} cannot travel to another thread; send the data it is made of`);
    // Errors of Node's own classes keep what can be seen of them.
    encodeBuiltin(encoder, value, kind);
    return;
  }
  rememberOwner(encoder.captures, value);
  if (kind.kind === "plain" && encoder.wasWritten(Class)) {
    encoder.to.byte(tags.TAG_INSTANCE);
    encoder.write(Class);
    encoder.writeFields(value);
  } else {
    encoder.to.byte(tags.TAG_WITH_CLASS);
    encodeBuiltin(encoder, value, kind);
    encoder.writeAt("constructor", Class);
  }
  writeOtherFields(encoder, value, kind);
}

/** What the builtin kind of an object does not write of its fields: those of a subclass, and hidden ones. */
function writeOtherFields(encoder: Encoder, value: object, { kind }: Kind): void {
  const keys = kind === "error" ? [] : Reflect.ownKeys(value).filter((key) => !isWrittenBy(kind, value, key));
  encoder.to.count(keys.length);
  for (const key of keys) {
    encoder.write(key);
    encoder.to.byte(Object.prototype.propertyIsEnumerable.call(value, key) ? 1 : 0);
    encoder.writeAt(String(key), (value as Record<PropertyKey, unknown>)[key]);
  }
}

function isWrittenBy(kind: Kind["kind"], value: object, key: PropertyKey): boolean {
  const { enumerable, get, set } = Object.getOwnPropertyDescriptor(value, key)!;
  if (kind === "plain") return enumerable === true || get !== undefined || set !== undefined;
  return key === "length" || key === "lastIndex" || (typeof key === "string" && /^\d+$/.test(key));
}

function classOf(prototype: object): AnyFunction | undefined {
  const Class: unknown = Object.getOwnPropertyDescriptor(prototype, "constructor")?.value;
  return typeof Class === "function" && Class.prototype === prototype ? (Class as AnyFunction) : undefined;
}

/** Whether each class up to a builtin one can be rebuilt or imported. Private fields are refused: no one but the class sees them. */
function canRebuildClass(encoder: Encoder, start: AnyFunction): boolean {
  let Class: AnyFunction | null = start;
  while (typeof Class === "function" && Class !== Function.prototype && globalPathOf(Class) === undefined) {
    const text = Function.prototype.toString.call(Class);
    if (NATIVE.test(text)) return false;
    const { privateNames = [] } = readFunctionSource(text) ?? {};
    if (privateNames.length > 0) {
      const what = `${start.name} has private fields (${privateNames.join(", ")})`;
      encoder.refuse(
        `${what} that only its class can read; send its data and make the object in the task, or make it an actor`,
      );
    }
    if (importOf(Class) === undefined && isInternal(encoder.captures!.inspect(Class).script)) return false;
    Class = Object.getPrototypeOf(Class) as AnyFunction | null;
  }
  // A builtin class that is not written as one of the kinds has state that cannot be seen.
  return Class !== start;
}

/** Arrow functions in fields of an instance are bound to it, as class fields make them. */
function rememberOwner(captures: Captures, value: object): void {
  for (const { value: field } of Object.values(Object.getOwnPropertyDescriptors(value))) {
    if (typeof field === "function" && !captures.owners.has(field)) captures.owners.set(field, value);
  }
}
