/** Module hooks (they run on a thread of Node's own) for the user's files: TypeScript, paths, edits. */
import { readFile } from "node:fs/promises";
import type { LoadHook, ResolveHook } from "node:module";
import { fileURLToPath } from "node:url";
import { type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import { transform } from "oxc-transform";
import { editedUrl, isLocal, resolveLocal } from "./local-files.ts";
import { isTypeScript, transformOptions, withHelpers } from "./typescript-modules.ts";

/** What the session gives to the hooks. */
export interface HooksData {
  /** The notebook's folder. */
  folder: string;
  /** Maps from URLs of files to their edits, posted before they are loaded. */
  edits: MessagePort;
}

let data: HooksData | undefined;
const known = new Map<string, number>();

export function initialize(given: HooksData): void {
  data = given;
}

export const resolve: ResolveHook = async (specifier, context, nextResolve) => {
  const parent = context.parentURL;
  if (data === undefined || parent === undefined || !isLocal(parent)) return nextResolve(specifier, context);
  const target = resolveLocal(specifier, parent, data.folder);
  if (target === undefined) return nextResolve(specifier, context);
  for (let news = receiveMessageOnPort(data.edits); news !== undefined; news = receiveMessageOnPort(data.edits))
    for (const [url, edit] of news.message as Map<string, number>) known.set(url, edit);
  return nextResolve(editedUrl(target, known.get(target)), context);
};

export const load: LoadHook = async (url, context, nextLoad) => {
  if (!isTypeScript(url)) return nextLoad(url, context);
  const path = fileURLToPath(url);
  const { code, errors } = await transform(path, await readFile(path, "utf8"), transformOptions(data?.folder));
  const error = errors[0];
  if (error !== undefined)
    throw new SyntaxError(`${path}: ${error.message}${error.codeframe ? `\n${error.codeframe}` : ""}`);
  return { format: path.endsWith(".cts") ? "commonjs" : "module", source: withHelpers(code), shortCircuit: true };
};
