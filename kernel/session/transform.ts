import { createRequire } from "node:module";

type Transform = typeof import("oxc-transform").transformSync;

let transform: Transform | undefined;

/** `transformSync` of oxc, loaded when it is first called: most sessions never see a TypeScript file. */
export const transformSync: Transform = (...given) => {
  transform ??= (createRequire(import.meta.url)("oxc-transform") as { transformSync: Transform }).transformSync;
  return transform(...given);
};
