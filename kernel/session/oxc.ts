/** What the session needs of oxc, loaded when it is first called: most sessions never see a TypeScript file. */
import { createRequire } from "node:module";

type Parse = typeof import("oxc-parser").parseSync;
type Transform = typeof import("oxc-transform").transformSync;

const load = createRequire(import.meta.url);
let parse: Parse | undefined;
let transform: Transform | undefined;

export const parseSync: Parse = (...given) => {
  parse ??= (load("oxc-parser") as { parseSync: Parse }).parseSync;
  return parse(...given);
};

export const transformSync: Transform = (...given) => {
  transform ??= (load("oxc-transform") as { transformSync: Transform }).transformSync;
  return transform(...given);
};
