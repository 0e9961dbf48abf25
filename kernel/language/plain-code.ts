import { transformSync } from "oxc-transform";

/**
 * Code without its types, for where no cell is compiled: expressions and conditions of a debugger. What is no
 * TypeScript program comes back as it is, so that V8 says what is wrong with it.
 */
export function plainCode(code: string): string {
  const { code: plain, errors } = transformSync("expression.ts", code, { sourcemap: false });
  return errors.length > 0 || plain.trim() === "" ? code : plain.trim();
}
