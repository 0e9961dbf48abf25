/** Values that every thread has: reachable from the global object or exported by Node's own modules. */
import { builtinModules, createRequire } from "node:module";
import { pathToFileURL } from "node:url";

/** What the language and Node define, before the user adds names. */
const baseNames = new Set(Object.getOwnPropertyNames(globalThis));
/** Global accessors that are safe to read. */
const READ = new Set(["crypto", "process", "Buffer"]);

let globals: Map<unknown, readonly string[]> | undefined;

/** Whether a free name is left as it is: every thread has it. */
export function isBaseGlobal(name: string): boolean {
  return baseNames.has(name);
}

/** The way from the global object to a builtin value. */
export function globalPathOf(value: unknown): readonly string[] | undefined {
  globals ??= findGlobals();
  return globals.get(value);
}

function findGlobals(): Map<unknown, readonly string[]> {
  const found = new Map<unknown, readonly string[]>([[globalThis, []]]);
  for (const name of baseNames) {
    const descriptor = Object.getOwnPropertyDescriptor(globalThis, name);
    const value: unknown = READ.has(name)
      ? (globalThis as unknown as Record<string, unknown>)[name]
      : descriptor?.value;
    addMembers(found, value, [name]);
  }
  return found;
}

function addMembers(found: Map<unknown, readonly string[]>, value: unknown, path: readonly string[]): void {
  if (!isReference(value) || found.has(value)) return;
  found.set(value, path);
  // Three steps reach `Array.prototype.map`.
  if (path.length > 2) return;
  for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(value))) {
    const isMember = typeof descriptor.value === "function" || name === "prototype" || path.length === 1;
    if (isMember && name !== "constructor") addMembers(found, descriptor.value, [...path, name]);
  }
}

function isReference(value: unknown): value is object {
  return (typeof value === "object" && value !== null) || typeof value === "function";
}

/** How to import a value. */
export interface ExportPath {
  url: string;
  path: readonly string[];
}

const exported = new Map<unknown, ExportPath>();
const scanned = new Set<string>();
const { cache } = createRequire(import.meta.url);

/** Where a value that a module of Node's or a CommonJS module exports can be imported from. */
export function exportPathOf(value: object): ExportPath | undefined {
  return exported.get(value) ?? (scanModules() ? exported.get(value) : undefined);
}

/** Looks through modules that were loaded since the last time. */
function scanModules(): boolean {
  const before = scanned.size;
  const list = new Set((process as unknown as { moduleLoadList: string[] }).moduleLoadList);
  for (const name of builtinModules) {
    if (name.startsWith("_") || name === "sys" || scanned.has(name) || !list.has(`NativeModule ${name}`)) continue;
    scanned.add(name);
    addExports(`node:${name}`, process.getBuiltinModule(name));
  }
  for (const [file, module] of Object.entries(cache)) {
    if (module === undefined || !module.loaded || scanned.has(file)) continue;
    scanned.add(file);
    // The program itself would run again if it were imported.
    if (module !== process.mainModule) addExports(pathToFileURL(file).href, module.exports);
  }
  return scanned.size > before;
}

function addExports(url: string, exports: unknown): void {
  if (!isReference(exports)) return;
  if (!exported.has(exports)) exported.set(exports, { url, path: ["default"] });
  for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(exports))) {
    if (isReference(value) && !exported.has(value) && name !== "prototype")
      exported.set(value, { url, path: ["default", name] });
  }
}
