import { existsSync, statSync } from "node:fs";
import * as nodeModule from "node:module";
import { fileURLToPath } from "node:url";
import { MessageChannel, type MessagePort } from "node:worker_threads";
import type { HelperMode, TransformOptions } from "oxc-transform";
import { readCompilerOptions } from "../language/server/tsconfig.ts";
import type { HooksData } from "./typescript-hooks.ts";

const extensions = [".ts", ".mts", ".cts", ".tsx", ".js", ".mjs", ".cjs", ".json"];
let edits: MessagePort | undefined;
let usersFolder = ".";

/**
 * Lets Node load TypeScript files of the user's, whatever its version and whatever TypeScript they use, and files that
 * were edited; `known` says which edits they have.
 */
export function loadTypeScript(folder: string, known: ReadonlyMap<string, number>): void {
  if (edits === undefined) {
    usersFolder = folder;
    const { port1, port2 } = new MessageChannel();
    const data: HooksData = { folder, edits: port2 };
    nodeModule.register(new URL("./typescript-hooks.js", import.meta.url), { data, transferList: [port2] });
    port1.unref();
    edits = port1;
  }
  edits.postMessage(known);
}

export function isTypeScript(url: string): boolean {
  return url.startsWith("file:") && /\.[cm]?tsx?$/.test(new URL(url).pathname);
}

/** How the files of a folder become JavaScript; without one, those of the folder that files are loaded for. */
export function transformOptions(folder: string = usersFolder): TransformOptions {
  const { emitDecoratorMetadata = false, experimentalDecorators: legacy = false } = readCompilerOptions(folder).own;
  const mode = "External" as HelperMode;
  return { sourcemap: false, ...(legacy && { decorator: { legacy, emitDecoratorMetadata }, helpers: { mode } }) };
}

/** The transformed code of a file with what it calls to apply TypeScript's older decorators, on its first line. */
export function withHelpers(code: string): string {
  return code.includes("babelHelpers.decorate") ? decoratorHelpers + code : code;
}

const decoratorHelpers = `const babelHelpers = {
  decorate(decorators, target, key, given) {
    const isClass = key === undefined;
    let result = isClass ? target : given === null ? Object.getOwnPropertyDescriptor(target, key) : given;
    for (const decorator of decorators.reverse())
      result = (isClass ? decorator(result) : decorator(target, key, result)) || result;
    if (!isClass && result) Object.defineProperty(target, key, result);
    return result;
  },
  decorateParam: (index, decorator) => (target, key) => { decorator(target, key, index); },
  decorateMetadata: (key, value) => Reflect.metadata?.(key, value) ?? (() => {}),
}; `.replaceAll(/\n\s*/g, " ");

/** The file that a path means: itself, with an extension left out, or a folder's index; for `x.js` that is not there `x.ts`. */
export function probeExtensions(url: URL): string {
  const path = fileURLToPath(url);
  if (isFile(path)) return url.href;
  const candidates = [
    ...extensions.map((extension) => url.pathname + extension),
    ...extensions.map((extension) => `${url.pathname.replace(/\/$/, "")}/index${extension}`),
    url.pathname.replace(/\.([cm]?)js$/, ".$1ts"),
  ];
  for (const pathname of candidates) {
    const candidate = new URL(url);
    candidate.pathname = pathname;
    if (existsSync(fileURLToPath(candidate)) && isFile(fileURLToPath(candidate))) return candidate.href;
  }
  return url.href;
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}
