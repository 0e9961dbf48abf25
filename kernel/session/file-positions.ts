import { readFileSync, statSync } from "node:fs";
import { SourceMap } from "node:module";
import { fileURLToPath } from "node:url";
import { transformSync } from "./oxc.ts";
import { transformOptions } from "./typescript-modules.ts";

interface KnownFile {
  changed: number;
  map: SourceMap;
}

const known = new Map<string, KnownFile>();
const most = 50;

/**
 * A stack with the places of imported TypeScript files as they are in the files: Node speaks of the JavaScript that was
 * made of them. A file that cannot be read any more keeps the places it has.
 */
export function withFilePositions(stack: string): string {
  return stack.replaceAll(
    /(file:\/\/[^\s()?]+?\.[cm]?tsx?)(?:(?:\?|%3F)[^\s()]*?)?:(\d+):(\d+)/g,
    (place, url, line, column) => {
      try {
        // Source maps count from zero, and so does this way of asking them.
        const entry = mapOf(fileURLToPath(url)).findEntry(Number(line) - 1, Number(column) - 1);
        return "originalLine" in entry ? `${url}:${entry.originalLine + 1}:${entry.originalColumn + 1}` : place;
      } catch {
        return place;
      }
    },
  );
}

/** Made when an error is shown, not when the file is loaded: most files never need theirs. */
function mapOf(path: string): SourceMap {
  const changed = statSync(path).mtimeMs;
  const before = known.get(path);
  if (before?.changed === changed) return before.map;
  const { map } = transformSync(path, readFileSync(path, "utf8"), {
    ...transformOptions(),
    sourcemap: true,
  });
  if (map === undefined) throw new Error(`${path}: no source map`);
  const made = new SourceMap({ file: path, sourceRoot: "", sourcesContent: [], ...map } as never);
  if (known.size >= most) known.clear();
  known.set(path, { changed, map: made });
  return made;
}
