import { existsSync, statSync } from "node:fs";
import * as nodeModule from "node:module";
import { fileURLToPath } from "node:url";

const extensions = [".ts", ".mts", ".cts", ".tsx", ".js", ".mjs", ".cjs", ".json"];
let isLoading = false;

/** Lets Node load TypeScript files, whatever its version and whatever TypeScript they use. Nothing happens the second time. */
export function loadTypeScript(): void {
  if (isLoading) return;
  isLoading = true;
  nodeModule.register(new URL("./typescript-hooks.js", import.meta.url));
}

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
