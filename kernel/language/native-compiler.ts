import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** The native compiler of the installed `typescript` package, for this platform, or what to do where it is missing. */
export function findCompiler(): { path: string; missing?: undefined } | { missing: string } {
  const name = `@typescript/typescript-${process.platform}-${process.arch}`;
  let manifest: string;
  try {
    const typescript = createRequire(import.meta.url).resolve("typescript/package.json");
    manifest = createRequire(typescript).resolve(`${name}/package.json`);
  } catch {
    return { missing: `the package ${name} is missing; install heddle again without omitting optional dependencies` };
  }
  const path = join(dirname(manifest), "lib", process.platform === "win32" ? "tsc.exe" : "tsc");
  return existsSync(path) ? { path } : { missing: `${path} is missing; install heddle again` };
}
