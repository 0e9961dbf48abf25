/**
 * What a cell declares at its top level all code of its process sees: `const URL = …` would take the global `URL` away
 * from packages and from heddle. So a cell's own variable of such a name has another name in the script, the same one in
 * all cells, and the user's wherever it is shown.
 */

const PREFIX = "__heddle_user_";

/**
 * Names by which code finds out where it runs, as a notebook's `window` must not make a package think of a browser; globals
 * that some versions of Node have; and what CommonJS gives to a cell.
 */
const probes =
  "window self document location name status frames top parent navigator localStorage sessionStorage XMLHttpRequest WebSocket EventSource HTMLElement Window Worker importScripts WorkerGlobalScope Deno Bun process define require module exports __dirname __filename jest chrome browser alert Iterator Float16Array Temporal Storage".split(
    " ",
  );

const globals = new Set([
  ...Object.getOwnPropertyNames(globalThis),
  ...Object.getOwnPropertyNames(Object.prototype),
  ...probes,
  "__heddle__",
]);

/** Whether code outside of the notebook may mean something of its own by the name. */
export function isGlobalName(name: string): boolean {
  return globals.has(name);
}

/** What the notebook's own variable of that name is called in scripts. */
export function scriptName(name: string): string {
  return PREFIX + name;
}

/** A text with the names that the user gave. */
export function inUserNames(text: string): string {
  return text.replaceAll(PREFIX, "");
}
