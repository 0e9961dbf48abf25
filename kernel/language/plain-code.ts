import { transformSync } from "oxc-transform";
import { findExcess } from "./excess.ts";
import { parseText } from "./parse.ts";
import { renameOwnGlobals } from "./rewriting/own-globals.ts";
import { Rewrite } from "./rewriting/rewrite.ts";

/**
 * Code without its types and with the names of scripts, for where no cell is compiled: expressions and conditions of a
 * debugger. `isOwn` tells which names of globals stand for variables of the notebook. What is no TypeScript program
 * comes back as it is, so that V8 says what is wrong with it.
 */
export function plainCode(code: string, isOwn: (name: string) => boolean): string {
  if (findExcess(code) !== undefined) return code;
  const { code: plain, errors } = transformSync("expression.ts", inScriptNames(code, isOwn), { sourcemap: false });
  return errors.length > 0 || plain.trim() === "" ? code : plain.trim();
}

/** Whether the code mentions one of such names. */
export function mentions(code: string, isOwn: (name: string) => boolean): boolean {
  return (code.match(/[\w$]+/g) ?? []).some(isOwn);
}

function inScriptNames(code: string, isOwn: (name: string) => boolean): string {
  if (!mentions(code, isOwn)) return code;
  const { errors, program } = parseText(code);
  if (errors.length > 0) return code;
  const rewrite = new Rewrite(code, isOwn);
  renameOwnGlobals(rewrite, program);
  return rewrite.edit.toString();
}
