/** Whether a thrown value is worth another attempt, by the option `retryExceptions`. */
import type { ErrorClass } from "../options.ts";

type Rule = boolean | readonly ErrorClass[] | ((error: unknown) => boolean);
const rules = new WeakMap<Uint8Array, Rule>();

/** Decides by the encoded rule; a predicate that throws says no. */
export function isRetryable(
  error: unknown,
  encoded: Uint8Array | undefined,
  decode: (bytes: Uint8Array) => unknown,
): boolean {
  if (encoded === undefined) return false;
  let rule = rules.get(encoded);
  if (rule === undefined) {
    rule = decode(encoded) as Rule;
    rules.set(encoded, rule);
  }
  if (typeof rule === "boolean") return rule;
  if (typeof rule === "function") {
    try {
      return rule(error) === true;
    } catch {
      return false;
    }
  }
  return rule.some((Class) => isOfClass(error, Class));
}

/** The class in the rule and the class in the function's captures are two copies of the user's one. */
function isOfClass(error: unknown, Class: ErrorClass): boolean {
  if (error instanceof Class) return true;
  for (
    let prototype: unknown = error;
    prototype !== null && typeof prototype === "object";
    prototype = Object.getPrototypeOf(prototype)
  ) {
    const own = (prototype as { constructor?: unknown }).constructor;
    if (typeof own === "function" && own.name === Class.name && String(own) === String(Class)) return true;
  }
  return false;
}
