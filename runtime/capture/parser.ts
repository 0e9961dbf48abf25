/** The JavaScript parser and its scope analysis, loaded when the first function is captured: most workers never do. */
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

type Acorn = typeof import("acorn");
type Scopes = typeof import("eslint-scope");

let acorn: Acorn | undefined;
let scopes: Scopes | undefined;

/** Parses JavaScript; throws `SyntaxError`. */
export function parse(...args: Parameters<Acorn["parse"]>): ReturnType<Acorn["parse"]> {
  acorn ??= require("acorn") as Acorn;
  return acorn.parse(...args);
}

/** Finds the scopes of a parsed program. */
export function analyze(...args: Parameters<Scopes["analyze"]>): ReturnType<Scopes["analyze"]> {
  scopes ??= require("eslint-scope") as Scopes;
  return scopes.analyze(...args);
}
